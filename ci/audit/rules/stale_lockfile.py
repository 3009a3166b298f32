"""A bun.lock that is not what the package.json files ask for."""

from __future__ import annotations

from collections.abc import Iterator

from ci.audit import drift, queries, workspaces
from ci.audit.model import Finding, Package, Place, Repository
from ci.audit.rule import Rule

RULE = Rule(
    id="stale-lockfile",
    severity="warning",
    title="bun.lock is not what the package.json files ask for",
    happens="""`bun install --frozen-lockfile` fails in CI, on a commit that has nothing to do with it; or, where bun
lets the difference pass, what is installed is not what package.json says.""",
    fix="""Run `bun install` in the folder of bun.lock, with the version of `packageManager`, and commit bun.lock.""",
    bad="""# apps/web/package.json
{ "name": "web", "dependencies": { "react": "^19.0.0", "is-odd": "3.0.1" } }

# bun.lock
"apps/web": { "name": "web", "dependencies": { "react": "^19.0.0" } },""",
    good="""# apps/web/package.json
{ "name": "web", "dependencies": { "react": "^19.0.0", "is-odd": "3.0.1" } }

# bun.lock
"apps/web": { "name": "web", "dependencies": { "is-odd": "3.0.1", "react": "^19.0.0" } },""",
)


def check(repository: Repository) -> Iterator[Finding]:
    """Yield one finding for each bun.lock that is stale, of those that installs go by."""
    for path in repository.locks:
        folder = path.rpartition("/")[0]
        package = workspaces.owner(folder, repository.packages)
        if not path.endswith("bun.lock") or package is None or not _counts(package, path, repository):
            continue
        if found := drift.differences(repository, path):
            more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
            said = found[0] if len(found[0]) <= 200 else f"{found[0][:200]}..."
            hint = f"run `bun install` in {folder or 'the root'}, and commit {path}"
            yield RULE.found(Place(path), f"{path} is stale: {said}{more}", hint)


def _counts(package: Package, path: str, repository: Repository) -> bool:
    """Tell whether bun installs by this lock file: people try bun, and leave its lock file behind."""
    if workspaces.root(package, repository.packages) is not package:
        return False
    wanted = package.manager.value if package.manager else ""
    others = [lock for lock in repository.locks if lock.rpartition("/")[0] == package.folder and lock != path]
    installs = (one for one in repository.reached if one.kind == "install" and one.tool == "bun")
    used = (workspaces.owner(one.folder, repository.packages) for one in installs)
    family = workspaces.members(package, repository.packages)
    if any(one in family for one in used if one):
        return True
    return not queries.is_example(package.folder) and (wanted.startswith("bun@") or not others)
