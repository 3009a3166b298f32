"""Signals, turned into events for the loop of a run; in the main thread's own step, raised into it."""

import os
import select
import signal
import sys
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from ci.engine.leash import DEADLINE, Leash, Stopped

ENDING = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)
AGAIN_S = 0.001  # what could not be raised in one place is raised a little later in another
PATIENCE = 2  # signals: to ask, and to insist; at the next we leave, and the watchdog ends what is left


class Events:
    """
    A queue for the main thread, which also wakes when a signal arrived in whichever thread.

    The system may choose any thread for a signal. A lock that the main thread waits for is not told of that; a pipe is.
    """

    def __init__(self) -> None:
        self._events: deque[Any] = deque()
        self._wake_fd, self.wake_write_fd = os.pipe()
        os.set_blocking(self._wake_fd, False)
        os.set_blocking(self.wake_write_fd, False)

    def put(self, event: Any) -> None:
        """Add `event`, from any thread or signal handler."""
        self._events.append(event)
        try:
            os.write(self.wake_write_fd, b".")
        except BlockingIOError:  # full, which wakes as well
            pass

    def get(self, timeout_s: float | None) -> Any:
        """Return the next event, or None when there was none within `timeout_s`."""
        if not self._events:
            select.select([self._wake_fd], [], [], timeout_s)
            self._drain()
        return self._events.popleft() if self._events else None

    def _drain(self) -> None:
        try:
            os.read(self._wake_fd, 1 << 16)
        except BlockingIOError:
            pass


class Signals:
    """
    Put each signal into `events`, as its number, as long as the `with` lasts.

    The handler may interrupt this very thread anywhere: it takes no lock that the thread could hold. A signal that
    was ignored when we were started (nohup, a background job) stays ignored.
    """

    def __init__(self, events: Events) -> None:
        self._events = events
        self._leash: Leash | None = None
        self._before: dict[int, object] = {}
        self._count = 0

    def __enter__(self) -> "Signals":
        self._listen()
        self._wake_fd_before = signal.set_wakeup_fd(self._events.wake_write_fd, warn_on_full_buffer=False)
        self._unraisable_before, sys.unraisablehook = sys.unraisablehook, self._lost
        return self

    def __exit__(self, *error: object) -> None:
        sys.unraisablehook = self._unraisable_before
        signal.set_wakeup_fd(self._wake_fd_before)
        self._unlisten()

    @contextmanager
    def on_leash(self, leash: Leash, deadline_at: float) -> Iterator[None]:
        """Let signals, and the clock, end the block, which is a step in the main thread."""
        self._leash = leash
        signal.setitimer(signal.ITIMER_REAL, max(deadline_at - time.monotonic(), 1e-6))
        try:
            yield
        finally:
            self._leash = None
            signal.setitimer(signal.ITIMER_REAL, 0)

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
        for signum in (*heeded, signal.SIGALRM, signal.SIGCHLD):
            self._before[signum] = signal.signal(signum, self._arrived)

    def _unlisten(self) -> None:
        while self._before:
            signum, handler = self._before.popitem()
            signal.signal(signum, handler)  # type: ignore[arg-type]  # what signal.signal itself returned

    def _arrived(self, signum: int, _frame: FrameType | None) -> None:
        if signum in ENDING:
            self._count += 1
            if self._count > PATIENCE:  # the loop may wait for someone to read what it says
                os._exit(128 + signum)
        if signum != signal.SIGALRM:
            self._events.put(signum)
        if self._leash and signum != signal.SIGCHLD:
            reason = DEADLINE if signum == signal.SIGALRM else signal.Signals(signum).name
            if self._leash.pull(reason):
                raise Stopped

    def _lost(self, unraisable: "sys.UnraisableHookArgs") -> None:
        """Raise `Stopped` again where it was raised in vain: in a finalizer, or in what Python runs around a fork."""
        if not issubclass(unraisable.exc_type, Stopped):
            self._unraisable_before(unraisable)
        elif self._leash:
            signal.setitimer(signal.ITIMER_REAL, AGAIN_S)
