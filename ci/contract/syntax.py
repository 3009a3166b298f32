"""The syntax tree of a TypeScript or JavaScript file, and what its imports, exports and constants say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache

import tree_sitter_typescript
from tree_sitter import Language, Node, Parser

from ci.contract import markup
from ci.contract.markup import MARKUP

_PLAIN = (".ts", ".mts", ".cts")

# What leaves a value what it is. Named for the child that carries it: the first, or the last.
SAME_FIRST = {"parenthesized_expression", "non_null_expression", "as_expression", "satisfies_expression",
              "await_expression", "type_query", "parenthesized_type"}  # fmt: skip
FUNCTIONS = {"arrow_function", "function_expression", "function_declaration", "method_definition",
             "generator_function", "generator_function_declaration"}  # fmt: skip


@dataclass
class Links:
    """How a file is tied to others. An import is local name -> (specifier, imported name, "*" for all of it)."""

    imports: dict[str, tuple[str, str]] = field(default_factory=dict)
    exports: dict[str, tuple[str, str]] = field(default_factory=dict)  # name -> (specifier or "", name there)
    stars: list[str] = field(default_factory=list)
    constants: dict[str, tuple[Node, tuple[str, ...]]] = field(default_factory=dict)  # name -> (value, members taken)


def parse(path: str, data: bytes) -> Node:
    """Return the root of the file's tree; of a component's file, its scripts only, each where it stands."""
    if path.endswith(MARKUP):
        data = markup.scripts(data)
    return _parser(tsx=not path.endswith(_PLAIN + MARKUP)).parse(data).root_node


def links(root: Node) -> Links:
    """Return what the top level of a file imports, exports and names."""
    found = Links()
    for node in root.children:
        if node.type == "import_statement":
            _import(node, found)
        elif node.type == "export_statement":
            _export(node, found)
        elif node.type in ("lexical_declaration", "variable_declaration"):
            _constants(node, found)
    return found


def text(node: Node | None) -> str:
    """Return the node's text, of a string what it says."""
    if node is None or node.text is None:
        return ""
    shown = node.text.decode(errors="replace")
    return shown[1:-1] if node.type in ("string", "template_string") else shown


def is_text(node: Node | None) -> bool:
    """Tell whether the node is a string without substitutions."""
    return node is not None and (
        node.type == "string"
        or (node.type == "template_string" and not any(c.type == "template_substitution" for c in node.children))
    )


def field_of(node: Node, name: str) -> Node | None:
    """Return a field of the node."""
    return node.child_by_field_name(name)


def function_of(call: Node) -> Node | None:
    """Return what is called; where types are given to it, the grammar takes `await` for a part of that."""
    found = field_of(call, "function")
    return found.named_children[0] if found is not None and found.type == "await_expression" else found


def argument(call: Node, index: int = 0) -> Node | None:
    """Return an argument of a call, or None."""
    arguments = field_of(call, "arguments")
    given = [child for child in arguments.named_children if child.type != "comment"] if arguments else []
    return given[index] if index < len(given) else None


def module_named(call: Node) -> str:
    """Return the name that a call of import() or require() loads, or ""."""
    function = field_of(call, "function")
    loads = function is not None and (function.type == "import" or text(function) == "require")
    given = argument(call) if loads else None
    return text(given) if is_text(given) else ""


def string_around(root: Node, at: int) -> Node | None:
    """Return the string in which byte `at` is, or None."""
    node = root.descendant_for_byte_range(at, at + 1)
    while node is not None and node.type in ("string_fragment", "escape_sequence"):
        node = node.parent
    return node if node is not None and node.type in ("string", "template_string") else None


def pattern_names(pattern: Node, path: tuple[str, ...] = ()) -> Iterator[tuple[Node, tuple[str, ...] | None]]:
    """
    Yield (declared name, members taken from the value) of a pattern; None for a rest and for a computed member.

    Source: the grammar's object_pattern, pair_pattern, object_assignment_pattern, assignment_pattern, rest_pattern.
    """
    if pattern.type in ("identifier", "shorthand_property_identifier_pattern"):
        yield pattern, path if pattern.type == "identifier" else (*path, text(pattern))
    elif pattern.type in ("assignment_pattern", "object_assignment_pattern"):
        if left := field_of(pattern, "left"):
            yield from pattern_names(left, path)
    elif pattern.type == "pair_pattern":
        key, value = field_of(pattern, "key"), field_of(pattern, "value")
        known = key is not None and (key.type == "property_identifier" or is_text(key))
        for node, members in pattern_names(value, (*path, text(key))) if value else ():
            yield node, members if known else None
    elif pattern.type == "object_pattern":
        for child in pattern.named_children:
            yield from pattern_names(child, path)
    elif pattern.type in ("rest_pattern", "array_pattern"):
        for child in pattern.named_children:
            for node, _ in pattern_names(child):
                yield node, None


@cache
def _parser(*, tsx: bool) -> Parser:
    grammar = tree_sitter_typescript.language_tsx() if tsx else tree_sitter_typescript.language_typescript()
    return Parser(Language(grammar))


def _import(node: Node, found: Links) -> None:
    source = text(field_of(node, "source"))
    clause = next((child for child in node.children if child.type == "import_clause"), None)
    for child in clause.named_children if clause else ():
        if child.type == "identifier":
            found.imports[text(child)] = (source, "default")
        elif child.type == "namespace_import":
            found.imports[text(child.named_children[-1])] = (source, "*")
        elif child.type == "named_imports":
            for name, local in _specifiers(child):
                found.imports[local] = (source, name)


def _export(node: Node, found: Links) -> None:
    source, declaration, value = (field_of(node, name) for name in ("source", "declaration", "value"))
    if declaration is not None and declaration.type in ("lexical_declaration", "variable_declaration"):
        before = set(found.constants)
        _constants(declaration, found)
        found.exports |= {name: ("", name) for name in found.constants if name not in before}
    elif declaration is not None and (name := field_of(declaration, "name")):
        found.exports[text(name)] = ("", text(name))
    if value is not None:
        found.constants["default"] = (value, ())
        found.exports["default"] = ("", "default")
    for child in node.named_children:
        if child.type == "export_clause":
            found.exports |= {local: (text(source), name) for name, local in _specifiers(child)}
        elif child.type == "namespace_export":
            found.exports[text(child.named_children[-1])] = (text(source), "*")
    if source is not None and any(child.type == "*" for child in node.children):
        found.stars.append(text(source))


def _specifiers(clause: Node) -> Iterator[tuple[str, str]]:
    for child in clause.named_children:
        if name := field_of(child, "name"):
            yield text(name), text(field_of(child, "alias") or name)


def _constants(node: Node, found: Links) -> None:
    for child in node.named_children:
        name, value = field_of(child, "name"), field_of(child, "value")
        if child.type == "variable_declarator" and name and value:
            for declared, members in pattern_names(name):
                if members is not None:
                    found.constants[text(declared)] = (value, members)
