"""The one place where the engine writes to a person; the results on stdout are the tasks' own."""

import os
import sys
from typing import TextIO


def say(text: str) -> None:
    """Tell the person, on stderr."""
    write(sys.stderr, f"{text}\n")


def write(stream: TextIO, text: str) -> None:
    """Write `text` at once; a reader that has left does not stop a release half-way."""
    try:
        stream.write(text)
        stream.flush()
    except OSError:
        nowhere_fd = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere_fd, stream.fileno())
        os.close(nowhere_fd)
