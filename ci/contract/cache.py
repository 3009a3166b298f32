"""What was read of each file the last time, so that only what has changed is read again."""

from __future__ import annotations

import functools
import hashlib
import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ci.contract.walk import Signature

_YOUNG_NS = 2_000_000_000  # a file changed so shortly before it was read may change again within one tick of its clock

Row = tuple[str, list[str], str, str, int, int]  # backend, path, form, visibility, line, column


@dataclass(frozen=True)
class Record:
    """What one file calls, the names under which it passes parts of an api on, and why it was not read, or not well."""

    rows: list[Row] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    why: str = ""


@dataclass
class Memory:
    """
    The files of one repository as they were last read.

    `surroundings` is a digest of all that resolving an import depends on besides the files in `consulted`; when either
    changes, what was found is found again. That a file has nothing to do with Convex depends on `words` alone.
    """

    surroundings: str = ""
    words: set[str] = field(default_factory=set)
    consulted: set[str] = field(default_factory=set)
    files: dict[str, Signature] = field(default_factory=dict)
    records: dict[str, Record] = field(default_factory=dict)

    def differs(self, files: Mapping[str, Signature]) -> bool:
        """Tell whether a module that others were resolved through is not as it was."""
        return any(self.files.get(path) != files.get(path) for path in self.consulted)

    def unchanged(self, files: Mapping[str, Signature], *, without_records: bool) -> set[str]:
        """Return the files that are as they were, or of them only those in which nothing was found."""
        same = {path for path, signature in self.files.items() if files.get(path) == signature}
        return same - self.records.keys() if without_records else same

    def passed_on(self) -> set[str]:
        """Return the words by which any file may reach an api through another."""
        return {word for record in self.records.values() for word in record.words}


@functools.cache
def version() -> str:
    """Return a digest of the code that reads: what it reads otherwise than before must be read again."""
    sources = sorted(Path(__file__).parent.glob("*.py"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()


def load(path: Path | None) -> Memory:
    """Return what was saved; nothing, when it was saved by another version or cannot be read."""
    try:
        found = json.loads(path.read_bytes()) if path else {}
        if found.get("version") != version():
            return Memory()
        return Memory(
            found["surroundings"],
            set(found["words"]),
            set(found["consulted"]),
            {name: (size, mtime, inode) for name, (size, mtime, inode) in found["files"].items()},
            {
                name: Record([_row(row) for row in rows], words, why)
                for name, (rows, words, why) in found["records"].items()
            },
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return Memory()


def save(path: Path, memory: Memory, *, read_at_ns: int) -> None:
    """Save what was read; another process sees the old or the new, never a part. A full disk only costs time later."""
    settled = {name: one for name, one in memory.files.items() if one[1] < read_at_ns - _YOUNG_NS}
    document = {
        "version": version(),
        "surroundings": memory.surroundings,
        "words": sorted(memory.words),
        "consulted": sorted(memory.consulted),
        "files": settled,
        "records": {name: _plain(one) for name, one in memory.records.items() if name in settled},
    }
    draft = ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=path.name, delete=False) as file:
            draft = file.name
            json.dump(document, file, separators=(",", ":"))
        Path(draft).replace(path)
    except OSError:
        if draft:
            Path(draft).unlink(missing_ok=True)


def _plain(record: Record) -> list[Any]:
    return [record.rows, record.words, record.why]


def _row(row: list[Any]) -> Row:
    backend, path, form, visibility, line, column = row
    return (backend, path, form, visibility, line, column)
