"""The calls of one run, each bound to its values, and what comes before what."""

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from invoke.tasks import Call, Task

from ci.engine import values
from ci.engine.step import Step
from ci.errors import InputError


class Node:
    """
    One call of a run: what it is bound to, and which others come before it.

    All nodes of a phase come before those of a later one: phases are the tasks named on the command line, and the
    last words.
    """

    def __init__(self, call: Call, bound: dict[str, Any], phase: int) -> None:
        self.call = call
        self.bound = bound
        self.phase = phase
        self.title = values.title(call.task)  # what is shown, unique in its run
        self.needs: list[Node] = []
        self.posts: list[Node] = []
        self.before: list[Node] = []
        self.alone_before: set[Node] = set()  # of all that comes before it, near or far, what runs alone
        self.chain = 1  # how many nodes the longest way from here to the end has
        self.is_named = False
        self.is_last = False  # waits for the end of the run

    @property
    def task(self) -> Task[Any]:
        """Return the task to run."""
        return self.call.task

    def argv(self) -> list[str]:
        """Return what to type after `inv` to run it with the same values."""
        flags = {str(flag.name): flag for flag in values.arguments(self.task)}
        given = [(flags[name], value) for name, value in self.bound.items() if flags[name].default != value]
        return [self.title, *(_typed(flag.names[0], value) for flag, value in given)]

    @property
    def is_alone(self) -> bool:
        """Return whether nothing may run beside it: it has the main thread, and the terminal."""
        return not isinstance(self.task, Step) or self.task.promise.terminal


def build(calls: Sequence[Call], given: Mapping[str, Any], *, dedupe: bool) -> list[Node]:
    """
    Return the nodes of a run in the order of stock Invoke; `calls` are those named on the command line.

    Raises:
        InputError: a call cannot be bound, or tasks need each other in a circle.
    """
    graph = _Graph(given, dedupe)
    for phase, call in enumerate(calls):
        graph.add(call, (), phase).is_named = True
    values.parameters(node.task for node in graph.nodes)
    _connect(graph.nodes, last_phase=len(calls))
    ordered = _ordered(graph.nodes)
    _settle(ordered)
    return ordered


class _Graph:
    def __init__(self, given: Mapping[str, Any], dedupe: bool) -> None:
        self.nodes: list[Node] = []
        self._given = given
        self._dedupe = dedupe

    def add(self, item: Any, path: tuple[Node, ...], phase: int) -> Node:
        """Return the node of `item`, a call or a task, with all that belongs to it; `path` leads there."""
        call = item if isinstance(item, Call) else Call(item)
        bound = values.bind(call, self._given)
        if path and (flag := _alone(call.task, bound)):
            raise InputError(
                f"{path[-1].title} needs {values.title(call.task)} as it is, without --{flag}",
                f"leave it out, or ask for {values.title(call.task)} alone",
            )
        known = self.nodes if self._dedupe or isinstance(call.task, Step) else path
        for node in known:
            if node.task == call.task and node.bound == bound:
                return node
        return self._new(Node(call, bound, phase), path)

    def _new(self, node: Node, path: tuple[Node, ...]) -> Node:
        self.nodes.append(node)
        needed = () if _alone(node.task, node.bound) else node.task.pre
        node.needs = [self.add(item, (*path, node), node.phase) for item in needed]
        node.posts = [self.add(item, (*path, node), node.phase) for item in node.task.post]
        return node


def _typed(flag: str, value: Any) -> str:
    if isinstance(value, bool):
        return f"--{flag}" if value else f"--no-{flag}"
    return f"--{flag}={shlex.quote(str(value))}"


def _connect(nodes: list[Node], last_phase: int) -> None:
    """Say what comes before each: what it needs, each with its post-tasks, and what it is a post-task of."""
    needed = {need for node in nodes for need in node.needs}
    for node in nodes:
        always = isinstance(node.task, Step) and node.task.promise.always
        node.is_last = always and node not in needed
        node.phase = last_phase if node.is_last else node.phase
    for node in nodes:
        earlier = [one for need in node.needs for one in (need, *need.posts)]
        node.before += [one for one in earlier if one is not node and (one in node.needs or not one.is_last)]
        for post in node.posts:
            post.before.append(node)


def _alone(task: Task[Any], bound: Mapping[str, Any]) -> str:
    """Return the first flag that was given and with which `task` is for itself, or ""."""
    if not isinstance(task, Step):
        return ""
    defaults = task.argspec(task.body).parameters
    given = (name for name in task.promise.alone if bound[name] != defaults[name].default)
    return next((name.replace("_", "-") for name in given), "")


def _ordered(nodes: list[Node]) -> list[Node]:
    """Return `nodes` as stock Invoke would run them: depth first, each after what it needs; the last ones last."""
    done: dict[Node, None] = {}

    def visit(node: Node, path: list[Node]) -> None:
        if node in path:
            circle = [*path[path.index(node) :], node]
            raise InputError(f"task cycle: {' -> '.join(one.title for one in circle)}", "take one of them out of pre")
        if node not in done:
            for earlier in node.before:
                visit(earlier, [*path, node])
            done[node] = None

    for node in sorted(nodes, key=lambda one: one.is_last):
        visit(node, [])
    return list(done)


def _settle(ordered: list[Node]) -> None:
    """Complete what follows from the order: what a plain task waits for, phases, chains, and titles."""
    titles: set[str] = set()
    plain: list[Node] = []  # the latest plain task, if there was one
    since: list[Node] = []  # what came after it
    for node in ordered:
        # A plain task has Invoke's own meaning: it comes after all that is before it, and before all that is after.
        if isinstance(node.task, Step):
            node.before += plain
            since.append(node)
        else:
            node.before += plain + since
            plain, since = [node], []
        node.alone_before.update(one for one in node.before if one.is_alone)
        node.alone_before.update(*(one.alone_before for one in node.before))
        # A post-task that was named before its owner nevertheless comes after it.
        node.phase = max([node.phase, *(one.phase for one in node.before)])
        node.title = _unique(node.title, titles)
    for node in reversed(ordered):
        for one in node.before:
            one.chain = max(one.chain, node.chain + 1)


def _unique(title: str, taken: set[str]) -> str:
    number = 2
    shown = title
    while shown in taken:
        shown, number = f"{title} #{number}", number + 1
    taken.add(shown)
    return shown
