"""The packages that a backend's functions import, and which of them nobody declared where the functions live."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ci.audit import folders, jsonc, typescript, workspaces
from ci.audit.model import Package, Place, Text

if TYPE_CHECKING:
    from tree_sitter import Node

    from ci.audit.files import Files

_FROM = re.compile(r"""\b(?:from|import|require)\s*\(?\s*["']([@\w][^"'\s:]*)["']\s*(?:[;)/\n]|\Z)""")
_NAME = re.compile(r"(?:@[\w.~-]+/)?[\w.~-]+")
# What `convex deploy` takes for tests and settings: files with a second dot, but for two.
_NOT_DEPLOYED = re.compile(r"/_generated/|/__tests__/|/(?!(?:convex|auth)\.config\.\w+$)[^/.]+\.[^/]*\.")
_MOST_EXTENDS = 5

_BUILT_IN = """assert async_hooks buffer child_process cluster console constants crypto dgram diagnostics_channel dns
    domain events fs http http2 https inspector module net os path perf_hooks process punycode querystring readline repl
    stream string_decoder sys timers tls trace_events tty url util v8 vm wasi worker_threads zlib"""


def undeclared(files: Files, packages: Sequence[Package], functions: str) -> Iterator[Text]:
    """Yield each package that the functions import without their package.json declaring it, where they first do."""
    owner = _owner(functions, packages)
    if owner is None:
        return
    known = {*owner.declared, owner.name, *_BUILT_IN.split()}
    aliases = _aliases(files, functions, owner, workspaces.root(owner, packages))
    for path in sorted(files.under(functions), key=lambda path: (path.count("/"), path)):
        if not path.endswith(typescript.ENDINGS) or _NOT_DEPLOYED.search(path):
            continue
        text = files.text(path) or ""
        said = {said for said in _FROM.findall(text) if _package(said) not in known and not _is_alias(said, aliases)}
        for found in _imported(path, text, said) if said else ():
            if found.value not in known:
                known.add(found.value)
                yield found


def _owner(functions: str, packages: Sequence[Package]) -> Package | None:
    """Return the package whose package.json the functions go by; one that declares nothing only says how to read."""
    return workspaces.owner(functions, [one for one in packages if one.declared])


def _package(said: str) -> str:
    found = _NAME.match(said)
    return found[0] if found else said


def _imported(path: str, text: str, said: set[str]) -> Iterator[Text]:
    """Yield what is imported not for its types only."""
    for node in typescript.nodes(path, text, "import_statement", "export_statement", "call_expression"):
        source = _source(node)
        name = typescript.string(source)
        if source is not None and name in said:
            yield Text(_package(name), Place(path, source.start_point.row + 1, source.start_point.column + 1))


def _source(node: Node) -> Node | None:
    if node.type != "call_expression":
        is_type = node.child_count > 1 and node.children[1].type == "type"
        return None if is_type else node.child_by_field_name("source")
    callee, given = node.child_by_field_name("function"), node.child_by_field_name("arguments")
    is_import = callee is not None and (callee.type == "import" or typescript.is_named(callee, "require"))
    return given.named_children[0] if is_import and given and given.named_child_count else None


def _aliases(files: Files, functions: str, *packages: Package) -> set[str]:
    """Return what TypeScript looks for elsewhere: its `paths`, and what the folder of a `baseUrl` holds."""
    found: set[str] = set()
    for folder in dict.fromkeys((functions, *(one.folder for one in packages))):
        path: str | None = f"{folder}/tsconfig.json".lstrip("/")
        for _ in range(_MOST_EXTENDS):
            if path is None or not files.exists(path):
                break
            node, here = jsonc.read(files, path), path.rpartition("/")[0]
            found |= node["compilerOptions"]["paths"].members.keys()
            found |= _held(files, folders.joined(here, node["compilerOptions"]["baseUrl"].string or "$none"))
            extended = node["extends"].string
            path = folders.joined(here, extended) if extended.startswith(".") else None
    return found


def _held(files: Files, folder: str | None) -> set[str]:
    """Return the names of the folders and files in a folder."""
    inside = () if folder is None else files.under(folder)
    return {re.split(r"[/.]", path.removeprefix(folder or "").lstrip("/"), maxsplit=1)[0] for path in inside} - {""}


def _is_alias(said: str, aliases: set[str]) -> bool:
    return any(
        said.startswith(alias.partition("*")[0]) if "*" in alias else f"{said}/".startswith(f"{alias}/")
        for alias in aliases
    )
