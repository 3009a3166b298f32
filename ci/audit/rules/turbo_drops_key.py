"""A turbo task in strict mode that keeps the key from the Convex CLI."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ci.audit import credentials, queries
from ci.audit.model import Drop, Finding, Reached, Repository
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

_LOOSE = re.compile(r"\bturbo\b([^&|;\n]*)--env-mode[= ]loose([^&|;\n\"']*)")
_ALL_LOOSE = re.compile(r"TURBO_ENV_MODE\W+loose")
_DEV = re.compile(r"dev\b")  # of developers' machines, where a login will do


def check(repository: Repository) -> Iterator[Finding]:
    """Yield one finding for each task that takes the key away, in CI or as soon as CI reaches it."""
    told: set[object] = set()
    for reached in (*repository.reached, *_unreached(repository)):
        name = _dropped(reached, repository)
        if name and reached.env.dropped[name].at not in told:
            drop = reached.env.dropped[name]
            told.add(drop.at)
            yield _reached(reached, name, drop, repository) if reached.workflow else _latent(reached, name, drop)


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


def _unreached(repository: Repository) -> Iterator[Reached]:
    """Yield what tasks would call as soon as somebody runs them, but for those that are run with all variables."""
    texts = repository.texts.values()
    of_workflows = [text for path, text in repository.texts.items() if path.startswith(".github/")]
    if any(map(_ALL_LOOSE.search, texts)) or any(map(_LOOSE.search, of_workflows)):
        return
    loose = {word for text in texts for found in _LOOSE.findall(text) for word in " ".join(found).split()}
    for one in repository.latent:
        task = next((drop.task.rpartition("#")[2].rstrip('"') for drop in one.env.dropped.values()), "")
        is_left_on = one.argv[1:2] == ("dev",) and "--once" not in one.argv
        if one.confidence == "high" and not is_left_on and not _DEV.match(task) and task not in loose:
            yield one


def _latent(reached: Reached, name: str, drop: Drop) -> Finding:
    return RULE.found(
        drop.at,
        f"{drop.task} would keep {name} from {queries.said(reached)} of {reached.at.path}",
        _hint(name),
        status="latent",
    )


def _hint(name: str) -> str:
    return f'write `"passThroughEnv": ["{name}"]` in this task'
