"""What ends a step from outside: its deadline, a signal, the failure of another step."""

import ctypes
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

DEADLINE = "deadline"
FAILURE = "failure"


class Stopped(BaseException):
    """End what runs; the leash of the step says why."""


class Leash:
    """
    Hold one step. Whoever watches a command of it selects on `wake_fd`; Python code gets `Stopped` raised into it.

    A first pull asks to end, a second one does not wait.
    """

    def __init__(self) -> None:
        self.reason = ""
        self.pulls = 0
        self._watched = 0  # commands that a loop looks after, which then needs no exception
        self._lock = threading.RLock()  # a signal handler may pull while this very thread holds it
        self._is_open = True
        self.wake_fd, self._wake_write_fd = os.pipe()

    def close(self) -> None:
        """Let go; from now on no command is watched."""
        with self._lock:
            self._is_open = False
            os.close(self.wake_fd)
            os.close(self._wake_write_fd)

    def pull(self, reason: str, thread: threading.Thread | None = None) -> bool:
        """Ask the step to end; return whether its own code has to be told, which is done here in another `thread`."""
        with self._lock:
            if not self._is_open:
                return False
            self.reason = self.reason or reason
            self.pulls += 1
            os.write(self._wake_write_fd, b".")
            if thread and not self._watched:
                _raise_in(thread)
            return not self._watched

    @contextmanager
    def watch(self) -> Iterator[None]:
        """Look after a command in the block; raise Stopped instead if the leash was pulled before."""
        with self._lock:
            if self.reason or not self._is_open:
                raise Stopped
            self._watched += 1
        try:
            yield
        finally:
            with self._lock:
                self._watched -= 1


def _raise_in(thread: threading.Thread) -> None:
    """Raise Stopped in `thread` as soon as it runs Python code; what waits in C, as time.sleep does, waits on."""
    if thread.ident:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(Stopped))
