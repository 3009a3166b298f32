"""The HTTP API of one deployment."""

from __future__ import annotations

import base64
import struct
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from ci.sandbox.convex import functions, identities, keys, push, sync, values
from ci.sandbox.convex.answers import answering, body
from ci.sandbox.convex.deployment import Deployment
from ci.sandbox.convex.functions import Call, Outcome
from ci.sandbox.convex.keys import Identity
from ci.sandbox.convex.refusal import Refusal, lacking

Json = dict[str, Any]


def add(app: web.Application, deployment: Deployment) -> None:
    """Add the API of this deployment to its application."""
    service = _Service(deployment)
    routes = app.router
    routes.add_get("/version", service.version)
    routes.add_get("/instance_name", service.instance_name)
    for kind in ("query", "mutation", "action"):
        routes.add_post(f"/api/{kind}", answering(service.function(kind)))
    routes.add_post("/api/function", answering(service.function(None)))
    # Consistent queries of the HTTP client: the newest data is consistent with itself, and never older than asked for.
    routes.add_post("/api/query_ts", answering(service.query_ts))
    routes.add_post("/api/query_at_ts", answering(service.function("query")))
    routes.add_get("/api/{version}/sync", service.sync)
    routes.add_get("/api/check_admin_key", answering(service.check_admin_key))
    routes.add_get("/api/v1/get_canonical_urls", answering(service.canonical_urls))
    routes.add_get("/api/stream_function_logs", answering(service.stream_function_logs))
    for prefix in ("/api", "/api/v1"):
        routes.add_post(f"{prefix}/update_environment_variables", answering(service.update_variables))
        routes.add_get(f"{prefix}/list_environment_variables", answering(service.list_variables))
    routes.add_post("/api/get_config_hashes", answering(service.pushing(_hashes)))
    for name, work in PUSH.items():
        routes.add_post(f"/api/deploy2/{name}", answering(service.pushing(work)))
    for name in ("prepare_schema", "push_config"):
        routes.add_post(f"/api/{name}", answering(service.pushing(_old_push)))
    routes.add_route("OPTIONS", "/{path:.*}", service.preflight)
    app.on_response_prepare.append(_allow_any_origin)


async def _hashes(deployment: Deployment, _body: Json) -> Any:
    return push.hashes(deployment)


async def _reported(_deployment: Deployment, _body: Json) -> Any:
    return None


async def _old_push(_deployment: Deployment, _body: Json) -> Any:
    raise lacking("the pushes of CLIs before 1.27")


PUSH: dict[str, Callable[[Deployment, Json], Awaitable[Any]]] = {
    "evaluate_schema": push.evaluate_schema,
    "evaluate_push": push.evaluate,
    "start_push": push.start,
    "wait_for_schema": push.wait_for_schema,
    "finish_push": push.finish,
    "report_push_completed": _reported,
}


class _Service:
    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment

    async def version(self, _request: web.Request) -> web.Response:
        return web.Response(text="unknown")

    async def instance_name(self, _request: web.Request) -> web.Response:
        return web.Response(text=self._deployment.name.name)

    async def preflight(self, _request: web.Request) -> web.Response:
        return web.Response(status=204)

    async def sync(self, request: web.Request) -> web.StreamResponse:
        return await sync.serve(self._deployment, request)

    def function(self, kind: str | None) -> Callable[[web.Request], Awaitable[Json]]:
        """Return the handler that runs functions of this kind, or of any."""

        async def run(request: web.Request) -> Json:
            identity, asked = await self._identity(request), await body(request)
            args = asked.get("args") or {}
            args = (args or [{}])[0] if isinstance(args, list) else args
            call = Call(str(asked.get("path")), args, kind, identity, component=asked.get("componentPath") or "")
            outcome = await functions.run(self._deployment, call)
            answer = _told(outcome)
            return answer if asked.get("format") == "convex_encoded_json" else dict(values.clean(answer))

        return run

    def pushing(self, work: Callable[[Deployment, Json], Awaitable[Any]]) -> Callable[[web.Request], Awaitable[Any]]:
        """Return the handler of a step of a push: its key travels in the body."""

        async def step(request: web.Request) -> Any:
            asked = await body(request)
            self._admin(str(asked.get("adminKey"))).require("Deploy")
            try:
                return await work(self._deployment, asked)
            except Refusal as refusal:
                if refusal.status == 501:
                    self._deployment.refuse_pushed(refusal.message)
                raise
            except KeyError as error:
                raise Refusal(400, "BadJsonBody", f"the body lacks {error}") from error

        return step

    async def query_ts(self, _request: web.Request) -> Json:
        return {"ts": base64.b64encode(struct.pack("<Q", self._deployment.ts)).decode()}

    async def check_admin_key(self, request: web.Request) -> Json:
        identity = await self._admin_identity(request)
        return {"success": True, "allowedOps": list(identity.operations), "isReadOnly": False}

    async def canonical_urls(self, request: web.Request) -> Json:
        await self._admin_identity(request)
        return {"convexCloudUrl": self._deployment.url, "convexSiteUrl": self._deployment.site_url}

    async def stream_function_logs(self, request: web.Request) -> Json:
        (await self._admin_identity(request)).require("ViewLogs")
        return await self._deployment.logs.since(float(request.query.get("cursor", 0)))

    async def update_variables(self, request: web.Request) -> web.Response:
        (await self._admin_identity(request)).require("WriteEnvironmentVariables")
        changes = (await body(request))["changes"]
        await self._deployment.set_variables({change["name"]: change.get("value") for change in changes})
        return web.Response()

    async def list_variables(self, request: web.Request) -> Json:
        (await self._admin_identity(request)).require("ViewEnvironmentVariables")
        return {"environmentVariables": self._deployment.variables}

    async def _identity(self, request: web.Request) -> Identity:
        return await identities.of_header(self._deployment, request.headers.get("Authorization"))

    def _admin(self, key: str) -> Identity:
        return keys.admin(self._deployment.store, self._deployment.name.name, key)

    async def _admin_identity(self, request: web.Request) -> Identity:
        found = await self._identity(request)
        return found if found.admin else self._admin("")


def _told(outcome: Outcome) -> Json:
    if outcome.error is None:
        return {"status": "success", "value": outcome.value, "logLines": outcome.log_lines}
    data = {"errorData": outcome.data[0]} if outcome.data else {}
    return {"status": "error", "errorMessage": outcome.error, **data, "logLines": outcome.log_lines}


async def _allow_any_origin(request: web.Request, response: web.StreamResponse) -> None:
    response.headers["Access-Control-Allow-Origin"] = request.headers.get("Origin", "*")
    response.headers["Access-Control-Allow-Headers"] = request.headers.get("Access-Control-Request-Headers", "*")
    response.headers["Access-Control-Allow-Methods"] = "GET, POST, OPTIONS"
    response.headers["Access-Control-Max-Age"] = "86400"
