"""The functions that one parsed file calls: every name that stands for a part of an api, followed to where it ends."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tree_sitter import Node

from ci.contract import syntax
from ci.contract.syntax import FUNCTIONS, SAME_FIRST, field_of, text
from ci.contract.values import HOME, Space, Tree, Value, World

_SIGNATURES = {"function_type", "constructor_type", "call_signature", "construct_signature", "method_signature",
               "abstract_method_signature", "function_signature", "index_signature"}  # fmt: skip
_SCOPES = FUNCTIONS | _SIGNATURES | {
    "program", "statement_block", "for_statement", "for_in_statement", "catch_clause", "switch_body",
    "class_static_block", "class_body", "internal_module"}  # fmt: skip
# What calls a function of one kind only: React's hooks, the clients, and the contexts of functions.
# Source: npm package convex 1.48.0 (react, nextjs, browser, server) and @convex-dev/react-query; read 2026-11-22.
_CALLERS = {
    f"{before}{kind}"
    for before in ("use", "run", "fetch", "useConvex", "convex")
    for kind in ("Query", "Mutation", "Action")
} | {
    "query",
    "mutation",
    "action",
    "usePaginatedQuery",
    "usePreloadedQuery",
    "preloadQuery",
    "watchQuery",
    "prewarmQuery",
}
_NO_USE = {"import_specifier", "import_clause", "namespace_import", "export_specifier", "namespace_export"}
_NAMES = {"identifier", "shorthand_property_identifier", "shorthand_property_identifier_pattern"}
_LOADS = re.compile(rb"\b(?:import|require)\s*\(")
_GLOBAL = re.compile(rb"\bconvex\.anyApi\b")


@dataclass(frozen=True)
class Use:
    """One place where a function is named; `path` is as much of its path as is known."""

    at: int
    backend: str
    path: tuple[str, ...]
    form: str
    visibility: str

    @property
    def is_dynamic(self) -> bool:
        """Tell whether it cannot be told which function is meant."""
        return self.form == "dynamic"


@dataclass(frozen=True)
class _Binding:
    start: int
    end: int
    value: Value | None  # None: the name stands for something else there


class Uses:
    """Finds the uses in one file. `is_function` tells a function's path from a module's or a folder's."""

    def __init__(self, world: World, path: str, data: bytes, root: Node, is_function: Callable[[Tree], bool]) -> None:
        self._world, self._path, self._data, self._root = world, path, data, root
        self._is_function = is_function
        self._bindings: dict[str, list[_Binding]] = {}
        self._found: dict[int, Use] = {}
        self._waiting: list[str] = []

    def find(self) -> list[Use]:
        """Return the uses, in the order of the file."""
        for local, (specifier, name) in self._world.learn(self._path, self._root).imports.items():
            if (value := self._world.imported(self._path, specifier, name)) is not None:
                self._bind(local, _Binding(0, len(self._data) + 1, value))
        self._follow_loads()
        self._follow_global()
        while self._waiting:
            self._follow_name(self._waiting.pop())
        return [self._found[at] for at in sorted(self._found)]

    def at_the_top(self) -> dict[str, Value]:
        """Return the names that stand for a part of an api everywhere in the file."""
        found = {name: self._value_at(name, self._root.end_byte) for name in self._bindings}
        return {name: value for name, value in found.items() if isinstance(value, Space | Tree)}

    def _bind(self, name: str, binding: _Binding) -> None:
        known = self._bindings.setdefault(name, [])
        if binding not in known:
            # What a name was taken for that is declared there, before it was known what it is given.
            known[:] = [one for one in known if one != _Binding(binding.start, binding.end, None)] + [binding]
            if name not in self._waiting:
                self._waiting.append(name)

    def _follow_loads(self) -> None:
        """Follow import("...") and require("...")."""
        for match in _LOADS.finditer(self._data):
            node = self._root.descendant_for_byte_range(match.start(), match.start() + 1)
            while node is not None and node.type in ("import", "identifier"):
                node = node.parent
            call = node
            if call is None:
                continue
            if name := syntax.module_named(call):
                value = self._world.imported(self._path, name, "*")
                if value is not None:
                    self._follow(call, value, match.start())

    def _follow_global(self) -> None:
        """Follow convex.anyApi, as pages do that load Convex with a script element."""
        for match in _GLOBAL.finditer(self._data):
            node = self._root.descendant_for_byte_range(match.start(), match.end())
            if node is not None and node.type == "member_expression" and "convex" not in self._bindings:
                self._follow(node, Tree(HOME, "public"), match.start())

    def _follow_name(self, name: str) -> None:
        places = list(self._places(name))
        for node in places:
            if self._is_declared(node):
                start, end = _scope(node)
                if not any((known.start, known.end) == (start, end) for known in self._bindings[name]):
                    self._bindings[name].append(_Binding(start, end, None))
        for node in places:
            if not self._is_declared(node):
                self._found.pop(node.start_byte, None)
                if (value := self._value_at(name, node.start_byte)) is not None:
                    self._follow(node, value, node.start_byte)

    def _places(self, name: str) -> Iterator[Node]:
        """Yield the nodes that are the name: not properties, types, comments, strings or text."""
        for match in re.finditer(rb"(?<![\w$])" + re.escape(name.encode()) + rb"(?![\w$])", self._data):
            node = self._root.descendant_for_byte_range(match.start(), match.end())
            if node is None or node.start_byte != match.start():
                continue
            if node.type in _NAMES and (node.parent is None or node.parent.type not in _NO_USE):
                yield node

    def _is_declared(self, node: Node) -> bool:
        """Tell whether the name is given a meaning of its own here."""
        if node.type == "shorthand_property_identifier_pattern":
            return True
        parent, child = node.parent, node
        while parent is not None and parent.type in ("pair_pattern", "object_pattern", "array_pattern", "rest_pattern",
                                                     "assignment_pattern", "object_assignment_pattern"):  # fmt: skip
            if child in (field_of(parent, "key"), field_of(parent, "right")):
                return False
            child = parent
            parent = child.parent
        if parent is None:
            return False
        if parent.type in ("required_parameter", "optional_parameter"):
            return child == field_of(parent, "pattern")
        if parent.type == "for_in_statement":
            return child == field_of(parent, "left")
        if parent.type in ("arrow_function", "catch_clause"):
            return child == field_of(parent, "parameter")
        named = "declarator" in parent.type or "declaration" in parent.type or parent.type in FUNCTIONS
        return (named and child == field_of(parent, "name")) or parent.type == "formal_parameters"

    def _value_at(self, name: str, at: int) -> Value | None:
        """Return what the name stands for at a place: what the smallest scope around it says."""
        around = [known for known in self._bindings[name] if known.start <= at < known.end]
        return min(around, key=lambda known: known.end - known.start).value if around else None

    def _follow(self, node: Node, value: Value, at: int) -> None:
        """Follow a value from where it is named outwards, through its members, to what becomes of it."""
        form = "member"
        while (parent := node.parent) is not None:
            if parent.type in SAME_FIRST and node == parent.named_children[0]:
                form = "typeof" if parent.type == "type_query" else form
            elif parent.type == "type_assertion" and node == parent.named_children[-1]:
                pass
            elif (call := _then_of(parent, node)) and not self._is_whole(value):
                node = call
                continue
            else:
                taken = _member(parent, node)
                if taken is None:
                    break
                member, how = taken
                if isinstance(value, Space) and member in ("then", "default") and self._then(parent, value):
                    return
                if isinstance(value, Tree) and member.startswith("_") and self._is_whole(value):
                    self._reference(value, form, at)
                    return
                stepped = self._world.step(value, member)
                if stepped is None:
                    return
                value, form = stepped, how if form == "member" else form
            node = parent
        self._end(node, value, form, at)

    def _end(self, node: Node, value: Value, form: str, at: int) -> None:
        """Note what becomes of a value that is not followed further outwards: it is given names, or it is used."""
        kind = node.parent.type if node.parent else ""
        pattern = _pattern(node)
        if pattern is not None and not (pattern.type == "identifier" and self._is_whole(value)):
            self._bind_pattern(pattern, value, at)
        elif isinstance(value, Tree):
            if self._is_whole(value):
                self._reference(value, f"{form} {_caller(node)}".rstrip(), at)
            elif kind != "export_statement":
                self._dynamic(value, at)
        elif isinstance(value, Space) and value.module.kind == "generated" and not kind.endswith("_statement"):
            self._dynamic(Tree(value.module.path, "public"), at)

    def _is_whole(self, value: Value) -> bool:
        return isinstance(value, Tree) and self._is_function(value)

    def _then(self, member: Node, value: Space) -> bool:
        """Follow import("...").then((module) => ...)."""
        call = member.parent
        function = syntax.argument(call) if call is not None and call.type == "call_expression" else None
        if function is None or function.type not in FUNCTIONS:
            return False
        first = field_of(function, "parameter")
        if parameters := field_of(function, "parameters"):
            first = field_of(parameters.named_children[0], "pattern") if parameters.named_children else None
        if first is not None:
            self._bind_pattern(first, value, member.start_byte)
        return True

    def _bind_pattern(self, pattern: Node, value: Value, at: int) -> None:
        """Give the names of a pattern their parts of the value."""
        for node, members in syntax.pattern_names(pattern):
            part: Value | None = value
            for member in members or ():
                part = self._world.step(part, member)
            if members is None:
                if isinstance(value, Tree):
                    self._dynamic(value, at)
            elif isinstance(part, Tree) and self._is_whole(part):
                self._reference(part, "destructuring", node.start_byte)
            elif part is not None:
                self._bind(text(node), _Binding(*_scope(node), part))

    def _reference(self, value: Value, form: str, at: int) -> None:
        if isinstance(value, Tree):
            self._found[at] = Use(at, value.backend, value.path, form, value.visibility)

    def _dynamic(self, value: Tree, at: int) -> None:
        self._found[at] = Use(at, value.backend, value.path, "dynamic", value.visibility)


