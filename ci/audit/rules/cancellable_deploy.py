"""A deploy that the next run cancels half way."""

from __future__ import annotations

from collections.abc import Iterator

from ci.audit import credentials, queries
from ci.audit.model import Concurrency, Finding, Reached, Repository, Text, Truth
from ci.audit.rule import Rule

RULE = Rule(
    id="cancellable-deploy",
    severity="warning",
    title="The next run cancels a deploy half way",
    happens="""With `cancel-in-progress` a second merge stops the first run wherever it is: after the backend and before
the frontend, or in the middle of a migration. Whether the second run repairs that depends on what it was about.""",
    fix="""Cancel checks, never deploys: give the deploy a group of its own, or cancel on pull requests only.""",
    bad="""# .github/workflows/ci.yml
on: [push, pull_request]
concurrency:
  group: ci-${{ github.ref }}
  cancel-in-progress: true
jobs:
  deploy:
    if: github.ref == 'refs/heads/main'
    steps:
      - run: bunx convex deploy --yes""",
    good="""# .github/workflows/ci.yml
on: [push, pull_request]
concurrency:
  group: ci-${{ github.ref }}
  cancel-in-progress: ${{ github.event_name == 'pull_request' }}
jobs:
  deploy:
    if: github.ref == 'refs/heads/main'
    steps:
      - run: bunx convex deploy --yes""",
)


def check(repository: Repository) -> Iterator[Finding]:
    """Yield one finding for each group that cancels deploys."""
    told: set[object] = set()
    for one in queries.ships(repository):
        for group in queries.groups(one):
            cancels = _cancels(group, one)
            if cancels == "no" or group.at in told:
                continue
            told.add(group.at)
            yield RULE.found(
                group.at,
                f"the next run of the group cancels {queries.step_of(one)} in the middle of {queries.said(one)}",
                "write `cancel-in-progress: ${{ github.event_name == 'pull_request' }}`",
                status="gap" if cancels == "yes" else "unclear",
                confidence=one.confidence,
                reached=one,
            )


def _cancels(group: Concurrency, one: Reached) -> Truth:
    """Return whether a group cancels a command in a scenario in which it ships what was merged."""
    if group.cancel in ("", "false") or not queries.is_shared(group):
        return "no"
    of_branches = [
        scenario
        for scenario in queries.releases(one)
        if not ((scenario.ref or "").startswith("refs/tags/") and "github.ref" in group.group)
    ]
    if group.cancel == "true":
        return "yes" if of_branches else "no"
    found = {credentials.is_set(Text(group.cancel, group.at), one, scenario) for scenario in of_branches}
    return "yes" if "yes" in found else "maybe" if "maybe" in found else "no"
