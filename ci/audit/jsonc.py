"""JSON with comments and trailing commas, as package.json, turbo.json and their like are written, with positions."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, cast

from ci.audit.model import Place, Text

if TYPE_CHECKING:
    from ci.audit.files import Files

_DEEPEST = 100
_GAP = re.compile(r"(?:\s+|//[^\n]*|/\*.*?\*/)*+", re.DOTALL)
_SCALAR = json.JSONDecoder(strict=False)


class Broken(ValueError):
    """Say what is wrong with a file, and in which line."""


@dataclass(frozen=True)
class Source:
    """A file and its text."""

    path: str
    text: str

    def at(self, start: int) -> Place:
        """Return the place of a character, counted from 0."""
        line = bisect_right(self._lines, start)
        return Place(self.path, line, start - self._lines[line - 1] + 1)

    @cached_property
    def _lines(self) -> list[int]:
        return [0, *(found.end() for found in re.finditer("\n", self.text))]


@dataclass(frozen=True)
class Node:
    """A value and where it begins. Each question about it has an answer, if an empty one, whatever it is."""

    value: dict[str, Node] | list[Node] | str | float | bool | None
    source: Source
    start: int

    def __getitem__(self, key: str) -> Node:
        """Return a member; of what has none by that name, nothing."""
        return self.members.get(key) or Node(None, self.source, self.start)

    @property
    def at(self) -> Place:
        """Return where it is written."""
        return self.source.at(self.start)

    @property
    def members(self) -> Mapping[str, Node]:
        """Return what an object holds."""
        return self.value if isinstance(self.value, dict) else {}

    @property
    def items(self) -> list[Node]:
        """Return what a list holds."""
        return self.value if isinstance(self.value, list) else []

    @property
    def text(self) -> Text | None:
        """Return a string."""
        return Text(self.value, self.at) if isinstance(self.value, str) else None

    @property
    def string(self) -> str:
        """Return a string, or ""."""
        return self.value if isinstance(self.value, str) else ""

    @property
    def texts(self) -> tuple[Text, ...]:
        """Return the strings of a list."""
        return tuple(text for item in self.items if (text := item.text))

    @property
    def named(self) -> dict[str, Text]:
        """Return the strings of an object by their names."""
        return {key: text for key, item in self.members.items() if (text := item.text)}


def load(text: str, path: str) -> Node:
    """
    Return the value that a text holds.

    Raises:
        Broken: it is no JSON, or is nested too deeply.
    """
    parser = _Parser(Source(path, text))
    found = parser.value()
    if parser.peek():
        raise parser.broken("more than one value")
    return found


def read(files: Files, path: str) -> Node:
    """Return the object that a file holds; of a file that holds none, an empty one, which is said in `skipped`."""
    text = files.text(path)
    try:
        found = load(text, path) if text is not None else None
        if found and not isinstance(found.value, dict):
            raise Broken("is not an object")
    except Broken as error:
        files.skip(path, str(error))
        found = None
    return found or Node({}, Source(path, text or ""), 0)


class _Parser:
    def __init__(self, source: Source) -> None:
        self._source, self._text = source, source.text
        self._next = 1 if source.text.startswith("\ufeff") else 0

    def broken(self, why: str) -> Broken:
        return Broken(f"line {self._source.at(self._next).line}: {why}")

    def peek(self) -> str:
        """Return the first character of the next token, "" at the end."""
        gap = _GAP.match(self._text, self._next)
        self._next = gap.end() if gap else self._next
        return self._text[self._next : self._next + 1]

    def value(self, depth: int = 0) -> Node:
        mark, start = self.peek(), self._next
        if depth > _DEEPEST:
            raise self.broken(f"nested deeper than {_DEEPEST}")
        if mark == "{":
            return Node(self._members(depth + 1), self._source, start)
        if mark == "[":
            return Node(self._items(depth + 1), self._source, start)
        return Node(self._scalar(), self._source, start)

    def _members(self, depth: int) -> dict[str, Node]:
        found: dict[str, Node] = {}
        self._next += 1
        while self.peek() != "}":
            key = self._string()
            self._take(":")
            found[key] = self.value(depth)
            if self.peek() != "}":
                self._take(",")
        self._next += 1
        return found

    def _items(self, depth: int) -> list[Node]:
        found: list[Node] = []
        self._next += 1
        while self.peek() != "]":
            found.append(self.value(depth))
            if self.peek() != "]":
                self._take(",")
        self._next += 1
        return found

    def _take(self, mark: str) -> None:
        if self.peek() != mark:
            raise self.broken(f"{mark} is missing")
        self._next += 1

    def _string(self) -> str:
        if self.peek() != '"':
            raise self.broken("a name is missing")
        return str(self._scalar())

    def _scalar(self) -> str | float | bool | None:
        try:
            found, self._next = _SCALAR.raw_decode(self._text, self._next)
        except ValueError as error:
            raise self.broken("a value is missing, or broken") from error
        # Half of a surrogate pair is no text that could be printed.
        return found.encode(errors="replace").decode() if isinstance(found, str) else cast(float | bool | None, found)
