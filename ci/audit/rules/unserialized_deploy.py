"""A deploy that two runs can do at the same time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ci.audit import queries
from ci.audit.model import Finding, Repository
from ci.audit.rule import Rule

RULE = Rule(
    id="unserialized-deploy",
    severity="warning",
    title="Two runs may deploy at the same time",
    happens="""Two merges in a row start two runs. The older one may be the last to publish: then the live site is older
than main, or calls another backend than it was built for, and both runs are green.""",
    fix="""Put the jobs that deploy into one concurrency group that does not cancel.""",
    bad="""# .github/workflows/ci.yml
on:
  push: {branches: [main]}
jobs:
  deploy:
    steps:
      - run: bunx convex deploy --yes""",
    good="""# .github/workflows/ci.yml
on:
  push: {branches: [main]}
jobs:
  deploy:
    concurrency: {group: production, cancel-in-progress: false}
    steps:
      - run: bunx convex deploy --yes""",
)


def check(repository: Repository) -> Iterator[Finding]:
    """Yield one finding for each job that deploys outside of all groups."""
    told: set[object] = set()
    for one in queries.ships(repository):
        if one.job is None or one.job.at in told:
            continue
        if not any(map(queries.is_shared, queries.groups(one))):
            told.add(one.job.at)
            found = RULE.found(
                one.job.at,
                f'job "{one.job.id}" runs {queries.said(one)} in no concurrency group: two runs may do it at once',
                "write `concurrency: {group: production, cancel-in-progress: false}` in this job, or in the workflow",
                confidence=one.confidence,
                reached=one,
            )
            is_by_hand = all(when.event == "workflow_dispatch" for when in queries.releases(one))
            yield replace(found, severity="note") if is_by_hand else found
