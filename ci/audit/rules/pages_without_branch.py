"""A Cloudflare Pages deployment whose branch is guessed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from ci.audit import queries
from ci.audit.model import Finding, Reached, Repository
from ci.audit.rule import Rule

RULE = Rule(
    id="pages-without-branch",
    severity="warning",
    title="Cloudflare Pages is left to guess the branch",
    happens="""Without `--branch`, wrangler takes the branch that git has checked out. A tag, a pull request or a `ref:`
has none, and then what was to be production becomes a preview under another address: the step is green, the site is
old.""",
    fix="""Say the branch: `--branch=main` for production, `--branch="$GITHUB_HEAD_REF"` for a preview.""",
    bad="""# .github/workflows/ci.yml
      - run: bunx wrangler pages deploy dist --project-name=app""",
    good="""# .github/workflows/ci.yml
      - run: bunx wrangler pages deploy dist --project-name=app --branch=main""",
)


def check(repository: Repository) -> Iterator[Finding]:
    """Yield one finding for each publish to Pages that names no branch."""
    for one in repository.reached:
        if one.host or not _is_guessed(one):
            continue
        hint = "add `branch: main` to its `with`" if _is_action(one) else "add `--branch=main` to it"
        detached = _detached(one)
        when = f"; {detached}, git has no branch there" if detached else ""
        message = (
            f"{queries.step_of(one)} publishes to Cloudflare Pages with {queries.said(one)} and names no branch{when}"
        )
        found = RULE.found(
            queries.place(one),
            message,
            f"{hint}, or whatever the project's production branch is",
            status="gap" if detached else "latent",
            confidence=one.confidence,
            reached=one,
        )
        yield found if detached else replace(found, severity="note")


def _is_action(one: Reached) -> bool:
    return one.tool == "cloudflare/pages-action"


def _is_guessed(one: Reached) -> bool:
    if _is_action(one):
        return "branch" not in one.given
    return one.tool == "wrangler pages" and not any(re.match(r"--branch(=|$)", word) for word in one.argv)


def _detached(one: Reached) -> str:
    """Return in which case no branch is checked out, "" in none."""
    steps = one.job.steps if one.job else ()
    if any(step.uses and step.uses.value.startswith("actions/checkout@") and "ref" in step.given for step in steps):
        return "actions/checkout has a `ref`"
    for scenario in queries.whens(one):
        if scenario.is_pull_request:
            return "on a pull request"
        if scenario.event == "release" or (scenario.ref or "").startswith("refs/tags/"):
            return "on a tag"
    return ""
