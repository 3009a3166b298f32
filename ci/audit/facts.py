"""What versions of the Convex CLI do, with the source of each fact."""

from __future__ import annotations

import re
from collections.abc import Iterable

Version = tuple[int, int]

# `convex codegen` looks at no deployment: src/cli/codegen.ts of 1.11.3 and 1.13.2 calls doCodegen alone.
#
# It asks for one where the functions have a convex.config.ts: src/cli/lib/components.ts of 1.14.0, 1.16.6 and 1.27.5,
# runCodegen, loads credentials if the file of the root component is there.
CODEGEN_ASKS_WITH_COMPONENTS: Version = (1, 14)
# It always asks for one, and without it ends with 1, "No CONVEX_DEPLOYMENT set": CHANGELOG of convex, 1.28.0, "Deploy
# code path unification", and runCodegen of 1.28.0. That from 1.35 on "non-interactive commands target an anonymous
# deployment" does not help: lib/api.ts of 1.35.1, 1.36.0, 1.41.0 and 1.48.0 refuses one that has no name.
CODEGEN_ALWAYS_ASKS: Version = (1, 28)

NEWEST: Version = (9999, 0)

_VERSION = re.compile(r"(\d+)\.(\d+)")
_COMPONENTS = re.compile(r"convex\.config\.(?:ts|js|mts|mjs|cts|cjs)$")


def version(text: str) -> Version:
    """Return the version in a text; without one, the newest there may be."""
    found = _VERSION.search(text)
    return (int(found[1]), int(found[2])) if found else NEWEST


def is_exact(text: str) -> bool:
    """Return whether a text asks for one version, and no other."""
    return re.fullmatch(r"\d+\.\d+\.\d+(?:-[\w.]+)?", text) is not None


def codegen_asks(version: Version, *, has_components: bool) -> bool:
    """Return whether `convex codegen` of a version asks for a deployment, and so fails without a key."""
    return version >= (CODEGEN_ASKS_WITH_COMPONENTS if has_components else CODEGEN_ALWAYS_ASKS)


def has_components(functions: str, paths: Iterable[str]) -> bool:
    """Return whether the functions in a folder have a convex.config.ts."""
    return any(_COMPONENTS.fullmatch(path.removeprefix(f"{functions}/" if functions else "")) for path in paths)
