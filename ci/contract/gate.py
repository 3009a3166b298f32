"""Which files are worth parsing: cheap questions about their bytes, asked of every file."""

from __future__ import annotations

import re
from collections.abc import Collection

# Plain substrings first, since the search for one runs at the speed of memory and that for a pattern does not.
_NAMES = re.compile(
    rb"\banyApi\b|\bmakeFunctionReference\b|\bnew\s+\w*Convex\w*Client\b|\bconvex(?:@\S+)?\s+run\b"
    rb"|\b\w*(?:[qQ]uery|[mM]utation|[aA]ction|onUpdate)\w*\s*[<(]"
)
_ENDPOINT = re.compile(rb"/api/(?:query|mutation|action|function|run)\b")
_TIES = re.compile(rb"\b(?:import|export|require)\b[^;\"'`]*?[\"'`]([^\"'`\n]+)[\"'`]")
_PYTHON = re.compile(rb"^\s*(?:from|import)\s+convex\b", re.MULTILINE)
_LOOSE = (b"* as ", b"import(", b"require(")


def source(data: bytes) -> bool:
    """Tell whether a source file may call Convex, by what it says itself."""
    return (
        b"_generated/api" in data
        or b"convex/api" in data
        or (b"onvex" in data and _NAMES.search(data) is not None)
        or (b"/api/" in data and _ENDPOINT.search(data) is not None)
    )


def python(data: bytes) -> bool:
    """Tell whether a Python file may call Convex: through its client, or over HTTP."""
    return (b"onvex" in data and _PYTHON.search(data) is not None) or (
        (b"onvex" in data or b"CONVEX" in data) and _ENDPOINT.search(data) is not None
    )


def script(data: bytes) -> bool:
    """Tell whether a script may call Convex."""
    return b"convex" in data and b"run" in data


def words(data: bytes, wanted: Collection[bytes]) -> bool:
    """
    Tell whether a source file may reach an api through a module of the repository.

    Args:
        wanted: names under which modules export a part of an api, and names of those modules.
    """
    present = [word for word in wanted if word in data]
    if not present:
        return False
    if any(mark in data for mark in _LOOSE):
        return True
    return any(word in match[0] for match in _TIES.finditer(data) for word in present)
