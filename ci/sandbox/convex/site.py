"""The site of one deployment: its HTTP actions."""

from __future__ import annotations

import base64
import secrets
import time
from typing import Any

from aiohttp import web
from multidict import CIMultiDict

from ci.sandbox.convex import identities
from ci.sandbox.convex.answers import answering
from ci.sandbox.convex.deployment import Deployment
from ci.sandbox.convex.keys import ANYBODY, Identity
from ci.sandbox.convex.logs import Execution
from ci.sandbox.convex.refusal import Refusal

# Those that a router takes; HEAD is a GET to it.
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
# They tell of the way from the runtime to us, not of the answer.
DROPPED = ("content-length", "content-encoding", "transfer-encoding", "connection")


def add(app: web.Application, deployment: Deployment) -> None:
    """Add the routes of the deployment's HTTP actions to its site."""
    site = _Site(deployment)
    for method in METHODS:
        app.router.add_route(method, "/{path:.*}", answering(site.answer))


class _Site:
    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment

    async def answer(self, request: web.Request) -> web.Response:
        identity, started = await self._identity(request), time.time()
        found = await self._deployment.ask(
            "http",
            kind="action",
            method=request.method,
            url=self._deployment.site_url + request.raw_path,
            headers=[[name, value] for name, value in request.headers.items()],
            body=base64.b64encode(await request.read()).decode(),
            identity=identity.acting,
        )
        if "answer" not in found:
            return _response(found["response"])
        request_id, answer = secrets.token_hex(8), found["answer"]
        error = answer["error"]["message"] if "error" in answer else None
        identifier = f"{request.method} {request.path}"
        self._deployment.logs.add(Execution(identifier, "httpAction", started, answer["logLines"], error, request_id))
        return _response(found["response"]) if error is None else self._failed(answer["error"], request_id)

    async def _identity(self, request: web.Request) -> Identity:
        """The header may hold something that is the app's own affair: what is no token of a provider is nobody."""
        try:
            return await identities.of_header(self._deployment, request.headers.get("Authorization"))
        except Refusal:
            return ANYBODY

    def _failed(self, error: dict[str, Any], request_id: str) -> web.Response:
        """Say that a handler threw; production does not say what."""
        said = {"code": f"[Request ID: {request_id}] Server Error"}
        if self._deployment.name.kind != "prod":
            said = {"code": f"{said['code']}: {error['message'].splitlines()[0]}", "trace": error["message"]}
        data = {"data": error["data"]} if "data" in error else {}
        return web.json_response({**said, **data}, status=500)


def _response(packed: dict[str, Any]) -> web.Response:
    headers = CIMultiDict((name, value) for name, value in packed["headers"] if name.lower() not in DROPPED)
    return web.Response(status=packed["status"], headers=headers, body=base64.b64decode(packed["body"]))
