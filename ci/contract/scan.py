"""What one file calls: read it, ask whether it is worth it, parse it, look."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Collection, Iterator

from tree_sitter import Node

from ci.contract import gate, lexer, markup, names, python, source, syntax
from ci.contract.cache import Record, Row
from ci.contract.handed import Handed
from ci.contract.markup import MARKUP
from ci.contract.resolve import Resolver
from ci.contract.source import LARGEST_PARSED_BYTES, Unread
from ci.contract.uses import Use, Uses
from ci.contract.values import Tree, World
from ci.contract.walk import COMMANDS, SOURCES

_STRING = re.compile(rb'"((?:\\.|[^"\\])*)"')


class Scanner:
    """Scans the files of one repository."""

    def __init__(self, resolver: Resolver, is_function: Callable[[Tree], bool]) -> None:
        self.world = World(resolver)
        self._resolver = resolver
        self._is_function = is_function

    def scan(self, path: str, wanted: Collection[bytes], *, again: bool = False) -> Record | None:
        """
        Return what a file calls, or None when it has nothing to do with Convex.

        Args:
            wanted: words that lead to an api without naming one.
            again: only the words are new, all else was asked before.
        """
        is_source = path.endswith(SOURCES)
        try:
            data = source.read(path)
        except Unread as unread:
            hidden = not is_source and "." not in os.path.basename(path)
            return None if hidden else Record(why=str(unread))
        try:
            if is_source:
                asked = (not again and gate.source(data)) or gate.words(data, wanted)
                return self._source(path, data) if asked else None
            if path.endswith(".py"):
                return _python(data) if not again and gate.python(data) else None
        except RecursionError:
            return Record(why="is nested too deeply to be read")
        if not again and gate.script(data):
            uses = _commands(path, data) if path.endswith(COMMANDS) else names.run(data)
            return Record([_row(data, use) for use in uses])
        return None

    def _source(self, path: str, data: bytes) -> Record:
        if len(data) > LARGEST_PARSED_BYTES:
            rows = [_row(data, use) for use in lexer.uses(self.world, path, data, self._is_function)]
            return Record(rows, why=f"is larger than {LARGEST_PARSED_BYTES >> 10} KB: read without parsing it")
        root = syntax.parse(path, data)
        links = self.world.learn(path, root)
        followed = Uses(self.world, path, data, root, self._is_function)
        named = followed.find()
        if path.endswith(MARKUP):
            shown = markup.expressions(path, data)
            named += lexer.chains(self.world, shown, followed.at_the_top(), self._is_function)
        if root.has_error:
            named += _lost(root, lexer.chains(self.world, data, followed.at_the_top(), self._is_function))
        handed = Handed(self.world, path, root, data, {use.at for use in named})
        uses = {use.at: use for use in handed.find()}
        uses |= {use.at: use for use in names.run_in_source(root, data)} if b"convex" in data else {}
        uses |= {use.at: use for use in reversed(named)}
        rows = [_row(data, uses[at]) for at in sorted(uses)]
        words = self._words(path) if links.exports or links.stars else []
        why = _trouble(root, data) if root.has_error and (rows or words) else ""
        return Record(rows, words, why)

    def _words(self, path: str) -> list[str]:
        """Return the words by which other files may reach an api through this one."""
        carried = self.world.carried(path)
        if not carried:
            return []
        folder, name = os.path.split(path)
        stem = name.partition(".")[0]
        passed_on = {name for name in carried if name != "default"}
        return sorted(
            passed_on
            | {stem if stem != "index" else os.path.basename(folder), self._resolver.package_name(path)} - {""}
        )


def _python(data: bytes) -> Record:
    try:
        return Record([_row(data, use) for use in sorted(python.uses(data), key=lambda use: use.at)])
    except Unread as unread:
        return Record(why=str(unread))


def _commands(path: str, data: bytes) -> Iterator[Use]:
    """Yield what the strings of a project.json, and the scripts of a package.json, tell `convex run` to run."""
    scripts: Collection[str] | None = None
    if path.endswith("package.json"):
        try:
            scripts = [text for text in json.loads(data).get("scripts", {}).values() if isinstance(text, str)]
        except (ValueError, AttributeError):
            return
    for match in _STRING.finditer(data):
        try:
            said = json.loads(match[0])
        except ValueError:
            continue
        if scripts is None or said in scripts:
            yield from names.run(match[1].replace(b'\\"', b' "'), comments=False, start=match.start(1))


def _lost(root: Node, uses: Iterator[Use]) -> Iterator[Use]:
    """Yield the uses in what the parser was lost in: there, names are taken for what they are at the top."""
    for use in uses:
        node = root.descendant_for_byte_range(use.at, use.at + 1)
        while node is not None and node != root and not node.has_error:
            node = node.parent
        if node != root:
            yield use


def _trouble(root: Node, data: bytes) -> str:
    """Return the phrase that says where the parser was lost."""
    node = root
    while (broken := next((child for child in node.children if child.has_error or child.is_missing), None)) is not None:
        node = broken
    line = source.place(data, node.start_byte).line
    return f"has syntax that the parser does not know, near line {line}: what is around it was read"


def _row(data: bytes, use: Use) -> Row:
    where = source.place(data, use.at)
    return (use.backend, list(use.path), use.form, use.visibility, where.line, where.column)
