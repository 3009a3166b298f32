"""What a task says goes one way: redacted, to the screen and into the log of the task."""

import io
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TextIO

from ci.engine.redaction import Redactor

Emit = Callable[[str], object]


def write(stream: TextIO, text: str) -> None:
    """Write `text` at once; a reader that has left does not stop a release half-way."""
    try:
        stream.write(text)
        stream.flush()
    except OSError:
        nowhere_fd = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere_fd, stream.fileno())
        os.close(nowhere_fd)


class Source:
    """One text that comes in parts: a pipe of a command, or what a task prints; each is redacted for itself."""

    def __init__(self, redactor: Redactor, emit: Emit) -> None:
        self._stream = redactor.stream()
        self._emit = emit

    def write(self, text: str) -> None:
        """Take the next part."""
        self._show(self._stream.feed(text))

    def flush(self) -> None:
        """Do as a stream does; what may be shown has been."""

    def end(self) -> None:
        """Let go what waited for a next part."""
        self._show(self._stream.end())

    def _show(self, text: str) -> None:
        if text:
            self._emit(text)


class Voice:
    """What one task says: on stdout, which is for results, and on stderr; after its end nothing."""

    def __init__(self, redactor: Redactor, stdout: Emit, stderr: Emit) -> None:
        self._redactor = redactor
        self._emits = (stdout, stderr)
        self._lock = threading.Lock()
        self._printed = (self.source(0), self.source(1))
        self._is_over = False

    def source(self, which: int) -> Source:
        """Return a new source of text for stdout (0) or stderr (1)."""
        return Source(self._redactor, self._emits[which])

    def print(self, which: int, text: str) -> None:
        """Say what the Python code of the task, in whatever thread, wrote to stdout (0) or stderr (1)."""
        with self._lock:
            if not self._is_over:
                self._printed[which].write(text)

    def let_go(self) -> None:
        """Say what waited for a next part."""
        with self._lock:
            for source in self._printed:
                source.end()

    def end(self) -> None:
        """Say the rest."""
        self._is_over = True
        self.let_go()


class Stage:
    """Stands in for sys.stdout and sys.stderr, and knows whose voice it is that writes there."""

    def __init__(self, redactor: Redactor) -> None:
        self._speaking: ContextVar[Voice | None] = ContextVar("speaking", default=None)
        self._voices: list[Voice] = []
        self.real = (sys.stdout, sys.stderr)
        self.redactor = redactor
        self._nobody = self.directly()

    def directly(self) -> Voice:
        """Return the voice of someone who has stdout and stderr to themselves."""
        stdout, stderr = self.real
        return Voice(self.redactor, lambda text: write(stdout, text), lambda text: write(stderr, text))

    @contextmanager
    def set(self) -> Iterator[None]:
        """Replace sys.stdout and sys.stderr for the block."""
        sys.stdout, sys.stderr = (_Proxy(self, which, real) for which, real in enumerate(self.real))
        try:
            yield
        finally:
            self._nobody.let_go()
            sys.stdout, sys.stderr = self.real

    @contextmanager
    def speaks(self, voice: Voice) -> Iterator[None]:
        """Let what this thread prints in the block be of `voice`."""
        before = self._speaking.set(voice)
        self._voices.append(voice)
        try:
            yield
        finally:
            self._voices.remove(voice)
            self._speaking.reset(before)

    def voice(self) -> Voice:
        """Return whose voice writes now; of a thread that nobody knows, the latest one's."""
        return self._speaking.get() or (self._voices[-1:] or [self._nobody])[0]


class _Proxy(io.TextIOBase):
    """A standard stream that passes on what is written; in all else it is the real one."""

    def __init__(self, stage: Stage, which: int, real: TextIO) -> None:
        self.which = which
        self._stage = stage
        self._real = real

    def write(self, text: str) -> int:
        self._stage.voice().print(self.which, text)
        return len(text)

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return self._real.isatty()

    def fileno(self) -> int:
        return self._real.fileno()

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._real.encoding

    @property
    def errors(self) -> str | None:  # type: ignore[override]
        return self._real.errors

    @property
    def buffer(self) -> "_Bytes":
        return _Bytes(self)


class _Bytes(io.BufferedIOBase):
    """The same for who writes bytes."""

    def __init__(self, text: _Proxy) -> None:
        self._text = text

    def write(self, data: Any) -> int:
        self._text.write(bytes(data).decode("utf-8", "replace"))
        return len(data)

    def writable(self) -> bool:
        return True


def standard(stream: object) -> int | None:
    """Return 0 or 1 for what stands in for sys.stdout or sys.stderr."""
    return stream.which if isinstance(stream, _Proxy) else None
