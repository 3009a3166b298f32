"""Sees that nothing of a run outlives it: a watchdog process, which notices when we are killed."""

import os
import signal

from ci.engine import descendants
from ci.engine.signals import ENDING

QUIT = b"quit"


class Guard:
    """
    Guard the processes that carry `token`.

    The watchdog holds the one other end of a pipe. When that closes before it was dismissed, we are no more, and it
    kills what carries the token or is in a session that it was told of. There is none where there is no /proc.
    """

    def __init__(self, token: str) -> None:
        self.token = token
        self._pid = 0
        self._fd = -1

    def __enter__(self) -> "Guard":
        if os.path.isdir("/proc/self/task"):  # noqa: PTH112
            descendants.adopt()
            self._post()
        return self

    def __exit__(self, *error: object) -> None:
        descendants.end(self.token)
        if self._pid:
            self._tell(QUIT)
            os.close(self._fd)
            os.waitpid(self._pid, 0)

    def started(self, session: int) -> None:
        """Take note of a command's session, for processes of it that dropped their environment."""
        self._tell(b"+%d" % session)

    def ended(self, session: int) -> None:
        """Forget a session, before its number can be another's."""
        self._tell(b"-%d" % session)

    def _post(self) -> None:
        fd, self._fd = os.pipe()
        self._pid = os.fork()
        if not self._pid:
            try:
                _watch(fd, self.token)
            finally:
                os._exit(0)
        os.close(fd)

    def _tell(self, word: bytes) -> None:
        if self._pid:
            try:
                os.write(self._fd, word + b"\n")
            except BrokenPipeError:  # someone ended the watchdog; we go on without
                pass


def _watch(fd: int, token: str) -> None:
    """Be the watchdog: hold nothing of what we were, least of all the other end of the pipe, and wait."""
    os.setsid()
    for signum in ENDING:
        signal.signal(signum, signal.SIG_IGN)
    nowhere_fd = os.open(os.devnull, os.O_RDWR)
    for standard_fd in (0, 1, 2):
        os.dup2(nowhere_fd, standard_fd)
    os.closerange(3, fd)
    os.closerange(fd + 1, os.sysconf("SC_OPEN_MAX"))
    sessions: set[int] = set()
    with open(fd, "rb") as words:
        for word in words:
            if word.strip() == QUIT:
                return
            number = int(word[1:])
            (sessions.add if word[:1] == b"+" else sessions.discard)(number)
    descendants.end(token, sessions, everywhere=True)
