"""A terminal of any size, as far as the engine makes use of one, and pipes: what a person would have seen on them."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import termios
import threading
import tty
from pathlib import Path
from typing import TextIO

from rich.cells import cell_len

PARTS = re.compile(r"\x1b\[(?P<number>\d*)(?P<order>[A-Za-z])|(?P<text>[^\x1b\r\n]+)|(?P<end>\r|\n)")


class Terminal:
    """
    A pseudo-terminal, with all that was written to it.

    It has no height: nothing scrolls out of sight. It knows the orders that the board uses, and no others.
    """

    def __init__(self, columns: int, height: int = 24) -> None:
        self._master_fd, slave_fd = pty.openpty()
        tty.setraw(slave_fd)  # as it is written, without \r before \n
        self.stream: TextIO = os.fdopen(slave_fd, "w", encoding="utf-8")
        self.resize(columns, height)
        self._read: list[bytes] = []
        self._reader = threading.Thread(target=self._drain, daemon=True)
        self._reader.start()

    def resize(self, columns: int, height: int = 24) -> None:
        fcntl.ioctl(self.stream.fileno(), termios.TIOCSWINSZ, struct.pack("HHHH", height, columns, 0, 0))

    def _drain(self) -> None:
        try:
            while data := os.read(self._master_fd, 1 << 16):
                self._read.append(data)
        except OSError:  # how a terminal ends on Linux
            pass

    def written(self) -> str:
        """Close the terminal, and return all that was written to it."""
        termios.tcdrain(self.stream.fileno())
        self.stream.close()
        self._reader.join(10)
        os.close(self._master_fd)
        return b"".join(self._read).decode()


def pictures(written: str) -> list[list[str]]:
    """Return what the whole screen showed whenever something was taken off it, and in the end; without colours."""
    rows, row = [""], 0
    seen: list[list[str]] = []
    for part in PARTS.finditer(written):
        if part["text"]:
            rows[row] += part["text"]
        elif part["end"] == "\n":
            row += 1
            rows += [""] * (row - len(rows) + 1)
        elif part["order"] == "A":
            seen.append([*rows])
            row -= int(part["number"])
        elif part["order"] == "J":
            del rows[row + 1 :]
            rows[row] = ""
        else:
            assert part["end"] == "\r" or part["order"] == "m", part
    assert "".join(part[0] for part in PARTS.finditer(written)) == written
    return [*seen, rows]


def widest(picture: list[str]) -> int:
    return max(map(cell_len, picture))


class Pipe:
    """A file that stands for a pipe: not a terminal."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.stream: TextIO = path.open("w", encoding="utf-8")

    def written(self) -> str:
        self.stream.close()
        return self._path.read_bytes().decode()
