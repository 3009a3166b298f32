"""A backend, or a frontend, that two places deploy for the same event."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations

from ci.audit import credentials, queries
from ci.audit.model import Finding, Link, Reached, Repository
from ci.audit.rule import Rule

RULE = Rule(
    id="two-deployers",
    severity="warning",
    title="Two places deploy the same thing",
    happens="""Two workflows, or a workflow and a host, deploy the same backend or publish the same frontend for the
same push. They do not know of each other: whichever ends last wins, and the order that one of them keeps is undone by
the other.""",
    fix="""Keep one of them. Where a host builds by itself on every push, let it do all of it, or switch that off.""",
    bad="""# .github/workflows/convex.yml
on:
  push: {branches: [main]}
jobs:
  deploy:
    steps:
      - run: bunx convex deploy --yes  # and so does .github/workflows/ci.yml""",
    good="""# .github/workflows/ci.yml
on:
  push: {branches: [main]}
jobs:
  deploy:
    steps:
      - run: bunx convex deploy --yes  # the only one""",
)


_HOSTS = ("vercel", "netlify")  # that a file of the repository tells what to do


def check(repository: Repository) -> Iterator[Finding]:
    """Yield one finding for each further place that deploys the same."""
    deploys = [one for one in queries.deploys(repository) if one.host in _HOSTS or queries.releases(one)]
    publishes = [one for one in queries.publishes(repository) if queries.releases(one)]
    told: set[object] = set()
    for first, second in (*combinations(deploys, 2), *combinations(publishes, 2)):
        if first.workflow is None:
            first, second = second, first
        key = (first.workflow and first.workflow.path, second.workflow and second.workflow.path, first.kind)
        if key in told or not _is_same(first, second) or not _meet(first, second):
            continue
        told.add(key)
        yield _finding(first, second)


def _is_same(first: Reached, second: Reached) -> bool:
    """Tell whether two commands are about the same backend, or the same site."""
    if first.host and first.host == second.host:
        return False  # a host that a workflow asks to build is most likely told not to do it by itself
    if first.workflow == second.workflow or "low" in (first.confidence, not second.host and second.confidence):
        return False  # of a host it is a question anyway
    if first.kind == "publish":
        return first.tool == second.tool and first.argv == second.argv and _values(first) == _values(second)
    if first.folder != second.folder or first.tool != second.tool:
        return False
    return not (first.workflow and second.workflow) or _keys(first) == _keys(second)


def _values(one: Reached) -> set[tuple[str, str]]:
    named = {**one.env.values, **one.given}
    return {(name, text.value) for name, text in named.items() if "PROJECT" in name.upper()} | {("", one.folder or "")}


def _keys(one: Reached) -> set[str]:
    """Return what opens the deployment, with the environment that gives it its meaning."""
    names = (*credentials.KEYS, credentials.SELF_HOSTED[1])
    keys = {one.env.values[name].value for name in names if name in one.env.values}
    environment = one.job.environment.value if one.job and one.job.environment else ""
    return keys | {f"environment {environment}"}


def _meet(first: Reached, second: Reached) -> bool:
    """Tell whether one event starts both; a host starts on every push."""
    if second.host and second.workflow is None:
        return any(one.event == "push" for one in queries.releases(first))
    of_second = {(one.event, one.ref) for one in queries.releases(second) if one.event != "workflow_dispatch"}
    return any((one.event, one.ref) in of_second for one in queries.releases(first))


def _finding(first: Reached, second: Reached) -> Finding:
    is_host = second.workflow is None
    other = f"{second.workflow.path}, {queries.step_of(second)}" if second.workflow else queries.step_of(second)
    message = f"{queries.step_of(first)} runs {queries.said(first)}, and so does {other} for the same push"
    if is_host:
        message = (
            f"{queries.step_of(first)} runs {queries.said(first)}, and so would {other}: does it build this branch?"
        )
    found = RULE.found(
        queries.place(first),
        message,
        f"keep one of the two: take {queries.said(second)} out of {queries.place(second).path}",
        status="unclear" if is_host else "gap",
        confidence=second.confidence,
        reached=first,
    )
    return replace(found, chain=(*first.chain, Link(f"and so does {queries.step_of(second)}", queries.place(second))))
