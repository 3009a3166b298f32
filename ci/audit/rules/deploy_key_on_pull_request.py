"""The secret that deploys production, handed to a pull request."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

from ci.audit import credentials, queries, scenarios
from ci.audit.model import Finding, Job, Reached, Repository, Scenario, Step, Text, Workflow
from ci.audit.rule import Rule

RULE = Rule(
    id="deploy-key-on-pull-request",
    severity="warning",
    title="A pull request is handed the key that deploys production",
    happens="""Whoever can push a branch can change what runs on a pull request, and so take the key, or deploy with it,
before anybody has looked. Code generation with that key writes to production, too.""",
    fix="""Give pull requests the key of a development deployment, or of previews, under another name; keep the one for
production in an environment that only the main branch may use.""",
    bad="""# .github/workflows/ci.yml
on: [push, pull_request]
jobs:
  test:
    steps:
      - run: bunx convex codegen
        env:
          CONVEX_DEPLOY_KEY: ${{ secrets.CONVEX_DEPLOY_KEY }}
  deploy:
    if: github.event_name == 'push'
    steps:
      - run: bunx convex deploy --yes
        env:
          CONVEX_DEPLOY_KEY: ${{ secrets.CONVEX_DEPLOY_KEY }}""",
    good="""# .github/workflows/ci.yml
on: [push, pull_request]
jobs:
  test:
    steps:
      - run: bunx convex codegen
        env:
          CONVEX_DEPLOY_KEY: ${{ secrets.CONVEX_DEV_DEPLOY_KEY }}
  deploy:
    if: github.event_name == 'push'
    environment: production
    steps:
      - run: bunx convex deploy --yes
        env:
          CONVEX_DEPLOY_KEY: ${{ secrets.CONVEX_DEPLOY_KEY }}""",
)

_NOT_PRODUCTION = re.compile(
    r"PREVIEW|STAG|DEV(?!ICE)|TEST|\bPR_|_PR_|SANDBOX|LOCAL|E2E|_CI_|\bCI_|_QA_", re.IGNORECASE
)
_SECRET = re.compile(r"\bsecrets\.(\w+)")
_NAMES = (*credentials.KEYS, credentials.SELF_HOSTED[1])


@dataclass(frozen=True)
class _Handed:
    secret: str
    text: Text
    workflow: Workflow
    job: Job
    step: Step


def check(repository: Repository) -> Iterator[Finding]:
    """Yield one finding for each job that hands the key to pull requests."""
    deploying: dict[str, list[Reached]] = {}
    for secret, deploy in _deploying(repository):
        deploying.setdefault(secret, []).append(deploy)
    told: set[object] = set()
    for handed in _handed(repository, deploying):
        key = (handed.workflow.path, handed.job.id, handed.secret)
        if key not in told and not _NOT_PRODUCTION.search(handed.secret):
            told.add(key)
            if finding := _finding(handed, deploying.get(handed.secret, [])):
                yield finding
    for one in repository.reached if deploying else ():
        if queries.is_trusted_elsewhere(one) and any(when.is_pull_request for when in queries.whens(one)):
            yield _elsewhere(one)


def _deploying(repository: Repository) -> Iterator[tuple[str, Reached]]:
    """Yield the secrets that deploy what was merged."""
    for one in queries.deploys(repository):
        if queries.releases(one):
            for name in _NAMES:
                if name in one.env.values:
                    yield from ((secret, one) for secret in queries.secrets_in(one.env.values[name]))


def _handed(repository: Repository, deploying: Collection[str]) -> Iterator[_Handed]:
    for workflow in repository.workflows:
        of_pull_requests = [one for one in scenarios.of(workflow) if one.is_pull_request and _sees_secrets(one)]
        for job in workflow.jobs if of_pull_requests else ():
            for step in job.steps:
                for secret, text in _secrets(step, deploying):
                    alone = _alone(secret, text)
                    if any(_is_handed(alone, workflow, job, step, one) for one in of_pull_requests):
                        yield _Handed(secret, text, workflow, job, step)


def _sees_secrets(scenario: Scenario) -> bool:
    return not scenario.is_fork or scenario.event == "pull_request_target"


def _secrets(step: Step, deploying: Collection[str]) -> Iterator[tuple[str, Text]]:
    """Yield the keys that a step sees: in the variables that the CLI reads, and anywhere those that deploy."""
    keys = [step.env[name] for name in _NAMES if name in step.env]
    for text in (*keys, *step.env.values(), *step.given.values(), *([step.run] if step.run else [])):
        for secret in sorted(queries.secrets_in(text)):
            if text in keys or secret in deploying:
                yield secret, text


def _is_handed(text: Text, workflow: Workflow, job: Job, step: Step, scenario: Scenario) -> bool:
    if scenarios.runs(workflow, job, step, scenario) == "no":
        return False
    return scenarios.is_set(text, scenario, workflow=workflow, job=job, step=step) != "no"


def _alone(secret: str, text: Text) -> Text:
    """Return a value as it is if no other secret were set: `a && secrets.X || secrets.Y` may choose another."""
    return replace(text, value=_SECRET.sub(lambda found: found[0] if found[1] == secret else "''", text.value))


def _finding(handed: _Handed, deploys: list[Reached]) -> Finding | None:
    where = f'job "{handed.job.id}", step "{handed.step.label}"'
    message = f"{where} hands secrets.{handed.secret} to pull requests"
    environment = _environment(handed.job)
    here = [one for one in deploys if _environment(one.job) == environment]
    production = next((one for one in here if not _NOT_PRODUCTION.search(_called(one))), None)
    elsewhere = next((one for one in deploys if one not in here), None)
    asks = ""
    if production and production.workflow:
        message += f", and {queries.step_of(production)} of {production.workflow.path} deploys with it"
    elif elsewhere:
        asks = f"is it another key than that of {queries.step_of(elsewhere)}, which has another environment?"
    elif here or _NOT_PRODUCTION.search(environment):
        return None
    else:
        asks = "does it open the production deployment?"
    return replace(
        RULE.found(
            handed.text.at,
            f"{message}: {asks}" if asks else message,
            "use the key of another deployment here, under its own name: `${{ secrets.CONVEX_DEV_DEPLOY_KEY }}`",
            status="unclear" if asks else "gap",
        ),
        job=handed.job.id,
        step=handed.step.label,
    )


def _elsewhere(one: Reached) -> Finding:
    return RULE.found(
        queries.place(one),
        f"{queries.step_of(one)} hands all secrets to {queries.said(one)} on pull requests: does it use the key there?",
        "hand over by name what it needs, in place of `secrets: inherit`",
        status="unclear",
        reached=one,
    )


def _called(one: Reached) -> str:
    """Return what a deploy calls itself."""
    named = (one.workflow and one.workflow.name, one.job and one.job.id, one.step and one.step.label)
    return " ".join(name or "" for name in named)


def _environment(job: Job | None) -> str:
    return job.environment.value if job and job.environment else ""
