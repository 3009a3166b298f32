"""What a name stands for, followed through any number of modules."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from tree_sitter import Node

from ci.contract import source, syntax
from ci.contract.resolve import Module, Resolver
from ci.contract.source import LARGEST_PARSED_BYTES, Unread
from ci.contract.syntax import Links, field_of, text

HOME = "?"  # the backend of a file that does not say which: decided once all files are known
HOPS = 8  # from a name to the module that declares it: more than that is a circle
_CLIENT = re.compile(rb"\Anew\s+\w*Convex\w*Client\b")


@dataclass(frozen=True)
class Tree:
    """A part of a backend's api: all of it, a folder, a module or a function."""

    backend: str
    visibility: str
    path: tuple[str, ...] = ()


@dataclass(frozen=True)
class Space:
    """Everything that a module exports."""

    module: Module


@dataclass(frozen=True)
class Client:
    """A client of Convex: strings handed to its methods name functions."""


Value = Tree | Space | Client


class World:
    """The modules of a repository and what their names stand for. Files are read when they are asked about."""

    def __init__(self, resolver: Resolver) -> None:
        self.resolver = resolver
        self.consulted: set[str] = set()
        self._links: dict[str, Links] = {}
        self._exported: dict[tuple[str, str], Value] = {}

    def learn(self, path: str, root: Node) -> Links:
        """Return how a file that was parsed is tied to others, and remember it."""
        if path not in self._links:
            self._links[path] = syntax.links(root)
        return self._links[path]

    def imported(self, path: str, specifier: str, name: str) -> Value | None:
        """Return what importing `name` ("*" for all) from `specifier` gives, or None when it is no business of ours."""
        return self._imported(path, specifier, name, frozenset())

    def step(self, value: Value | None, member: str) -> Value | None:
        """Return a member of a value."""
        return self._step(value, member, frozenset())

    def constant(self, path: str, specifier: str, name: str, hops: int = HOPS) -> Node | None:
        """Return the expression that an import was declared with, wherever it comes from."""
        module = self.resolver.resolve(path, specifier)
        if module is None or module.kind != "file" or not hops:
            return None
        self.consulted.add(module.path)
        known = self._of(module.path)
        source, there = known.exports.get(name, ("", ""))
        if not source and there in known.constants:
            node, members = known.constants[there]
            return None if members else node
        ties = [(source, there)] if source else [known.imports[there]] if there in known.imports else []
        ties += [(star, name) for star in known.stars if not there]
        found = (self.constant(module.path, *tie, hops - 1) for tie in ties)
        return next((node for node in found if node is not None), None)

    def carried(self, path: str) -> dict[str, Value]:
        """Return the exports of a file that lead on to functions."""
        found = {}
        for name in [*self._of(path).exports, *self._starred(path)]:
            value = self._export(path, name, frozenset())
            if isinstance(value, Space) and value.module.kind != "generated":
                continue
            if value is not None:
                found[name] = value
        return found

    def _starred(self, path: str) -> Iterator[str]:
        for specifier in self._of(path).stars:
            module = self.resolver.resolve(path, specifier)
            if module is not None and module.kind == "generated":
                yield from ("api", "internal")

    def _of(self, path: str) -> Links:
        if path not in self._links:
            try:
                data = source.read(path)
            except Unread:
                data = b""
            if len(data) > LARGEST_PARSED_BYTES:
                data = b""
            self.learn(path, syntax.parse(path, data))
        return self._links[path]

    def _imported(self, path: str, specifier: str, name: str, seen: frozenset[tuple[str, str]]) -> Value | None:
        module = self.resolver.resolve(path, specifier)
        if module is None:
            return None
        return Space(module) if name == "*" else self._step(Space(module), name, seen)

    def _step(self, value: Value | None, member: str, seen: frozenset[tuple[str, str]]) -> Value | None:
        if isinstance(value, Tree):
            return replace(value, path=(*value.path, member))
        if not isinstance(value, Space):
            return None
        kind, path = value.module.kind, value.module.path
        if kind == "generated":
            visibility = {"api": "public", "internal": "internal"}.get(member)
            return value if member == "default" else Tree(path, visibility) if visibility else None
        if kind == "package":
            return Tree(HOME, "public") if member == "anyApi" else None
        self.consulted.add(path)
        return self._export(path, member, seen)

    def _export(self, path: str, name: str, seen: frozenset[tuple[str, str]]) -> Value | None:
        """Return an export of a file; modules that import each other end where the circle closes."""
        key = (path, name)
        if key in self._exported or key in seen:
            return self._exported.get(key)
        value = self._find_export(path, name, seen | {key})
        if value is not None:
            self._exported[key] = value
        return value

    def _find_export(self, path: str, name: str, seen: frozenset[tuple[str, str]]) -> Value | None:
        known = self._of(path)
        if name in known.exports:
            specifier, there = known.exports[name]
            return self._imported(path, specifier, there, seen) if specifier else self._local(path, there, seen)
        for specifier in known.stars if name != "default" else ():
            if found := self._imported(path, specifier, name, seen):
                return found
        return None

    def _local(self, path: str, name: str, seen: frozenset[tuple[str, str]]) -> Value | None:
        """Return what a name at the top level of a file stands for."""
        known, key = self._of(path), (path, f"={name}")
        if name in known.imports:
            return self._imported(path, *known.imports[name], seen)
        if name not in known.constants or key in seen:
            return None
        node, members = known.constants[name]
        value = self._value(path, node, seen | {key})
        for member in members:
            value = self._step(value, member, seen)
        return value

    def _value(self, path: str, node: Node, seen: frozenset[tuple[str, str]]) -> Value | None:
        """Return what an expression stands for."""
        if node.type == "identifier":
            return self._local(path, text(node), seen)
        if node.type == "member_expression":
            object_ = field_of(node, "object")
            return (
                self._step(self._value(path, object_, seen), text(node.named_children[-1]), seen) if object_ else None
            )
        if node.type == "subscript_expression":
            object_, index = field_of(node, "object"), field_of(node, "index")
            known = object_ is not None and syntax.is_text(index)
            return self._step(self._value(path, object_, seen), text(index), seen) if known and object_ else None
        if node.type in syntax.SAME_FIRST:
            return self._value(path, node.named_children[0], seen)
        if name := syntax.module_named(node):
            return self._imported(path, name, "*", seen)
        return Client() if _CLIENT.search(node.text or b"") else None
