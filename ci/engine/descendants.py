"""
The processes of a run, wherever they moved: known by a mark in their environment, or by their session.

A process in a session of its own without the mark is not ours: so a service that is to outlive the run is started.
"""

import ctypes
import os
import signal
import time
from collections.abc import Collection, Iterator

VARIABLE = "LOCKSTEP_RUN"
PR_SET_CHILD_SUBREAPER = 36
END_WITHIN_S = 2.0
STEP_S = 0.002


def adopt() -> None:
    """Let orphans become our children, so that they are found without a look at every process (Linux)."""
    if os.path.isdir("/proc/self/task"):  # noqa: PTH112 - pathlib takes ten times as long, here and below
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def mark(token: str) -> dict[str, str]:
    """Return the environment that marks a process with `token`, and with the marks of the run that we are in."""
    return {VARIABLE: ":".join(filter(None, [os.environ.get(VARIABLE, ""), token]))}


def find(token: str, sessions: Collection[int] = (), *, everywhere: bool = False) -> list[int]:
    """Return the living processes below us (or everywhere) of `token`, or of what it begins, or of `sessions`."""
    if everywhere or not os.path.exists(f"/proc/self/task/{os.getpid()}/children"):  # noqa: PTH110
        return [pid for pid in _all() if _is_ours(pid, token, sessions)]
    found: list[int] = []
    todo = [os.getpid()]
    while todo:
        ours = [pid for pid in _children(todo.pop()) if _is_ours(pid, token, sessions)]
        found += ours
        todo += ours
    return found


def end(token: str, sessions: Collection[int] = (), *, everywhere: bool = False) -> None:
    """Kill until nothing is left; what the system itself holds up is left to it."""
    until = time.monotonic() + END_WITHIN_S
    while send(signal.SIGKILL, find(token, sessions, everywhere=everywhere)) and time.monotonic() < until:
        time.sleep(STEP_S)


def reap() -> None:
    """
    Let go of adopted processes that have ended: someone may wait for them to vanish.

    A child of our own is either in our session or leads its own, and is left to whoever started it.
    """
    own = os.getsid(0)
    for pid in _children(os.getpid()):
        state, session = _stat(pid)
        if state == b"Z" and session not in (own, pid):
            try:
                os.waitpid(pid, os.WNOHANG)
            except ChildProcessError:
                pass


def send(signum: int, pids: Collection[int]) -> int:
    """Send `signum` to `pids`, if they still are; return how many they are."""
    for pid in pids:
        try:
            os.kill(pid, signum)
        except (ProcessLookupError, PermissionError):
            pass
    return len(pids)


def _is_ours(pid: int, token: str, sessions: Collection[int]) -> bool:
    state, session = _stat(pid)
    if state in b"ZX" or pid == os.getpid():
        return False
    return session in sessions or any(one == token or one.startswith(f"{token}.") for one in _marks(pid))


def _marks(pid: int) -> list[str]:
    start = f"{VARIABLE}=".encode()
    for entry in _read(f"/proc/{pid}/environ").split(b"\0"):
        if entry.startswith(start):
            return entry[len(start) :].decode(errors="replace").split(":")
    return []


def _stat(pid: int) -> tuple[bytes, int]:
    """Return the state and the session of a process; one that is gone counts as ended."""
    fields = _read(f"/proc/{pid}/stat").rpartition(b")")[2].split()
    return (fields[0], int(fields[3])) if fields else (b"X", 0)


def _all() -> Iterator[int]:
    return (int(name) for name in _list("/proc") if name.isdigit())


def _children(pid: int) -> list[int]:
    threads = _list(f"/proc/{pid}/task")
    return [int(child) for thread in threads for child in _read(f"/proc/{pid}/task/{thread}/children").split()]


def _list(path: str) -> list[str]:
    try:
        return os.listdir(path)  # noqa: PTH208
    except OSError:
        return []


def _read(path: str) -> bytes:
    try:
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123
            return file.read()
    except OSError:
        return b""
