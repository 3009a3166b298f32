"""One run: its nodes one by one, what became of each, and the failure that ends it."""

import signal
import time
import traceback
from collections.abc import Callable, Sequence
from typing import Any

from invoke.exceptions import Exit
from invoke.tasks import Task

from ci import errors
from ci.engine import failure, output, summary
from ci.engine.graph import Node
from ci.engine.signals import Signals, Stopped
from ci.engine.step import Step
from ci.engine.summary import Outcome
from ci.errors import LockstepError

Perform = Callable[[Node, Signals], Any]


class Run:
    """Performs nodes in their order until one fails; then only those that always run and have what they need."""

    def __init__(self, nodes: Sequence[Node], perform: Perform) -> None:
        self._perform = perform
        self._outcomes = {node: Outcome(node.title) for node in nodes}
        self._failure: BaseException | None = None
        self.results: dict[Task[Any], Any] = {}

    def to_the_end(self) -> None:
        """
        Perform all that can be, tell how it went, and raise the first failure.

        Raises:
            Exit: a task failed, and has said why.
            Stopped: a signal arrived.
        """
        last = [node for node in self._outcomes if node.is_last]
        with Signals() as signals:
            try:
                self._go_through([node for node in self._outcomes if node not in last], signals)
            finally:
                self._sum_up()
            self._go_through(last, signals)
        if isinstance(self._failure, LockstepError):
            raise Exit(code=self._failure.exit_code) from self._failure
        if self._failure:
            raise self._failure

    def _go_through(self, nodes: Sequence[Node], signals: Signals) -> None:
        for node in nodes:
            if self._may_run(node):
                self._take(node, signals)

    def _sum_up(self) -> None:
        """Say how the steps went, before those that always run have the last words."""
        steps = [outcome for node, outcome in self._outcomes.items() if not node.is_last]
        if steps and any(isinstance(node.task, Step) for node in self._outcomes):
            output.say(summary.text(steps))

    def _may_run(self, node: Node) -> bool:
        """Return whether nothing failed before it or, after a failure, whether it always runs and has words to say."""
        if self._failure is None:
            return True
        done = {one for one, outcome in self._outcomes.items() if outcome.state == "done"}
        return node.is_last and bool(done) and done.issuperset(node.needs)

    def _take(self, node: Node, signals: Signals) -> None:
        outcome = self._outcomes[node]
        outcome.state = "interrupted"
        started_at = time.monotonic()
        try:
            result = self.results[node.task] = self._perform(node, signals)
            outcome.state, outcome.note = "done", result if isinstance(result, str) else ""
        except BaseException as error:  # kept, and raised when the steps that always run have run
            if _is_interruption(error):
                raise
            outcome.state = "failed"
            self._fail(node, error)
        finally:
            outcome.seconds = time.monotonic() - started_at

    def _fail(self, node: Node, error: BaseException) -> None:
        if isinstance(node.task, Step):
            error = failure.told(error, node.title, node.task.promise) or error
        if isinstance(error, LockstepError):
            output.say(errors.text(error))
        elif self._failure:
            traceback.print_exception(error)
        self._failure = self._failure or error


def _is_interruption(error: BaseException) -> bool:
    """Return whether someone ended the run, rather than its own failure or a step's deadline."""
    return isinstance(error, KeyboardInterrupt) or (isinstance(error, Stopped) and error.signum != signal.SIGALRM)
