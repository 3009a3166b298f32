"""A push: analyze the code, check stored documents against its schema, make it live, say what changed."""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from dataclasses import replace
from datetime import UTC, datetime
from operator import itemgetter
from typing import Any

from ci.sandbox.convex import components, crons
from ci.sandbox.convex.code import Code, Definition
from ci.sandbox.convex.components import Mount
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
    """Say what the pushed schemas would do to tables and indexes."""
    code = await _pushed(deployment, body)
    predicted = {mount.path: _prediction(deployment, mount) for mount in components.mounts(code).values()}
    new = sorted(code.components.keys() - deployment.live.components.keys())
    return {"componentSchemaEvaluations": predicted, "newComponentDefinitions": new}


def _prediction(deployment: Deployment, mount: Mount) -> Json:
    schema = mount.definition.schema or {"tables": [], "schemaValidation": False}
    counts = deployment.store.counts(deployment.name.name, mount.path)
    diff = index_diff(_live_schema(deployment, mount.path), schema)

    def predicted(index: Json, change: str) -> Json:
        count = counts.get(index["name"].split(".")[0], 0)
        return {**index, "change": change, "needsBackfill": change == "added", "numDocs": count}

    return {
        "definitionPath": mount.definition_path,
        "schemaValidation": schema["schemaValidation"],
        "tables": [
            {
                "name": table["tableName"],
                "outcome": "mustWalk" if schema["schemaValidation"] else "notValidated",
                "numDocs": counts.get(table["tableName"], 0),
                "sizeBytes": 0,
            }
            for table in schema["tables"]
        ],
        "indexes": [predicted(index, "added") for index in diff["added_indexes"]]
        + [predicted(index, "dropped") for index in diff["removed_indexes"]],
        "discardedStagedValidators": [],
    }


async def evaluate(deployment: Deployment, body: Json) -> Json:
    """Analyze a push without keeping it."""
    return {"schemaChange": _schema_change(deployment, await _pushed(deployment, body))}


async def start(deployment: Deployment, body: Json) -> Json:
    """Analyze a push and keep it as the one that may be finished. A dry run is kept too, as the real one does."""
    code = await _pushed(deployment, body)
    deployment.keep_pushed(code)
    return {
        "environmentVariables": deployment.variables,
        "externalDepsId": None,
        "componentDefinitionPackages": {},
        "appAuth": code.auth,
        "analysis": {path: _analysis(definition) for path, definition in sorted(code.definitions().items())},
        "app": components.checked(code),
        "schemaChange": _schema_change(deployment, code),
    }


def _analysis(definition: Definition) -> Json:
    seed = {"importPhaseRngSeed": {"$bytes": ""}, "importPhaseUnixTimestamp": {"$integer": "AAAAAAAAAAA="}}
    return {
        "definition": definition.definition,
        "schema": definition.schema,
        "functions": definition.functions,
        "udfConfig": {"serverVersion": definition.server_version, **seed},
    }


async def wait_for_schema(deployment: Deployment, body: Json) -> Json:
    """Say whether the stored documents agree with the schema of this push. There are no indexes to wait for."""
    code = deployment.pushed
    if body["schemaChange"]["schemaIds"].get("") != code.id:
        return {"type": "raceDetected"}
    misfit = await _misfit(deployment, code)
    return {"type": "failed", **misfit} if misfit else {"type": "complete"}


async def finish(deployment: Deployment, body: Json) -> Json:
    """Make the push live, and return what that changed."""
    if body["dryRun"]:
        return {"authDiff": {"added": [], "removed": []}, "definitionDiffs": {}, "componentDiffs": {}}
    code, before = deployment.pushed, deployment.live
    if body["startPush"]["environmentVariables"] != deployment.variables:
        raise _pushing(Refusal(400, "RaceDetected", "Environment variables have changed during push"))
    if body["startPush"]["schemaChange"]["schemaIds"].get("") != code.id:
        raise _pushing(Refusal(400, "RaceDetected", "Schema was overwritten by another push."))
    if misfit := await _misfit(deployment, code):
        raise _pushing(Refusal(400, "SchemaValidationFailed", misfit["error"]))
    await deployment.deploy(code)
    return _diff(before, code)


async def _misfit(deployment: Deployment, code: Code) -> Any:
    mounts = [{"path": path, "definition": one.definition_path} for path, one in components.mounts(code).items()]
    return await deployment.ask("misfit", code=code.request(), mounts=mounts)


