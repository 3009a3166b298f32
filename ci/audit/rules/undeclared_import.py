"""A package that the backend imports and its package.json does not declare."""

from __future__ import annotations

from collections.abc import Iterator

from ci.audit import workspaces
from ci.audit.model import Finding, Repository
from ci.audit.rule import Rule

RULE = Rule(
    id="undeclared-import",
    severity="warning",
    title="The backend imports a package that its package.json does not declare",
    happens="""It works because another package's installation happens to put it within reach. The day the installer
stops hoisting, that package drops it, or brings another version, `convex deploy` fails to bundle, or ships what nobody
tried.""",
    fix="""Declare it in the package.json nearest to the functions.""",
    bad="""# apps/backend/convex/ids.ts
import { nanoid } from "nanoid";

# apps/backend/package.json
{ "dependencies": { "convex": "^1.28.0" } }""",
    good="""# apps/backend/convex/ids.ts
import { nanoid } from "nanoid";

# apps/backend/package.json
{ "dependencies": { "convex": "^1.28.0", "nanoid": "^5.1.0" } }""",
)

_ADD = {"bun": "bun add", "pnpm": "pnpm add", "yarn": "yarn add"}


def check(repository: Repository) -> Iterator[Finding]:
    """Yield one finding for each package that a backend imports undeclared."""
    declared = [one for one in repository.packages if one.declared]
    for backend in repository.backends:
        package = workspaces.owner(backend.functions, declared)
        if package is None:
            continue
        root = workspaces.root(package, repository.packages)
        manager = root.manager.value.partition("@")[0] if root.manager else ""
        add = _ADD.get(manager, "npm install")
        for text in backend.undeclared:
            name = text.value
            where = " (only the root's does)" if root is not package and name in root.declared else ""
            message = f"the backend imports {name}, which {package.path} does not declare{where}"
            folder = f"cd {package.folder} && " if package.folder else ""
            yield RULE.found(text.at, message, f"run `{folder}{add} {name}`")
