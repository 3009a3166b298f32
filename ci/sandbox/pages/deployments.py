"""The calls about deployments: create from an upload, list, read, read the log, delete, roll back to."""

from __future__ import annotations

import json
import re
import time
import uuid

from aiohttp import web

from ci.sandbox.pages import envelope, store, views
from ci.sandbox.pages.cloud import Cloud, Result
from ci.sandbox.pages.envelope import Listing, RefusalError
from ci.sandbox.pages.store import Deployment, Project, Record

PER_PAGE = 25
Form = dict[str, str]


async def list_all(cloud: Cloud, request: web.Request) -> Listing:
    """Return the deployments, newest first; ?env=production or preview for one environment."""
    project = cloud.project(request)
    found = cloud.store.deployments(project, request.query.get("env", ""))
    return envelope.listing(request, [views.deployment(cloud, project, item) for item in found], PER_PAGE)


async def create(cloud: Cloud, request: web.Request) -> Record:
    """Create a deployment from a form: manifest (JSON, path to hash), branch, commit_*, _headers, _redirects, ..."""
    project, form = cloud.project(request), await _form(request)
    manifest = _manifest(cloud, form)
    result = cloud.results.popleft() if cloud.results else Result()
    deployment = _deployment(project, form, manifest, result)
    cloud.store.add_deployment(deployment)
    await cloud.sites.open(project.label, deployment.short_id)
    cloud.store.settle()
    return views.deployment(cloud, project, deployment)


async def read(cloud: Cloud, request: web.Request) -> Record:
    return views.deployment(cloud, *cloud.deployment(request))


async def read_log(cloud: Cloud, request: web.Request) -> Record:
    lines = views.log(cloud.deployment(request)[1])
    return {"total": len(lines), "includes_container_logs": True, "data": lines}


async def delete(cloud: Cloud, request: web.Request) -> None:
    """Delete a deployment; one that a branch's address serves only with ?force=true. The codes are guesses."""
    project, deployment = cloud.deployment(request)
    if project.canonical == deployment.id:
        raise RefusalError(400, 8000034, "The active production deployment cannot be deleted.")
    aliased = deployment.alias and cloud.store.named(project, deployment.alias) == deployment
    if aliased and request.query.get("force") != "true":
        raise RefusalError(400, 8000035, "An aliased deployment cannot be deleted without force.")
    cloud.store.delete_deployment(deployment)
    await cloud.sites.close(project.label, deployment.short_id)


async def roll_back(cloud: Cloud, request: web.Request) -> Record:
    """Make an earlier production deployment the one that the production URL serves. The codes are guesses."""
    project, deployment = cloud.deployment(request)
    if deployment.environment != "production":
        raise RefusalError(400, 8000036, "A preview deployment cannot be rolled back to.")
    if not deployment.live:
        raise RefusalError(400, 8000037, "Only a successful deployment can be rolled back to.")
    if project.canonical == deployment.id:
        raise RefusalError(400, 8000039, "This deployment is the active production deployment already.")
    cloud.store.change_project(project, canonical=deployment.id)
    return views.deployment(cloud, project, deployment)


async def _form(request: web.Request) -> Form:
    """Return the text fields and text files of a form. A bundle of functions is only noted, never run."""
    try:
        fields = await request.post()
    except ValueError as error:
        raise RefusalError(400, 8000001, f"The form cannot be read: {error}") from error  # the code is a guess
    texts: Form = {}
    for name, value in fields.items():
        content = value.file.read() if isinstance(value, web.FileField) else value
        texts[name] = content.decode(errors="replace") if isinstance(content, (bytes, bytearray)) else content
    return texts


def _manifest(cloud: Cloud, form: Form) -> dict[str, str]:
    try:
        manifest = {str(path): str(key) for path, key in json.loads(form["manifest"]).items()}
    except (KeyError, AttributeError, ValueError) as error:
        raise RefusalError(400, 8000096, "The manifest is missing or not a JSON object.") from error  # a guess
    if missing := cloud.blobs.missing(list(manifest.values())):
        # The code is a guess.
        raise RefusalError(400, 8000019, f"The manifest names files that were never uploaded: {missing[:3]}")
    return manifest


def _deployment(project: Project, form: Form, manifest: dict[str, str], result: Result) -> Deployment:
    production_branch = str(project.record["production_branch"])
    branch = form.get("branch") or production_branch
    # The server decides what a branch means, whatever the client believes.
    environment = "production" if branch == production_branch else "preview"
    return Deployment(
        id=str(uuid.uuid4()),
        project=project.number,
        environment=environment,
        alias=_alias(branch) if environment == "preview" else None,
        record=_record(project, form, branch, environment),
        manifest=manifest,
        headers=form.get("_headers", ""),
        redirects=form.get("_redirects", ""),
        ready_at=None if result.stall else time.time() + result.delay_s,
        failure=result.fail,
    )


def _record(project: Project, form: Form, branch: str, environment: str) -> Record:
    created, config = store.timestamp(), project.record["deployment_configs"][environment]
    metadata = {
        "branch": branch,
        "commit_hash": form.get("commit_hash", ""),
        "commit_message": form.get("commit_message", ""),
        "commit_dirty": form.get("commit_dirty") == "true",
    }
    return {
        "created_on": created,
        "modified_on": created,
        "deployment_trigger": {"type": "ad_hoc", "metadata": metadata},
        "production_branch": project.record["production_branch"],
        "build_config": project.record["build_config"],
        "source": project.record["source"],
        "env_vars": config["env_vars"] or {},
        "compatibility_date": config["compatibility_date"],
        "compatibility_flags": config["compatibility_flags"],
        "is_skipped": False,
        "uses_functions": "_worker.bundle" in form or "_worker.js" in form,
    }


def _alias(branch: str) -> str:
    """Return the first part of a branch's address."""
    return re.sub(r"[^a-z0-9]+", "-", branch.lower())[:28].strip("-") or "branch"
