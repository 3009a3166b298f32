"""A deploy after which nobody looks whether it works."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ci.audit import order, queries
from ci.audit.model import Finding, Place, Reached, Repository, Step, Workflow
from ci.audit.rule import Rule

RULE = Rule(
    id="unverified-deploy",
    severity="note",
    title="Nothing looks at the live app after a deploy",
    happens="""That the tools end with 0 is taken for success. They also do when an upload failed, when an empty folder
was published, and when the backend is another one than the frontend calls: users are the first to know.""",
    fix="""After the last deploy, ask the live site for something that only this release can answer, and the backend for
its functions.""",
    bad="""# .github/workflows/ci.yml
steps:
  - run: bunx convex deploy --yes
  - run: bunx wrangler pages deploy dist --project-name=app --branch=main""",
    good="""# .github/workflows/ci.yml
steps:
  - run: bunx convex deploy --yes
  - run: bunx wrangler pages deploy dist --project-name=app --branch=main
  - run: bunx convex function-spec --prod | grep --quiet listCompanySites
  - run: curl --fail --silent --show-error https://app.example.com""",
)

_LOOKS = re.compile(r"smoke|health|verif|e2e|end-to-end|live|probe|ping|lighthouse|sanity|check.*(?:site|prod)", re.I)
_BROWSERS = ("playwright", "@playwright/test", "cypress", "lighthouse", "lhci")


def check(repository: Repository) -> Iterator[Finding]:
    """Yield one finding for each workflow that ships and verifies nothing behind it."""
    last: dict[str, Reached] = {}
    for one in queries.ships(repository):
        if one.workflow and one.tool != "eas update":  # what phones load, nobody can open
            before = last.get(one.workflow.path)
            last[one.workflow.path] = one if before is None or _comes_after(one, before) else before
    told: set[Place] = set()
    for one in last.values():
        at = queries.place(one)
        if one.workflow and at not in told and not _is_verified(one.workflow, repository):
            told.add(at)
            yield RULE.found(
                at,
                f"nothing looks at the live app after {queries.said(one)} in {queries.step_of(one)}",
                "add steps behind it: `curl --fail --silent --show-error https://...`, `npx convex function-spec`",
                confidence=one.confidence,
                reached=one,
            )


def _comes_after(one: Reached, other: Reached) -> bool:
    if one.job and other.job and one.job.id == other.job.id:
        return one.order > other.order
    return bool(one.job and other.job and other.job.id in one.job.needs)


def _is_verified(workflow: Workflow, repository: Repository) -> bool:
    """Tell whether something looks at the live app behind something that a workflow ships."""
    shipped = [one for one in queries.ships(repository) if one.workflow == workflow]
    shipped = [one for one in shipped if not _is_tried_out(one)] or shipped
    for one in repository.reached:
        if one.workflow is None or not (one.kind == "verify" or one.tool in _BROWSERS):
            continue
        if one.workflow == workflow and any(_follows(one, before) for before in shipped):
            return True
        if order.follows(one.workflow, workflow) or _is_told_of_deployments(one.workflow):
            return True
    return any(_looks(step) for one in shipped for step in _behind(one, workflow))


def _is_tried_out(one: Reached) -> bool:
    """Tell whether something is deployed for pull requests as well, so that tests have it."""
    return any(when.is_pull_request for when in queries.whens(one))


def _follows(one: Reached, before: Reached) -> bool:
    if one.job and before.job and one.job.id == before.job.id:
        return one.order > before.order
    return bool(one.job and before.job and one.workflow and before.job.id in _needed(one.job.id, one.workflow))


def _needed(job: str, workflow: Workflow) -> set[str]:
    found: set[str] = set()
    left = [job]
    while left:
        new = [id for one in workflow.jobs if one.id == left[-1] for id in one.needs if id not in found]
        left.pop()
        found.update(new)
        left += new
    return found


def _is_told_of_deployments(workflow: Workflow) -> bool:
    return any(trigger.event in ("deployment_status", "deployment") for trigger in workflow.triggers)


def _behind(one: Reached, workflow: Workflow) -> Iterator[Step]:
    for job in workflow.jobs:
        if one.job and job.id == one.job.id:
            yield from (step for step in job.steps if one.step and step.index > one.step.index)
        elif one.job and one.job.id in _needed(job.id, workflow):
            yield from job.steps
            if job.remote:
                yield Step(index=0, label=job.id, at=job.at, uses=job.remote)


def _looks(step: Step) -> bool:
    """Tell whether a step that was not followed to its end says by its name that it looks at the live app."""
    uses = step.uses.value if step.uses else ""
    return bool(_LOOKS.search(step.label) or _LOOKS.search(uses))
