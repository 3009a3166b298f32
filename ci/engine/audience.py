"""Who is told how a run goes: the person at the screen and, for steps, the journal."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any

from ci import errors
from ci.engine import dry, output
from ci.engine.graph import Node
from ci.engine.journal import FOLDER, Journal
from ci.engine.output import Emit, Stage, Voice
from ci.engine.screen import Screen
from ci.engine.step import Step
from ci.engine.summary import Row
from ci.engine.work import INTERRUPTED, Work
from ci.errors import LockstepError


class Audience:
    """The person who runs plain tasks, and wants to see what those say and nothing else."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage

    def voice(self, node: Node, *, is_ahead: bool) -> Voice:  # noqa: ARG002 - of a plain task, any
        """Return the voice for `node`."""
        return self.stage.directly()

    def say(self, text: str) -> None:
        """Tell the engine's own words."""
        self.stage.directly().print(1, f"{text}\n")

    def error(self, title: str, error: LockstepError) -> None:  # noqa: ARG002 - as above
        """Tell a failure."""
        self.say(errors.text(error))

    def paused(self) -> AbstractContextManager[None]:
        """Leave the terminal to what runs in the block."""
        return nullcontext()

    def begin(self, nodes: Sequence[Node], argv: Sequence[str], values: Mapping[str, Any], commit: str) -> None:
        """Tell what will run."""

    def started(self, node: Node) -> None:
        """Tell that a task has started."""

    def command(self, node: Node, program: str, exited: int, seconds: float) -> None:
        """Tell that a command of a step has ended."""

    def ended(self, work: Work) -> None:
        """Tell how a task went."""

    def sum_up(self, works: Sequence[Work], critical_path: Sequence[str], left: Sequence[str]) -> None:
        """Tell how all went but the last words."""

    def end(self, exit_code: int) -> None:
        """Tell nothing more."""


class Recorded(Audience):
    """The person who runs steps, and the journal of the run."""

    def __init__(self, stage: Stage, screen: Screen, journal: Journal) -> None:
        super().__init__(stage)
        self._screen = screen
        self._journal = journal
        self._logs: dict[str, Path] = {}  # from the folder of tasks.py

    def voice(self, node: Node, *, is_ahead: bool) -> Voice:
        """Return the voice for `node`: results to stdout, the rest to stderr, all to its log; ahead, only there."""
        if not isinstance(node.task, Step):
            return super().voice(node, is_ahead=is_ahead)
        log = partial(self._log, node.title)
        if is_ahead:
            return Voice(self.stage.redactor, log, log)
        show = partial(self._screen.show, node.title)
        result: Emit = self._screen.result
        if node.is_alone:
            stdout, stderr = self.stage.real
            result, show = partial(output.write, stdout), partial(output.write, stderr)
        return Voice(self.stage.redactor, _both(result if node.is_named else show, log), _both(show, log))

    def say(self, text: str) -> None:
        self._screen.say(text)

    def error(self, title: str, error: LockstepError) -> None:
        self._screen.error(title, error)

    def paused(self) -> AbstractContextManager[None]:
        return self._screen.paused()

    def begin(self, nodes: Sequence[Node], argv: Sequence[str], values: Mapping[str, Any], commit: str) -> None:
        self._journal.begin(argv=argv, values=values, order=dry.order(nodes), commit=commit)
        self._screen.begin([node.title for node in nodes if not node.is_last])

    def started(self, node: Node) -> None:
        self._journal.started(node.title, node.bound)
        if isinstance(node.task, Step):
            self._screen.started(node.title)

    def command(self, node: Node, program: str, exited: int, seconds: float) -> None:
        self._journal.command(node.title, program, exited, seconds)

    def ended(self, work: Work) -> None:
        title, state, note, seconds = work.node.title, work.state, work.note, work.seconds
        stderr = self.stage.real[1]
        if work.node.is_alone and state == INTERRUPTED and stderr.isatty():
            output.write(stderr, "\n")  # the prompt, and the ^C behind it, are on a line that nobody ended
        self._screen.ended(title, state, note, seconds)
        why = errors.text(work.error) if isinstance(work.error, LockstepError) else ""
        self._journal.ended(title, state, note or why, seconds, work.exit_code)

    def sum_up(self, works: Sequence[Work], critical_path: Sequence[str], left: Sequence[str]) -> None:
        rows = [Row(one.node.title, one.seconds, one.state, one.note, self._logs.get(one.node.title)) for one in works]
        self._screen.end(rows, critical_path, left)

    def end(self, exit_code: int) -> None:
        if self._journal.trouble:
            self._screen.error("", self._journal.trouble)
        self._journal.end(exit_code)

    def _log(self, title: str, text: str) -> None:
        if (log := self._journal.log(title, text)) and title not in self._logs:
            self._logs[title] = Path(FOLDER, self._journal.id, log.name)


def _both(show: Emit, log: Emit) -> Emit:
    def emit(text: str) -> None:
        show(text)
        log(text)

    return emit
