"""Scheduled functions: the clock that runs them when due. The pending ones are documents, and so outlive a kill."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

from ci.sandbox.convex.logs import Execution, Logs
from ci.sandbox.convex.refusal import Refusal
from ci.sandbox.convex.runtime import Stopped
from ci.sandbox.convex.store import JOBS, Store


class Jobs:
    """The pending scheduled functions of one deployment, each with its timer."""

    def __init__(self, deployment: str, store: Store, logs: Logs, ask: Callable[..., Awaitable[Any]]) -> None:
        self._deployment = deployment
        self._store = store
        self._logs = logs
        self._ask = ask
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._running: dict[str, asyncio.Task[None]] = {}

    def open(self) -> None:
        """Set the timers of the functions that are pending in the store."""
        self.fail_interrupted()
        self.see(self._stored())

    def close(self) -> None:
        for timer in self._timers.values():
            timer.cancel()
        for task in self._running.values():
            task.cancel()

    def see(self, changes: list[dict[str, Any]]) -> None:
        """Set or stop timers after a transaction: `changes` are rows of the store."""
        for change in changes:
            if change["table"] == JOBS:
                self._arm(change["id"], change["document"])

    def fail_interrupted(self) -> None:
        """Mark failed what was being run when the runtime ended: an action runs at most once. No runtime may live."""
        self._fail([row for row in self._stored() if row["document"]["state"]["kind"] == "inProgress"])

    def _stored(self) -> list[dict[str, Any]]:
        return self._store.rows(self._deployment, JOBS)

    def _fail(self, rows: list[dict[str, Any]]) -> None:
        if rows:
            failed = {"state": {"kind": "failed"}, "completedTime": time.time() * 1000}
            changes = [{**row, "document": {**row["document"], **failed}} for row in rows]
            self._store.commit(self._deployment, changes, self._store.counters(self._deployment), None)

    def _arm(self, id_: str, job: dict[str, Any] | None) -> None:
        if timer := self._timers.pop(id_, None):
            timer.cancel()
        if job and job["state"]["kind"] == "pending":
            delay_s = max(0.0, job["scheduledTime"] / 1000 - time.time())
            self._timers[id_] = asyncio.get_running_loop().call_later(delay_s, self._due, id_)

    def _due(self, id_: str) -> None:
        del self._timers[id_]
        task = self._running[id_] = asyncio.create_task(self._run(id_))
        task.add_done_callback(lambda _task: self._running.pop(id_))

    async def _run(self, id_: str) -> None:
        started = time.time()
        try:
            done = await self._ask("job", id=id_)
        except Stopped as stopped:
            self._again(id_, stopped)
            return
        except Refusal as refusal:
            print(f"{self._deployment}: scheduled function {id_}: {refusal.message}", file=sys.stderr)
            return
        if done:
            answer = done["answer"]
            error = answer["error"]["message"] if "error" in answer else None
            self._logs.add(Execution(done["path"], done["kind"], started, answer["logLines"], error, id_))

    def _again(self, id_: str, stopped: Stopped) -> None:
        """The runtime ended under it: what is still pending did nothing and is run again, unless it is to blame."""
        left = [row for row in self._stored() if row["id"] == id_ and row["document"]["state"]["kind"] == "pending"]
        if stopped.limit_s:
            self._fail(left)
        else:
            self.see(left)
