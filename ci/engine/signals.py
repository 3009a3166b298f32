"""Signals and the deadline of a step: raised into Python code, or noted while a child is watched."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

ENDING = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)


class Stopped(BaseException):
    """End what runs: a signal arrived or, as SIGALRM, the deadline of the step passed."""

    def __init__(self, signum: int) -> None:
        super().__init__(signal.Signals(signum).name)
        self.signum = signum


class Signals:
    """
    Turn signals into `Stopped`, in the main thread, as long as the `with` lasts.

    A signal that was ignored when we were started (nohup, a background job) stays ignored.
    """

    def __init__(self) -> None:
        self.noted: list[int] = []
        self._held = False
        self._deadline_at: float | None = None
        self._before: dict[int, object] = {}

    def __enter__(self) -> "Signals":
        self.wake_fd, self._wake_write_fd = os.pipe()
        self._listen()
        return self

    def __exit__(self, *error: object) -> None:
        self._unlisten()
        os.close(self.wake_fd)
        os.close(self._wake_write_fd)

    @contextmanager
    def deadline(self, timeout_s: float) -> Iterator[float]:
        """Raise `Stopped` into the block when `timeout_s` have passed; give the moment on the monotonic clock."""
        self._deadline_at = time.monotonic() + timeout_s
        self._wind()
        try:
            yield self._deadline_at
        finally:
            self._deadline_at = None
            self._wind()

    @contextmanager
    def held(self) -> Iterator[None]:
        """
        Note signals instead of raising them, and stop the clock: the block looks after both itself.

        Each signal makes `wake_fd` readable. One that was noted is raised when the block has ended well.
        """
        self._held = True
        signal.setitimer(signal.ITIMER_REAL, 0)
        try:
            yield
        finally:
            self._held = False
            self._wind()
        if self.noted:
            raise Stopped(self.noted[0])

    @contextmanager
    def left_alone(self) -> Iterator[None]:
        """Give signals back to whoever had them before: Invoke, in a plain task."""
        self._unlisten()
        try:
            yield
        finally:
            self._listen()

    def _listen(self) -> None:
        heeded = [signum for signum in ENDING if signal.getsignal(signum) is not signal.SIG_IGN]
        for signum in (*heeded, signal.SIGALRM):
            self._before[signum] = signal.signal(signum, self._arrived)

    def _unlisten(self) -> None:
        while self._before:
            signum, handler = self._before.popitem()
            signal.signal(signum, handler)  # type: ignore[arg-type]  # what signal.signal itself returned

    def _arrived(self, signum: int, _frame: FrameType | None) -> None:
        if not self._held:
            raise Stopped(signum)
        if signum != signal.SIGALRM:  # the clock was stopped just too late, and goes on when the block has ended
            self.noted.append(signum)
            os.write(self._wake_write_fd, b".")

    def _wind(self) -> None:
        """Set the clock for what is left until the deadline; zero would switch it off."""
        left_s = 0.0 if self._deadline_at is None else max(self._deadline_at - time.monotonic(), 1e-6)
        signal.setitimer(signal.ITIMER_REAL, left_s)
