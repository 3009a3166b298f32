"""Faults on request: what a planted fault is, and what it does to the requests that match."""

from __future__ import annotations

import asyncio
import re
import socket
import struct
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from ci.errors import InputError

KINDS = ("status", "delay_s", "hang", "drop", "half")
FOREVER = -1
TYPES = {str: "text", int: "a number", float: "a number", bool: "true or false", dict: "an object"}
# Which fault struck a request; the request log reads it.
STRUCK = web.RequestKey("struck", str)
# Closing with this linger setting sends RST instead of FIN.
RESET = struct.pack("ii", 1, 0)


@dataclass(frozen=True)
class Fault:
    """
    Describe one fault; exactly one of KINDS is set.

    `server` must match the whole name of a server, `match` anywhere in "METHOD /path". It strikes the `nth` matching
    request after it was planted and the `times - 1` that follow. `half` sends half of the real answer, then resets the
    connection. With `after` (as always with `half`) the request takes effect first and only its answer suffers.
    """

    match: str = ""
    server: str = ".*"
    nth: int = 1
    times: int = 1
    status: int = 0
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_s: float = 0.0
    hang: bool = False
    drop: bool = False
    half: bool = False
    after: bool = False

    @property
    def kind(self) -> str:
        return next(kind for kind in KINDS if getattr(self, kind))


def parse(data: Mapping[str, Any]) -> Fault:
    """Return the fault that this JSON describes, or raise InputError saying what is wrong with it."""
    if unknown := sorted(set(data) - {item.name for item in fields(Fault)}):
        raise InputError(f"a fault has no field {', '.join(unknown)}", hint=f"its fields: {_names()}")
    for name, value in data.items():
        _check_type(name, value)
    fault = Fault(**data)
    kinds = [kind for kind in KINDS if getattr(fault, kind)]
    if len(kinds) != 1:
        raise InputError(f"a fault is exactly one of {', '.join(KINDS)}, this is {', '.join(kinds) or 'none'}")
    if fault.nth < 1 or (fault.times < 1 and fault.times != FOREVER):
        raise InputError("nth counts from 1, and times is 1 or more, or -1 for ever")
    try:
        re.compile(fault.server)
        re.compile(fault.match)
    except re.error as error:
        raise InputError(f"not a regular expression: {error.pattern!r}: {error}") from error
    return fault


def _check_type(name: str, value: object) -> None:
    kind = type(getattr(Fault(), name))
    accepted = (int, float) if kind is float else kind
    if not isinstance(value, accepted) or (isinstance(value, bool) and kind is not bool):
        raise InputError(f"{name} must be {TYPES[kind]}, not {value!r}")


def _names() -> str:
    return ", ".join(item.name for item in fields(Fault))


class Faults:
    """The faults planted now, each with the number of requests that it has matched."""

    def __init__(self) -> None:
        self._seen: list[tuple[Fault, list[int]]] = []

    def plant(self, fault: Fault) -> None:
        self._seen.append((fault, [0]))

    def clear(self) -> None:
        self._seen.clear()

    def listing(self) -> list[dict[str, object]]:
        return [{**asdict(fault), "seen": seen[0]} for fault, seen in self._seen]

    def strike(self, server: str, line: str) -> Fault | None:
        """Count this request on every fault that matches it, and return the first fault that strikes it."""
        struck = None
        for fault, seen in self._seen:
            if re.fullmatch(fault.server, server) and re.search(fault.match, line):
                seen[0] += 1
                due = fault.nth <= seen[0] and (fault.times == FOREVER or seen[0] < fault.nth + fault.times)
                struck = struck or (fault if due else None)
        return struck

    def middleware(self, server: str) -> Middleware:
        @web.middleware
        async def suffer(request: web.Request, handler: Handler) -> web.StreamResponse:
            fault = self.strike(server, f"{request.method} {request.path}")
            return await _act(fault, request, handler) if fault else await handler(request)

        return suffer


async def _act(fault: Fault, request: web.Request, handler: Handler) -> web.StreamResponse:
    request[STRUCK] = fault.kind
    answer = await handler(request) if fault.after or fault.half else None
    if fault.kind == "delay_s":
        await asyncio.sleep(fault.delay_s)
        return await handler(request) if answer is None else answer
    if fault.kind == "status":
        return web.Response(status=fault.status, body=fault.body.encode(), headers=fault.headers)
    if fault.kind == "hang":
        await _gone(request)
    if answer is not None and fault.half:
        await _send_half(request, answer)
    _reset(request)
    return web.Response()


async def _gone(request: web.Request) -> None:
    # aiohttp has no event for a client that leaves; when the server stops, it cancels us here.
    while request.transport and not request.transport.is_closing():
        await asyncio.sleep(0.05)


async def _send_half(request: web.Request, answer: web.StreamResponse) -> None:
    body = answer.body if isinstance(answer, web.Response) else None
    content = bytes(body) if isinstance(body, (bytes, bytearray)) else b"  "
    half = web.StreamResponse(status=answer.status, headers=answer.headers)
    half.content_length = max(len(content), 2)
    await half.prepare(request)
    await half.write(content[: half.content_length // 2] or b" ")


def _reset(request: web.Request) -> None:
    if request.transport:
        request.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        request.transport.abort()
