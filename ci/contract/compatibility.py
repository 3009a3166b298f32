"""What a new function spec does to the clients of the old one."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from ci.contract import fit
from ci.contract.fit import Finding
from ci.contract.spec import Function, HttpRoute, Spec
from ci.contract.validators import Object

ALIKE = 0.6  # how similar two names must be, when the validators say too little to guess a new name by
CANDIDATES = 20  # among more than these no guess is worth its while


@dataclass(frozen=True)
class Change:
    """
    One difference between two specs; `function` is "GET /path" for an HTTP route.

    `kind` is for the clients of before: `breaking` fails for one that uses what has changed, `risky` cannot be decided,
    `safe` is noticed by none. A breaking change that nobody is known to meet is `demoted` to risky.
    """

    function: str
    kind: Literal["breaking", "risky", "safe"]
    what: str
    reason: str
    demoted: bool


@dataclass(frozen=True)
class _Callers:
    live: frozenset[str] | None
    new: frozenset[str]
    scheduled: frozenset[str]


def compare(
    old: Spec,
    new: Spec,
    *,
    live_calls: frozenset[str] | None,
    new_calls: frozenset[str],
    scheduled: frozenset[str],
) -> tuple[Change, ...]:
    """
    Return what has changed, by function.

    Args:
        live_calls: the functions that the live frontend calls, and so the tabs that are open; None if nobody knows,
            and then no public function is taken for unused.
        new_calls: the functions that the frontend at hand calls. Neither counts for internal functions, which no
            frontend can call: the backend's own code is replaced together with them.
        scheduled: the functions that crons and scheduled jobs of the old backend call. These jobs outlive the push:
            they call by name and with the arguments of before, and nobody reads what is returned.
    """
    callers = _Callers(live_calls, new_calls, scheduled)
    added = [function for path, function in sorted(new.functions.items()) if path not in old.functions]
    changes: list[Change] = []
    for path in sorted({*old.functions, *new.functions}):
        before, after = old.functions.get(path), new.functions.get(path)
        if before is None:
            changes.append(Change(path, "safe", "added", "no client of before calls it", False))
        elif after is None:
            finding = Finding("breaking", "removed", "clients that call it get an error")
            changes.append(_weighed(before, _renamed(before, added) or finding, callers, meets_jobs=True))
        else:
            changes += _changed(before, after, callers)
    return (*changes, *_routes(old.routes, new.routes))


def _changed(old: Function, new: Function, callers: _Callers) -> Iterator[Change]:
    for finding in _signature(old, new):
        yield _weighed(old, finding, callers, meets_jobs=True)
    if old.visibility != new.visibility:
        yield _weighed(old, _visibility(new), callers, meets_jobs=False)
    for finding in fit.returned(old.returns, new.returns):
        yield _weighed(old, finding, callers, meets_jobs=False)


def _signature(old: Function, new: Function) -> list[Finding]:
    """Return what a job that was scheduled before meets, too."""
    kind = Finding("breaking", f"{old.kind} became {new.kind}", f"clients that call the {old.kind} get an error")
    return [*([kind] if old.kind != new.kind else []), *fit.arguments(old.args, new.args)]


def _visibility(new: Function) -> Finding:
    if new.visibility == "public":
        return Finding("safe", "made public", "whoever could call it still can")
    return Finding("breaking", "made internal", "only the backend itself may call it now")


def _renamed(gone: Function, added: Sequence[Function]) -> Finding | None:
    """Guess the new name: a function that is new, of the same kind and with the same validators."""
    alike = [function.path for function in added if _is_like(gone, function)]
    says_something = isinstance(gone.args, Object) and bool(gone.args.fields)
    cutoff = 0.0 if says_something else ALIKE
    close = difflib.get_close_matches(gone.path, alike, n=1, cutoff=cutoff) if len(alike) <= CANDIDATES else []
    if not close:
        return None
    what = f"removed, perhaps renamed to {close[0]}"
    return Finding("breaking", what, "that is a guess, from the same kind and validators; the old name gets an error")


def _is_like(one: Function, other: Function) -> bool:
    return (one.kind, one.visibility, one.args, one.returns) == (
        other.kind,
        other.visibility,
        other.args,
        other.returns,
    )


def _weighed(old: Function, finding: Finding, callers: _Callers, *, meets_jobs: bool) -> Change:
    """Demote a breaking change that nobody is known to meet, and say why one stays."""
    if finding.level != "breaking":
        return Change(old.path, finding.level, finding.what, finding.reason, False)
    who = _who(old, callers, meets_jobs=meets_jobs)
    if who:
        return Change(old.path, "breaking", finding.what, f"{finding.reason}; {who}", False)
    frontends = "no frontend can call it" if old.visibility == "internal" else "no frontend calls it"
    jobs = ", and nothing is scheduled that does" if meets_jobs else ""
    return Change(old.path, "risky", finding.what, f"{finding.reason}; demoted: {frontends}{jobs}", True)


def _who(old: Function, callers: _Callers, *, meets_jobs: bool) -> str:
    """Return the words for who meets a change of `old`, or ""."""
    if meets_jobs and old.path in callers.scheduled:
        return "a cron or a scheduled job calls it"
    if old.visibility == "internal":
        return ""
    if callers.live is not None and old.path in callers.live:
        return "the live frontend calls it"
    if old.path in callers.new:
        return "the new frontend calls it"
    return "what the live frontend calls is not known" if callers.live is None else ""


def _routes(old: frozenset[HttpRoute], new: frozenset[HttpRoute]) -> Iterator[Change]:
    """Compare HTTP routes; who calls one is written nowhere, so none is demoted."""
    for route in sorted(old ^ new):
        name = f"{route.method} {route.path}"
        covering = _covering(route, sorted(new))
        if route in new:
            yield Change(name, "safe", "HTTP route added", "nobody of before calls it", False)
        elif covering:
            reason = f"{covering.method} {covering.path} answers in its place, perhaps otherwise"
            yield Change(name, "risky", "HTTP route removed", reason, False)
        else:
            reason = "whoever calls it, a webhook of another service for one, gets 404"
            yield Change(name, "breaking", "HTTP route removed", reason, False)


def _covering(route: HttpRoute, routes: Sequence[HttpRoute]) -> HttpRoute | None:
    """Return the longest prefix route that answers in place of `route`."""
    prefixes = [one for one in routes if one.method == route.method and one.path.endswith("*")]
    fitting = [one for one in prefixes if route.path.startswith(one.path[:-1])]
    return max(fitting, key=lambda one: len(one.path), default=None)
