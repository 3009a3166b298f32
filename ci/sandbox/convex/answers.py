"""How a handler answers: JSON for what it returns, the real backend's error body for what it refuses."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from ci.sandbox.convex.refusal import Refusal

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def answering(handle: Callable[[web.Request], Awaitable[Any]]) -> Handler:
    """Return an aiohttp handler for a function that returns JSON data (or a whole response) or raises Refusal."""

    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            found = await handle(request)
        except Refusal as refusal:
            return web.json_response({"code": refusal.code, "message": refusal.message}, status=refusal.status)
        return found if isinstance(found, web.StreamResponse) else web.json_response(found)

    return answer


async def body(request: web.Request) -> dict[str, Any]:
    """Return the JSON object that a request carries; aiohttp has undone gzip and brotli."""
    try:
        data = await request.json()
    except ValueError as error:
        raise Refusal(400, "BadJsonBody", f"the body is not JSON: {error}") from error
    if not isinstance(data, dict):
        raise Refusal(400, "BadJsonBody", "the body is not a JSON object")
    return data
