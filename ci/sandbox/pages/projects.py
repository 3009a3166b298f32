"""The calls about projects, and about the token in use and the accounts that it opens."""

from __future__ import annotations

import re
import secrets
import time
import uuid
from typing import Any

from aiohttp import web

from ci.sandbox.pages import envelope, store, views
from ci.sandbox.pages.cloud import Cloud
from ci.sandbox.pages.envelope import Listing, RefusalError
from ci.sandbox.pages.store import Project, Record

PER_PAGE = 10
NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,56}[a-z0-9])?")
# What PATCH may change. `source` is here the way for a test to model a project that git deploys too.
CHANGEABLE = ("production_branch", "build_config", "source", "deployment_configs")


async def list_all(cloud: Cloud, request: web.Request) -> Listing:
    found = cloud.store.projects(cloud.account(request))
    return envelope.listing(request, [views.project(cloud, item) for item in found], PER_PAGE)


async def create(cloud: Cloud, request: web.Request) -> Record:
    """Create a project from {"name", "production_branch", "deployment_configs"?}."""
    account, body = cloud.account(request), await envelope.json_body(request, dict)
    name = str(body.get("name", ""))
    if not NAME.fullmatch(name):
        raise RefusalError(400, 8000094, f"The project name {name!r} is not valid.")  # the code is a guess
    if cloud.store.project(account, name):
        message = "A project with this name already exists. Choose a different project name."
        raise RefusalError(409, 8000002, message)
    return views.project(cloud, await add(cloud, account, name, body))


async def add(cloud: Cloud, account: str, name: str, settings: Record) -> Project:
    """Add a project to an account, and open its production site."""
    # Addresses are the whole world's: a name that another account has gets a suffix.
    label = f"{name}-{secrets.token_hex(2)}" if cloud.store.project_at(name) else name
    project = cloud.store.add_project(account, name, label, _record(name, label, settings))
    await cloud.sites.open(label)
    return project


async def read(cloud: Cloud, request: web.Request) -> Record:
    return views.project(cloud, cloud.project(request))


async def change(cloud: Cloud, request: web.Request) -> Record:
    project, body = cloud.project(request), await envelope.json_body(request, dict)
    changed = {name: body[name] for name in CHANGEABLE if name in body}
    configs = _configs(changed.get("deployment_configs"), project.record["deployment_configs"])
    cloud.store.change_project(project, record={**project.record, **changed, "deployment_configs": configs})
    return views.project(cloud, cloud.project(request))


async def delete(cloud: Cloud, request: web.Request) -> None:
    project = cloud.project(request)
    cloud.store.delete_project(project)
    await cloud.sites.close(project.label)


async def upload_token(cloud: Cloud, request: web.Request) -> Record:
    project = cloud.project(request)
    return {"jwt": cloud.access.jwt(project.account, project.name)}


async def verify_token(cloud: Cloud, request: web.Request) -> Record:
    return {"id": cloud.access.caller(request).id, "status": "active"}


async def user(cloud: Cloud, request: web.Request) -> Record:
    return {"id": cloud.access.caller(request).id, "email": "sandbox@example.invalid"}


async def accounts(cloud: Cloud, request: web.Request) -> Listing:
    found: list[object] = [_account(item) for item in cloud.access.caller(request).accounts]
    return envelope.listing(request, found, 20)


async def account(cloud: Cloud, request: web.Request) -> Record:
    return _account(cloud.account(request))


async def memberships(cloud: Cloud, request: web.Request) -> Listing:
    found = cloud.access.caller(request).accounts
    return envelope.listing(
        request, [{"id": item, "status": "accepted", "account": _account(item)} for item in found], 20
    )


def _account(identifier: str) -> Record:
    return {"id": identifier, "name": f"Sandbox {identifier[:6]}", "type": "standard"}


def _record(name: str, label: str, settings: Record) -> Record:
    return {
        "id": str(uuid.uuid4()),
        "name": name,
        "subdomain": f"{label}.pages.dev",
        "domains": [f"{label}.pages.dev"],
        "source": settings.get("source"),
        "build_config": {"build_command": None, "destination_dir": None, "root_dir": None},
        "production_branch": settings.get("production_branch") or "main",
        "deployment_configs": _configs(settings.get("deployment_configs"), {}),
        "created_on": store.timestamp(),
        "uses_functions": False,
        "framework": "",
        "framework_version": "",
        "production_script_name": f"pages-worker--{name}-production",
        "preview_script_name": f"pages-worker--{name}-preview",
    }


def _configs(given: Any, before: Record) -> Record:
    """Return the settings of both environments: wrangler reads both, whatever it was given."""
    today = time.strftime("%Y-%m-%d", time.gmtime())
    fresh: Record = {"env_vars": None, "compatibility_date": today, "compatibility_flags": [], "fail_open": True}
    changed = given if isinstance(given, dict) else {}
    return {name: {**fresh, **before.get(name, {}), **(changed.get(name) or {})} for name in ("preview", "production")}
