"""A push: analyze the code, check stored documents against its schema, make it live, say what changed."""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import replace
from datetime import UTC, datetime
from operator import itemgetter
from typing import Any

from ci.sandbox.convex.code import Code
from ci.sandbox.convex.deployment import Deployment
from ci.sandbox.convex.refusal import Refusal, lacking
from ci.sandbox.convex.runtime import Stopped
from ci.sandbox.convex.schema import index_diff

Json = dict[str, Any]


def hashes(deployment: Deployment) -> Json:
    """
    Return what is deployed, by hash.

    Source: get_config_hashes of crates/local_backend/src/deploy_config.rs, read 2026-11-22. All runtime modules are
        there, `_deps/...` and auth.config.js among them; schema.js and convex.config.js are not.
    """
    code = deployment.live
    config: Json = {"functions": "convex/"}
    if code.auth and all(module["path"] != "auth.config.js" for module in code.modules):
        config["authInfo"] = code.auth
    return {
        "config": config,
        "moduleHashes": [
            {"path": module["path"], "hash": module["sha256"], "environment": module["environment"]}
            for module in code.modules
        ],
        "udfServerVersion": code.server_version,
        "nodeVersion": None,
    }


async def evaluate_schema(deployment: Deployment, body: Json) -> Json:
    """Say what the pushed schema would do to tables and indexes."""
    schema_module = body["appDefinition"]["schema"]
    schema = (await _analyze(deployment, Code(id=secrets.token_hex(8), schema_module=schema_module)))["schema"]
    counts = deployment.store.counts(deployment.name.name)
    diff = index_diff(deployment.live.schema, schema)

    def predicted(index: Json, change: str) -> Json:
        count = counts.get(index["name"].split(".")[0], 0)
        return {**index, "change": change, "needsBackfill": change == "added", "numDocs": count}

    evaluation = {
        "definitionPath": "",
        "schemaValidation": bool(schema and schema["schemaValidation"]),
        "tables": [
            {
                "name": table["tableName"],
                "outcome": "mustWalk" if schema["schemaValidation"] else "notValidated",
                "numDocs": counts.get(table["tableName"], 0),
                "sizeBytes": 0,
            }
            for table in (schema["tables"] if schema else [])
        ],
        "indexes": [predicted(index, "added") for index in diff["added_indexes"]]
        + [predicted(index, "dropped") for index in diff["removed_indexes"]],
        "discardedStagedValidators": [],
    }
    return {"componentSchemaEvaluations": {"": evaluation}, "newComponentDefinitions": []}


async def evaluate(deployment: Deployment, body: Json) -> Json:
    """Analyze a push without keeping it."""
    return {"schemaChange": _schema_change(deployment, await _pushed(deployment, body))}


async def start(deployment: Deployment, body: Json) -> Json:
    """Analyze a push and keep it as the one that may be finished. A dry run is kept too, as the real one does."""
    code = await _pushed(deployment, body)
    deployment.keep_pushed(code)
    seed = {"importPhaseRngSeed": {"$bytes": ""}, "importPhaseUnixTimestamp": {"$integer": "AAAAAAAAAAA="}}
    routes = (code.functions.get("http.js") or {"httpRoutes": None})["httpRoutes"]
    return {
        "environmentVariables": deployment.variables,
        "externalDepsId": None,
        "componentDefinitionPackages": {},
        "appAuth": code.auth,
        "analysis": {
            "": {
                "definition": code.definition,
                "schema": code.schema,
                "functions": code.functions,
                "udfConfig": {"serverVersion": code.server_version, **seed},
            }
        },
        "app": {
            "definitionPath": "",
            "componentPath": "",
            "args": {},
            "childComponents": {},
            "httpRoutes": {"httpModuleRoutes": routes and [route["route"] for route in routes], "mounts": []},
            "exports": _exports(code),
        },
        "schemaChange": _schema_change(deployment, code),
    }


async def wait_for_schema(deployment: Deployment, body: Json) -> Json:
    """Say whether the stored documents agree with the schema of this push. There are no indexes to wait for."""
    code = deployment.pushed
    if body["schemaChange"]["schemaIds"].get("") != code.id:
        return {"type": "raceDetected"}
    misfit = await deployment.ask("misfit", code=code.request())
    return {"type": "failed", "componentPath": "", **misfit} if misfit else {"type": "complete"}


async def finish(deployment: Deployment, body: Json) -> Json:
    """Make the push live, and return what that changed."""
    if body["dryRun"]:
        return {"authDiff": {"added": [], "removed": []}, "definitionDiffs": {}, "componentDiffs": {}}
    code, before = deployment.pushed, deployment.live
    if body["startPush"]["environmentVariables"] != deployment.variables:
        raise _pushing(Refusal(400, "RaceDetected", "Environment variables have changed during push"))
    if body["startPush"]["schemaChange"]["schemaIds"].get("") != code.id:
        raise _pushing(Refusal(400, "RaceDetected", "Schema was overwritten by another push."))
    if misfit := await deployment.ask("misfit", code=code.request()):
        raise _pushing(Refusal(400, "SchemaValidationFailed", misfit["error"]))
    await deployment.deploy(code)
    return _diff(before, code)


