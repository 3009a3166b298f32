"""Functions that are named in text: handed to clients, to fetch, to makeFunctionReference, to `convex run`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from tree_sitter import Node

from ci.contract import syntax
from ci.contract.syntax import Links, field_of, text
from ci.contract.uses import Use
from ci.contract.values import HOME

_NAME = re.compile(r"^(?P<module>[\w$][\w$-]*(?:/[\w$-]+)*)(?:\.[cm]?[jt]sx?)?:(?P<name>[A-Za-z_$][\w$]*)$")
_MODULE = re.compile(r"^[\w$][\w$-]*(?:/[\w$-]+)*(?:\.js)?$")
_CALLED = ("query", "mutation", "action", "onUpdate", "watchQuery", "prefetchQuery", "useQuery", "useMutation",
           "useAction", "usePaginatedQuery", "usePreloadedQuery", "useQuery_experimental", "preloadQuery",
           "fetchQuery", "fetchMutation", "fetchAction", "convexQuery", "convexAction", "convexMutation",
           "useConvexQuery", "useConvexMutation", "useConvexAction", "consistentQuery")  # fmt: skip
_CALL = re.compile(rb"\b(" + "|".join(_CALLED).encode() + rb")\s*(?:<[^;{}()]*>\s*)?\(\s*[\"'`]")
_ENDPOINT = re.compile(rb"/api/(?:query|mutation|action|function|query_at_ts|run)\b")
_RUN_PATH = re.compile(r"/api/run/([\w$/.-]+?)/([A-Za-z_$][\w$]*)(?:[?#].*)?$")
# Up to where the command ends, or $(...) around it.
_RUN = re.compile(rb"\bconvex(?:@[\w.^~-]+)?\s+run\b(?P<rest>(?:\\\r?\n|\([^()\n]*\)|[^\n\r;&|`()])*)")
# What stands before a command: nothing or the end of another one, then a launcher and assignments.
_COMMAND = re.compile(
    rb"(?:^|[;&|(){}`=:!@]|--|\b(?:then|do|else|exec|run|env|time|if))\s*"
    rb"(?:(?:npx|bunx|pnpx|pnpm|yarn|npm|bun|exec|dlx|x|--yes|-y|[A-Z_]+=\S*)\s+)*(?:[\w./@-]*/)?$"
)
_LAUNCHED = re.compile(rb"\b(?:npx|bunx|pnpx)\s+$")
_WORD = re.compile(rb"""(?:"(?:\\.|[^"\\])*"|'[^']*'|\$\([^()]*\)|\\\r?\n|[^\s"'])+""")
# Source: the options of `convex run` that take a value (npm-packages/convex/src/cli/lib/command.ts); read 2026-11-22.
_VALUED = {"--identity", "--url", "--admin-key", "--preview-name", "--deployment-name", "--deployment", "--env-file",
           "--codegen", "--typecheck"}  # fmt: skip
_ELSEWHERE = {"--component", "--component-path", "--inline-query"}  # these run no function of the app


def function_path(name: str, *, default: bool = False) -> tuple[str, ...] | None:
    """
    Return the path that a name such as "a/b:c" or "a/b.js:c" stands for.

    Args:
        default: "a/b" alone names the module's default export.
    """
    if matched := _NAME.match(name):
        return (*matched["module"].split("/"), matched["name"])
    if default and _MODULE.match(name):
        return (*name.removesuffix(".js").split("/"), "default")
    return None


def handed(root: Node, data: bytes, links: Links, *, surely: bool) -> Iterator[Use]:
    """
    Yield the functions that the file names in text.

    Args:
        surely: the file imports something of Convex; else only what is called on a `convex` counts.
    """
    for match in _CALL.finditer(data):
        called = _called(root, match.start(1))
        if called is not None and (surely or "onvex" in text(field_of(called, "function"))):
            yield from _named(called, "string", default=False)
    for name in _makers(links) if b"makeFunctionReference" in data else ():
        for match in re.finditer(rb"\b" + name.encode() + rb"\b\s*[<(]", data):
            if called := _called(root, match.start()):
                yield from _named(called, "makeFunctionReference", default=True)


def fetched(root: Node, data: bytes, *, surely: bool) -> Iterator[Use]:
    """
    Yield the functions that the file calls over HTTP.

    Args:
        surely: the file has to do with Convex, so a path that cannot be told is listed.
    """
    for match in _ENDPOINT.finditer(data):
        node = _string_around(root, match.start())
        if node is None:
            continue
        if found := _RUN_PATH.search(text(node)):
            yield _use(node, (*found[1].split("/"), found[2]), "http")
        elif call := _call_around(node):
            yield from _posted(call, node, surely=surely)


