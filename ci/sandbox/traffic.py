"""The request log: what was asked of which server, what it answered, how long that took."""

from __future__ import annotations

import json
import time
from collections import deque
from datetime import UTC, datetime
from pathlib import Path

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from ci.sandbox import faults

KEPT = 5_000
FILE_LIMIT_BYTES = 5_000_000
CONTROL = "/__sandbox/"


class Traffic:
    """The newest requests in memory, and a file of them that is turned over at FILE_LIMIT_BYTES."""

    def __init__(self, path: Path) -> None:
        self.entries: deque[dict[str, object]] = deque(maxlen=KEPT)
        self._path = path
        self._file = path.open("a", buffering=1)
        self.open = 0
        self._last = time.monotonic()

    def idle_s(self) -> float:
        """Return the seconds since the last request ended; 0 while one is open."""
        return 0 if self.open else time.monotonic() - self._last

    def close(self) -> None:
        self._file.close()

    def middleware(self, server: str) -> Middleware:
        @web.middleware
        async def record(request: web.Request, handler: Handler) -> web.StreamResponse:
            if request.path.startswith(CONTROL):
                return await handler(request)
            started, status = time.monotonic(), 0
            self.open += 1
            try:
                answer = await handler(request)
                status = answer.status
                return answer
            except web.HTTPException as error:
                status = error.status
                raise
            finally:
                self.open -= 1
                self._last = time.monotonic()
                self._write(server, request, status, self._last - started)

        return record

    def _write(self, server: str, request: web.Request, status: int, duration_s: float) -> None:
        struck = request.get(faults.STRUCK)
        entry = {
            "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "server": server,
            "method": request.method,
            "path": request.path,
            "status": 0 if struck in ("hang", "drop", "half") else status,
            "duration_ms": round(duration_s * 1000, 2),
            "request_bytes": request.content_length or request.content.total_bytes,  # a handler need not have read it
            "user_agent": request.headers.get("User-Agent", ""),
            "authorization": _scheme(request.headers.get("Authorization", "")),
            "fault": struck,
        }
        self.entries.append(entry)
        self._file.write(json.dumps(entry) + "\n")
        if self._file.tell() > FILE_LIMIT_BYTES:
            self._turn_over()

    def _turn_over(self) -> None:
        self._file.close()
        self._path.replace(self._path.with_suffix(".1.jsonl"))
        self._file = self._path.open("a", buffering=1)


def _scheme(authorization: str) -> str:
    """Return the scheme alone: what follows it is a secret, and so is all of it where there is no scheme."""
    scheme, space, _ = authorization.partition(" ")
    return scheme if space else ""
