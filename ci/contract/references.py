"""Every Convex function that the source of a repository calls, with file, line and column."""

from __future__ import annotations

import hashlib
import json
import os
import re
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

from ci.contract import cache as memory
from ci.contract.cache import Memory, Row
from ci.contract.modules import Modules
from ci.contract.resolve import Resolver
from ci.contract.scan import Scanner
from ci.contract.values import HOME
from ci.contract.walk import SOURCES, Listing, walk

_TEST = re.compile(r"(?:^|/)(?:__tests__|__mocks__|tests?|e2e|cypress|playwright)/|[.-](?:test|spec|e2e)\.[^/]*$")

_COMPONENT = "is the api of a component, whose functions are not the app's: what is called through it is left out"
_COPY = "is a copy of a backend's api: what is called through it is held against the nearest backend, if one is"
_FOREIGN = "is the api of a backend that was not named: what is called through it is held against none"


@dataclass(frozen=True)
class Reference:
    """
    One place that calls a function ("a/b:c"); `path` is relative to the root, line and column count from 1.

    `backend` is the functions folder, relative to the root too; "" when it is reached through the api of a backend
    that was not named, or when several backends are as likely. `form` is member, subscript, typeof, destructuring,
    makeFunctionReference, string, http or run, with what calls the function behind it where that tells the kind, as in
    "member useQuery".
    """

    function: str
    backend: str
    path: str
    line: int
    column: int
    form: str
    visibility: Literal["public", "internal"]

    @property
    def may_be_internal(self) -> bool:
        """Tell whether the place may call internal functions: the backend's own code, tests, and `convex run`."""
        own = bool(self.backend) and (self.backend == "." or self.path.startswith(f"{self.backend}/"))
        return own or self.form == "run" or _TEST.search(self.path) is not None


@dataclass(frozen=True)
class Dynamic:
    """A place that calls a function that cannot be told; `prefix` is what is known of it ("sites")."""

    path: str
    line: int
    column: int
    prefix: str


@dataclass(frozen=True)
class Skipped:
    """What was not read, or not as well as the rest."""

    path: str
    why: str


@dataclass(frozen=True)
class Found:
    """All that was found, in the order of paths and lines."""

    references: tuple[Reference, ...]
    dynamic: tuple[Dynamic, ...]
    skipped: tuple[Skipped, ...]


def find(root: Path, backends: Sequence[Path], *, cache: Path | None) -> Found:
    """
    Return what the files below `root` call.

    Args:
        root: a repository, or one package of it.
        backends: the functions folders, of which the ones that are not below `root` count as well.
        cache: a folder that remembers what was read; None to read everything.
    """
    top, folders = os.path.realpath(root), [os.path.realpath(path) for path in backends]
    read_at_ns, listing = time.time_ns(), walk(top)
    place = cache / f"references-{_digest([top, folders])[:12]}.json" if cache else None
    known = memory.load(place)
    resolver = Resolver(top, folders, listing)
    seen = _read(listing, resolver, known)
    if place and seen is not known:
        memory.save(place, seen, read_at_ns=read_at_ns)
    return _Report(top, folders, listing, resolver).made(seen)


def _read(listing: Listing, resolver: Resolver, known: Memory) -> Memory:
    """Return what every file says, reading those that are not known; `known` itself when there was none to read."""
    surroundings = _surroundings(listing, resolver)
    stale = known.surroundings != surroundings or known.differs(listing.files)
    kept = known.unchanged(listing.files, without_records=stale)
    todo = [path for path in listing.files if path not in kept]
    if not todo and len(kept) == len(known.files):
        return known
    seen = Memory(surroundings, set(known.words), set(known.consulted) if not stale else set(), listing.files)
    seen.records = {path: one for path, one in known.records.items() if path in kept}
    scanner = Scanner(resolver, Modules(listing).is_function)
    _scan(scanner, todo, seen, fresh=seen.words or resolver.doors(), again=False)
    while fresh := (resolver.doors() | seen.passed_on()) - seen.words:
        rest = [path for path in listing.files if path not in seen.records and path.endswith(SOURCES)]
        _scan(scanner, rest, seen, fresh=fresh, again=True)
    seen.consulted |= scanner.world.consulted
    return seen


