"""TypeScript and JavaScript -> tree-sitter's tree of it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tree_sitter import Node, Parser

ENDINGS = (".ts", ".mts", ".cts", ".tsx", ".js", ".mjs", ".cjs", ".jsx")
LARGEST_CHARACTERS = 512 << 10  # beyond it the parser can take seconds over one file
_STRICT = (".ts", ".mts", ".cts")  # in which <T>x is a cast, and no markup
_STRINGS = {"string", "template_string"}


@cache
def _parser(*, markup: bool) -> Parser:
    import tree_sitter_typescript
    from tree_sitter import Language, Parser

    grammar = tree_sitter_typescript.language_tsx() if markup else tree_sitter_typescript.language_typescript()
    return Parser(Language(grammar))


def nodes(path: str, text: str, *types: str) -> Iterator[Node]:
    """Yield each node of these types, in the order in which they are written; none of a file that is too large."""
    if len(text) > LARGEST_CHARACTERS:
        return
    cursor = _parser(markup=not path.endswith(_STRICT)).parse(text.encode("utf-8", "replace")).walk()
    while True:
        if cursor.node is not None and cursor.node.type in types:
            yield cursor.node
        if cursor.goto_first_child():
            continue
        while not cursor.goto_next_sibling():
            if not cursor.goto_parent():
                return


def of(node: Node | None) -> str:
    """Return the text of a node, as it is written."""
    return node.text.decode("utf-8", "replace") if node and node.text else ""


def string(node: Node | None) -> str | None:
    """Return what a string says, substitutions as they are written; None if the node is none."""
    return of(node)[1:-1] if node is not None and node.type in _STRINGS else None


def is_named(node: Node, name: str) -> bool:
    """Tell whether a node is the plain name."""
    return node.type == "identifier" and of(node) == name
