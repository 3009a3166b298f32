"""What a run did, line by line: written so that a kill at any byte leaves it readable, and never a secret."""

import fcntl
import json
import os
import re
import secrets
import shutil
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ci.engine import redaction
from ci.engine.redaction import Redactor
from ci.errors import LockstepError, Unfinished

FOLDER = ".lockstep/runs"  # below the folder of tasks.py
NAME = "journal.jsonl"
VERSION = 1  # of the lines
ID = re.compile(r"\.?\d{8}-\d{6}-\d{6}-[0-9a-f]{4}")
NAME_SIZE = 100  # of a log, in characters


class Journal:
    """
    The journal of one run, and one log a task, in a folder of their own below `folder`.

    Its file is locked as long as its process lives: a reader can tell a run that goes on from one that was killed. What
    cannot be written later than `begin` stops no run: it is in `trouble`, and is written as soon as that works again.

    Lines: {"event": "begin", "version", "id", "pid", "argv", "values", "order", "commit"},
        {"event": "started", "task", "values"}, {"event": "command", "task", "program", "exited", "seconds"},
        {"event": "ended", "task", "state", "note", "seconds", "exit_code", "log"}, {"event": "end", "exit_code",
        "seconds"}; each with "at", in UTC.
    """

    def __init__(self, folder: Path, redactor: Redactor, *, keep: int = 50) -> None:
        self.id = f"{datetime.now(UTC):%Y%m%d-%H%M%S-%f}-{secrets.token_hex(2)}"
        self.folder = folder / self.id
        self.trouble: LockstepError | None = None
        self._keep = keep
        self._redactor = redactor
        self._lock = threading.Lock()
        self._fd: int | None = None
        self._unwritten = b""
        self._logs: dict[str, _Log] = {}
        self._began_at = time.monotonic()

    def begin(self, *, argv: Sequence[str], values: Mapping[str, Any], order: Sequence[Any], commit: str) -> None:
        """
        Write the first line, and forget the oldest runs that have ended; `order` is a JSON-like item a task.

        A value whose name says so is a secret from now on.

        Raises:
            Unfinished: the folder cannot be written.
        """
        texts = {name: value for name, value in values.items() if isinstance(value, str)}
        self._redactor.add(*redaction.named_values(texts))
        first = {"version": VERSION, "id": self.id, "pid": os.getpid(), "argv": list(argv)}
        line = self._line("begin", **first, values=values, order=order, commit=commit)
        try:
            self._fd = _create(self.folder, line)
        except OSError as error:
            raise Unfinished(
                f"cannot write {error.filename or self.folder}: {error.strerror}",
                f"make {self.folder.parent} writable, and room on its disk",
            ) from error
        _forget(self.folder.parent, self._keep)

    def started(self, title: str, values: Mapping[str, Any]) -> None:
        """Note that a task has started, with the values it is bound to."""
        self._write("started", task=title, values=values)

    def command(self, title: str, program: str, exited: int, seconds: float) -> None:
        """Note that a command of a task has ended; `program` is its name, without arguments."""
        self._write("command", task=title, program=program, exited=exited, seconds=round(seconds, 3))

    def log(self, title: str, text: str) -> Path | None:
        """Append redacted output of a task to its log, and return that; None as long as there was no output."""
        with self._lock:
            log = self._logs.get(title)
            if text and self._fd is not None:
                log = log or self._logs.setdefault(title, self._new_log(title))
                self._guarded(log.write, text)
            return log.path if log else None

    def ended(self, title: str, state: str, note: str, seconds: float, exit_code: int) -> None:
        """Note how a task ended, on the disk itself; `note` is what it says itself or, of one that failed, why."""
        with self._lock:
            log = self._logs.get(title)
            if log:
                log.close()
        self._write(
            "ended",
            task=title,
            state=state,
            note=note,
            seconds=round(seconds, 3),
            exit_code=exit_code,
            log=log.path.name if log else "",
        )
        self._sync()

    def end(self, exit_code: int) -> None:
        """Write the last line; what comes later is not written."""
        self._write("end", exit_code=exit_code, seconds=round(time.monotonic() - self._began_at, 3))
        self._sync()
        with self._lock:
            for log in self._logs.values():
                log.close()
            if self._fd is not None:
                os.close(self._fd)
                self._fd = None

    def _line(self, event: str, **said: Any) -> bytes:
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        redacted = {name: self._redactor.value(value) for name, value in said.items()}
        return json.dumps({"at": at, "event": event, **redacted}).encode() + b"\n"

    def _write(self, event: str, **said: Any) -> None:
        line = self._line(event, **said)
        with self._lock:
            if self._fd is not None:
                self._unwritten += line
                self._guarded(self._go_on, self._fd)

    def _go_on(self, fd: int) -> None:
        """Write from where a full disk stopped us, so that the line it cut becomes whole."""
        while self._unwritten:
            self._unwritten = self._unwritten[os.write(fd, self._unwritten) :]

    def _guarded(self, write: Callable[[Any], object], given: Any) -> None:
        try:
            write(given)
        except OSError as error:
            self.trouble = self.trouble or Unfinished(
                f"cannot write to {self.folder}: {error.strerror}", "make room: the run goes on, its record has gaps"
            )

    def _sync(self) -> None:
        if self._fd is not None:
            self._guarded(os.fsync, self._fd)

    def _new_log(self, title: str) -> "_Log":
        stem = re.sub(r"[^\w.-]", "_", title).lstrip(".")[:NAME_SIZE] or "task"
        taken = {log.path.stem for log in self._logs.values()}
        names = [stem, *(f"{stem}-{number}" for number in range(2, len(taken) + 3))]
        return _Log(self.folder / f"{next(name for name in names if name not in taken)}.log")


class _Log:
    """The output of one task, in a file that is made when there is some."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._fd: int | None = None

    def write(self, text: str) -> None:
        """Append `text`; what a full disk does not take is not tried again: it may be much."""
        if self._fd is None:
            self._fd = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        _write_all(self._fd, text.encode("utf-8", "backslashreplace"))

    def close(self) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None


def _write_all(fd: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(fd, left) :]


def is_running(folder: Path) -> bool:
    """Return whether the process that writes the journal in `folder` lives."""
    try:
        fd = os.open(folder / NAME, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(fd)
    return False


def _create(folder: Path, line: bytes) -> int:
    """Make `folder` appear with its journal, locked, and the first line in it, or not at all; return the open file."""
    hidden = folder.with_name(f".{folder.name}")
    hidden.mkdir(parents=True)
    fd = os.open(hidden / NAME, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        _write_all(fd, line)
        hidden.rename(folder)
    except OSError:
        os.close(fd)
        shutil.rmtree(hidden, ignore_errors=True)
        raise
    return fd


def _forget(folder: Path, keep: int) -> None:
    """Remove all but the newest `keep` runs, and what a kill left half made; never one that goes on."""
    names = sorted((path.name for path in folder.iterdir() if ID.fullmatch(path.name)), key=_bare)
    for name in names[:-keep]:
        old, hidden = folder / name, folder / f".{_bare(name)}"
        if not is_running(old):
            try:
                old.rename(hidden)  # so that nobody reads half of it
            except OSError:  # another run was faster
                continue
            shutil.rmtree(hidden, ignore_errors=True)


def _bare(name: str) -> str:
    """Return the id in the name of a folder, which is hidden by a dot while it is made or removed."""
    return name.lstrip(".")
