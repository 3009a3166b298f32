"""What can be read of code without parsing it: of files too large for the parser, of expressions in markup."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from ci.contract.uses import Use
from ci.contract.values import Tree, Value, World

IsFunction = Callable[[Tree], bool]

_TOKEN = re.compile(
    rb"//[^\n]*|/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`", re.DOTALL
)  # fmt: skip
_IMPORT = re.compile(rb"\bimport\s+(?:type\s+)?(?P<clause>[^;'\"]*?)\bfrom\s*[\"'](?P<from>[^\"'\n]+)[\"']")
_NAMED = re.compile(r"(?:type\s+)?([\w$]+)(?:\s+as\s+([\w$]+))?\s*$")
_MEMBERS = re.compile(rb"\s*[!?]*\.\s*([\w$]+)|\s*(?:\?\.)?\[\s*[\"']([\w$]+)[\"']\s*\]")


def imports(data: bytes) -> Iterator[tuple[str, str, str]]:
    """Yield (local name, specifier, imported name) of each import statement."""
    for match in _IMPORT.finditer(data):
        clause, specifier = match["clause"].decode(errors="replace"), match["from"].decode(errors="replace")
        outside, _, inside = clause.partition("{")
        for part in inside.partition("}")[0].split(","):
            if named := _NAMED.match(part.strip()):
                yield named[2] or named[1], specifier, named[1]
        if namespace := re.search(r"\*\s*as\s+([\w$]+)", outside):
            yield namespace[1], specifier, "*"
        elif default := re.match(r"\s*([\w$]+)", outside):
            yield default[1], specifier, "default"


def uses(world: World, path: str, data: bytes, is_function: IsFunction) -> Iterator[Use]:
    """Yield the uses of a file."""
    known: dict[str, Value] = {}
    for local, specifier, name in imports(data):
        if (value := world.imported(path, specifier, name)) is not None:
            known[local] = value
    yield from chains(world, data, known, is_function)


def chains(world: World, data: bytes, known: Mapping[str, Value], is_function: IsFunction) -> Iterator[Use]:
    """Yield what is reached from known names: those in comments and strings are left out, shadowing is not seen."""
    if not known:
        return
    code = _code_only(data)
    names = b"|".join(re.escape(name.encode()) for name in known)
    for match in re.finditer(rb"(?<![\w$.])(?:" + names + rb")(?![\w$:])", code):
        value: Value | None = known[match[0].decode()]
        at = match.end()
        while (member := _MEMBERS.match(data, at)) and not (member[1] or b"").startswith(b"_"):
            value, at = world.step(value, (member[1] or member[2]).decode()), member.end()
        if isinstance(value, Tree):
            form = "member" if is_function(value) else "dynamic"
            yield Use(match.start(), value.backend, value.path, form, value.visibility)


def _code_only(data: bytes) -> bytes:
    """Return the file with its comments, strings and import statements blanked, byte for byte."""
    blank = re.compile(rb"[^\n]")
    without = _TOKEN.sub(lambda match: blank.sub(b" ", match[0]), data)
    kept = bytearray(without)
    for match in _IMPORT.finditer(data):
        kept[match.start() : match.end()] = blank.sub(b" ", match[0])
    return bytes(kept)
