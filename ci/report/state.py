"""The state of a target, and what a machine has and lacks: as text, JSON or annotations."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ci import annotation
from ci.errors import InputError
from ci.report import forms
from ci.report.forms import INDENT, Format

if TYPE_CHECKING:
    from ci.release.doctor import Finding
    from ci.release.status import Status


def status(found: Status, how: Format) -> str:
    """Return the state of a target in one `Format`."""
    ways: dict[str, Callable[[], str]] = {
        "text": lambda: "\n".join(_status_text(found)),
        "json": lambda: forms.document(_status_json(found)),
        "github": lambda: "\n".join(_status_annotations(found)),
    }
    return ways[how]()


def doctor(found: Sequence[Finding], how: str) -> str:
    """Return what a machine has and lacks, as text or JSON."""
    if how not in ("text", "json"):
        raise InputError(f"--format takes text or json, not {how!r}", hint="./inv doctor --format json")
    if how == "json":
        return forms.document({"findings": [asdict(one) for one in found]})
    width = max(len(one.name) for one in found)
    lines: list[str] = []
    for one in found:
        lines += [] if any(line == one.part for line in lines) else [one.part]
        word = "lacks" if one.lacks else "sees" if one.part == "steps" else "has"
        lines.append(f"  {word:<5}  {one.name:<{width}}  {one.found}")
        lines += [f"{' ' * (width + 11)}{one.next}"] if one.next else []
    return "\n".join(lines)


def _status_text(found: Status) -> Iterator[str]:
    world = found.world
    yield f"status of target {world.target.name}, beside {forms.tree(world)}"
    yield f"  backend   {world.target.backend.deployment} {world.url}: {forms.backend(world)}"
    if not isinstance(world.backend, str) and not found.is_code_compared:
        yield f"{INDENT}functions and schema only: CONVEX_DEPLOY_KEY may not read the code"
    yield from forms.listed("+", [f"{name}, not live" for name in found.missing])
    yield from forms.listed("-", [f"{name}, live and not in the code at hand" for name in found.extra])
    if isinstance(world.here, str):
        yield f"{INDENT}the code at hand {world.here}"
    ran = f"record {world.record}" if isinstance(world.record, str) else ", ".join(_migrations(found)) or "none listed"
    yield f"  data      migrations: {ran}"
    behind = f", {found.behind} commit{'s' * (found.behind > 1)} behind" if found.behind else ""
    yield f"  frontend  {forms.site(world)}{behind}"
    yield f"  together  {_together(found.unserved)}"
    run = found.last_run
    yield f"  last run  {'none here' if run is None else _run(run)}"
    yield (
        f"{world.target.name} is what this commit is"
        if _is_current(found)
        else "; ".join([*found.differences, *found.unread])
    )


def _together(unserved: Sequence[str] | None) -> str:
    if unserved is None:
        return "not known"
    lacks = f"the site calls what the backend does not have: {', '.join(unserved)}"
    return lacks if unserved else "the backend has all that the site calls"


def _migrations(found: Status) -> Iterator[str]:
    record = {} if isinstance(found.world.record, str) else found.world.record
    for name, one in record.items():
        yield f"{name} {one['state']} (commit {one['commit']})"
    yield from (f"{name} to run" for name in found.world.pending)


def _run(run: Mapping[str, Any]) -> str:
    return f"inv {' '.join(run['argv'])}: {run['outcome']}, begun {str(run['at'])[:19]} UTC"


def _is_current(found: Status) -> bool:
    return not found.differences and not found.unread


def _status_json(found: Status) -> dict[str, Any]:
    """Return the state as data; what could not be read is null, and `unread` says why."""
    world = found.world
    backend = None if isinstance(world.backend, str) else world.backend
    site = None if isinstance(world.site, str) else world.site
    return {
        "target": world.target.name,
        "commit": world.tree.commit,
        "dirty": world.tree.dirty,
        "current": _is_current(found) if found.differences or not found.unread else None,
        "differences": found.differences,
        "unread": found.unread,
        "backend": {
            "deployment": world.target.backend.deployment,
            "url": world.url,
            "functions": backend and sorted(one.name for one in backend.functions),
            "current": None if backend is None or isinstance(world.here, str) else world.backend_is_current,
            "code_compared": found.is_code_compared,
            "missing": list(found.missing),
            "extra": list(found.extra),
        },
        "migrations": {
            "recorded": None if isinstance(world.record, str) else world.record,
            "pending": None if isinstance(world.record, str) else list(world.pending),
        },
        "frontend": {
            "site": world.target.frontend.site,
            "release": site and site.release,
            "commit": site and site.commit,
            "behind": found.behind,
            "current": world.frontend_is_current,
            "unserved": None if found.unserved is None else list(found.unserved),
        },
        "last_run": found.last_run,
    }


def _status_annotations(found: Status) -> Iterator[str]:
    yield from (annotation.command("error", words, title=found.world.target.name) for words in found.differences)
    yield from (annotation.command("warning", why, title="could not be read") for why in found.unread)