def run(data: bytes, *, comments: bool = True, start: int = 0) -> Iterator[Use]:
    """
    Yield the functions that `convex run` is told to run in a script; a sentence that mentions it runs nothing.

    Args:
        comments: lines may begin, or end, with a # comment.
        start: where in its file the script starts.
    """
    for match in _RUN.finditer(data):
        line = data[data.rfind(b"\n", 0, match.start()) + 1 : match.start()]
        if comments and re.search(rb"(?:^|\s)#", line):
            continue
        begins = (_COMMAND.search(line) or _LAUNCHED.search(line)) is not None
        for at, word in _arguments(match["rest"], match.start("rest")):
            known, variable, _ = word.partition("$")
            path = None if variable else _commanded(word, default=begins)
            if path:
                yield Use(start + at, HOME, path, "run", "internal")
            elif variable and begins:
                yield Use(start + at, HOME, _prefix(known), "dynamic", "internal")


def run_in_source(root: Node, data: bytes) -> Iterator[Use]:
    """Yield what `convex run` is told to run in the strings of a source file that begin with the command."""
    for match in _RUN.finditer(data):
        node = _string_around(root, match.start())
        if node is not None and _COMMAND.search(data[node.start_byte + 1 : match.start()]):
            for use in run(data[match.start() : node.end_byte - 1], comments=False, start=match.start()):
                if use.path[-1:] != ("default",):  # "convex run failed" is a sentence
                    yield use


def _arguments(rest: bytes, start: int) -> Iterator[tuple[int, str]]:
    """Yield the first argument of `convex run` that is no option, with its place."""
    skip = False
    for match in _WORD.finditer(rest):
        word = match[0].decode(errors="replace")
        bare = word.strip("\"'\\\n\r ")
        option = bare.partition("=")[0]
        if option in _ELSEWHERE or bare.startswith("#"):
            return
        if skip or not bare or bare.startswith("-"):
            skip = not skip and bare in _VALUED
            continue
        yield start + match.start() + (word[0] in "\"'"), bare
        return


def _commanded(word: str, *, default: bool) -> tuple[str, ...] | None:
    """
    Return the path that an argument of `convex run` stands for.

    Source: parseFunctionName of the CLI: api.a.b, a/b:c, a/b for the default export, convex/a.ts:b; read 2026-11-22.
    """
    if word.startswith(("api.", "internal.")):
        parts = tuple(word.split(".")[1:])
        return parts if len(parts) >= 2 else None
    word = word.removeprefix("./").removeprefix("convex/")
    return function_path(word, default=default)


def _makers(links: Links) -> Iterable[str]:
    """Yield the local names of makeFunctionReference."""
    for local, (specifier, name) in links.imports.items():
        if specifier.startswith("convex") and name == "makeFunctionReference":
            yield local


def _called(root: Node, at: int) -> Node | None:
    """Return the call of what is named at `at`, if it is called."""
    node = root.descendant_for_byte_range(at, at + 1)
    if node is None or node.type not in ("identifier", "property_identifier"):
        return None
    parent = node.parent
    if parent is not None and parent.type == "member_expression":
        node, parent = parent, parent.parent
    called = parent is not None and parent.type == "call_expression" and field_of(parent, "function") == node
    return parent if called else None


def _named(call: Node, form: str, *, default: bool) -> Iterator[Use]:
    """Yield the function that the first argument of a call names."""
    given = syntax.argument(call)
    if given is None:
        return
    if syntax.is_text(given):
        path = function_path(text(given), default=default)
        if path is not None:
            yield _use(given, path, form)
    elif given.type == "template_string" or default:
        known = text(given).partition("${")[0] if given.type == "template_string" else ""
        yield _use(given, _prefix(known), "dynamic")


def _prefix(known: str) -> tuple[str, ...]:
    """Return the path that the beginning of a name stands for."""
    return tuple(part for part in known.partition(":")[0].split("/") if part)


def _posted(call: Node, address: Node, *, surely: bool) -> Iterator[Use]:
    """Yield what `path: "a/b:c"` in the arguments of a call says."""
    waiting, seen = [call], False
    while waiting:
        node = waiting.pop()
        key, value = field_of(node, "key"), field_of(node, "value")
        if node.type == "pair" and text(key) == "path" and value is not None:
            path = function_path(text(value)) if syntax.is_text(value) else None
            if path is not None:
                yield _use(value, path, "http")
            elif surely and not syntax.is_text(value):
                yield _use(value, (), "dynamic")
            seen = True
        waiting += node.named_children
    if surely and not seen:
        yield _use(address, (), "dynamic")


def _string_around(root: Node, at: int) -> Node | None:
    node = root.descendant_for_byte_range(at, at + 1)
    while node is not None and node.type in ("string_fragment", "escape_sequence"):
        node = node.parent
    return node if node is not None and node.type in ("string", "template_string") else None


def _call_around(node: Node) -> Node | None:
    while node.parent is not None:
        node = node.parent
        if node.type in ("call_expression", "new_expression"):
            return node
    return None


def _use(node: Node, path: tuple[str, ...], form: str) -> Use:
    return Use(node.start_byte, HOME, path, form, "public")
