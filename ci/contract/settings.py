"""What package.json and tsconfig.json say of where an import leads."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import pyjson5

# Conditions of `exports` and `imports`, best first: sources before what is built from them.
_CONDITIONS = ("source", "development", "types", "import", "module", "default", "require", "node", "browser")


@dataclass(frozen=True)
class Paths:
    """The `paths` of a tsconfig.json: pattern to targets, each absolute; and where bare names are looked for."""

    patterns: Mapping[str, tuple[str, ...]]
    base: str


@lru_cache(maxsize=4096)
def _load(path: str, _size: int, _mtime_ns: int) -> Mapping[str, Any]:
    try:
        with open(path, encoding="utf-8-sig") as file:
            found = pyjson5.decode(file.read())
    except (OSError, ValueError, pyjson5.Json5Exception):
        return {}
    return found if isinstance(found, dict) else {}


def load(path: str) -> Mapping[str, Any]:
    """Return a JSON file, comments and trailing commas allowed; {} for what is absent or is not an object."""
    try:
        stat = os.stat(path)
    except OSError:
        return {}
    return _load(path, stat.st_size, stat.st_mtime_ns)


def paths(config: str, seen: frozenset[str] = frozenset()) -> Paths:
    """Return the paths of a tsconfig.json, those of what it extends included."""
    found, folder = load(config), os.path.dirname(config)
    inherited = Paths({}, "")
    for parent in _parents(found, folder):
        if parent not in seen:
            above = paths(parent, seen | {config})
            inherited = Paths({**inherited.patterns, **above.patterns}, above.base or inherited.base)
    options = found.get("compilerOptions")
    options = options if isinstance(options, dict) else {}
    base = os.path.normpath(os.path.join(folder, options["baseUrl"])) if _is_text(options.get("baseUrl")) else ""
    own = options.get("paths")
    if not isinstance(own, dict):
        return Paths(inherited.patterns, base or inherited.base)
    start = base or inherited.base or folder
    patterns = {
        pattern: tuple(os.path.normpath(os.path.join(start, target)) for target in targets if _is_text(target))
        for pattern, targets in own.items()
        if isinstance(targets, list)
    }
    return Paths(patterns, base or inherited.base)


def referenced(config: str) -> Iterator[str]:
    """Yield the configurations that a solution-style tsconfig.json refers to, as Vite's templates do."""
    listed = load(config).get("references")
    for item in listed if isinstance(listed, list) else ():
        if isinstance(item, dict) and _is_text(item.get("path")):
            target = os.path.normpath(os.path.join(os.path.dirname(config), item["path"]))
            yield target if target.endswith(".json") else os.path.join(target, "tsconfig.json")


def match(patterns: Mapping[str, Any], name: str) -> Iterator[tuple[Any, str]]:
    """Yield (target, what stands for the *) of each pattern that fits `name`, the most exact first."""
    for pattern in sorted(patterns, key=lambda one: (-len(one.partition("*")[0]), "*" in one)):
        head, star, tail = pattern.partition("*")
        if not star and pattern == name:
            yield patterns[pattern], ""
        elif star and name.startswith(head) and name.endswith(tail) and len(name) >= len(head) + len(tail):
            yield patterns[pattern], name[len(head) : len(name) - len(tail)]


def targets(value: Any) -> Iterator[str]:
    """Yield the files that an entry of `exports` or `imports` may mean, the best first."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from targets(item)
    elif isinstance(value, dict):
        for condition in sorted(value, key=lambda one: _CONDITIONS.index(one) if one in _CONDITIONS else 99):
            yield from targets(value[condition])


def exports(package: Mapping[str, Any], subpath: str) -> Iterator[str]:
    """Yield the files below a package's folder that importing it (subpath "." or "./x") may mean, the best first."""
    found = package.get("exports")
    if found is not None:
        table = found if isinstance(found, dict) and any(key.startswith(".") for key in found) else {".": found}
        for value, star in match(table, subpath):
            yield from (target.replace("*", star) for target in targets(value))
    elif subpath == ".":
        yield from (package[key] for key in ("source", "types", "module", "main") if _is_text(package.get(key)))
        yield from ("./index", "./src/index")
    else:
        yield subpath


def _parents(found: Mapping[str, Any], folder: str) -> Iterator[str]:
    """Yield the configurations that one extends and that are files here; those of installed packages hold no paths."""
    extends = found.get("extends")
    for name in [extends] if isinstance(extends, str) else extends if isinstance(extends, list) else []:
        if _is_text(name) and name.startswith("."):
            target = os.path.normpath(os.path.join(folder, name))
            yield target if target.endswith(".json") else f"{target}.json"


def _is_text(value: Any) -> bool:
    return isinstance(value, str)
