"""One task of a run being performed: in a thread of its own or in the main thread, on a leash."""

import threading
import time
from collections.abc import Callable
from typing import Any

from ci.engine import failure
from ci.engine.graph import Node
from ci.engine.leash import DEADLINE, Leash, Stopped
from ci.engine.output import Stage, Voice
from ci.engine.signals import Events
from ci.engine.step import Step
from ci.errors import Unfinished

END_S = 1.0  # for Python code to end, once its commands have been killed
DONE, FAILED, INTERRUPTED = "done", "failed", "interrupted"


class Work:
    """A node on its way: when it began, what ends it, what it says, and in the end how it went."""

    def __init__(self, node: Node, stage: Stage, voice: Voice, grace_s: float, *, is_ahead: bool) -> None:
        self.node = node
        self.is_ahead = is_ahead  # it only gets ready, before its turn
        self.voice = voice
        self.leash = Leash()
        self.began_at = self.ended_at = time.monotonic()
        self.deadline_at = self.began_at + node.task.promise.timeout_s if isinstance(node.task, Step) else None
        self.due_at = self.deadline_at  # when it has to be told to end and, once told, to have ended
        self.state = ""  # until it is over
        self.note = ""
        self.result: Any = None
        self.error: BaseException | None = None
        self.is_given_up = False
        self._is_performed = False
        self._stage = stage
        self._grace_s = grace_s
        self._thread: threading.Thread | None = None

    @property
    def seconds(self) -> float:
        """Return how long it took."""
        return self.ended_at - self.began_at

    @property
    def exit_code(self) -> int:
        """Return what its own end alone would make of the run."""
        return failure.last_words(self.error)[0] if self.error and self.state == FAILED else 0

    def start(self, body: Callable[[], Any], events: Events) -> None:
        """Perform `body` in a thread, which does not keep us from leaving; put this into `events` when it has ended."""

        def perform() -> None:
            try:
                self.perform(body)
            except Stopped:  # it had ended when it was told to
                self._is_performed = True
            events.put(self)

        self._thread = threading.Thread(target=perform, name=self.node.title, daemon=True)
        self._thread.start()

    def perform(self, body: Callable[[], Any]) -> None:
        """Perform `body` here and now, and keep what comes of it, whatever that is."""
        try:
            with self._stage.speaks(self.voice):
                self.result = body()
        except BaseException as error:  # noqa: BLE001 - judged by the run, which goes on
            self.error = _stop_behind(error) or error
        self._is_performed = True

    def pull(self, reason: str) -> None:
        """Tell it to end; at the second time without any grace."""
        self.leash.pull(reason, self._thread)
        self.due_at = time.monotonic() + END_S + (self._grace_s if self.leash.pulls == 1 else 0.0)

    def close(self) -> None:
        """Judge how it went; what has not ended by now, since its Python code does not return, is given up."""
        self.is_given_up = not self._is_performed
        if self.is_given_up:
            self.error = Stopped()
        self.ended_at = time.monotonic()
        self.leash.close()
        self.voice.end()
        self._judge()

    def _judge(self) -> None:
        if self.error is None:
            self.state, self.note = DONE, self.result if isinstance(self.result, str) else ""
        elif isinstance(self.error, KeyboardInterrupt) or self._was_ended():
            self.state = INTERRUPTED
        else:
            self.state = FAILED
            if isinstance(self.node.task, Step):
                self.error = failure.told(self.error, self.node.title, self.node.task.promise) or self.error
            if self.is_given_up and isinstance(self.error, Unfinished):
                self.error.hint = "its Python code does not return: inv ended without it"

    def _was_ended(self) -> bool:
        """Return whether someone ended it, rather than its own failure or its deadline."""
        return isinstance(self.error, Stopped) and self.leash.reason != DEADLINE


def _stop_behind(error: BaseException | None) -> Stopped | None:
    """Return the `Stopped` on whose way out `error` came: clean-up that was not ready for it tells nothing."""
    while error is not None and not isinstance(error, Stopped):
        error = error.__context__
    return error
