"""Shell text -> tree-sitter's tree of it, with GitHub's expressions hidden from the grammar."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache, lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tree_sitter import Node, Parser

# What the grammar does not get right: expressions of GitHub, brackets that are escaped, or in `${name%%]*}`.
_HIDDEN = re.compile(rb"\$\{\{.*?\}\}|\\[\[\]]|(?<=[%#])\\?[\[\]](?=\*?\})", re.DOTALL)
_ESCAPED = re.compile(r"\\(\n|.)", re.DOTALL)


@cache
def _parser() -> Parser:
    import tree_sitter_bash
    from tree_sitter import Language, Parser

    return Parser(Language(tree_sitter_bash.language()))


class Shell:
    """A parsed shell text; what the grammar does not know is a word as long as it is, so that every position holds."""

    def __init__(self, text: str) -> None:
        self._bytes = text.encode("utf-8", "replace")
        self.root: Node = _parser().parse(_HIDDEN.sub(_word, self._bytes)).root_node

    def is_deeper(self, levels: int) -> bool:
        """Tell whether the tree has more levels than this."""
        cursor = self.root.walk()
        while cursor.depth <= levels:
            if cursor.goto_first_child():
                continue
            while not cursor.goto_next_sibling():
                if not cursor.goto_parent():
                    return False
        return True

    def between(self, start: int, end: int) -> str:
        """Return the text between two positions."""
        return self._bytes[start:end].decode("utf-8", "replace")

    def of(self, node: Node) -> str:
        """Return the text of a node, as it is written."""
        return self.between(node.start_byte, node.end_byte)

    def rest(self, node: Node) -> str:
        """Return what is written behind a node."""
        return self.between(node.end_byte, len(self._bytes)).lstrip("; \t\n")

    def position(self, node: Node) -> tuple[int, int]:
        """Return the row and the column of a node, both from 0, the column in characters."""
        row, column = node.start_point
        return row, len(self.between(node.start_byte - column, node.start_byte))

    def written(self, node: Node) -> str:
        """Return a word without its quotes, its variables as they are written."""
        if node.type == "concatenation":
            return "".join(self.written(child) for child in node.children)
        text = self.of(node)
        if node.type == "command_name":
            return self.written(node.children[0]) if node.child_count == 1 else text
        if node.type == "ansi_c_string":
            return text[2:-1]
        if node.type in ("string", "raw_string", "translated_string"):
            return text.lstrip("$")[1:-1]
        return _ESCAPED.sub(_unescaped, text) if node.type == "word" else text

    def variables(self, node: Node) -> list[str]:
        """Return the names of the variables below a node."""
        return [self.of(one) for one in _below(node) if one.type == "variable_name"]

    def assigned(self, node: Node) -> list[str]:
        """Return the names of the variables that are set below a node."""
        names = (one.child_by_field_name("name") for one in _below(node) if one.type == "variable_assignment")
        return [self.of(name) for name in names if name]


def _below(node: Node) -> Iterator[Node]:
    nodes = [node]
    while nodes:
        one = nodes.pop()
        yield one
        nodes += one.children


@lru_cache(maxsize=2_000)
def parsed(text: str) -> Shell:
    """Return a text parsed; scripts are called again and again."""
    return Shell(text)


def branches(node: Node) -> list[tuple[list[Node], list[Node]]]:
    """Return the conditions and the bodies of an `if`; those of `else` have no condition."""
    found: list[tuple[list[Node], list[Node]]] = []
    conditions: list[Node] = []
    body: list[Node] = []
    is_body = False
    for child in node.children:
        if child.type == "then":
            is_body = True
        elif child.type in ("elif_clause", "else_clause"):
            found.append((conditions, body))
            conditions, body = [], []
            inner = branches(child)
            found += inner
            is_body = False
        elif child.type == "else":
            is_body = True
        elif child.is_named and child.type != "comment":
            (body if is_body else conditions).append(child)
    return [*found, (conditions, body)] if conditions or body else found


def redirected(node: Node, text: Shell) -> tuple[tuple[str, ...], str]:
    """Return where a redirection writes to, and the heredoc that it gives."""
    writes: tuple[str, ...] = ()
    given = ""
    if node.type == "file_redirect":
        operator = next((n.type for n in node.children if n.type in (">", ">>", "&>", ">|", "&>>")), "")
        descriptor = next((text.of(n) for n in node.children if n.type == "file_descriptor"), "1")
        destination = node.child_by_field_name("destination")
        if operator and destination and descriptor == "1":
            writes = (text.written(destination),)
    for child in node.children:
        if child.type == "heredoc_body":
            given = text.of(child)
        elif child.type == "file_redirect":
            writes += redirected(child, text)[0]
    return writes, given


def _word(expression: re.Match[bytes]) -> bytes:
    return b"_" * len(expression.group())


def _unescaped(escape: re.Match[str]) -> str:
    return "" if escape.group(1) == "\n" else escape.group(1)
