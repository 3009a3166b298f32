"""The environment variables that backend code reads, by name."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tree_sitter import Node

from ci.contract import syntax
from ci.contract.syntax import field_of, text

CONFIG = "convex.config"  # the module that declares variables: defineApp({ env: { NAME: v.string() } })

_ENVIRONMENTS = re.compile(r"_generated/server|^(?:node:)?process$")
_GIVEN = {"variable_declarator": ("name", "value"), "assignment_expression": ("left", "right")}


@dataclass(frozen=True, order=True)
class Read:
    """One place that reads a variable; `name` is "" where it is computed (`process.env[name]`), and unknown."""

    path: str
    line: int
    name: str


@dataclass(frozen=True)
class Environment:
    """
    What the code reads, in the order of paths and lines, and what it declares.

    `declared`: variable to whether it is optional. Convex refuses a push while one that is not optional is lacking.
    """

    reads: tuple[Read, ...]
    declared: Mapping[str, bool]

    @property
    def names(self) -> frozenset[str]:
        """Return the variables that are read by name or declared; one that is declared as optional may be lacking."""
        named = {read.name for read in self.reads if read.name} | set(self.declared)
        return frozenset(name for name in named if not self.declared.get(name, False))

    @property
    def dynamic(self) -> tuple[Read, ...]:
        """Return the places whose variables cannot be told."""
        return tuple(read for read in self.reads if not read.name)


def read(modules: Mapping[str, str]) -> Environment:
    """
    Return what the modules of a backend read and declare.

    Args:
        modules: path to text, of the functions folder; what they import from packages is not followed.

    Source: process.env and the `env` of _generated/server, docs/production/environment-variables.mdx of the open-source
        backend; read 2026-11-22.
    """
    reads: set[Read] = set()
    declared: dict[str, bool] = {}
    for path, source in modules.items():
        if "env" not in source:
            continue
        root = syntax.parse(path, source.encode())
        if _stem(path) == CONFIG:
            declared |= _declared(root)
        reads |= {Read(path, line, name) for line, name in _reads(root)}
    return Environment(tuple(sorted(reads)), declared)


def _stem(path: str) -> str:
    return path.rpartition("/")[2].rpartition(".")[0]


def _walk(root: Node) -> Iterator[Node]:
    waiting = [root]
    while waiting:
        node = waiting.pop()
        yield node
        waiting += node.children


def _reads(root: Node) -> Iterator[tuple[int, str]]:
    """Yield (line, variable), with "" for what cannot be told."""
    wholes = _wholes(root)
    places = [node for node in _walk(root) if _is_environment(node) or _stands_for_it(node, wholes)]
    used = {text(node) for node in places}
    for node in places:
        yield from ((node.start_point.row + 1, name) for name in _names(node, used))


def _wholes(root: Node) -> set[str]:
    """Return the local names that all of the environment has."""
    ties = syntax.links(root).imports.items()
    found = {local for local, (source, name) in ties if name == "env" and _ENVIRONMENTS.search(source)}
    for node in _walk(root):
        target, value = (field_of(node, name) for name in _GIVEN.get(node.type, ("", "")))
        while value is not None and value.type in syntax.SAME_FIRST:
            value = value.named_children[0]
        if target is None or value is None:
            continue
        if _is_environment(value) and target.type == "identifier":
            found.add(text(target))
        elif _of_process(value):
            found |= {text(name) for name, members in syntax.pattern_names(target) if members == ("env",)}
    return found


def _is_environment(node: Node) -> bool:
    """Tell whether the node is `process.env` or, as a bundler names it, `import.meta.env`."""
    if node.type not in ("member_expression", "subscript_expression"):
        return False
    object_, member = field_of(node, "object"), field_of(node, "property") or field_of(node, "index")
    return text(member) == "env" and (_of_process(object_) or (object_ is not None and object_.type == "meta_property"))


def _stands_for_it(node: Node, wholes: set[str]) -> bool:
    """Tell whether the node is one of the names of the environment, and is not being declared."""
    if node.type not in ("identifier", "shorthand_property_identifier") or text(node) not in wholes:
        return False
    parent = node.parent
    if parent is None or parent.type in ("import_specifier", "required_parameter", "optional_parameter"):
        return False
    return node not in (field_of(parent, _GIVEN[parent.type][0]) if parent.type in _GIVEN else None,)


def _of_process(node: Node | None) -> bool:
    """Tell whether the node is `process`, or `globalThis.process`."""
    if node is not None and node.type == "member_expression":
        return text(field_of(node, "object")) == "globalThis" and text(field_of(node, "property")) == "process"
    return node is not None and node.type == "identifier" and text(node) == "process"


def _names(node: Node, used: set[str]) -> Iterator[str]:
    """Yield what is taken of the environment: names, and "" for what cannot be told."""
    parent = node.parent
    while parent is not None and parent.type in syntax.SAME_FIRST and node == parent.named_children[0]:
        node, parent = parent, parent.parent
    if parent is None:
        return
    if parent.type == "member_expression":
        yield text(field_of(parent, "property"))
    elif parent.type == "subscript_expression" and node == field_of(parent, "object"):
        index = field_of(parent, "index")
        yield text(index) if syntax.is_text(index) else ""
    elif parent.type in _GIVEN and node == field_of(parent, _GIVEN[parent.type][1]):
        yield from _taken(parent, field_of(parent, _GIVEN[parent.type][0]), used)
    else:
        yield ""


def _taken(parent: Node, target: Node | None, used: set[str]) -> Iterator[str]:
    """
    Yield the variables that `const { A, B: b } = process.env` takes; "" for a rest, and for a name for them all.

    Where such a name is used in its file alone, its uses say what is read.
    """
    if target is not None and target.type == "identifier":
        exported = (
            parent.parent is not None
            and parent.parent.parent is not None
            and (parent.parent.parent.type == "export_statement")
        )
        yield from [""] if exported or text(target) not in used else []
        return
    for _, members in syntax.pattern_names(target) if target else ():
        yield members[0] if members else ""


def _declared(root: Node) -> dict[str, bool]:
    """Return the variables of defineApp({ env: {...} }), each with whether it is optional."""
    found = {}
    for node in _walk(root):
        if node.type == "call_expression" and text(field_of(node, "function")) == "defineApp":
            for name, value in _pairs(_value_of(syntax.argument(node), "env")):
                found[name] = text(field_of(value, "function")).endswith("optional")
    return found


def _value_of(node: Node | None, name: str) -> Node | None:
    return next((value for key, value in _pairs(node) if key == name), None)


def _pairs(node: Node | None) -> Iterator[tuple[str, Node]]:
    """Yield the keys and values that an object is written with."""
    for child in node.named_children if node is not None and node.type == "object" else ():
        key, value = field_of(child, "key"), field_of(child, "value")
        if child.type == "pair" and key is not None and value is not None:
            yield text(key), value
