"""The system queries that the CLI and release tools read, answered from the store: they need no runtime."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from ci.sandbox.convex import values
from ci.sandbox.convex.components import Mount
from ci.sandbox.convex.deployment import Deployment
from ci.sandbox.convex.keys import Identity
from ci.sandbox.convex.refusal import Refusal, lacking
from ci.sandbox.convex.store import JOBS

PREFIX = "_system/"
Json = dict[str, Any]
Query = Callable[[Deployment, Mount, Json], Any]


def answer(deployment: Deployment, identity: Identity, path: str, args: Json) -> Any:
    """Return the value of a system query. Refusal: the key does not allow its operation, or the sandbox lacks it."""
    full = path if ":" in path else f"{path}:default"
    if full not in QUERIES:
        raise lacking(f"the system function {path}")
    operation, query = QUERIES[full]
    identity.require(operation)
    # Components go by their path here; the real backend gives each an id beside it.
    mount = deployment.mounts.get(args.get("componentId") or "")
    if mount is None:
        raise Refusal(404, "ComponentNotFound", f"there is no component {args['componentId']}")
    return query(deployment, mount, args)


def _spec(deployment: Deployment, _mount: Mount, _args: Json) -> Any:
    return deployment.spec()


def _cloud_url(deployment: Deployment, _mount: Mount, _args: Json) -> Any:
    return deployment.url


def _variables(deployment: Deployment, _mount: Mount, _args: Json) -> Any:
    return [{"name": name, "value": value} for name, value in deployment.variables.items()]


def _variable(deployment: Deployment, _mount: Mount, args: Json) -> Any:
    name = args["name"]
    return {"name": name, "value": deployment.variables[name]} if name in deployment.variables else None


def _schemas(deployment: Deployment, _mount: Mount, _args: Json) -> Any:
    live, pushed = deployment.live, deployment.pushed
    found = {"active": json.dumps(live.schema)} if live.schema else {}
    pending = pushed.schema if pushed.id != live.id and pushed.schema != live.schema else None
    return {**found, "inProgress": json.dumps(pending)} if pending else found


def _tables(deployment: Deployment, mount: Mount, _args: Json) -> Any:
    declared = [table["tableName"] for table in (mount.definition.schema or {"tables": []})["tables"]]
    names = sorted({*declared, *deployment.store.counts(deployment.name.name, mount.path)})
    page = [{"name": name} for name in names if not name.startswith("_")]
    return {"page": page, "isDone": True, "continueCursor": "end"}


def _table_data(deployment: Deployment, mount: Mount, args: Json) -> Any:
    rows = deployment.store.documents(deployment.name.name, mount.path, args["table"])
    if args["order"] == "desc":
        rows.reverse()
    cursor, size = args["paginationOpts"]["cursor"], int(args["paginationOpts"]["numItems"])
    start = int(cursor or 0)
    end = start + size
    return {"page": rows[start:end], "isDone": end >= len(rows), "continueCursor": str(end)}


def _scheduled_jobs(deployment: Deployment, mount: Mount, _args: Json) -> Any:
    jobs = deployment.store.documents(deployment.name.name, mount.path, JOBS)
    pending = [job for job in jobs if job["state"]["kind"] == "pending"]
    page = [{"_id": job["_id"], **_target(job["name"], mount), "nextTs": job["scheduledTime"]} for job in pending]
    return {"page": page, "isDone": True, "continueCursor": "end"}


def _target(name: str, mount: Mount) -> Json:
    """Return which function a job runs; one of another component is named by its handle, "function://path;name"."""
    component, handle, path = name.removeprefix("function://").rpartition(";")
    return {"udfPath": path, "component": component if handle else mount.path}


def _table_size(deployment: Deployment, mount: Mount, args: Json) -> Any:
    return deployment.store.counts(deployment.name.name, mount.path).get(args["tableName"], 0)


def _crons(deployment: Deployment, mount: Mount, _args: Json) -> Any:
    return [
        {
            "_id": cron.name,
            "_creationTime": 0,
            "name": cron.name,
            "cronSpec": {"udfPath": cron.spec["name"], "cronSchedule": cron.spec["schedule"]},
            "lastRun": None,
            "nextRun": {"state": {"type": "pending"}, "nextTs": {"$integer": values.int64(int(cron.due * 1e9))}},
        }
        for cron in deployment.crons.listed()
        if cron.component == mount.path
    ]


def _modules(deployment: Deployment, _mount: Mount, _args: Json) -> Any:
    listed = []
    for path, mount in deployment.mounts.items():
        package = {"sourcePackageId": deployment.live.id}
        modules = [
            [name, {"functions": one["functions"], **package}] for name, one in mount.definition.functions.items()
        ]
        listed.append([path or None, modules])
    return listed


# Names, operations and results: npm-packages/system-udfs of convex-backend; read 2026-11-22.
QUERIES: Mapping[str, tuple[str, Query]] = {
    "_system/cli/modules:apiSpec": ("ViewData", _spec),
    "_system/cli/convexUrl:cloudUrl": ("ViewData", _cloud_url),
    "_system/cli/queryEnvironmentVariables:default": ("ViewEnvironmentVariables", _variables),
    "_system/cli/queryEnvironmentVariables:get": ("ViewEnvironmentVariables", _variable),
    "_system/cli/tables:default": ("ViewData", _tables),
    "_system/cli/tableData:default": ("ViewData", _table_data),
    "_system/cli/tableSize:default": ("ViewData", _table_size),
    "_system/frontend/getSchemas:default": ("ViewData", _schemas),
    "_system/frontend/modules:listForAllComponents": ("ViewData", _modules),
    "_system/frontend/listCronJobs:default": ("ViewData", _crons),
    "_system/frontend/paginatedScheduledJobs:default": ("ViewData", _scheduled_jobs),
}
