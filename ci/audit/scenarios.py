"""The ways in which a workflow is started, and what of it runs then."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase

from ci.audit import expressions, run, worlds
from ci.audit.model import Job, Scenario, Step, Text, Trigger, Truth, Workflow
from ci.audit.worlds import Fitting, Unknown, Value

_BRANCH = re.compile(
    r"refs/heads/([\w./-]+)|(?:ref_name|base_ref|head_branch)\s*[!=]=\s*'([\w./-]+)'|'([\w./-]+)'\s*[!=]=\s*github\.ref_name"
)
_MOST_BRANCHES = 6


def of(workflow: Workflow) -> tuple[Scenario, ...]:
    """Return the ways in which GitHub starts a workflow, as far as they can make a difference to what it does."""
    found: dict[Scenario, None] = {}
    for trigger in workflow.triggers:
        found.update(dict.fromkeys(_of_trigger(trigger, workflow)))
    return tuple(found)


def runs(workflow: Workflow, job: Job, step: Step | None, scenario: Scenario) -> Truth:
    """Return whether a job, or a step of it, runs when nothing fails."""
    return worlds.in_all(lambda world: _runs(run.Run(workflow, scenario, world), job, step))


def _runs(started: run.Run, job: Job, step: Step | None) -> bool:
    return started.runs(job, step) if step else started.result(job) != "skipped"


def is_set(text: Text, scenario: Scenario, *, workflow: Workflow, job: Job, step: Step | None) -> Truth:
    """Return whether a value is there, and true; secrets, and what is handed on from elsewhere, are taken to be set."""
    if "${{" not in text.value:
        return "yes" if text.value.strip() else "no"
    return worlds.in_all(lambda world: _is_set(run.Run(workflow, scenario, world, has_secrets=True), text, job, step))


def _is_set(started: run.Run, text: Text, job: Job, step: Step | None) -> bool:
    def resolve(name: str) -> Value:
        known = started.resolve(name, job, step)
        is_handed_on = isinstance(known, Unknown) and name.startswith(("vars.", "env.", "steps.", "needs."))
        return Fitting(name) if is_handed_on else known

    try:
        value = worlds.value(expressions.condition(text.value), resolve, started.world)
    except expressions.Malformed:
        return True
    return worlds.truth(value, started.world)


def default_branch(workflow: Workflow) -> str:
    """Return what is most likely the repository's main branch."""
    known = _branches(workflow)
    return next((name for name in ("main", "master", "trunk") if name in known), "main")


def _of_trigger(trigger: Trigger, workflow: Workflow) -> Iterator[Scenario]:
    event = trigger.event
    if event == "push":
        for branch in _pushed(trigger, workflow):
            yield Scenario(event, f"refs/heads/{branch}")
        if trigger.tags or (not (trigger.branches or trigger.branches_ignore) and _asks_for_tags(workflow)):
            tags = [_sample(tag) for tag in trigger.tags if not tag.startswith("!")] or ["v1"]
            yield from (Scenario(event, f"refs/tags/{tag}") for tag in tags[:_MOST_BRANCHES])
    elif event in ("pull_request", "pull_request_target"):
        yield from _of_pull_request(trigger, workflow)
    elif event == "release":
        yield Scenario(event, "refs/tags/v1")
    elif event == "workflow_dispatch":
        for branch in dict.fromkeys([default_branch(workflow), *_branches(workflow)[:2]]):
            yield Scenario(event, f"refs/heads/{branch}")
    else:
        yield Scenario(event, f"refs/heads/{default_branch(workflow)}")


def _of_pull_request(trigger: Trigger, workflow: Workflow) -> Iterator[Scenario]:
    for base in [_sample(name) for name in trigger.branches if name[0] != "!"][:3] or [default_branch(workflow)]:
        ref = "refs/pull/1/merge" if trigger.event == "pull_request" else f"refs/heads/{base}"
        if "closed" in trigger.types:
            yield Scenario(trigger.event, f"refs/heads/{base}", base=base, is_merged=True)
        for is_fork in (False, True):
            yield Scenario(trigger.event, ref, is_fork=is_fork, base=base)


def _pushed(trigger: Trigger, workflow: Workflow) -> list[str]:
    if (trigger.tags or trigger.tags_ignore) and not (trigger.branches or trigger.branches_ignore):
        return []
    known = _branches(workflow)
    if trigger.branches:
        wanted = [_sample(name) for name in trigger.branches if not name.startswith("!")]
        likely = [*wanted, *(name for name in known if name not in wanted)]
    else:
        likely = [default_branch(workflow), *known, "topic"]
    return [name for name in dict.fromkeys(likely) if lets_through(trigger, name)][:_MOST_BRANCHES]


def lets_through(trigger: Trigger, branch: str) -> bool:
    """Return whether the branch filters of a trigger let a branch through."""
    through = not trigger.branches
    for pattern in trigger.branches:
        if _matches(branch, pattern.removeprefix("!")):
            through = not pattern.startswith("!")
    return through and not any(_matches(branch, pattern) for pattern in trigger.branches_ignore)


def _matches(branch: str, pattern: str) -> bool:
    return fnmatchcase(branch, pattern) and ("**" in pattern or branch.count("/") == pattern.count("/"))


def _sample(pattern: str) -> str:
    return re.sub(r"\*+", "1", re.sub(r"\[[^]]*\][+*?]?", "1", pattern)).replace("?", "")


def _branches(workflow: Workflow) -> list[str]:
    """Return the branches that a workflow names, in filters or conditions."""
    filters = [name for trigger in workflow.triggers for name in trigger.branches if not re.search(r"[!*?\[]", name)]
    named = [next(filter(None, match)) for text in _conditions(workflow) for match in _BRANCH.findall(text)]
    return list(dict.fromkeys([*filters, *named]))


def _asks_for_tags(workflow: Workflow) -> bool:
    return any("refs/tags" in text or "ref_type" in text for text in _conditions(workflow))


def _conditions(workflow: Workflow) -> Iterator[str]:
    for job in workflow.jobs:
        yield from (text.value for text in job.conditions)
        yield from (text.value for step in job.steps for text in step.conditions)
