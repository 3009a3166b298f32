"""The files of a repository, listed once and read when they are asked for; what git ignores is not there."""

from __future__ import annotations

import os
import re
import warnings
from bisect import bisect_left
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ci.audit.model import Skipped

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

LARGEST_BYTES = 1 << 20
MOST_FILES = 200_000

_ANYWHERE = "^(?:.+/)?"  # how a pattern without a slash begins, as pathspec writes it
_NEVER = {"node_modules", ".git", ".venv", "__pycache__"}


class Files:
    """
    The files below a folder, as a clean checkout would have them; paths are relative to it, with `/`.

    Links are not followed into folders; a link to a file of the repository is that file. The folders in `without` are
    left out.
    """

    def __init__(self, root: Path, without: Collection[str] = ()) -> None:
        self.root = root.resolve()
        self._without = without
        self.skipped: list[Skipped] = []
        self.texts: dict[str, str] = {}
        self._unreadable: set[str] = set()
        self._rules: dict[str, tuple[GitIgnoreSpec, Callable[[str], object]]] = {}
        self.paths = tuple(sorted(self._walk()))
        self._known = frozenset(self.paths)
        self.folders = frozenset(_folders(self.paths))

    def exists(self, path: str) -> bool:
        """Tell whether there is a file of that path."""
        return path in self._known

    def under(self, folder: str) -> tuple[str, ...]:
        """Return the files below a folder, "" being the root."""
        if not folder:
            return self.paths
        first = bisect_left(self.paths, f"{folder}/")
        return self.paths[first : bisect_left(self.paths, f"{folder}0")]  # 0 comes after /

    def text(self, path: str, *, largest_bytes: int = LARGEST_BYTES) -> str | None:
        """Return the text of a file, None when there is none, or none that can be read; `skipped` says why."""
        if path in self.texts:
            return self.texts[path]
        if path not in self._known or path in self._unreadable:
            return None
        text = self._read(path, largest_bytes)
        if text is None:
            self._unreadable.add(path)
        else:
            self.texts[path] = text
        return text

    def skip(self, path: str, why: str) -> None:
        """Record that a file, or a part of it, was not looked at."""
        skipped = Skipped(path, why)
        if skipped not in self.skipped:
            self.skipped.append(skipped)

    def ignores(self, path: str, *, is_folder: bool = False) -> bool:
        """Tell whether git would ignore a file or a folder, were it there."""
        parts = path.split("/")
        wholes = ["/".join(parts[: n + 1]) for n in range(len(parts))]
        return any(self._ignores(whole, is_folder=is_folder or whole != path) for whole in wholes)

    def _ignores(self, path: str, *, is_folder: bool) -> bool:
        folder = path
        while folder:
            folder = folder.rpartition("/")[0]
            if folder in self._rules:
                spec, may_match = self._rules[folder]
                below = (path[len(folder) + 1 :] if folder else path) + "/" * is_folder
                decided = spec.check_file(below).include if may_match(below) else None
                if decided is not None:
                    return decided
        return False

    def _walk(self) -> list[str]:
        found: list[str] = []
        folders = [""]
        while folders:
            folder = folders.pop()
            for entry in self._entries(folder):
                path = f"{folder}/{entry.name}" if folder else entry.name
                if path in self._without:
                    self.skip(path, "lockstep.toml excludes it")
                elif entry.is_dir(follow_symlinks=False):
                    if entry.name not in _NEVER and not self._ignores(path, is_folder=True):
                        folders.append(path)
                elif self._is_file(entry) and not self._ignores(path, is_folder=False):
                    found.append(path)
            if len(found) > MOST_FILES:
                self.skip(folder or ".", f"there are more than {MOST_FILES} files: the rest was not looked at")
                break
        return found

    def _entries(self, folder: str) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(self.root / folder) as found:
                entries = [entry for entry in found if _is_speakable(entry.name)]
        except OSError as error:
            self.skip(folder or ".", f"could not be read: {_reason(error)}")
            return []
        if any(entry.name == ".gitignore" for entry in entries):
            self._learn(folder)
        return entries

    def _learn(self, folder: str) -> None:
        try:
            lines = (self.root / folder / ".gitignore").read_text(encoding="utf-8", errors="replace").splitlines()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", FutureWarning)  # on a pattern such as [[]
                spec = _patterns(lines)
                self._rules[folder] = (spec, _any_of(spec))
        except (OSError, ValueError):
            pass  # git ignores nothing by a file that it cannot read

    def _is_file(self, entry: os.DirEntry[str]) -> bool:
        try:
            if not entry.is_symlink():
                return entry.is_file()
            return entry.is_file() and Path(entry.path).resolve().is_relative_to(self.root)
        except OSError:
            return False  # a loop of links

    def _read(self, path: str, largest_bytes: int) -> str | None:
        try:
            with (self.root / path).open("rb") as file:
                content = file.read(largest_bytes + 1)
        except OSError as error:
            self.skip(path, f"could not be read: {_reason(error)}")
            return None
        if len(content) > largest_bytes:
            self.skip(path, f"is larger than {largest_bytes >> 20} MiB")
            return None
        if b"\0" in content:
            self.skip(path, "is not a text")
            return None
        return content.decode("utf-8-sig", errors="replace").replace("\r\n", "\n")


def _folders(paths: Sequence[str]) -> set[str]:
    found = {""}
    for path in paths:
        folder = path.rpartition("/")[0]
        while folder not in found:
            found.add(folder)
            folder = folder.rpartition("/")[0]
    return found


def _patterns(lines: Sequence[str]) -> GitIgnoreSpec:
    from pathspec import GitIgnoreSpec

    try:
        return GitIgnoreSpec.from_lines(lines)
    except re.error:  # on a range that goes backwards, [z-a], which for git matches nothing
        return GitIgnoreSpec.from_lines(line for line in lines if "[" not in line)


def _any_of(spec: GitIgnoreSpec) -> Callable[[str], object]:
    """Return what tells whether any pattern may match a path: asking them one by one takes ten times as long."""
    texts = [re.sub(r"\?P<\w+>", "?:", one.regex.pattern) for one in spec.patterns if one.regex is not None]
    anywhere = [text.removeprefix(_ANYWHERE) for text in texts if text.startswith(_ANYWHERE)]
    others = [text for text in texts if not text.startswith(_ANYWHERE)]
    whole = "|".join([*others, *([f"{_ANYWHERE}(?:{'|'.join(anywhere)})"] if anywhere else [])])
    return re.compile(whole or "(?!)").search


def _is_speakable(name: str) -> bool:
    """Tell whether a file's name is text: others cannot be said in JSON."""
    return not any("\ud800" <= char <= "\udfff" for char in name)


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
