"""The calls of one run, each bound to its values, in an order that puts what is needed first."""

from collections.abc import Mapping, Sequence
from typing import Any

from invoke.tasks import Call, Task

from ci.engine import values
from ci.engine.step import Step
from ci.errors import InputError


class Node:
    """One call of a run: what it is bound to and which others come before it."""

    def __init__(self, call: Call, bound: dict[str, Any]) -> None:
        self.call = call
        self.bound = bound
        self.needs: list[Node] = []
        self.follows: list[Node] = []
        self.posts: list[Node] = []
        self.is_named = False

    @property
    def task(self) -> Task[Any]:
        """Return the task to run."""
        return self.call.task

    @property
    def title(self) -> str:
        """Return the name to show."""
        return values.title(self.task)

    @property
    def is_last(self) -> bool:
        """Return whether it waits for the end of the run."""
        return isinstance(self.task, Step) and self.task.promise.always

    def before(self) -> list["Node"]:
        """Return what comes before it: what it needs, each with its post-tasks, and what it is a post-task of."""
        needed = [node for need in self.needs for node in (need, *need.posts)]
        return [
            node for node in (*needed, *self.follows) if node is not self and (node in self.needs or not node.is_last)
        ]


def build(calls: Sequence[Call], given: Mapping[str, Any], *, dedupe: bool) -> list[Node]:
    """
    Return the nodes of a run in the order to run them; `calls` are those named on the command line.

    Raises:
        InputError: a call cannot be bound, or tasks need each other in a circle.
    """
    graph = _Graph(given, dedupe)
    for call in calls:
        graph.add(call, ()).is_named = True
    values.parameters(node.task for node in graph.nodes)
    return _ordered(graph.nodes)


class _Graph:
    def __init__(self, given: Mapping[str, Any], dedupe: bool) -> None:
        self.nodes: list[Node] = []
        self._given = given
        self._dedupe = dedupe

    def add(self, item: Any, path: tuple[Node, ...]) -> Node:
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
        return self._new(Node(call, bound), path)

    def _new(self, node: Node, path: tuple[Node, ...]) -> Node:
        self.nodes.append(node)
        needed = () if _alone(node.task, node.bound) else node.task.pre
        node.needs = [self.add(item, (*path, node)) for item in needed]
        node.posts = [self.add(item, (*path, node)) for item in node.task.post]
        for post in node.posts:
            post.follows.append(node)
        return node


def _alone(task: Task[Any], bound: Mapping[str, Any]) -> str:
    """Return the first flag that was given and with which `task` is for itself, or ""."""
    if not isinstance(task, Step):
        return ""
    defaults = task.argspec(task.body).parameters
    given = (name for name in task.promise.alone if bound[name] != defaults[name].default)
    return next((name.replace("_", "-") for name in given), "")


def _ordered(nodes: list[Node]) -> list[Node]:
    """Return `nodes` as stock Invoke would run them: depth first, each after what it needs; the last ones last."""
    done: list[Node] = []

    def visit(node: Node, path: list[Node]) -> None:
        if node in path:
            circle = [*path[path.index(node) :], node]
            raise InputError(f"task cycle: {' -> '.join(one.title for one in circle)}", "take one of them out of pre")
        if node not in done:
            for earlier in node.before():
                visit(earlier, [*path, node])
            done.append(node)

    needed = [node for one in nodes for node in one.needs]
    for node in sorted(nodes, key=lambda one: one.is_last and one not in needed):
        visit(node, [])
    return done