def _scan(scanner: Scanner, paths: Iterable[str], seen: Memory, *, fresh: set[str], again: bool) -> None:
    """Scan files for what they say and, `again`, only for words that were not known before."""
    wanted = [word.encode() for word in fresh]
    for path in paths:
        if (record := scanner.scan(path, wanted, again=again)) is not None:
            seen.records[path] = record
    seen.words |= fresh


def _surroundings(listing: Listing, resolver: Resolver) -> str:
    """Return a digest of all that the resolution of an import depends on, besides other modules."""
    settings = sorted(listing.settings.items())
    return _digest([list(resolver.backends), sorted(listing.files), settings, sorted(listing.generated)])


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()


class _Report:
    """Turns what the files say into what they mean: relative paths, and the backend of what does not name one."""

    def __init__(self, root: str, backends: Sequence[str], listing: Listing, resolver: Resolver) -> None:
        self._root, self._backends, self._listing, self._resolver = root, backends, listing, resolver

    def made(self, seen: Memory) -> Found:
        rows = {path: one.rows for path, one in seen.records.items() if one.rows and not self._left_out(path)}
        users: dict[str, set[str]] = defaultdict(set)
        for path, found in rows.items():
            users[self._resolver.package_of(path)] |= {row[0] for row in found} & set(self._backends)
        homes = {row[0] for found in rows.values() for row in found} - {HOME, *self._backends}
        copies = {home for home in homes if not self._has_modules(home)}
        settled = [
            (path, row, self._home(path, rows[path], users) if row[0] in {HOME, *copies} else row[0])
            for path in sorted(rows)
            for row in rows[path]
        ]
        meant = [self._meant(path, row, home) for path, row, home in settled if not self._is_component(home)]
        return Found(
            tuple(one for one in meant if isinstance(one, Reference)),
            tuple(one for one in meant if isinstance(one, Dynamic)),
            tuple(sorted(self._skipped(seen, homes), key=lambda one: one.path)),
        )

    def _meant(self, path: str, row: Row, home: str) -> Reference | Dynamic:
        _, parts, form, visibility, line, column = row
        if form == "dynamic":
            return Dynamic(self._shown(path), line, column, "/".join(parts))
        backend = self._shown(home) if home in self._backends else ""
        name = f"{'/'.join(parts[:-1])}:{parts[-1]}"
        kind = cast(Literal["public", "internal"], visibility)
        return Reference(name, backend, self._shown(path), line, column, form, kind)

    def _home(self, path: str, rows: Sequence[Row], users: Mapping[str, set[str]]) -> str:
        """Return the backend that a file most likely means when it does not say: "" when several are as likely."""
        inside = [one for one in self._backends if path.startswith(f"{one}/")]
        named = {row[0] for row in rows} & set(self._backends)
        for likely in (inside, named, users[self._resolver.package_of(path)], self._backends):
            if len(likely) == 1:
                return next(iter(likely))
        near = sorted(self._backends, key=lambda one: -len(os.path.commonpath([one, path])))
        lengths = [len(os.path.commonpath([one, path])) for one in near[:2]]
        return near[0] if near and (len(near) == 1 or lengths[0] > lengths[1]) else ""

    def _left_out(self, path: str) -> bool:
        """Tell whether a file is none that runs: git ignores it, or Convex never deploys it for its second dot."""
        below = any(path.startswith(f"{one}/") for one in self._backends)
        undeployed = below and path.endswith(SOURCES) and os.path.basename(path).count(".") > 1
        return undeployed or self._listing.ignores(path)

    def _skipped(self, seen: Memory, homes: set[str]) -> Iterator[Skipped]:
        for path, why in self._listing.unread.items():
            yield Skipped(self._shown(path), why)
        for path, record in seen.records.items():
            if record.why and not self._left_out(path):
                yield Skipped(self._shown(path), record.why)
        for folder in homes:
            why = _COMPONENT if self._is_component(folder) else _FOREIGN if self._has_modules(folder) else _COPY
            yield Skipped(self._shown(f"{folder}/_generated"), why)

    def _has_modules(self, folder: str) -> bool:
        return any(path.startswith(f"{folder}/") and path.endswith(SOURCES) for path in self._listing.files)

    def _is_component(self, folder: str) -> bool:
        configured = any(f"{folder}/convex.config.{ending}" in self._listing.files for ending in ("ts", "js"))
        return configured and folder not in self._backends

    def _shown(self, path: str) -> str:
        return os.path.relpath(path, self._root)
