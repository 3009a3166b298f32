"""What functions did and printed, for `convex logs`: kept in memory, the newest alone."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from dataclasses import dataclass
from typing import Any

KEPT = 1_000
POLL_S = 20.0


@dataclass(frozen=True)
class Execution:
    """One run of a function; `started` is a Unix time."""

    identifier: str
    kind: str
    started: float
    lines: list[str]
    error: str | None
    request_id: str


class Logs:
    """The newest executions of one deployment."""

    def __init__(self) -> None:
        self._entries: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self._new = asyncio.Event()

    def add(self, execution: Execution) -> None:
        """Keep one execution, which has just ended."""
        now = time.time()
        # A cursor is a time in whole milliseconds at which everything before has been read: no two entries share one.
        at = max(now, self._entries[-1]["timestamp"] + 0.001) if self._entries else now
        self._entries.append(
            {
                "kind": "Completion",
                "identifier": execution.identifier,
                "udfType": execution.kind[:1].upper() + execution.kind[1:],
                "arguments": [],
                "logLines": execution.lines,
                "timestamp": at,
                "success": None,
                "error": execution.error,
                "cachedResult": False,
                "executionTime": now - execution.started,
                "requestId": execution.request_id,
                "executionId": execution.request_id,
                "caller": "HttpApi",
                "environment": "isolate",
                "identityType": "unknown",
                "parentExecutionId": None,
            }
        )
        self._new.set()

    async def since(self, cursor_ms: float) -> dict[str, Any]:
        """Return the entries after a cursor; when there are none and it is not the first, wait for some."""
        found = self._after(cursor_ms)
        if not found and cursor_ms:
            self._new.clear()
            try:
                await asyncio.wait_for(self._new.wait(), POLL_S)
            except TimeoutError:
                pass
            found = self._after(cursor_ms)
        newest = found[-1]["timestamp"] * 1000 if found else cursor_ms or time.time() * 1000
        return {"entries": found, "newCursor": newest}

    def _after(self, cursor_ms: float) -> list[dict[str, Any]]:
        return [entry for entry in self._entries if entry["timestamp"] * 1000 > cursor_ms]
