"""Which package a folder belongs to, which packages make a monorepo, and which of them a filter chooses."""

from __future__ import annotations

import fnmatch
import functools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ci.audit import folders
from ci.audit.model import Package

_MOST_BRACES = 4
_SINCE = re.compile(r"\[[^\]]*\]")


@dataclass(frozen=True)
class Chosen:
    """The packages that a filter chooses; where not all is known, those that it may choose at most."""

    packages: tuple[Package, ...]
    is_all_known: bool = True


def owner(folder: str | None, packages: Sequence[Package]) -> Package | None:
    """Return the package that a folder belongs to: the nearest one at or above it."""
    if folder is None:
        return None
    return max((one for one in packages if _inside(folder, one)), key=lambda one: len(one.folder), default=None)


def root(package: Package, packages: Sequence[Package]) -> Package:
    """Return the package whose workspaces list this one; where none does, the package itself."""
    above = (one for one in packages if one.workspaces and _inside(package.folder, one))
    return next((one for one in above if _lists(one, package)), package)


def members(root: Package, packages: Sequence[Package]) -> tuple[Package, ...]:
    """Return the packages of a monorepo, its root first."""
    listed = (one for one in packages if root.workspaces and one is not root and _inside(one.folder, root))
    return (root, *(one for one in listed if _lists(root, one)))


def graph(packages: Sequence[Package]) -> Mapping[str, tuple[Package, ...]]:
    """Return by folder on which of these packages each one depends."""
    named = {one.name: one for one in packages if one.name}
    return {one.folder: tuple(named[name] for name in one.declared if name in named) for one in packages}


def chosen(patterns: Sequence[str], folder: str | None, packages: Sequence[Package]) -> Chosen:
    """
    Return what the filters of pnpm, bun, npm and turbo choose of a monorepo, dependencies first.

    Args:
        patterns: `name`, `@scope/*`, `./folder`, `{folder}`, `//` (the root); each with `...` in front (dependents) or
            behind (dependencies), with `^` to leave out the package itself, `!` in front, `[since]` behind.
        folder: where the command runs.
        packages: of the monorepo, its root first.
    """
    wanted = [pattern for pattern in patterns if not pattern.startswith("!")]
    taken = {one.folder for pattern in wanted or ["*"] for one in _matching(pattern, folder, packages)}
    for pattern in patterns:
        if pattern.startswith("!"):
            taken -= {one.folder for one in _matching(pattern[1:], folder, packages)}
    is_all_known = not any("[" in pattern or "$" in pattern for pattern in patterns)
    return Chosen(tuple(one for one in in_order(packages) if one.folder in taken), is_all_known)


def in_order(packages: Sequence[Package]) -> Iterator[Package]:
    """Yield each package after those that it depends on."""
    uses, done = graph(packages), set[str]()
    for package in packages:
        waiting = [package]
        while waiting:
            one = waiting[-1]
            left = [each for each in uses[one.folder] if each.folder not in done and each not in waiting]
            if left:
                waiting.append(left[0])
                continue
            waiting.pop()
            if one.folder not in done:
                done.add(one.folder)
                yield one


@functools.lru_cache(maxsize=100_000)
def matches(glob: str, path: str) -> bool:
    """Tell whether a glob of folders means this one; `**` stands for any number of them."""
    return any(_fits(one.split("/"), path.split("/")) for one in _expanded(glob.removeprefix("./").rstrip("/")))


def _inside(folder: str, package: Package) -> bool:
    return not package.folder or f"{folder}/".startswith(f"{package.folder}/")


def _lists(root: Package, package: Package) -> bool:
    path = package.folder.removeprefix(root.folder).lstrip("/")
    globs = {no: [glob for glob in root.workspaces if glob.startswith("!") == no] for no in (False, True)}
    return any(matches(glob, path) for glob in globs[False]) and not any(
        matches(glob[1:], path) for glob in globs[True]
    )


def _matching(pattern: str, folder: str | None, packages: Sequence[Package]) -> Sequence[Package]:
    bare = _SINCE.sub("", pattern)
    name = bare.strip(".").strip("^") if bare.startswith("...") or not bare.startswith(".") else bare
    name = name.removesuffix("...").removesuffix("^")
    if not name or "$" in name:
        return packages
    found = _named(name, folder, packages)
    if "..." not in bare:
        return found
    uses = graph(packages)
    reached: list[Package] = [] if "^" in bare else list(found)
    if bare.startswith("..."):
        used_by = {one.folder: tuple(each for each in packages if one in uses[each.folder]) for one in packages}
        reached += _closure(found, used_by)
    if bare.endswith("..."):
        reached += _closure(found, uses)
    return reached


def _closure(start: Sequence[Package], edges: Mapping[str, Sequence[Package]]) -> list[Package]:
    found: dict[str, Package] = {}
    waiting = [each for one in start for each in edges[one.folder]]
    while waiting:
        one = waiting.pop()
        if one.folder not in found:
            found[one.folder] = one
            waiting += edges[one.folder]
    return list(found.values())


def _named(name: str, folder: str | None, packages: Sequence[Package]) -> Sequence[Package]:
    if name == "//":
        return packages[:1]
    if name.startswith((".", "{")):
        path = folders.joined(folder, name.strip("{}"))
        return () if path is None else [one for one in packages if one.folder == path or matches(path, one.folder)]
    exact = [one for one in packages if name in (one.name, one.folder)]
    unscoped = [one for one in packages if one.name.rpartition("/")[2] == name]
    return exact or unscoped or [one for one in packages[1:] if one.name and fnmatch.fnmatchcase(one.name, name)]


def _expanded(glob: str, braces: int = 0) -> Iterator[str]:
    """Yield what `{a,b}` stands for."""
    found = re.search(r"\{([^{}]*)\}", glob)
    if not found or braces == _MOST_BRACES:
        yield glob
        return
    for part in found[1].split(","):
        yield from _expanded(glob[: found.start()] + part + glob[found.end() :], braces + 1)


def _fits(glob: list[str], path: list[str]) -> bool:
    @functools.cache
    def fits(i: int, k: int) -> bool:
        if i == len(glob):
            return k == len(path)
        if glob[i] == "**":
            return fits(i + 1, k) or (k < len(path) and fits(i, k + 1))
        return k < len(path) and fnmatch.fnmatchcase(path[k], glob[i]) and fits(i + 1, k + 1)

    return fits(0, 0)