def _diff(before: Code, after: Code) -> Json:
    old, new = ({module["path"] for module in code.modules} for code in (before, after))
    had, has = (sorted(json.dumps(provider) for provider in code.auth) for code in (before, after))
    versions = {"previous_version": before.server_version or "", "next_version": after.server_version}
    schemas = {"previous_schema": _text(before.schema), "next_schema": _text(after.schema)}
    component = {
        "diffType": {"type": "modify" if before.id else "create"},
        "moduleDiff": {"added": sorted(new - old), "removed": sorted(old - new)},
        "udfConfigDiff": versions if before.server_version != after.server_version else None,
        "cronDiff": {"added": [], "updated": [], "deleted": []},
        "indexDiff": index_diff(before.schema, after.schema),
        "schemaDiff": schemas if before.schema != after.schema else None,
    }
    added = [provider for provider in has if provider not in had]
    removed = [provider for provider in had if provider not in has]
    auth = {"added": added, "removed": removed}
    return {"authDiff": auth, "definitionDiffs": {}, "componentDiffs": {"": component}}


def _text(schema: Json | None) -> str | None:
    return json.dumps(schema) if schema else None


def _schema_change(deployment: Deployment, code: Code) -> Json:
    diff = index_diff(deployment.live.schema, code.schema)
    return {"allocatedComponentIds": {}, "schemaIds": {"": code.id}, "indexDiffs": {"": diff}}


def _exports(code: Code) -> Json:
    """Return the tree of public functions: folders and modules are branches."""
    root: Json = {}
    for path, module in code.functions.items():
        for function in module["functions"]:
            if function["visibility"]["kind"] == "public":
                children = root
                for part in path.removesuffix(".js").split("/"):
                    children = children.setdefault(part, {"type": "branch", "children": {}})["children"]
                target = {"component": "", "udfPath": f"{path}:{function['name']}"}
                children[function["name"]] = {"type": "leaf", "resource": {"type": "function", "path": target}}
    return root


async def _pushed(deployment: Deployment, body: Json) -> Code:
    """Return the code of a push with what it declares."""
    app = body["appDefinition"]
    for component in body.get("componentDefinitions") or []:
        raise lacking(f"components: the push contains {component['definitionPath']}")
    for package in body.get("nodeDependencies") or []:
        raise lacking(f"external packages: the push wants {package['name']}")
    code = Code(
        id=secrets.token_hex(8),
        modules=_modules(deployment.live, app),
        schema_module=app["schema"],
        definition_module=app["definition"],
        server_version=app["udfServerVersion"],
        pushed_at=datetime.now(UTC).isoformat(timespec="milliseconds"),
    )
    found = await _analyze(deployment, code)
    return replace(code, **found)


async def _analyze(deployment: Deployment, code: Code) -> Json:
    try:
        found: Json = await deployment.ask("analyze", code=code.request(), variables=deployment.environment())
    except Stopped as stopped:
        if stopped.limit_s is None:
            raise
        message = "Loading the pushed modules encountered the following\n    error:\nthe modules took too long to load"
        raise _pushing(Refusal(400, "InvalidModules", message)) from stopped
    except Refusal as refusal:
        raise _pushing(refusal) from refusal
    return found


def _pushing(refusal: Refusal) -> Refusal:
    return Refusal(refusal.status, refusal.code, f"Hit an error while pushing:\n{refusal.message}")


def _modules(live: Code, app: Json) -> list[Json]:
    """
    Return all modules of a push: those that it carries, and those that it only names since they are here already.

    Older CLIs, 1.30 among them, carry them all, as `functions`.
    """
    known = {module["path"]: module for module in live.modules}
    everything = app["changedModules"] if "changedModules" in app else app["functions"]
    carried = [{**module, "sha256": _sha256(module)} for module in everything]
    named = [_named(known.get(item["path"]), item) for item in app.get("unchangedModuleHashes", [])]
    return sorted([*carried, *named], key=itemgetter("path"))


def _named(module: Json | None, item: Json) -> Json:
    if module is None:
        raise Refusal(409, "MissingExistingModule", "Could not find existing unchanged module.")
    if module["sha256"] != item["sha256"]:
        raise Refusal(409, "ExistingModuleHashConflict", "Existing module hash does not match.")
    if module["environment"] != item["environment"]:
        raise Refusal(409, "ExistingModuleEnvConflict", "Existing module environment does not match.")
    return module


def _sha256(module: Json) -> str:
    return hashlib.sha256((module["source"] + (module.get("sourceMap") or "")).encode()).hexdigest()
