"""Cron jobs: when each is due, and the clock that runs them. When they are due outlives a kill."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from ci.sandbox.convex.components import Mount
from ci.sandbox.convex.logs import Execution, Logs
from ci.sandbox.convex.refusal import Refusal
from ci.sandbox.convex.store import Store

Json = dict[str, Any]
UNITS_S = {"seconds": 1, "minutes": 60, "hours": 3600}


@dataclass(frozen=True)
class Cron:
    """One cron job of a component: `spec` as convex/server exports it, and when it is `due`, a Unix time."""

    component: str
    name: str
    spec: Json
    due: float


def declared(mounts: Iterable[Mount], *, now: float) -> list[Cron]:
    """Return the cron jobs of a push, each due for the first time. Refusal: a schedule that is none."""
    return [
        _new(mount.path, cron["identifier"], cron["spec"], now) for mount in mounts for cron in mount.definition.crons()
    ]


def _new(component: str, name: str, spec: Json, now: float) -> Cron:
    from cronsim import CronSimError

    if spec["schedule"]["type"] == "interval":
        return Cron(component, name, spec, now)  # its first run is at once
    try:
        return Cron(component, name, spec, due_after(spec["schedule"], now))
    except CronSimError as error:
        raise Refusal(400, "InvalidCron", f"cron job {name!r} has no valid schedule: {error}") from error


def due_after(schedule: Json, now: float) -> float:
    """Return the next time of a schedule, as it is exported by convex/server: times of day are UTC."""
    # Imported here: most apps have no cron jobs.
    from cronsim import CronSim

    if schedule["type"] == "interval":
        return now + float(sum(schedule.get(unit, 0) * seconds for unit, seconds in UNITS_S.items()))
    return float(next(CronSim(_expression(schedule), datetime.fromtimestamp(now, UTC))).timestamp())


def _expression(schedule: Json) -> str:
    minute, hour = schedule.get("minuteUTC") or 0, schedule.get("hourUTC")
    match schedule["type"]:
        case "hourly":
            return f"{minute} * * * *"
        case "daily":
            return f"{minute} {hour} * * *"
        case "weekly":
            return f"{minute} {hour} * * {schedule['dayOfWeek'][:3].upper()}"
        case "monthly":
            return f"{minute} {hour} {schedule['day']} * *"
    return str(schedule["cron"])


class Crons:
    """The cron jobs of one deployment, each with its timer."""

    def __init__(self, deployment: str, store: Store, logs: Logs, ask: Callable[..., Awaitable[Any]]) -> None:
        self._deployment = deployment
        self._store = store
        self._logs = logs
        self._ask = ask
        self._timers: dict[tuple[str, str], asyncio.TimerHandle] = {}
        self._running: set[asyncio.Task[None]] = set()

    def open(self) -> None:
        """Set the timers of the jobs that the store has."""
        for cron in self.listed():
            self._arm(cron)

    def close(self) -> None:
        for timer in self._timers.values():
            timer.cancel()
        for task in self._running:
            task.cancel()

    def listed(self) -> list[Cron]:
        """Return all jobs, with the times when they are due."""
        return [Cron(*row) for row in self._store.crons(self._deployment)]

    def replace(self, crons: list[Cron]) -> None:
        """Make these the jobs; one that stays as it was keeps its time."""
        known = {(cron.component, cron.name, str(cron.spec)): cron.due for cron in self.listed()}
        kept = [replace(cron, due=known.get((cron.component, cron.name, str(cron.spec)), cron.due)) for cron in crons]
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        self._store.set_crons(self._deployment, [(cron.component, cron.name, cron.spec, cron.due) for cron in kept])
        self.open()

    def _arm(self, cron: Cron) -> None:
        delay_s = max(0.0, cron.due - time.time())
        key = (cron.component, cron.name)
        self._timers[key] = asyncio.get_running_loop().call_later(delay_s, self._begin, cron)

    def _begin(self, cron: Cron) -> None:
        task = asyncio.create_task(self._run(cron))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _run(self, cron: Cron) -> None:
        """Run a job once, and set the time of its next run: no two runs of one job overlap."""
        started = time.time()
        try:
            path, args = cron.spec["name"], cron.spec["args"][0]
            done = await self._ask("cron", component=cron.component, path=path, args=args)
        except Refusal as refusal:
            print(f"{self._deployment}: cron job {cron.name!r}: {refusal.message}", file=sys.stderr)
        else:
            answer = done["answer"]
            error = answer["error"]["message"] if "error" in answer else None
            self._logs.add(Execution(done["path"], done["kind"], started, answer["logLines"], error, cron.name))
        if cron in self.listed():
            again = replace(cron, due=due_after(cron.spec["schedule"], time.time()))
            self._store.set_due(self._deployment, cron.component, cron.name, again.due)
            self._arm(again)
