"""The provision host: what a deploy key opens; and the control plane of this half, for tests and for releases."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import web

from ci.errors import InputError
from ci.sandbox.convex import keys
from ci.sandbox.convex.answers import answering, body
from ci.sandbox.convex.deployment import Deployment
from ci.sandbox.convex.refusal import Refusal
from ci.sandbox.convex.store import Name, Store

Json = dict[str, Any]
Add = Callable[[Name], Awaitable[Json]]


def add(app: web.Application, store: Store, deployments: Mapping[str, Deployment], add_deployment: Add) -> None:
    """Add the routes to the shared application. `add_deployment` opens one more deployment and tells where it is."""
    host = _Host(store, deployments, add_deployment)
    routes = app.router
    routes.add_post("/api/deployment/url_for_key", answering(host.url_for_key))
    routes.add_post("/api/deployment/team_and_project_for_key", answering(host.team_and_project_for_key))
    routes.add_get("/v1/version", answering(host.version))
    routes.add_post("/__sandbox/convex/deployments", answering(host.create))
    routes.add_post("/__sandbox/convex/keys", answering(host.create_key))
    routes.add_post("/__sandbox/convex/behind", answering(host.stay_behind))
    routes.add_get("/__sandbox/convex/code", answering(host.code))
    routes.add_get("/__sandbox/convex/unset", answering(host.unset))
    routes.add_post("/__sandbox/convex/packages", answering(host.set_packages))


class _Host:
    def __init__(self, store: Store, deployments: Mapping[str, Deployment], add_deployment: Add) -> None:
        self._store = store
        self._deployments = deployments
        self._add = add_deployment

    async def version(self, _request: web.Request) -> Json:
        return {"message": None, "guidelinesHash": None, "agentSkillsSha": None, "disableSkillsCli": True}

    async def url_for_key(self, request: web.Request) -> web.Response:
        return web.json_response((await self._opened(request)).url)

    async def team_and_project_for_key(self, request: web.Request) -> Json:
        name = (await self._opened(request)).name
        reference = "production" if name.kind == "prod" else None
        ids = {"teamId": 1, "projectId": 1}
        return {"team": name.team, "project": name.project, **ids, "reference": reference, "isDefault": True}

    async def create(self, request: web.Request) -> Json:
        asked = await body(request)
        kind, _, name = str(asked.get("deployment", "")).partition(":")
        if not kind or not name:
            raise InputError("deployment is not of the form type:name", hint='for example "prod:graceful-shrimp-355"')
        return await self._add(Name(name, kind, str(asked.get("team", "team")), str(asked.get("project", "project"))))

    async def create_key(self, request: web.Request) -> Json:
        asked = await body(request)
        operations = [str(operation) for operation in asked.get("operations", [])]
        if unknown := sorted(set(operations) - set(keys.OPERATIONS)):
            known = ", ".join(keys.OPERATIONS)
            raise InputError(f"no operation is called {', '.join(unknown)}", hint=f"there are {known}")
        name = self._deployment(asked.get("deployment")).name
        key = keys.create(self._store, name, operations)
        return {"deploy_key": key}

    async def stay_behind(self, request: web.Request) -> Json:
        asked = await body(request)
        self._deployment(asked.get("deployment")).behind_s = float(asked.get("seconds", 1))
        return {}

    async def code(self, request: web.Request) -> Json | None:
        deployment = self._deployment(request.query.get("deployment"))
        code = deployment.pushed
        if not code.id:
            return {"lacks": deployment.lacks} if deployment.lacks else None
        modules = [
            {"path": module["path"], "hash": module["sha256"], "environment": module["environment"]}
            for module in code.modules
        ]
        read = {"functions": code.spec(), "schema": code.schema, "components": code.components_digest()}
        return {"modules": modules, **read, "pushed_at": code.pushed_at}

    async def unset(self, request: web.Request) -> Json:
        return {"unset": self._deployment(request.query.get("deployment")).unset}

    async def set_packages(self, request: web.Request) -> Json:
        asked = await body(request)
        self._deployment(asked.get("deployment")).set_packages(str(asked.get("folder", "")))
        return {}

    async def _opened(self, request: web.Request) -> Deployment:
        found = self._store.key(str((await body(request)).get("deployKey")))
        if found is None or found[0] not in self._deployments:
            # The wording of the real provision host for a key that it does not know; recorded in 2026.
            raise Refusal(401, "AuthenticationFailed", "Invalid Convex deploy key")
        return self._deployments[found[0]]

    def _deployment(self, name: object) -> Deployment:
        found = self._deployments.get(str(name).rpartition(":")[2])
        if found is None:
            known = ", ".join(deployment.name.qualified for deployment in self._deployments.values())
            raise InputError(f"there is no deployment {name}", hint=f"there are {known}")
        return found