def _diff(before: Code, after: Code) -> Json:
    had, has = (sorted(json.dumps(provider) for provider in code.auth) for code in (before, after))
    added = [provider for provider in has if provider not in had]
    removed = [provider for provider in had if provider not in has]
    new = {path: mount.definition for path, mount in components.mounts(after).items()}
    old = {path: mount.definition for path, mount in components.mounts(before).items()} if before.id else {}
    return {
        "authDiff": {"added": added, "removed": removed},
        "definitionDiffs": {},
        "componentDiffs": {path: _component_diff(old.get(path), new.get(path)) for path in sorted({*old, *new})},
    }


def _component_diff(before: Definition | None, after: Definition | None) -> Json:
    """Say what changed in one component: None is one that was not, or is no longer, mounted."""
    kind = "create" if before is None else "unmount" if after is None else "modify"
    before, after = before or Definition(), after or Definition()
    old, new = ({module["path"] for module in definition.modules} for definition in (before, after))
    versions = {"previous_version": before.server_version or "", "next_version": after.server_version or ""}
    schemas = {"previous_schema": _text(before.schema), "next_schema": _text(after.schema)}
    return {
        "diffType": {"type": kind},
        "moduleDiff": {"added": sorted(new - old), "removed": sorted(old - new)},
        "udfConfigDiff": versions if before.server_version != after.server_version else None,
        "cronDiff": _cron_diff(before, after),
        "indexDiff": index_diff(before.schema, after.schema),
        "schemaDiff": schemas if before.schema != after.schema else None,
    }


def _cron_diff(before: Definition, after: Definition) -> Json:
    old, new = ({cron["identifier"]: cron["spec"] for cron in one.crons()} for one in (before, after))
    updated = [name for name in old.keys() & new.keys() if old[name] != new[name]]
    deleted = sorted(old.keys() - new.keys())
    return {"added": sorted(new.keys() - old.keys()), "updated": sorted(updated), "deleted": deleted}


def _text(schema: Json | None) -> str | None:
    return json.dumps(schema) if schema else None


def _schema_change(deployment: Deployment, code: Code) -> Json:
    mounted = components.mounts(code).items()
    diffs = {path: index_diff(_live_schema(deployment, path), mount.definition.schema) for path, mount in mounted}
    return {"allocatedComponentIds": {}, "schemaIds": {"": code.id}, "indexDiffs": diffs}


def _live_schema(deployment: Deployment, component: str) -> Json | None:
    mount = deployment.mounts.get(component)
    return mount.definition.schema if mount else None


async def _pushed(deployment: Deployment, body: Json) -> Code:
    """Return the code of a push with what it declares, all of which is sound."""
    app = body["appDefinition"]
    for package in body.get("nodeDependencies") or []:
        if not deployment.store.packages(deployment.name.name):
            raise lacking(f"external packages of a folder it was not told: the push wants {package['name']}")
    code = Code(
        id=secrets.token_hex(8),
        modules=_modules(deployment.live, app),
        components={one["definitionPath"]: _definition(one) for one in body.get("componentDefinitions") or []},
        pushed_at=datetime.now(UTC).isoformat(timespec="milliseconds"),
        **_sent(app),
    )
    found = await _analyze(deployment, code)
    declared = {path: replace(one, **found["definitions"][path]) for path, one in code.components.items()}
    whole = replace(code, components=declared, auth=found["auth"], **found["definitions"][""])
    crons.declared(components.mounts(whole).values(), now=time.time())
    return whole


def _definition(component: Json) -> Definition:
    modules = sorted(component["functions"], key=itemgetter("path"))
    return Definition(modules=[{**module, "sha256": _sha256(module)} for module in modules], **_sent(component))


def _sent(definition: Json) -> Json:
    return {
        "schema_module": definition["schema"],
        "definition_module": definition["definition"],
        "dependencies": definition["dependencies"],
        "server_version": definition["udfServerVersion"],
    }


async def _analyze(deployment: Deployment, code: Code) -> Json:
    deployment.unset = []
    try:
        found: Json = await deployment.ask("analyze", code=code.request(), variables=deployment.environment())
    except Stopped as stopped:
        if stopped.limit_s is None:
            raise
        message = "Loading the pushed modules encountered the following\n    error:\nthe modules took too long to load"
        raise _pushing(Refusal(400, "InvalidModules", message)) from stopped
    except Refusal as refusal:
        deployment.unset = await deployment.ask("unset", code=code.request())
        raise (refusal if refusal.status == 501 else _pushing(refusal)) from refusal
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
