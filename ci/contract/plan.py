"""Pure: what a push would change on a backend, and which of it the clients in the field would not survive."""

from __future__ import annotations

import difflib
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ci.contract import compatibility
from ci.contract.compatibility import Change
from ci.contract.spec import Spec

if TYPE_CHECKING:  # what finds references takes long to import
    from ci.contract.references import Found

INDEXES = ("indexes", "stagedDbIndexes", "searchIndexes", "vectorIndexes")
# What every deployment has without being told.
# Source: docs/production/environment-variables.mdx of convex-backend (system environment variables); read 2026-11-22.
BUILT_IN = frozenset({"CONVEX_CLOUD_URL", "CONVEX_SITE_URL", "NODE_ENV"})


@dataclass(frozen=True)
class Half:
    """A backend: its functions and its exported schema, None without one; {"tables": [{"tableName", "indexes"}]}."""

    spec: Spec
    schema: Mapping[str, Any] | None


@dataclass(frozen=True)
class Calls:
    """Who calls what: the live frontend (None: unknown), the new one, and what the deployment has scheduled."""

    live: frozenset[str] | None
    new: frozenset[str]
    scheduled: frozenset[str]


@dataclass(frozen=True)
class Difference:
    """Names that come and names that go."""

    added: tuple[str, ...]
    dropped: tuple[str, ...]


@dataclass(frozen=True)
class Plan:
    """
    What a push would change.

    `changes` tell of functions and HTTP routes that there are already; `unlisted` are functions under `migrations`
    that are new and that nobody has said to run or not to run.
    """

    functions: Difference
    changes: tuple[Change, ...]
    tables: Difference
    indexes: Difference
    unlisted: tuple[str, ...]

    def breaking(self, allowed: Iterable[str] = ()) -> tuple[Change, ...]:
        """Return the changes that clients in the field would not survive, but for those of `allowed` functions."""
        given = set(allowed)
        return tuple(one for one in self.changes if one.kind == "breaking" and one.function not in given)

    def unchanged(self, allowed: Iterable[str]) -> tuple[str, ...]:
        """Return those of `allowed` that no change is about."""
        changed = {one.function for one in self.changes}
        return tuple(dict.fromkeys(name for name in allowed if name not in changed))


def make(old: Half, new: Half, calls: Calls, listed: Iterable[str]) -> Plan:
    """
    Compare two backends.

    Args:
        listed: the migrations that lockstep.toml speaks of.
    """
    functions = difference(names(old.spec), names(new.spec))
    changes = compatibility.compare(
        old.spec, new.spec, live_calls=calls.live, new_calls=calls.new, scheduled=calls.scheduled
    )
    return Plan(
        functions,
        tuple(one for one in changes if one.function not in functions.added),
        difference(_tables(old.schema), _tables(new.schema)),
        _indexes_changed(old.schema, new.schema),
        tuple(name for name in functions.added if _is_migration(new.spec, name) and name not in set(listed)),
    )


def names(spec: Spec) -> set[str]:
    """Return the names of all functions, and "GET /path" for each HTTP route."""
    return {*spec.functions, *(f"{route.method} {route.path}" for route in spec.routes)}


def difference(old: Iterable[str], new: Iterable[str]) -> Difference:
    """Return what only `new` has, and what only `old` has, each in alphabetical order."""
    had, has = set(old), set(new)
    return Difference(tuple(sorted(has - had)), tuple(sorted(had - has)))


def lacking(read: Iterable[str], have: Iterable[str]) -> tuple[str, ...]:
    """Return the environment variables that code reads and a deployment does not have."""
    return tuple(sorted(set(read) - set(have) - BUILT_IN))


def clients(found: Found, backend: str) -> Found:
    """Return what was found outside of the folder `backend`: what is in there is pushed, or tests it."""
    outside = tuple(one for one in found.references if not one.path.startswith(f"{backend}/"))
    return replace(found, references=outside)


def names_called(found: Found) -> frozenset[str]:
    """Return the public functions that are called."""
    return frozenset(one.function for one in found.references if one.visibility == "public")


def of(found: Found, backend: str) -> Found:
    """Return what was found of one backend (its folder of functions); what is dynamic or skipped may be of any."""
    mine = tuple(one for one in found.references if one.backend == backend)
    return replace(found, references=mine)


def nearest(wanted: str, changes: Sequence[Change]) -> list[str]:
    """Return the functions of `changes`, those that are most like `wanted` first."""
    found = sorted({one.function for one in changes})
    return sorted(found, key=lambda name: -difflib.SequenceMatcher(None, wanted, name).ratio())


def advice(changes: Sequence[Change]) -> str:
    """
    Return how to ship `changes`, which break, so that nobody notices.

    A stamp names functions, not what is sent to them: that an argument may be required at last, only people know.
    """
    flags = " ".join(dict.fromkeys(f"--allow-breaking {shlex.quote(one.function)}" for one in changes))
    return (
        "take two releases: expand (add the new beside the old, an argument as optional, and let the frontend use it), "
        "then contract (remove the old, require the argument); to accept the errors, or since you know that each page "
        f"that is open sends the argument: {flags}"
    )


def _is_migration(spec: Spec, name: str) -> bool:
    function = spec.functions.get(name)
    return function is not None and function.kind != "query" and function.module.split("/")[0] == "migrations"


def _tables(schema: Mapping[str, Any] | None) -> set[str]:
    return {str(table["tableName"]) for table in (schema or {}).get("tables", [])}


def _indexes_changed(old: Mapping[str, Any] | None, new: Mapping[str, Any] | None) -> Difference:
    """Return the indexes that come and go; one that is defined anew does both."""
    had, has = dict(_indexes(old)), dict(_indexes(new))
    return Difference(
        tuple(sorted(name for name in has if has[name] != had.get(name))),
        tuple(sorted(name for name in had if had[name] != has.get(name))),
    )


def _indexes(schema: Mapping[str, Any] | None) -> Iterator[tuple[str, object]]:
    for table in (schema or {}).get("tables", []):
        for kind in INDEXES:
            for index in table.get(kind) or []:
                yield f"{table['tableName']}.{index['indexDescriptor']}", (kind, index)
