"""One child process, watched to its end and ended with all that it started when its time is up."""

import codecs
import os
import selectors
import signal
import subprocess
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import inf
from pathlib import Path

from ci.engine import descendants
from ci.engine.guard import Guard
from ci.engine.leash import Leash, Stopped
from ci.errors import Unfinished

LINGER_S = 0.25  # what a group may still write after its leader has left
TICK_S = 0.05  # between two looks at a child where the system has no pidfd
KEPT_SIZE = 8 << 20  # of each output, in characters; the last ones
CUT = "[lockstep: the beginning of this output was dropped]\n"
CHUNK_SIZE_BYTES = 1 << 16

Show = Callable[[str], object]


@dataclass(frozen=True)
class Ended:
    """How a child ended; `exited` is negative for a signal, and of a long text there is the end, after a line `CUT`."""

    pid: int
    exited: int
    stdout: str
    stderr: str
    timed_out: bool


@dataclass(frozen=True)
class Bounds:
    """What ends a child: its own time, the leash of its step, and how long it may tidy up when asked to end."""

    timeout_s: float
    grace_s: float
    leash: Leash
    guard: Guard
    token: str  # in the environment of all that it starts


def run(argv: Sequence[str], *, env: Mapping[str, str], cwd: Path, shows: tuple[Show, Show], bounds: Bounds) -> Ended:
    """
    Run `argv` with no input in a session of its own; show its stdout and stderr as they come.

    When it has left, what it left behind is killed: its group, its session, and all that carries its token.

    Raises:
        Unfinished: it could not be started.
        Stopped: the leash was pulled; all has been ended.
    """
    with bounds.leash.watch(), selectors.DefaultSelector() as selector:
        child = _start(argv, {**env, **descendants.mark(bounds.token)}, cwd)
        bounds.guard.started(child.pid)
        try:
            ended = _Watch(child, selector, shows, bounds).to_the_end()
        finally:
            bounds.guard.ended(child.pid)
    if bounds.leash.reason:
        raise Stopped
    return ended


def _start(argv: Sequence[str], env: Mapping[str, str], cwd: Path) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            argv,
            env=env,
            cwd=cwd,
            bufsize=0,
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
    except OSError as error:
        raise Unfinished(f"cannot start {argv[0]} in {cwd}: {error.strerror}") from error


class _Output:
    """One output of a child: decoded as it comes, shown, and its last part kept."""

    def __init__(self, show: Show) -> None:
        self._show = show
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._kept: deque[str] = deque()
        self._size = 0
        self._cut = ""

    def feed(self, data: bytes) -> None:
        """Take what was read; nothing means that this was all."""
        text = self._decoder.decode(data, final=not data)
        if text:
            self._show(text)
            self._kept.append(text)
            self._size += len(text)
        while self._size > KEPT_SIZE:
            self._size -= len(self._kept.popleft())
            self._cut = CUT

    def text(self) -> str:
        return self._cut + "".join(self._kept)


class _Watch:
    """The one loop that reads a child's outputs and sees it leave, and its way from TERM to KILL."""

    def __init__(
        self,
        child: subprocess.Popen[bytes],
        selector: selectors.BaseSelector,
        shows: tuple[Show, Show],
        bounds: Bounds,
    ) -> None:
        self._child = child
        self._selector = selector
        self._bounds = bounds
        self._outputs = (_Output(shows[0]), _Output(shows[1]))
        self._act_at = time.monotonic() + bounds.timeout_s  # when to ask it to end and, once asked, when to kill it
        self._is_asked = False
        self._over_at: float | None = None  # set once the leader has left
        self._timed_out = False
        self._reading = 2
        self._exit_fd: int | None = None

    def to_the_end(self) -> Ended:
        """Return when the child has ended and what it started is gone, whatever happens here."""
        try:
            self._register()
            self._judge(time.monotonic())
            while not self._is_over():
                self._handle(self._wait_s())
                self._judge(time.monotonic())
            self._handle(0)
        finally:
            self._kill()
            exited = self._child.wait()
            self._close()
        stdout, stderr = (output.text() for output in self._outputs)
        return Ended(self._child.pid, exited, stdout, stderr, self._timed_out)

    def _register(self) -> None:
        for stream, output in zip((self._child.stdout, self._child.stderr), self._outputs, strict=True):
            if stream:
                self._selector.register(stream, selectors.EVENT_READ, partial(self._read, output))
        # What woke us stays to be read: a step may watch several commands.
        self._selector.register(self._bounds.leash.wake_fd, selectors.EVENT_READ, self._woken)
        try:
            self._exit_fd = os.pidfd_open(self._child.pid)
        except (AttributeError, OSError):  # macOS; an old kernel
            return
        self._selector.register(self._exit_fd, selectors.EVENT_READ, self._left)

    def _handle(self, wait_s: float | None) -> None:
        for key, _ in self._selector.select(wait_s):
            key.data(key.fd)

    def _read(self, output: _Output, fd: int) -> None:
        data = os.read(fd, CHUNK_SIZE_BYTES)
        output.feed(data)
        if not data:
            self._selector.unregister(fd)
            self._reading -= 1

    def _woken(self, fd: int) -> None:
        """Look at the leash from now on by the clock: its pipe stays readable."""
        self._selector.unregister(fd)

    def _left(self, exit_fd: int) -> None:
        """Note that the leader is gone, not yet reaped: until then no other group can get its number."""
        self._selector.unregister(exit_fd)
        self._linger()

    def _linger(self) -> None:
        grace_until = self._act_at if self._is_asked and self._act_at < inf else 0.0
        self._over_at = max(time.monotonic() + LINGER_S, grace_until)

    def _is_over(self) -> bool:
        return self._over_at is not None and (not self._reading or time.monotonic() >= self._over_at)

    def _wait_s(self) -> float | None:
        wait_s = max(0.0, (self._over_at or self._act_at) - time.monotonic())
        if self._bounds.leash.reason or (self._exit_fd is None and self._over_at is None):
            return min(wait_s, TICK_S)
        return None if wait_s == inf else wait_s

    def _judge(self, now: float) -> None:
        if self._over_at is None and self._exit_fd is None and self._child.poll() is not None:
            self._linger()
        is_late = self._over_at is None and now >= self._act_at
        if not self._is_asked and (is_late or self._bounds.leash.reason):
            self._ask()
            self._is_asked, self._timed_out, self._act_at = True, is_late, now + self._bounds.grace_s
        elif self._is_asked and (is_late or self._bounds.leash.pulls > 1):
            self._kill()
            self._act_at = inf

    def _ask(self) -> None:
        self._signal_group(signal.SIGTERM)
        moved = [pid for pid in self._find() if _group(pid) != self._child.pid]
        descendants.send(signal.SIGTERM, moved)

    def _kill(self) -> None:
        self._signal_group(signal.SIGKILL)
        descendants.end(self._bounds.token, {self._child.pid})

    def _find(self) -> list[int]:
        return descendants.find(self._bounds.token, {self._child.pid})

    def _signal_group(self, signum: int) -> None:
        try:
            os.killpg(self._child.pid, signum)
        except (ProcessLookupError, PermissionError):  # gone; macOS says the latter of a zombie
            pass

    def _close(self) -> None:
        for stream in (self._child.stdout, self._child.stderr):
            if stream:
                stream.close()
        if self._exit_fd is not None:
            os.close(self._exit_fd)


def _group(pid: int) -> int:
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return 0
