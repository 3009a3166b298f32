"""What a word of a shell text becomes, as far as the text alone tells."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ci.audit import grammar
from ci.audit.folders import ROOT, joined
from ci.audit.model import Env, Guard, Place

if TYPE_CHECKING:
    from tree_sitter import Node

_VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)(?::?-([^}$]*))?\})")


@dataclass(frozen=True)
class Origin:
    """Where a shell text stands: a block of lines from `at` on, or a single value, all of whose commands are `at`."""

    at: Place
    is_block: bool = True

    def place(self, row: int, column: int) -> Place:
        """Return the place of a row and a column of the text, both from 0."""
        if not self.is_block:
            return self.at
        return Place(self.at.path, self.at.line + row, self.at.column + column)


@dataclass(frozen=True)
class Scene:
    """What a shell text starts with; `reader` gives the text of a file that it sources."""

    env: Env = field(default_factory=Env)
    folder: str | None = ""
    is_errexit: bool = False
    is_pipefail: bool = False
    arguments: tuple[str, ...] = ()
    script: str = ""  # the file that the text is, from the root
    reader: Callable[[str], str | None] | None = None


@dataclass(frozen=True)
class Source:
    """The text that is being read."""

    text: grammar.Shell
    origin: Origin
    script: str = ""

    def place(self, node: Node) -> Place:
        return self.origin.place(*self.text.position(node))


def _numbered(arguments: tuple[str, ...]) -> dict[str, tuple[str, ...] | None]:
    return {"@": arguments, "*": arguments, **{str(n): (word,) for n, word in enumerate(arguments, 1)}}


class Words:
    """What a shell knows at one point of its text: where it is, its variables and functions."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.env = self.scene.env
        self.folder = self.scene.folder
        self.is_errexit, self.is_pipefail = self.scene.is_errexit, self.scene.is_pipefail
        self.is_exporting = False
        self.guards: tuple[Guard, ...] = ()
        self.functions: dict[str, tuple[Node, Source]] = {}
        self.known: dict[str, tuple[str, ...] | None] = _numbered(self.scene.arguments)
        self.asks: dict[str, frozenset[str]] = {}
        self.calls: tuple[str, ...] = ()
        self.unsure: frozenset[str] = frozenset()  # variables that are known, but may have another value by now
        self.is_open = False  # whether something that was not followed may have set any variable

    @contextmanager
    def inside(self, source: Source) -> Iterator[None]:
        before = getattr(self, "source", source)
        self.source = source
        yield
        self.source = before

    @contextmanager
    def apart(self) -> Iterator[None]:
        before = (self.env, self.folder, self.is_errexit, self.is_pipefail, self.guards, dict(self.known), self.unsure)
        yield
        self.env, self.folder, self.is_errexit, self.is_pipefail, self.guards, self.known, self.unsure = before

    @contextmanager
    def perhaps(self) -> Iterator[None]:
        """Walk what may not run: behind it, what it sets has one value or another."""
        before, unsure = dict(self.known), self.unsure
        yield
        self.unsure |= unsure | self.changed(before)

    @contextmanager
    def called(self, name: str, arguments: tuple[str, ...]) -> Iterator[None]:
        """Be inside a function; what it sets may be its own, or not."""
        known, calls = self.known, self.calls
        self.known = {name: value for name, value in known.items() if not name.isdigit()} | _numbered(arguments)
        self.calls = (*calls, name)
        with self.inside(self.functions[name][1]):
            yield
        self.unsure |= self.changed(known) - _numbered(arguments).keys()
        self.known, self.calls = known, calls

    def changed(self, before: Mapping[str, tuple[str, ...] | None]) -> frozenset[str]:
        """Return the variables that have other values than before."""
        return frozenset(name for name, value in self.known.items() if name not in before or before[name] != value)

    def words(self, node: Node) -> tuple[str, ...]:
        """Return the words that one becomes: a variable that is known, alone, by its value; others as written."""
        if node.type == "command_name" and node.child_count == 1:
            node = node.children[0]
        inner = node.named_children[0] if node.type == "string" and self.is_only_variable(node) else node
        if inner.type in ("simple_expansion", "expansion") and (value := self.value(inner)) is not None:
            is_quoted = node.type == "string" and "@" not in self.source.text.of(inner)
            return value if is_quoted else tuple(word for part in value for word in part.split())
        whole = self.value(node)
        return whole if whole and any(ROOT in word for word in whole) else (self.written(node),)

    def is_only_variable(self, node: Node) -> bool:
        parts = node.named_children
        return len(parts) == 1 and len(self.source.text.of(node)) == len(self.source.text.of(parts[0])) + 2

    def written(self, node: Node) -> str:
        return self.source.text.written(node)

    def value(self, node: Node) -> tuple[str, ...] | None:
        """Return what a word becomes, as far as the text alone tells; None when it does not."""
        kind = node.type
        if kind == "array":
            parts = [self.value(n) for n in node.named_children]
            return None if None in parts else tuple(word for part in parts for word in (part or ()))
        if kind in ("simple_expansion", "expansion"):
            return self.variable(node)
        if kind == "command_substitution":
            return self.output(node)
        if kind in ("concatenation", "command_name") or (kind == "string" and node.named_child_count):
            return self.composed(node)
        text = self.written(node)
        return None if "$" in text and "${{" not in text and kind != "raw_string" else (text,)

    def known_text(self, node: Node) -> str | None:
        """Return what a word is; a variable by what the shell, or the step, sets it to."""
        written = self.written(node)
        variable = _VARIABLE.fullmatch(written)
        if variable is None:
            return None if "$" in written or "`" in written else written
        name = variable[1] or variable[2]
        if self.is_open or name in self.unsure:
            return None
        if name in self.known:
            value = self.known[name]
            text = None if value is None else " ".join(value)
        else:
            unsaid = None if self.env.questions else variable[3] or None
            text = self.env.values[name].value if name in self.env.values else unsaid
        if text is None or "$" in text:
            return None
        return text or variable[3] or ""

    def composed(self, node: Node) -> tuple[str, ...] | None:
        """Return the value of a word of several parts."""
        made = ""
        text, position, children = self.source.text, node.start_byte, node.named_children
        for child in children:
            made += text.between(position, child.start_byte).replace('"', "")
            value = (text.of(child),) if child.type == "string_content" else self.value(child)
            if value is None:
                return None
            if len(children) == 1 and len(value) != 1:
                return value
            made += " ".join(value)
            position = child.end_byte
        return (made + text.between(position, node.end_byte).replace('"', ""),)

    def variable(self, node: Node) -> tuple[str, ...] | None:
        text = self.source.text.of(node).strip("${}").removesuffix("[@]").removesuffix("[*]")
        if text == "PWD":
            return None if self.folder is None else (f"{ROOT}/{self.folder}",)
        if text == "GITHUB_WORKSPACE":
            return (ROOT,)
        if text in ("0", "BASH_SOURCE[0]", "BASH_SOURCE") and self.source.script:
            return (f"{ROOT}/{self.source.script}",)
        name, _, default = text.partition(":?")[0].partition(":-")
        if name in self.known:
            return self.known[name]
        return (default,) if default and "$" not in default and name not in self.env.values else None

    def output(self, node: Node) -> tuple[str, ...] | None:
        """Return what the commands print that tell a script where it is."""
        text = " ".join(self.source.text.of(node).strip("$()`").split())
        if "rev-parse --show-toplevel" in text:
            return (ROOT,)
        if text in ("pwd", "pwd -P"):
            return None if self.folder is None else (f"{ROOT}/{self.folder}",)
        inner = [n for n in node.named_children if n.type in ("command", "list")]
        if len(inner) != 1:
            return None
        if inner[0].type == "list":
            return self.entered(inner[0])
        arguments = inner[0].children_by_field_name("argument")
        value = self.value(arguments[-1]) if arguments else None
        if text.startswith("dirname") and value and "/" in value[0]:
            return (value[0].rpartition("/")[0],)
        return value if text.startswith(("realpath", "readlink -f")) and value else None

    def entered(self, node: Node) -> tuple[str, ...] | None:
        """Return the folder of `cd X && pwd`."""
        change, *_, last = node.named_children
        arguments = [n for n in change.children_by_field_name("argument") if not self.written(n).startswith("-")]
        if not self.written(change).startswith("cd ") or not self.written(last).startswith("pwd") or not arguments:
            return None
        value = self.value(arguments[-1])
        folder = joined(self.folder, value[0]) if value else None
        return None if folder is None else (f"{ROOT}/{folder}",)
