"""A turbo task that deploys, and that turbo may replay from its cache."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ci.audit import queries
from ci.audit.model import Finding, Package, Place, Reached, Repository, Turbo, TurboTask
from ci.audit.rule import Rule

RULE = Rule(
    id="cacheable-deploy",
    severity="error",
    title="turbo may replay a deploy from its cache instead of doing it",
    happens="""turbo takes a task whose inputs have not changed as done, prints its old output, and exits with 0. After
a rollback, or when only a variable or the backend changed, the deploy is not run, and CI is green.""",
    fix="""Give each task that changes something outside the repository `"cache": false`.""",
    bad="""# turbo.json
{ "tasks": { "deploy": { "dependsOn": ["build"] } } }""",
    good="""# turbo.json
{ "tasks": { "deploy": { "dependsOn": ["build"], "cache": false } } }""",
)

_DEPLOYS = re.compile(
    r"\bconvex\s+deploy\b|\bwrangler\s+(?:pages\s+)?(?:deploy|publish)\b|\bvercel\s+(?:deploy|--prod|promote)\b"
    r"|\bnetlify\s+deploy\b"
)
_KEEPS = re.compile(r"TURBO_(?:TOKEN|REMOTE_CACHE)|\.turbo\b|caching-for-turbo|turborepo-remote-cache")


def check(repository: Repository) -> Iterator[Finding]:
    """Yield one finding for each task that may be replayed, the ones that CI runs first."""
    if repository.turbo is None:
        return
    told: set[Place] = set()
    for one in repository.reached:
        task = _task(one, repository.turbo) if one.kind in ("deploy", "publish") else None
        if task and task.cache and task.at not in told and not _is_forced(one):
            told.add(task.at)
            yield _found(task, one, repository)
    for task in repository.turbo.tasks:
        package = next(_deploying(task, repository), None)
        if task.cache and package and task.at not in told:
            told.add(task.at)
            message = f'"{task.name}" of {package.name or package.path} deploys, and turbo may replay it from its cache'
            yield RULE.found(task.at, message, _hint(task), status="latent")


def _found(task: TurboTask, one: Reached, repository: Repository) -> Finding:
    text = repository.texts.get(one.workflow.path, "") if one.workflow else ""
    is_kept = bool(_KEEPS.search(text))
    where = "which CI keeps" if is_kept else "the day that CI keeps one"
    return RULE.found(
        task.at,
        f'{queries.said(one)} runs in the turbo task "{task.name}", which may be replayed from a cache, {where}',
        _hint(task),
        confidence=one.confidence,
        reached=one,
    )


def _hint(task: TurboTask) -> str:
    return f'add `"cache": false` to "{task.name}"'


def _task(one: Reached, turbo: Turbo) -> TurboTask | None:
    """Return the innermost turbo task that a command runs in."""
    places = {task.at: task for task in turbo.tasks}
    found = [places[link.at] for link in one.chain if link.at in places]
    return found[-1] if found else None


def _is_forced(one: Reached) -> bool:
    is_told = any("turbo" in link.text and "--force" in link.text for link in one.chain)
    return is_told or "TURBO_FORCE" in one.env.values


def _deploying(task: TurboTask, repository: Repository) -> Iterator[Package]:
    """Yield the packages that deploy in this task; one with a task of its own has that instead of the general one."""
    for one in repository.packages:
        if _deploys(one, task.name) and task.package in ("", one.name):
            tasks = repository.turbo.tasks if repository.turbo else ()
            if task.package or all((other.package, other.name) != (one.name, task.name) for other in tasks):
                yield one


def _deploys(package: Package, name: str) -> bool:
    text = package.scripts.get(name)
    return bool(text and _DEPLOYS.search(text.value) and "--dry-run" not in text.value)
