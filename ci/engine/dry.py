"""What a run would do: its waves, what each step changes, and which value reaches whom."""

from collections.abc import Iterator, Sequence
from typing import Any

from ci.engine.graph import Node
from ci.engine.step import Step


def text(nodes: Sequence[Node]) -> str:
    """Return one line a task; tasks with the same number wait for none of each other, and may run side by side."""
    rows = [(number, node) for number, wave in enumerate(waves(nodes), 1) for node in wave]
    widths = [max(map(len, column)) for column in zip(*((node.title, _what(node)) for _, node in rows), strict=True)]
    return "\n".join(
        f"{number:>3}. {node.title:<{widths[0]}}  {_what(node):<{widths[1]}}  {_values(node)}".rstrip()
        for number, node in rows
    )


def order(nodes: Sequence[Node]) -> list[dict[str, Any]]:
    """Return the same for a journal: task, wave, what it changes ("" for a plain task), titles before it, values."""
    return [
        {
            "task": node.title,
            "wave": number,
            "changes": node.task.promise.changes if isinstance(node.task, Step) else "",
            "before": [one.title for one in node.before],
            "values": node.bound,
        }
        for number, wave in enumerate(waves(nodes), 1)
        for node in wave
    ]


def waves(nodes: Sequence[Node]) -> Iterator[list[Node]]:
    """Yield what may run side by side, given jobs enough: each wave as soon as the one before it is done."""
    left, done = list(nodes), set[Node]()
    while left:
        phase = min(node.phase for node in left)
        ready = [node for node in left if node.phase == phase and done.issuperset(node.before)]
        wave = [node for node in ready if not node.is_alone] or ready[:1]
        yield wave
        done.update(wave)
        left = [node for node in left if node not in done]


def _what(node: Node) -> str:
    if not isinstance(node.task, Step):
        return "plain task"
    promise = node.task.promise
    more = [word for word, is_so in (("alone", promise.terminal), ("always", promise.always)) if is_so]
    return ", ".join([f"changes {promise.changes}", *more])


def _values(node: Node) -> str:
    return " ".join(f"{name}={value!r}" for name, value in node.bound.items())
