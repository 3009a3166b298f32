"""What a test may set in the Pages half: results of coming deployments, more tokens, protected sites."""

from __future__ import annotations

from functools import partial

from aiohttp import web

from ci.errors import InputError
from ci.sandbox import control
from ci.sandbox.pages.cloud import Cloud, Result


def add(provision: web.Application, cloud: Cloud) -> None:
    """Add the routes to the control plane."""
    provision.router.add_post("/__sandbox/pages/results", partial(_plan_results, cloud))
    provision.router.add_post("/__sandbox/pages/tokens", partial(_grant_token, cloud))
    provision.router.add_post("/__sandbox/pages/access", partial(_protect, cloud))


async def _plan_results(cloud: Cloud, request: web.Request) -> web.Response:
    """{"fail": message} or {"stall": true} or {"delay_s": seconds}, and "times", for the deployments to come."""
    body = await control.json_object(request)
    times = body.pop("times", 1)
    try:
        cloud.results.extend([Result(**body)] * times)
    except TypeError as error:
        raise InputError(f"not the result of a deployment: {error}", hint="its fields: fail, stall, delay_s") from error
    return web.json_response({"planned": len(cloud.results)})


async def _grant_token(cloud: Cloud, request: web.Request) -> web.Response:
    """{"accounts": [32 hex digits, ...], "permission": "read" or "edit"} -> {"token"}."""
    body = await control.json_object(request)
    accounts, permission = body.get("accounts", [cloud.access.account]), body.get("permission", "edit")
    if permission not in ("read", "edit") or not isinstance(accounts, list):
        raise InputError("a token has a list of accounts and the permission read or edit")
    return web.json_response({"token": cloud.access.grant(tuple(accounts), permission)})


async def _protect(cloud: Cloud, request: web.Request) -> web.Response:
    """{"project": name, "headers": {name: value, ...}}: visitors must send these; {} lets everybody in again."""
    body = await control.json_object(request)
    project = cloud.store.project(cloud.access.account, str(body.get("project")))
    if project is None or not isinstance(body.get("headers"), dict):
        raise InputError("a project of the sandbox's account and its headers are needed")
    cloud.store.change_project(project, access=body["headers"])
    return web.json_response({"project": project.name, "headers": sorted(body["headers"])})
