"""A frontend that is published without waiting for the deploy of its backend."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ci.audit import order, queries
from ci.audit.model import Finding, Place, Reached, Repository, Scenario
from ci.audit.order import Order
from ci.audit.rule import Rule

RULE = Rule(
    id="frontend-before-backend",
    severity="error",
    title="The frontend may go live before the backend that it calls, or without it",
    happens="""The backend is deployed by another job, another workflow, a later step, or in fewer cases than the
frontend. Whoever loads the page in between calls functions that are not there; when the backend's deploy fails, that
stays.""",
    fix="""Let the job that publishes `needs` the job that deploys, without an `if` that overrules its failure. Two
workflows do not wait for each other: put both into one, or start the second by `workflow_run` and ask for its
conclusion.""",
    bad="""# .github/workflows/ci.yml
jobs:
  deploy-convex:
    needs: test
    steps:
      - run: bunx convex deploy --yes
  deploy:
    needs: test
    steps:
      - run: bunx wrangler pages deploy dist --project-name=app --branch=main""",
    good="""# .github/workflows/ci.yml
jobs:
  deploy-convex:
    needs: test
    steps:
      - run: bunx convex deploy --yes
  deploy:
    needs: [test, deploy-convex]
    steps:
      - run: bunx wrangler pages deploy dist --project-name=app --branch=main""",
)


@dataclass(frozen=True)
class _Judged:
    order: Order
    deploy: Reached
    scenario: Scenario


def check(repository: Repository) -> Iterator[Finding]:
    """Yield one finding for each job that publishes and does not surely come after a deploy, one for each place."""
    deploys = list(queries.pushes(repository))
    found: dict[tuple[Place, ...], Finding] = {}
    for published in queries.publishes(repository):
        judged = _worst(published, _of(published, deploys))
        if judged is None or judged.order.truth == "yes":
            continue
        one = _finding(published, judged, _asks(published, repository))
        way = tuple(link.at for link in one.chain)
        if way not in found or _weight(one) > _weight(found[way]):
            found[way] = one
    told: set[object] = set()
    for one in found.values():
        if (one.chain[0].at.path, one.job) not in told:
            told.add((one.chain[0].at.path, one.job))
            yield one
    yield from _by_a_host(repository, deploys)


def _weight(one: Finding) -> tuple[bool, bool]:
    """Return a greater value for the one that tells more of two about one step, of a workflow and of its caller."""
    return one.status == "gap", " / " in one.job


def _by_a_host(repository: Repository, deploys: list[Reached]) -> Iterator[Finding]:
    """Yield the question of whether a host publishes by itself, where workflows deploy the backend only."""
    if any(one.host for one in deploys) or any(queries.releases(one) for one in queries.publishes(repository)):
        return
    deploy = next((one for one in deploys if one.kind == "deploy" and queries.releases(one)), None)
    settings = next(queries.host_settings(repository), None)
    if deploy and settings:
        built = ", but publishes nothing of what it builds" if "--cmd" in deploy.argv else ""
        yield RULE.found(
            Place(settings),
            f"{settings} lets a host build the frontend, and {queries.step_of(deploy)} deploys the backend{built}:"
            " does the host publish every push by itself, without waiting?",
            f"publish from this workflow, behind {queries.said(deploy)}, or let the host's build run it",
            status="unclear",
            reached=deploy,
        )


def _worst(published: Reached, deploys: list[Reached]) -> _Judged | None:
    """Return how a publish stands to the deploys in the worst scenario, with the one that it is about."""
    if not deploys:
        return None
    orders = [(order.before(deploys, published, one), one) for one in queries.releases(published)]
    if not orders:
        return None
    worst, scenario = max(orders, key=lambda found: found[0].badness)

    def distance(one: Reached) -> tuple[bool, bool, int]:
        how = order.before([one], published, scenario)
        return how.kind != worst.kind, one.workflow != published.workflow, how.badness

    return _Judged(worst, min(deploys, key=distance), scenario)


def _of(published: Reached, deploys: list[Reached]) -> list[Reached]:
    """Return the deploys to hold a publish against: those of its workflow, else all."""
    if published.tool in ("vercel", "netlify", "deploy hook"):
        hosts = [one for one in deploys if one.host]
        if hosts and published.workflow:
            return [one for one in hosts if one.workflow == published.workflow]
    return deploys


def _asks(published: Reached, repository: Repository) -> str:
    """Return what is left open of whether, and when, a publish shows the app to its users."""
    if asks := queries.asks_what(published, repository):
        return asks
    workflow = published.workflow
    if workflow is None or any(trigger.event != "workflow_dispatch" for trigger in workflow.triggers):
        return ""
    for one in repository.reached:
        if one.tool == "gh workflow run" and workflow.path.rpartition("/")[2] in one.argv and one.workflow:
            return f"is it started by {queries.said(one)} of {one.workflow.path} alone, behind the deploy?"
    return ""


def _finding(published: Reached, judged: _Judged, asks: str) -> Finding:
    said = f"{queries.step_of(published)} publishes the frontend with {queries.said(published)}"
    deploy = f"{queries.said(judged.deploy)} ({_where(published, judged.deploy)})"
    kind, names = judged.order.kind, ", ".join(judged.order.names)
    is_elsewhere = bool(judged.deploy.host) and judged.deploy.workflow is None
    messages = {
        "after": f"{said} before {deploy}",
        "parallel": f"{said} without waiting for {deploy}",
        "despite": f"{said} even when {deploy} has failed",
        "absent": f"{said} on {_when(judged.scenario)}, when {deploy} does not run",
        "sometimes": f"{said} also when {deploy} does not run, by {names}: is the backend then sure to be live?",
    }
    message = messages[kind]
    if is_elsewhere:
        message = f"{said}, and {judged.deploy.host} deploys the backend when it builds: which of them is first?"
    if asks:
        message = f"{message}: {asks}"
    is_unclear = is_elsewhere or kind == "sometimes" or bool(asks)
    return RULE.found(
        queries.place(published),
        message,
        _hint(published, judged),
        status="unclear" if is_unclear else "gap",
        confidence="low" if "low" in (published.confidence, judged.deploy.confidence) else "high",
        reached=published,
    )


def _where(published: Reached, deploy: Reached) -> str:
    where = queries.step_of(deploy)
    if deploy.workflow and deploy.workflow != published.workflow:
        where = f"{deploy.workflow.path}, {where}"
    return where


def _when(scenario: Scenario) -> str:
    ref = (scenario.ref or "").removeprefix("refs/heads/").removeprefix("refs/tags/")
    return f"{scenario.event} of {ref}" if ref else scenario.event


def _hint(published: Reached, judged: _Judged) -> str:
    job = published.job.id if published.job else ""
    deploy = judged.deploy
    if judged.order.kind == "despite":
        return (
            f"let the failure stop it: no `|| true`, `continue-on-error` or `if: always()` between the two in job {job}"
        )
    if deploy.workflow == published.workflow and deploy.job and deploy.job.id != job:
        return (
            f"write `needs: [{deploy.job.id.partition(' / ')[0]}]` in job {job.partition(' / ')[0]}, with no other `if`"
        )
    if deploy.workflow == published.workflow:
        return f"move {queries.said(deploy)} in front of the step that publishes, in the same cases"
    return f"run {queries.said(deploy)} in this workflow, in a job that job {job.partition(' / ')[0]} `needs`"
