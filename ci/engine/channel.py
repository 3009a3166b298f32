"""One of the process's own outputs, written to past the objects that Python puts before it."""

import os
import select
from typing import TextIO


class Channel:
    """Writes whole texts to a stream, at once and in order; a reader that has left stops nothing."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._fd = stream.fileno()
        self.encoding = stream.encoding

    def write(self, text: str) -> None:
        """Write `text`; what the encoding lacks is written as an escape."""
        left = memoryview(text.encode(self.encoding, "backslashreplace"))
        try:
            self._stream.flush()
            while left:
                left = left[self._written(left) :]
        except OSError:
            self._give_up()

    def is_terminal(self) -> bool:
        """Return whether a person is looking."""
        return os.isatty(self._fd)

    def size(self) -> tuple[int, int]:
        """Return columns and lines of the terminal as they are now."""
        try:
            columns, lines = os.get_terminal_size(self._fd)
        except OSError:
            columns, lines = 0, 0
        return columns or 80, lines or 24

    def _written(self, data: memoryview) -> int:
        try:
            return os.write(self._fd, data)
        except BlockingIOError:  # a program that shared the terminal has left it in this mode, as Node does
            select.select([], [self._fd], [])
            return 0

    def _give_up(self) -> None:
        """Write to nowhere from now on."""
        nowhere_fd = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere_fd, self._fd)
        os.close(nowhere_fd)
