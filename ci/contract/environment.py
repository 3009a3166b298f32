"""The environment variables that backend code reads, by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tree_sitter import Node

from ci.contract import syntax
from ci.contract.syntax import field_of, text

CONFIG = "convex.config"  # the module that declares variables: defineApp({ env: { NAME: v.string() } })


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
        generated = _generated(root)
        reads |= {
            Read(path, node.start_point.row + 1, name)
            for node in _walk(root)
            if _is_environment(node, generated)
            for name in _names(node)
        }
    return Environment(tuple(sorted(reads)), declared)


def _stem(path: str) -> str:
    return path.rpartition("/")[2].rpartition(".")[0]


def _walk(root: Node) -> Iterator[Node]:
    waiting = [root]
    while waiting:
        node = waiting.pop()
        yield node
        waiting += node.children


def _generated(root: Node) -> set[str]:
    """Return the local names of the `env` that code generation writes."""
    imports = syntax.links(root).imports.items()
    return {local for local, (source, name) in imports if name == "env" and "_generated/server" in source}


def _is_environment(node: Node, generated: set[str]) -> bool:
    """Tell whether the node is `process.env`, or the generated `env`."""
    if node.type == "identifier":
        in_import = node.parent is not None and node.parent.type == "import_specifier"
        return text(node) in generated and not in_import
    if node.type not in ("member_expression", "subscript_expression"):
        return False
    member = field_of(node, "property") or field_of(node, "index")
    return _of_process(field_of(node, "object")) and text(member) == "env"


def _of_process(node: Node | None) -> bool:
    """Tell whether the node is `process`, or `globalThis.process`."""
    if node is not None and node.type == "member_expression":
        return text(field_of(node, "object")) == "globalThis" and text(field_of(node, "property")) == "process"
    return node is not None and node.type == "identifier" and text(node) == "process"


def _names(node: Node) -> Iterator[str]:
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
    elif parent.type == "variable_declarator" and node == field_of(parent, "value"):
        yield from _taken(field_of(parent, "name"))
    else:
        yield ""


def _taken(pattern: Node | None) -> Iterator[str]:
    """Yield the variables that `const { A, B: b } = process.env` takes; "" for a rest, and for a name for them all."""
    for _, members in syntax.pattern_names(pattern) if pattern else ():
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
