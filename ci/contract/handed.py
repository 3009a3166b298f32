"""What is handed to Convex's clients, hooks and endpoints: a name in text, or something that cannot be told."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property

from tree_sitter import Node

from ci.contract import names, syntax
from ci.contract.syntax import FUNCTIONS, SAME_FIRST, Links, field_of, text
from ci.contract.uses import Use
from ci.contract.values import HOME, Client, Tree, World

METHODS = {"query", "mutation", "action", "onUpdate", "watchQuery", "prefetchQuery", "prewarmQuery", "consistentQuery"}
HOOKS = {"useQuery", "useMutation", "useAction", "usePaginatedQuery", "useQuery_experimental", "preloadQuery",
         "fetchQuery", "fetchMutation", "fetchAction", "convexQuery", "convexAction", "convexMutation",
         "useConvexQuery", "useConvexMutation", "useConvexAction", "useConvexPaginatedQuery"}  # fmt: skip
_PACKAGE = re.compile(r"^(?![.~#$]|@/)(?:.*[/-])?@?convex(?:[/-]|$)")
_MADE = rb"\bnew\s+\w*Convex\w*Client\b|\b\w*[cC]onvex\w*Client\s*\(|\buseConvex\s*\("
_CLIENT = re.compile(_MADE)
_NAMED_CLIENT = re.compile(
    rb"\b([\w$]+)\s*[?!]?\s*(?::[^=;,(){}\n]{0,80}\bConvex\w*Client\b|=[^;\n]{0,80}?(?:" + _MADE + rb"))"
)
_REFERENCE = re.compile(rb"\b(?:api|internal|anyApi|components|makeFunctionReference|FunctionReference)\b")
_ENDPOINT = re.compile(names.ENDPOINT.pattern.encode())
_TYPED = re.compile(rb"\bFunctionReference\b")
_SENT = re.compile(r"fetch|post|request|axios", re.IGNORECASE)
_SENDS = re.compile(rb"\bfetch\s*\(|\baxios\b")
_BEGINNING = re.compile(r"[\w$][\w$/-]*:?\Z")
_CONVEX = re.compile(rb"[cC]onvex|CONVEX")
_NONE = "skip"  # handed to a hook for: ask nothing
_STEPS = 4  # from a name to what it was made of


class Handed:
    """
    Finds what one file hands over.

    `known`: where a reference is named, so that it is found already.
    """

    def __init__(self, world: World, path: str, root: Node, data: bytes, known: set[int]) -> None:
        self._world, self._path, self._root, self._data, self._known = world, path, root, data, known
        self._links: Links = world.learn(path, root)
        self._surely = any("convex" in package.lower() for package, _ in self._links.imports.values())

    def find(self) -> Iterator[Use]:
        """Yield what is handed to clients and hooks, to makeFunctionReference, and to endpoints over HTTP."""
        made = list(self._made()) if b"makeFunctionReference" in self._data else []
        self._known |= {use.at for use in made}
        yield from made
        hooks = {local for name in HOOKS for local in self._locals(name)}
        for call in self._calls("|".join(map(re.escape, sorted(METHODS | HOOKS | hooks)))):
            given, function = syntax.argument(call), syntax.function_of(call)
            convex = self._is_convex(function)
            if convex or ((self._surely or "onvex" in text(function)) and _looks_named(given)):
                yield from self._meant(given, "string", default=convex)
        if b"/api/" in self._data:
            yield from self._fetched()

    def _made(self) -> Iterator[Use]:
        required = ["makeFunctionReference"] if b"convex/server" in self._data else []
        for call in self._calls("|".join([*self._locals("makeFunctionReference"), *required] or ["(?!)"])):
            yield from self._meant(syntax.argument(call), "makeFunctionReference", default=True)

    def _locals(self, name: str) -> list[str]:
        """Return the names that something of a Convex package has in the file."""
        ties = self._links.imports.items()
        return [local for local, (package, there) in ties if there == name and _PACKAGE.search(package)]

    def _calls(self, words: str) -> Iterator[Node]:
        for match in re.finditer(rf"(?<![\w$])(?:{words})\s*[<(]".encode(), self._data):
            if call := _called(self._root, match.start()):
                yield call

    def _is_convex(self, function: Node | None) -> bool:
        """Tell whether a function is a hook of Convex, or a method of what is known to be one of its clients."""
        if function is None or function.type != "member_expression":
            return function is not None and self._is_hook(function)
        receiver = field_of(function, "object")
        if receiver is None or text(field_of(function, "property")) not in METHODS:
            return False
        while receiver.type in SAME_FIRST:
            receiver = receiver.named_children[0]
        if receiver.type in ("identifier", "member_expression"):
            last = receiver.named_children[-1] if receiver.named_children else receiver
            return text(last).lstrip("#") in self._clients
        return receiver.type in ("new_expression", "call_expression") and bool(_CLIENT.match(receiver.text or b""))

    def _is_hook(self, name: Node) -> bool:
        """Tell whether a name is imported from a package of Convex, or given by a framework without an import."""
        if tie := self._links.imports.get(text(name)):
            return tie[1] in HOOKS and _PACKAGE.search(tie[0]) is not None
        return text(name) in HOOKS and "onvex" in text(name) and not list(self._declared(name))

    @cached_property
    def _clients(self) -> set[str]:
        """Return the names of variables, parameters and fields that hold a client."""
        made = {match[1].decode() for match in _NAMED_CLIENT.finditer(self._data)}
        ties = self._links.imports.items()
        return made | {local for local, tie in ties if isinstance(self._world.imported(self._path, *tie), Client)}

    def _meant(self, given: Node | None, form: str, *, default: bool) -> Iterator[Use]:
        if given is None:
            return
        if given.type == "ternary_expression":
            for one in given.named_children[1:]:
                yield from self._meant(one, form, default=default)
            return
        said, whole = self._said(given, _STEPS)
        path = names.function_path(said, default=default) if whole and said != _NONE else None
        if path is not None:
            yield _use(given, path, form)
        elif not whole and (said or form != "string" or not self._is_known(given, _STEPS)):
            yield _use(given, names.prefix(said), "dynamic")

    def _said(self, node: Node, steps: int) -> tuple[str, bool]:
        """Return the text that an expression stands for, or how it begins, and whether that is all of it."""
        if syntax.is_text(node):
            return text(node), True
        if node.type == "template_string":
            return text(node).partition("${")[0], False
        if node.type in SAME_FIRST:
            return self._said(node.named_children[0], steps)
        if node.type == "binary_expression" and (left := field_of(node, "left")):
            return self._said(left, steps)[0], False
        for origin in self._origins(node) if steps else ():
            said, whole = self._said(origin, steps - 1)
            if said:
                return said, whole
        return "", False

    def _is_known(self, node: Node, steps: int) -> bool:
        """Tell whether an expression is made of references, each of which is found where it is named."""
        if any(node.start_byte <= at < node.end_byte for at in self._known):
            return True
        if node.type in ("ternary_expression", "binary_expression"):
            return all(self._is_known(one, steps) for one in node.named_children[node.type == "ternary_expression" :])
        first = node
        while first.type not in ("identifier", "this") and first.named_children:
            first = first.named_children[0]
        tie = self._links.imports.get(text(first))
        if tie is not None:
            origin = self._world.constant(self._path, *tie)
            made = origin is not None and _REFERENCE.search(origin.text or b"") is not None
            return made or isinstance(self._world.imported(self._path, *tie), Tree)
        declared = list(self._declared(first)) if steps else []
        # What is typed as a reference was made by whoever hands it over.
        if None in declared and _TYPED.search(self._data):
            return True
        return any(self._is_known(value, steps - 1) for value in declared if value is not None)

    def _origins(self, node: Node) -> Iterator[Node]:
        """Yield the expressions that a name, or a member of an object that is written out, was made of."""
        if node.type == "member_expression" and (object_ := field_of(node, "object")):
            for whole in self._origins(object_):
                yield from _members(whole, text(field_of(node, "property")))
        elif node.type == "identifier":
            if tie := self._links.imports.get(text(node)):
                origin = self._world.constant(self._path, *tie)
                yield from [origin] if origin else []
            else:
                yield from (value for value in self._declared(node) if value is not None)

    def _declared(self, name: Node) -> Iterator[Node | None]:
        """Yield what a name of this file is given, wherever that is; None for what is only typed."""
        word = re.escape(text(name).encode())
        for match in re.finditer(rb"(?<![\w$.])" + word + rb"(?![\w$])", self._data) if word else ():
            node = self._root.descendant_for_byte_range(match.start(), match.end())
            if node is not None and node != name and "identifier" in node.type:
                yield from _given(node)

    def _fetched(self) -> Iterator[Use]:
        for match in _ENDPOINT.finditer(self._data):
            node = syntax.string_around(self._root, match.start())
            if node is None:
                continue
            if found := names.RUN_PATH.search(text(node)):
                yield _use(node, (*found[1].split("/"), found[2]), "http")
                continue
            call = _call_around(node)
            if _SENT.search(_name_of(call)) if call else _SENDS.search(self._data):
                yield from self._posted(call or self._root, node)

    def _posted(self, place: Node, address: Node) -> Iterator[Use]:
        """Yield what `path: "a/b:c"` says in the call that sends it or, where the address has a name, in the file."""
        waiting, values = [place], list[Node]()
        while waiting:
            node = waiting.pop()
            key, value = field_of(node, "key"), field_of(node, "value")
            if node.type == "pair" and text(key) == "path" and value is not None:
                values.append(value)
            elif node.type == "shorthand_property_identifier" and text(node) == "path":
                values.append(node)
            waiting += node.named_children
        found = [use for value in values for use in self._meant(value, "http", default=False)]
        told = [use for use in found if not use.is_dynamic]
        if self._surely or _CONVEX.search(self._data):
            told = (found if place != self._root else told) or [_use(address, (), "dynamic")]
        yield from told


def _called(root: Node, at: int) -> Node | None:
    """Return the call of what is named at `at`, if it is called."""
    node = root.descendant_for_byte_range(at, at + 1)
    if node is None or node.type not in ("identifier", "property_identifier"):
        return None
    parent = node.parent
    if parent is not None and parent.type == "member_expression":
        node, parent = parent, parent.parent
    if parent is not None and parent.type == "await_expression":
        parent = parent.parent
    called = parent is not None and parent.type == "call_expression" and syntax.function_of(parent) == node
    return parent if called else None


def _looks_named(given: Node | None) -> bool:
    """Tell whether what is handed to somebody unknown may be the name of a function, or begin one."""
    known = text(given).partition("${")[0]
    return syntax.is_text(given) or (
        given is not None and given.type == "template_string" and _BEGINNING.match(known) is not None
    )


def _given(node: Node) -> Iterator[Node | None]:
    """Yield what a name is given where it is declared or assigned; None for what is only typed, as a parameter is."""
    child, parent = node, node.parent
    while parent is not None and "pattern" in parent.type and child != field_of(parent, "right"):
        child, parent = parent, parent.parent
    if parent is None:
        return
    for kind, name, value in (
        ("variable_declarator", "name", "value"),
        ("for_in_statement", "left", "right"),
        ("assignment_expression", "left", "right"),
    ):
        if parent.type == kind and child == field_of(parent, name):
            yield field_of(parent, value)
    if parent.type.endswith("function_declaration") and child == field_of(parent, "name"):
        yield parent
    elif parent.type in ("required_parameter", "optional_parameter", "formal_parameters"):
        yield None if child == (field_of(parent, "pattern") or child) else field_of(parent, "value")
    elif parent.type in FUNCTIONS and child == field_of(parent, "parameter"):
        yield None


def _members(node: Node, name: str) -> Iterator[Node]:
    while node.type in SAME_FIRST:
        node = node.named_children[0]
    for child in node.named_children if node.type == "object" else ():
        value = field_of(child, "value")
        if child.type == "pair" and text(field_of(child, "key")) == name and value is not None:
            yield value


def _call_around(node: Node) -> Node | None:
    """Return the call that an address is handed to, be it as a URL."""
    while node.parent is not None:
        node = node.parent
        if node.type in ("call_expression", "new_expression") and _name_of(node) != "URL":
            return node
        if node.type.endswith(("_statement", "_declaration")):
            return None
    return None


def _name_of(call: Node) -> str:
    return text(syntax.function_of(call) or field_of(call, "constructor"))


def _use(node: Node, path: tuple[str, ...], form: str) -> Use:
    return Use(node.start_byte, HOME, path, form, "public")
