"""Projects and deployments as the API shows them."""

from __future__ import annotations

from ci.sandbox.pages import store
from ci.sandbox.pages.cloud import Cloud
from ci.sandbox.pages.store import Deployment, Project, Record

STAGES = ("queued", "initialize", "clone_repo", "build", "deploy")


def project(cloud: Cloud, shown: Project) -> Record:
    """Return a project with its latest deployment, and its canonical one: that which the production URL serves."""
    latest, canonical = (cloud.store.deployment(identifier) for identifier in (shown.latest, shown.canonical))
    return {
        **shown.record,
        "latest_deployment": latest and deployment(cloud, shown, latest),
        "canonical_deployment": canonical and deployment(cloud, shown, canonical),
    }


def deployment(cloud: Cloud, owner: Project, shown: Deployment) -> Record:
    """Return a deployment as it stands now."""
    stages = _stages(shown)
    reached = [stage for stage in stages if stage["status"] != "idle"]
    alias = shown.alias and cloud.sites.named_url(owner.label, shown.alias)
    return {
        **shown.record,
        "id": shown.id,
        "short_id": shown.short_id,
        "project_id": owner.record["id"],
        "project_name": owner.name,
        "environment": shown.environment,
        "url": cloud.sites.url(owner.label, shown.short_id),
        "aliases": [alias] if alias else None,
        "stages": stages,
        "latest_stage": reached[-1],
    }


def log(shown: Deployment) -> list[Record]:
    """Return the lines of a deployment's log; wrangler shows the last one when it failed."""
    lines = ["Validating asset output directory", "Deploying your site to the sandbox"]
    if shown.record["uses_functions"]:
        lines.append("The sandbox does not run functions or _worker.js: it serves the static files alone")
    if shown.done:
        lines.append(f"Error: {shown.failure}" if shown.failure else "Success: Your site was deployed!")
    return [{"ts": shown.record["created_on"], "line": line} for line in lines]


def _stages(shown: Deployment) -> list[Record]:
    """Return the five stages. A delayed deployment is held up in its build, a stalled one in its last stage."""
    started = shown.record["created_on"]
    if shown.done:
        ended = store.timestamp(shown.ready_at)
        last = "failure" if shown.failure else "success"
        return [_stage(name, "success", started, ended) for name in STAGES[:-1]] + [
            _stage("deploy", last, started, ended)
        ]
    at = STAGES.index("deploy" if shown.ready_at is None else "build")
    past = [_stage(name, "success", started, started) for name in STAGES[:at]]
    return [*past, _stage(STAGES[at], "active", started), *(_stage(name, "idle") for name in STAGES[at + 1 :])]


def _stage(name: str, status: str, started: str | None = None, ended: str | None = None) -> Record:
    return {"name": name, "status": status, "started_on": started, "ended_on": ended}
