"""An install in CI that may bring other versions than those that were tested."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ci.audit import line, queries, workspaces
from ci.audit.model import Finding, Place, Reached, Repository
from ci.audit.rule import Rule

RULE = Rule(
    id="unfrozen-install",
    severity="warning",
    title="CI installs without obeying the lock file",
    happens="""The install resolves afresh whatever the lock file does not hold, and says nothing. Versions that nobody
has tried are built and shipped, and the same commit gives another site tomorrow.""",
    fix="""Say that the lock file is frozen: `bun install --frozen-lockfile`, `npm ci`, `yarn install --frozen-lockfile`
(from yarn 2 on `--immutable`). pnpm freezes by itself in CI.""",
    bad="""# .github/workflows/ci.yml
      - run: bun install""",
    good="""# .github/workflows/ci.yml
      - run: bun install --frozen-lockfile""",
)

_WRITE = {
    "bun": "bun install --frozen-lockfile",
    "npm": "npm ci",
    "pnpm": "pnpm install --frozen-lockfile",
    "yarn": "yarn install --frozen-lockfile",
}


def check(repository: Repository) -> Iterator[Finding]:
    """Yield one finding for each place that installs without obeying the lock file."""
    told: set[Place] = set()
    for one in repository.reached:
        said = line.parse(one.argv) if one.kind == "install" else None
        at = queries.place(one)
        if said is None or at in told or one.host or one.confidence == "low" or _is_for_want_of_a_lock(one):
            continue
        here = workspaces.owner(one.folder, repository.packages)
        root = workspaces.root(here, repository.packages) if here else None
        if one.folder is not None and said.is_frozen(root) is False:
            told.add(at)
            message = (
                f"{queries.step_of(one)} runs {queries.said(one)}, which may install what the lock file does not say"
            )
            yield RULE.found(at, message, _hint(said.manager, one, repository), confidence=one.confidence, reached=one)


def _is_for_want_of_a_lock(one: Reached) -> bool:
    """Tell whether it is asked first if there is a lock file: `if [ -f bun.lock ]`."""
    return any(re.search(r"-[ef] \S*lock", guard.text) for guard in one.guards)


def _hint(manager: str, one: Reached, repository: Repository) -> str:
    names = {"bun": ("bun.lock", "bun.lockb"), "npm": ("package-lock.json", "npm-shrinkwrap.json")}
    wanted = names.get(manager, (f"{manager}.lock", "pnpm-lock.yaml"))
    is_locked = any(path.rpartition("/")[2] in wanted for path in repository.locks)
    first = "" if is_locked else f"commit a {wanted[0]}, and then "
    return f"{first}write `{_WRITE[manager]}`{f' in {one.folder}' if one.folder else ''}"
