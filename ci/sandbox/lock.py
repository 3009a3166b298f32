"""The lock that says which process serves a state folder. Unlike a pid file it cannot go stale."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ci.errors import Unfinished

TRIES_S = 1.0
STEP_S = 0.02


class HeldError(Unfinished):
    """Another process serves this folder."""


@contextmanager
def held(root: Path) -> Iterator[None]:
    """Hold the lock of this folder, or raise HeldError. Tries for a second: `holder` takes it for an instant."""
    with (root / "lock").open("a+") as file:
        deadline = time.monotonic() + TRIES_S
        while not _take(file.fileno()):
            if time.monotonic() > deadline:
                raise HeldError(f"another process serves {root}", hint=f"python -m ci.sandbox stop --root {root}")
            time.sleep(STEP_S)
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def holder(root: Path) -> int | None:
    """Return the pid of the process that serves this folder now, or None."""
    try:
        file = (root / "lock").open("r+")
    except (FileNotFoundError, NotADirectoryError):
        return None
    with file:
        while not _take(file.fileno()):
            file.seek(0)
            # Empty for an instant only: between taking the lock and writing the pid.
            if pid := file.read():
                return int(pid)
            time.sleep(STEP_S)
    return None


def _take(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
