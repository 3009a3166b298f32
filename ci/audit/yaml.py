"""YAML with the place of each value: libyaml's events, not its objects, which crash on deep nesting."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ci.audit.model import Place, Text
from ci.errors import InputError

DEEPEST = 100  # libyaml's time grows with the square of the depth
LARGEST = 500_000  # values, each counted as often as an alias repeats it

_NULL = {"", "~", "null", "Null", "NULL"}


class Broken(InputError):
    """Say why a file is not YAML that can be read."""


@dataclass(frozen=True)
class Node:
    """
    A value of a YAML file; asked for what it is not, it is empty, so that no shape of a file can break a reader.

    Scalars stay as they are written: `on` and `true` are texts. The place of a block scalar is that of its first line
    of text, not of its `|`.
    """

    at: Place
    scalar: str | None = None
    sequence: tuple[Node, ...] = ()
    mapping: Mapping[str, tuple[Place, Node]] = field(default_factory=dict)
    size: int = 1

    def get(self, key: str) -> Node:
        """Return the value of a key, an empty one at this place when there is none."""
        return self.mapping[key][1] if key in self.mapping else Node(self.at)

    def items(self) -> Iterator[tuple[Text, Node]]:
        """Yield the keys, with their places, and the values of a mapping."""
        for key, (at, value) in self.mapping.items():
            yield Text(key, at), value

    @property
    def text(self) -> Text | None:
        """Return the scalar, None if it is none, or null."""
        return None if self.scalar is None else Text(self.scalar, self.at)

    @property
    def string(self) -> str:
        """Return the scalar's value, "" if it is none."""
        return self.scalar or ""

    @property
    def texts(self) -> tuple[Text, ...]:
        """Return the scalars of a sequence; of one scalar, that one."""
        return tuple(node.text for node in self.sequence or (self,) if node.text)

    @property
    def strings(self) -> tuple[str, ...]:
        """Return the values of `texts`."""
        return tuple(text.value for text in self.texts)

    @property
    def is_empty(self) -> bool:
        """Return whether nothing is there."""
        return self.scalar is None and not self.sequence and not self.mapping

    def texts_by_key(self) -> dict[str, Text]:
        """Return the scalars of a mapping; null is an empty text."""
        return {
            key.value: value.text or Text("", value.at)
            for key, value in self.items()
            if not (value.sequence or value.mapping)
        }


def load(text: str, path: str) -> Node:
    """
    Return the first document of a YAML text; an empty one is an empty node.

    Raises:
        Broken: it is not YAML, has a key twice, is nested too deep, or its aliases make it too large.
    """
    import yaml

    reader = _Reader(path, text.split("\n"))
    try:
        for event in yaml.parse(text, Loader=yaml.CSafeLoader):
            if isinstance(event, yaml.ScalarEvent):
                reader.scalar(event)
            elif isinstance(event, yaml.AliasEvent):
                reader.alias(event)
            elif isinstance(event, yaml.CollectionStartEvent):
                reader.open(event, is_mapping=isinstance(event, yaml.MappingStartEvent))
            elif isinstance(event, yaml.CollectionEndEvent):
                reader.close()
            elif isinstance(event, yaml.DocumentEndEvent):
                break
    except yaml.YAMLError as error:
        raise Broken(f"{path} is not YAML: {_why(error)}", "mend the file") from error
    return reader.root


def _why(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error).partition("\n")[0]
    return f"line {mark.line + 1}: {problem}" if mark else str(problem)


@dataclass
class _Open:
    at: Place
    is_mapping: bool
    anchor: str | None
    sequence: list[Node] = field(default_factory=list)
    mapping: dict[str, tuple[Place, Node]] = field(default_factory=dict)
    merged: dict[str, tuple[Place, Node]] = field(default_factory=dict)  # by `<<`: one's own keys win
    key: Node | None = None
    size: int = 1


class _Reader:
    """Builds nodes from events, without recursion."""

    def __init__(self, path: str, lines: list[str]) -> None:
        self.path = path
        self.lines = lines
        self.root = Node(Place(path))
        self.stack: list[_Open] = []
        self.anchors: dict[str, Node] = {}

    def place(self, event: Any) -> Place:
        mark = event.start_mark
        return Place(self.path, mark.line + 1, mark.column + 1)

    def scalar(self, event: Any) -> None:
        is_null = event.implicit[0] and event.value in _NULL
        at = self.first_line(event) if event.style in ("|", ">") else self.place(event)
        self.add(Node(at, None if is_null else event.value), event.anchor)

    def first_line(self, event: Any) -> Place:
        first = event.start_mark.line + 1
        for line in self.lines[first : event.end_mark.line + 1]:
            if line.strip():
                return Place(self.path, first + 1, len(line) - len(line.lstrip()) + 1)
        return self.place(event)

    def alias(self, event: Any) -> None:
        if event.anchor not in self.anchors:
            raise self.broken(self.place(event), f"the alias *{event.anchor} has no anchor before it")
        self.add(self.anchors[event.anchor], None)

    def open(self, event: Any, *, is_mapping: bool) -> None:
        if len(self.stack) == DEEPEST:
            raise self.broken(self.place(event), f"nested more than {DEEPEST} deep")
        self.stack.append(_Open(self.place(event), is_mapping, event.anchor))

    def close(self) -> None:
        done = self.stack.pop()
        node = Node(done.at, None, tuple(done.sequence), {**done.merged, **done.mapping}, done.size)
        self.add(node, done.anchor)

    def add(self, node: Node, anchor: str | None) -> None:
        if anchor:
            self.anchors[anchor] = node
        if not self.stack:
            self.root = node
            return
        parent = self.stack[-1]
        parent.size += node.size
        if parent.size > LARGEST:
            raise self.broken(node.at, f"more than {LARGEST} values, aliases counted")
        if not parent.is_mapping:
            parent.sequence.append(node)
        elif parent.key is None:
            parent.key = node
        else:
            self.put(parent, parent.key, node)
            parent.key = None

    def put(self, parent: _Open, key: Node, value: Node) -> None:
        if key.string == "<<":
            for merged in value.sequence or (value,):
                parent.merged = {**merged.mapping, **parent.merged}
        elif key.string in parent.mapping:
            raise self.broken(key.at, f"the key {key.string} is there twice")
        else:
            parent.mapping[key.string] = (key.at, value)

    def broken(self, at: Place, why: str) -> Broken:
        return Broken(f"{self.path} cannot be read: line {at.line}: {why}", "mend the file")
