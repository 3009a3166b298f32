"""Cloudflare's answers: every result and every refusal in the one envelope of its API."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TypeVar

from aiohttp import web

T = TypeVar("T")


class RefusalError(Exception):
    """An answer other than success: HTTP status, Cloudflare's error code, message."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


@dataclass(frozen=True)
class Listing:
    """One page of a list, with the numbers that Cloudflare tells about the whole."""

    items: list[object]
    page: int
    per_page: int
    total: int

    def info(self) -> dict[str, int]:
        pages = -(-self.total // self.per_page)
        shown = {"page": self.page, "per_page": self.per_page, "count": len(self.items)}
        return {**shown, "total_count": self.total, "total_pages": pages}


def listing(request: web.Request, items: list[object], per_page: int) -> Listing:
    """Return the page of `items` that the query asks for (page, per_page)."""
    try:
        page, size = int(request.query.get("page", 1)), int(request.query.get("per_page", per_page))
    except ValueError as error:
        raise RefusalError(400, 8000024, f"Invalid list options provided: {error}") from error  # the code is a guess
    if page < 1 or size < 1:
        raise RefusalError(400, 8000024, "Invalid list options provided")
    return Listing(items[(page - 1) * size : page * size], page, size, len(items))


def success(result: object) -> web.Response:
    body: dict[str, object] = {"success": True, "errors": [], "messages": [], "result": result}
    if isinstance(result, Listing):
        body |= {"result": result.items, "result_info": result.info()}
    return web.json_response(body)


def failure(error: RefusalError) -> web.Response:
    errors = [{"code": error.code, "message": error.message}]
    return web.json_response({"success": False, "errors": errors, "messages": [], "result": None}, status=error.status)


async def json_body(request: web.Request, kind: type[T]) -> T:
    """Return the JSON that a request carries, which must be of this kind: dict or list."""
    try:
        body = json.loads(await request.read())
    except ValueError as error:
        raise RefusalError(400, 8000001, "The request body is not valid JSON") from error  # the code is a guess
    if not isinstance(body, kind):
        raise RefusalError(400, 8000001, f"The request body must be a {kind.__name__}")  # the code is a guess
    return body
