"""What reports are made of: the lines about both halves, JSON documents, and the annotations of a workflow."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from ci.release.comparison import Comparison

LISTED = 12
INDENT = " " * 12
Format = Literal["text", "json", "github"]


def tree(world: Comparison) -> str:
    """Return which commit the working tree is, and whether it is more than that."""
    dirty = f", with {len(world.tree.changed)} uncommitted changes" if world.tree.dirty else ""
    return f"commit {world.tree.commit[:12]} ({world.tree.message or 'no message'}){dirty}"


def backend(world: Comparison) -> str:
    """Return what the deployment runs, beside the code at hand."""
    if isinstance(world.backend, str):
        return world.backend
    same = "the code at hand" if world.backend_is_current else "not the code at hand"
    return f"{len(world.backend.functions)} functions, {same}"


def site(world: Comparison) -> str:
    """Return what the site serves, beside the deployment."""
    site, address = world.site, world.target.frontend.site
    if isinstance(site, str):
        return f"{address}: {site}"
    ours = "this backend" if world.site_is_for_this_backend else f"another backend, {site.backend.get('url')}"
    return f"{address}: release {site.release} of commit {site.commit[:12]}, built for {ours}"


def listed(mark: str, names: Sequence[str]) -> Iterator[str]:
    """Yield some names, a line each, and how many more there are."""
    yield from (f"{INDENT}{mark} {name}" for name in names[:LISTED])
    if len(names) > LISTED:
        yield f"{INDENT}{mark} and {len(names) - LISTED} more"


def document(found: dict[str, Any]) -> str:
    """Return a JSON document."""
    return json.dumps(found, indent=2)