def _member(parent: Node, node: Node) -> tuple[str, str] | None:
    """Return the (member, form) that `parent` takes of `node`, or None when it takes none that can be told."""
    if parent.type == "member_expression" and node.start_byte == parent.start_byte:
        # Inside typeof the grammar names a wrong node as the field "property".
        return text(parent.named_children[-1]), "member"
    if parent.type == "subscript_expression" and node == field_of(parent, "object"):
        index = field_of(parent, "index")
        return (text(index), "subscript") if syntax.is_text(index) else None
    if parent.type == "lookup_type" and node == parent.named_children[0]:
        index = parent.named_children[-1]
        inner = index.named_children[0] if index.type == "literal_type" and index.named_children else None
        return (text(inner), "typeof") if syntax.is_text(inner) else None
    return None


def _then_of(parent: Node, node: Node) -> Node | None:
    """Return the call of `then` that gives what its function, without a block, makes of what it is given."""
    call = parent.parent.parent if parent.type == "arrow_function" and parent.parent is not None else None
    if call is None or node != field_of(parent, "body") or call.type != "call_expression":
        return None
    called = syntax.function_of(call)
    is_then = called is not None and called.type == "member_expression" and text(called.named_children[-1]) == "then"
    return call if is_then else None


def _caller(node: Node) -> str:
    """Return the name of what calls a function that is its first argument, if that tells its kind, or ""."""
    arguments = node.parent
    call = arguments.parent if arguments is not None and arguments.type == "arguments" else None
    if call is None or arguments is None or arguments.named_children[0] != node:
        return ""
    called = syntax.function_of(call)
    name = text(called.named_children[-1] if called is not None and called.type == "member_expression" else called)
    return name if name in _CALLERS else ""


def _pattern(node: Node) -> Node | None:
    """Return the pattern that the value of `node` is given to, if it is declared so."""
    parent = node.parent
    if parent is not None and parent.type == "variable_declarator" and node == field_of(parent, "value"):
        return field_of(parent, "name")
    return None


def _scope(node: Node) -> tuple[int, int]:
    """Return the bytes in which a declared name holds."""
    parent = node.parent
    if parent is not None and parent.type in FUNCTIONS | {"class_declaration"} and node == field_of(parent, "name"):
        parent = parent.parent if parent.type.endswith("declaration") else parent
    while parent is not None and parent.parent is not None and parent.type not in _SCOPES:
        parent = parent.parent
    return (parent.start_byte, parent.end_byte + 1) if parent is not None else (0, 0)
