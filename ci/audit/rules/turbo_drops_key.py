"""A turbo task in strict mode that keeps the key from the Convex CLI."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase

from ci.audit import credentials, queries
from ci.audit.model import Drop, Finding, Package, Reached, Repository, Text, Turbo, TurboTask
from ci.audit.rule import Rule

RULE = Rule(
    id="turbo-drops-key",
    severity="error",
    title="A turbo task keeps the deploy key from the Convex CLI",
    happens="""In strict mode, the default from turbo 2 on, a task sees only the variables that turbo.json names. The
step has the key, the script behind the task does not, and turbo says nothing of it.""",
    fix="""Name the key in `passThroughEnv` of the task: then it gets through, and is not part of what is cached.""",
    bad="""// turbo.json
{
  "tasks": {
    "codegen": {}
  }
}""",
    good="""// turbo.json
{
  "tasks": {
    "codegen": { "cache": false, "passThroughEnv": ["CONVEX_DEPLOY_KEY"] }
  }
}""",
)

_LOOSE = re.compile(r"--env-mode[= ]loose|TURBO_ENV_MODE\W+loose")
_CALLS_CONVEX = re.compile(r"\bconvex(?:@\S+)?\s+(?:(?:codegen|deploy|run|env|import)\b|dev\s[^&|;]*--once\b)")
_GUARDED = re.compile(r"\[+\s[^]]*CONVEX|if\s|\bCONVEX_\w*KEY=")


def check(repository: Repository) -> Iterator[Finding]:
    """Yield one finding for each task that takes the key away, in CI or as soon as CI reaches it."""
    told: set[object] = set()
    for reached in repository.reached:
        name = _dropped(reached, repository)
        if name is None:
            continue
        drop = reached.env.dropped[name]
        if drop.at not in told:
            told.add(drop.at)
            yield _reached(reached, name, drop, repository)
    if repository.turbo:
        for task, package, script in _unreached(repository.turbo, repository):
            if task.at not in told:
                told.add(task.at)
                yield _latent(task, package, script)


def _dropped(reached: Reached, repository: Repository) -> str | None:
    """Return the key that a command is kept from, None when it needs none or has another."""
    if credentials.needs(reached, repository) == "never" or reached.host or credentials.is_anonymous(reached):
        return None
    if credentials.any_key(reached) or credentials.is_asked_for(reached):
        return None
    if credentials.is_elsewhere(reached) or credentials.decides_itself(reached, repository):
        return None
    given = [name for name in (*credentials.KEYS, *credentials.SELF_HOSTED) if name in reached.env.dropped]
    held = [name for name in given if reached.step and name in reached.step.env]
    return next(iter([*held, *given]), None)


def _reached(reached: Reached, name: str, drop: Drop, repository: Repository) -> Finding:
    is_needed = credentials.needs(reached, repository) == "now"
    return RULE.found(
        drop.at,
        f"{drop.task} keeps {name} from {queries.said(reached)}, which {queries.step_of(reached)} reaches",
        _hint(name),
        status="gap" if is_needed else "latent",
        confidence=reached.confidence,
        reached=reached,
    )


def _unreached(turbo: Turbo, repository: Repository) -> Iterator[tuple[TurboTask, Package, Text]]:
    """Yield the tasks whose scripts call the CLI, and which would not get the key."""
    if not turbo.is_strict or any(map(_LOOSE.search, repository.texts.values())):
        return
    for package in repository.packages:
        for task in turbo.tasks:
            script = package.scripts.get(task.name)
            if script is None or task.package not in ("", package.name) or _is_overruled(task, package, turbo):
                continue
            if _CALLS_CONVEX.search(script.value) and not _GUARDED.search(script.value) and not _passes(task, turbo):
                yield task, package, script


def _is_overruled(task: TurboTask, package: Package, turbo: Turbo) -> bool:
    return not task.package and any(other.name == task.name and other.package == package.name for other in turbo.tasks)


def _passes(task: TurboTask, turbo: Turbo) -> bool:
    named = (*task.env, *task.pass_through, *turbo.global_env, *turbo.global_pass_through)
    names = (*credentials.KEYS, credentials.SELF_HOSTED[1])
    return any(fnmatchcase(name, text.value) for text in named for name in names)


def _latent(task: TurboTask, package: Package, script: Text) -> Finding:
    return RULE.found(
        task.at,
        f"turbo task {task.name} would keep CONVEX_DEPLOY_KEY from `{script.value[:60]}` of {package.path}",
        _hint("CONVEX_DEPLOY_KEY"),
        status="latent",
    )


def _hint(name: str) -> str:
    return f'write `"passThroughEnv": ["{name}"]` in this task'
