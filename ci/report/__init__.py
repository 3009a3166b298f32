"""Pure: results as the text that a person reads, as JSON, and as the annotations of a GitHub workflow."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ci import annotation, release
from ci.report import forms
from ci.report.forms import INDENT
from ci.report.forms import Format as Format
from ci.report.state import doctor as doctor
from ci.report.state import status as status

if TYPE_CHECKING:
    from ci.contract.compatibility import Change
    from ci.contract.plan import Plan
    from ci.contract.references import Dynamic, Reference
    from ci.release.calls import Contract
    from ci.release.comparison import Comparison


# (name, what it changes, its first line of help) of each step from the approval on.
Steps = Sequence[tuple[str, str, str]]


def plan(world: Comparison, steps: Steps, how: Format) -> str:
    """Return the plan of a release in one `Format`."""
    ways: dict[str, Callable[[], str]] = {
        "text": lambda: _plan_text(world, steps),
        "json": lambda: forms.document(_plan_json(world, steps)),
        "github": lambda: "\n".join(_plan_annotations(world)),
    }
    return ways[how]()


def contract(found: Contract, how: Format, *, where: str = "") -> str:
    """
    Return the calls of a repository in one `Format`.

    Args:
        where: the folder of the repository as GitHub's annotations shall name it.
    """
    ways: dict[str, Callable[[], str]] = {
        "text": lambda: "\n".join(_contract_text(found)),
        "json": lambda: forms.document(_contract_json(found)),
        "github": lambda: "\n".join(_contract_annotations(found, where)),
    }
    return ways[how]()


def live(world: Comparison) -> str:
    """Return what is live now, both halves, and what to type next."""
    name = world.target.name
    lines = [
        f"live now on target {name}",
        f"  backend   {world.target.backend.deployment} {world.url}: {forms.backend(world)}",
    ]
    if world.unserved:
        lines += [f"{INDENT}it does not have what the frontend at hand calls:"]
        lines += [f"{INDENT}{line}" for line in release.calls.lines(world.unserved)]
    if world.pending:
        lines.append(f"  data      migrations still to run: {', '.join(world.pending)}")
    lines.append(f"  frontend  {forms.site(world)}")
    again = "./inv deploy" + ("" if world.target.is_sandbox else f" --target {name}")
    lines.append(f"open {world.target.frontend.site}" if world.is_current else f"to ship what is here: {again}")
    return "\n".join(lines)


def _plan_text(world: Comparison, steps: Steps) -> str:
    lines = [f"plan for target {world.target.name}: {forms.tree(world)}", *_backend_plan(world), *_data_plan(world)]
    lines += [f"  frontend  {forms.site(world)}", *_frontend_plan(world)]
    width = max(len(name) for name, _, _ in steps)
    lines.append("  steps")
    lines += [f"    {name:<{width}}  changes {changes:<8}  {words}" for name, changes, words in steps]
    return "\n".join(lines)


def _backend_plan(world: Comparison) -> Iterator[str]:
    start = f"  backend   {world.target.backend.deployment} {world.url}:"
    change = world.plan
    if change is None or isinstance(world.here, str) or isinstance(world.backend, str):
        yield f"{start} {'; '.join(world.unread)}"
    elif world.backend_is_current:
        yield f"{start} already runs this code ({len(world.here.functions)} functions)"
    else:
        first = "" if world.backend.functions else " the first release:"
        added, removed = len(change.functions.added), len(change.functions.dropped)
        yield f"{start}{first} {len(world.here.functions)} functions, {added} added, {removed} removed"
        yield from _functions(change)
        if isinstance(world.scheduled, str):
            yield f"{INDENT}what is scheduled {world.scheduled}"
        yield from _schema(change)
    if isinstance(world.lacking, str):
        yield f"{INDENT}its environment variables {world.lacking}"
    elif world.lacking:
        yield f"{INDENT}variables that the code reads and the deployment lacks: {', '.join(world.lacking)}"
    if world.untold:
        yield f"{INDENT}variables that the code reads by a name it computes: at {', '.join(world.untold)}"


def _functions(change: Plan) -> Iterator[str]:
    yield from forms.listed("+", change.functions.added)
    told = {one.function for one in change.changes}
    yield from forms.listed("-", [name for name in change.functions.dropped if name not in told])
    for one in change.changes:
        mark = "-" if one.function in change.functions.dropped else "~"
        yield f"{INDENT}{mark} {one.function}: {_change(one)}"


def _change(one: Change) -> str:
    return f"{one.kind}: {one.what}: {one.reason}"


def _schema(change: Plan) -> Iterator[str]:
    for kind, names in (("table", change.tables), ("index", change.indexes)):
        yield from forms.listed("+", [f"{kind} {name}" for name in names.added])
        yield from forms.listed("-", [f"{kind} {name}" for name in names.dropped])


def _data_plan(world: Comparison) -> Iterator[str]:
    yield f"  data      migrations: {', '.join(world.pending) or 'nothing to run'}"
    for name in world.plan.unlisted if world.plan else ():
        yield f"{INDENT}{name} is new and not in lockstep.toml: list it to run it, or with skip to say why not"


def _frontend_plan(world: Comparison) -> Iterator[str]:
    if world.frontend_is_current:
        yield f"{INDENT}stays"
        return
    if isinstance(world.site, str):
        yield f"{INDENT}what clients in the field call is unknown"
    elif world.site.functions is None:
        yield f"{INDENT}what it calls is unknown: it was stamped before stamps said so"
    yield f"{INDENT}becomes commit {world.tree.commit[:12]}"


def _plan_json(world: Comparison, steps: Steps) -> dict[str, Any]:
    """Return the plan as data; what could not be read is null, and `unread` says why."""
    change, site = world.plan, world.site
    live = None if isinstance(site, str) else site
    return {
        "target": world.target.name,
        "commit": world.tree.commit,
        "dirty": world.tree.dirty,
        "unread": [*world.unread, *([] if live else [f"{world.target.frontend.site}: {site}"])],
        "backend": {"deployment": world.target.backend.deployment, "url": world.url, **_backend_json(world)},
        "functions": change and _difference(change.functions.added, change.functions.dropped) | _changes(change),
        "tables": change and _difference(change.tables.added, change.tables.dropped),
        "indexes": change and _difference(change.indexes.added, change.indexes.dropped),
        "migrations": {"pending": list(world.pending), "unlisted": list(change.unlisted) if change else None},
        "variables": {
            "lacking": None if isinstance(world.lacking, str) else list(world.lacking),
            "computed": list(world.untold),
        },
        "frontend": {
            "site": world.target.frontend.site,
            "release": live and live.release,
            "commit": live and live.commit,
            "functions": list(live.functions) if live and live.functions is not None else None,
            "changes": not world.frontend_is_current,
        },
        "steps": [{"name": name, "changes": changes} for name, changes, _ in steps],
    }


def _backend_json(world: Comparison) -> dict[str, Any]:
    first = None if isinstance(world.backend, str) else not world.backend.functions
    return {"first": first, "changes": None if world.plan is None else not world.backend_is_current}


def _difference(added: Sequence[str], dropped: Sequence[str]) -> dict[str, Any]:
    return {"added": list(added), "removed": list(dropped)}


def _changes(change: Plan) -> dict[str, Any]:
    keys = ("function", "kind", "what", "reason", "demoted")
    return {"changed": [{key: getattr(one, key) for key in keys} for one in change.changes]}


def _plan_annotations(world: Comparison) -> Iterator[str]:
    levels = {"breaking": "error", "risky": "warning", "safe": "notice"}
    for one in world.plan.changes if world.plan else ():
        yield annotation.command(levels[one.kind], f"{one.function}: {_change(one)}", title=f"{one.kind} change")
    for name in world.plan.unlisted if world.plan else ():
        yield annotation.command("warning", f"{name} is new and not in lockstep.toml", title="migration")
    for name in world.lacking if not isinstance(world.lacking, str) else ():
        yield annotation.command(
            "warning", f"{world.target.backend.deployment} lacks {name}", title="environment variable"
        )
    yield from (annotation.command("warning", why, title="could not be read") for why in world.unread)


def _contract_text(found: Contract) -> Iterator[str]:
    for path, functions in found.backends.items():
        mine = [one for one in found.found.references if one.backend == path]
        names = len({one.function for one in mine})
        has = "" if functions is None else f", which has {functions}"
        yield f"{len(mine)} calls of {names} functions of {path}{has}"
        if functions is None:
            yield from _places(mine)
    lost = [one for one in found.found.references if one.backend not in found.backends]
    if lost:
        yield f"{len(lost)} calls of no backend that is known"
        yield from _places(lost)
    yield from (f"  {one.path}:{one.line} calls {_untold(one)}" for one in found.found.dynamic)
    yield from (f"  {one.path} {one.why}" for one in found.found.skipped)


def _places(references: Iterable[Reference]) -> Iterator[str]:
    yield from (f"  {one.path}:{one.line}:{one.column} {one.function} ({one.form})" for one in references)


def _untold(one: Dynamic) -> str:
    return f"a function {f'of {one.prefix} ' if one.prefix else ''}that is not known before it runs"


def _contract_json(found: Contract) -> dict[str, Any]:
    called = ("function", "backend", "path", "line", "column", "form", "visibility")
    return {
        "backends": [{"path": path, "functions": functions} for path, functions in found.backends.items()],
        "references": [{key: getattr(one, key) for key in called} for one in found.found.references],
        "missing": [
            {
                "function": one.function,
                "reason": one.reason,
                "suggestion": one.suggestion,
                "at": [{"path": path, "line": line} for path, line in one.at],
            }
            for one in found.missing
        ],
        "dynamic": [{"path": one.path, "line": one.line, "prefix": one.prefix} for one in found.found.dynamic],
        "skipped": [{"path": one.path, "why": one.why} for one in found.found.skipped],
    }


def _contract_annotations(found: Contract, where: str) -> Iterator[str]:
    start = f"{where}/" if where not in ("", ".") else ""
    for one in found.missing:
        nearest = f" (nearest: {one.suggestion})" if one.suggestion else ""
        for path, line in one.at:
            said = f"{one.function}: {one.reason}{nearest}"
            yield annotation.command("error", said, title="contract", file=f"{start}{path}", line=line)
    for item in found.found.dynamic:
        said = f"calls {_untold(item)}"
        yield annotation.command("notice", said, title="contract", file=f"{start}{item.path}", line=item.line)
    for other in found.found.skipped:
        yield annotation.command("notice", other.why, title="contract", file=f"{start}{other.path}")
