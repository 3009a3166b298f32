"""Pure: results as the text that a person reads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ci.release.comparison import Comparison
from ci.release.manifest import Stamp

LISTED = 12


def plan(world: Comparison, steps: Sequence[tuple[str, str, str]]) -> str:
    """
    Return the plan of a release.

    Args:
        steps: (name, what it changes, its first line of help) of each step from the approval on.
    """
    lines = [f"plan for target {world.target.name}: {_tree(world)}", *_backend_plan(world)]
    pending = ", ".join(world.pending) or "nothing to run"
    lines += [f"  data      migrations: {pending}", f"  frontend  {_site(world)}"]
    if not world.frontend_is_current:
        lines.append(f"            becomes commit {world.tree.commit[:12]}")
    width = max(len(name) for name, _, _ in steps)
    lines.append("  steps")
    lines += [f"    {name:<{width}}  changes {changes:<8}  {words}" for name, changes, words in steps]
    return "\n".join(lines)


def live(world: Comparison) -> str:
    """Return what is live now, both halves, and what to type next."""
    name = world.target.name
    lines = [
        f"live now on target {name}",
        f"  backend   {world.target.backend.deployment} {world.url}: {_backend(world)}",
    ]
    if world.pending:
        lines.append(f"  data      migrations still to run: {', '.join(world.pending)}")
    lines.append(f"  frontend  {_site(world)}")
    again = "./inv deploy" + ("" if world.target.is_sandbox else f" --target {name}")
    lines.append(f"open {world.target.frontend.site}" if world.is_current else f"to ship what is here: {again}")
    return "\n".join(lines)


def _tree(world: Comparison) -> str:
    dirty = f", with {len(world.tree.changed)} uncommitted changes" if world.tree.dirty else ""
    return f"commit {world.tree.commit[:12]} ({world.tree.message or 'no message'}){dirty}"


def _backend(world: Comparison) -> str:
    if isinstance(world.backend, str):
        return world.backend
    same = "the code at hand" if world.backend_is_current else "not the code at hand"
    return f"{len(world.backend.functions)} functions, {same}"


def _backend_plan(world: Comparison) -> Iterator[str]:
    start = f"  backend   {world.target.backend.deployment} {world.url}:"
    if isinstance(world.here, str) or isinstance(world.backend, str):
        yield f"{start} {world.backend if isinstance(world.backend, str) else world.here}"
    elif world.backend_is_current:
        yield f"{start} already runs this code ({len(world.here.functions)} functions)"
    else:
        yield f"{start} {len(world.here.functions)} functions, {len(world.added)} added, {len(world.removed)} removed"
        yield from _listed("+", world.added)
        yield from _listed("-", world.removed)


def _listed(mark: str, names: Sequence[str]) -> Iterator[str]:
    yield from (f"            {mark} {name}" for name in names[:LISTED])
    if len(names) > LISTED:
        yield f"            {mark} and {len(names) - LISTED} more"


def _site(world: Comparison) -> str:
    site, address = world.site, world.target.frontend.site
    if not isinstance(site, Stamp):
        return f"{address}: {site}"
    ours = "this backend" if site.backend.get("url") == world.url else f"another backend, {site.backend.get('url')}"
    return f"{address}: release {site.release} of commit {site.commit[:12]}, built for {ours}"
