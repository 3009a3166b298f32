"""The control plane, on the provision port alone: faults, the request log, health, shutdown."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

from ci.errors import InputError
from ci.sandbox import faults
from ci.sandbox.faults import Faults
from ci.sandbox.traffic import CONTROL, Traffic


def add(
    app: web.Application, planted: Faults, traffic: Traffic, *, health: Mapping[str, object], stop: asyncio.Event
) -> None:
    """Add the routes of the control plane. `health` is what GET /__sandbox/health answers; `stop` ends the server."""

    async def plant(request: web.Request) -> web.Response:
        planted.plant(faults.parse(await json_object(request)))
        return web.json_response(planted.listing())

    async def list_faults(_request: web.Request) -> web.Response:
        return web.json_response(planted.listing())

    async def clear_faults(_request: web.Request) -> web.Response:
        planted.clear()
        return web.json_response([])

    async def list_requests(_request: web.Request) -> web.Response:
        return web.json_response(list(traffic.entries))

    async def clear_requests(_request: web.Request) -> web.Response:
        traffic.entries.clear()
        return web.json_response([])

    async def tell_health(_request: web.Request) -> web.Response:
        return web.json_response({**health, "open_requests": traffic.open, "idle_s": round(traffic.idle_s(), 1)})

    async def shutdown(_request: web.Request) -> web.Response:
        stop.set()
        return web.json_response({"stopping": True})

    app.middlewares.append(_guard)
    app.router.add_post("/__sandbox/faults", plant)
    app.router.add_get("/__sandbox/faults", list_faults)
    app.router.add_delete("/__sandbox/faults", clear_faults)
    app.router.add_get("/__sandbox/requests", list_requests)
    app.router.add_delete("/__sandbox/requests", clear_requests)
    app.router.add_get("/__sandbox/health", tell_health)
    app.router.add_post("/__sandbox/shutdown", shutdown)


async def json_object(request: web.Request) -> dict[str, Any]:
    """Return the JSON object that a control request carries, or raise InputError."""
    try:
        body = json.loads(await request.read())
    except ValueError as error:
        raise InputError(f"the body of {request.method} {request.path} is not JSON: {error}") from error
    if not isinstance(body, dict):
        raise InputError(f"the body of {request.method} {request.path} is not a JSON object")
    return body


@web.middleware
async def _guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Keep web pages out of the control plane, and turn an InputError into a 400."""
    if not request.path.startswith(CONTROL):
        return await handler(request)
    # A page in a browser could otherwise stop the sandbox, or take keys from it through a name that resolves to us.
    if "Origin" in request.headers or request.url.host not in ("127.0.0.1", "localhost"):
        return web.json_response({"error": "the control plane does not answer web pages"}, status=403)
    try:
        return await handler(request)
    except InputError as error:
        return web.json_response({"error": error.message, "hint": error.hint}, status=400)
