"""Running functions by name: who may run which, and what comes back, in the real backend's words."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field
from typing import Any

from ci.sandbox.convex import system
from ci.sandbox.convex.code import Definition
from ci.sandbox.convex.deployment import Deployment
from ci.sandbox.convex.keys import Identity
from ci.sandbox.convex.logs import Execution
from ci.sandbox.convex.refusal import Refusal
from ci.sandbox.convex.runtime import Stopped
from ci.sandbox.convex.store import Request

INTERNAL = {"query": "RunInternalQueries", "mutation": "RunInternalMutations", "action": "RunInternalActions"}


@dataclass(frozen=True)
class Call:
    """What is to be run. `kind` None: whatever the function is. `component`: where; "" is the app."""

    path: str
    args: dict[str, Any]
    kind: str | None
    identity: Identity
    component: str = ""
    journal: str | None = None
    request: Request | None = None


@dataclass(frozen=True)
class Outcome:
    """What a function returned or threw; values in Convex's encoded JSON. `data` is a ConvexError's, in a 1-tuple."""

    value: Any = None
    error: str | None = None
    data: tuple[Any, ...] = ()
    log_lines: list[str] = field(default_factory=list)
    journal: str | None = None


class _Mistake(Exception):
    """The call cannot be made; its text becomes the error that the function would have thrown."""


async def run(deployment: Deployment, call: Call) -> Outcome:
    """Run a function. Refusal: the key does not allow it, or the sandbox lacks it; all else is an Outcome."""
    request_id = secrets.token_hex(8)
    try:
        if call.path.startswith(system.PREFIX):
            return Outcome(_system(deployment, call))
        path, kind = _resolve(deployment, call)
    except _Mistake as mistake:
        return Outcome(error=f"[Request ID: {request_id}] Server Error\n{mistake}")
    started = time.time()
    answer = await _ask(deployment, call, path, kind)
    error = answer.get("error")
    identifier = path.removesuffix(":default")
    message = error["message"] if error else None
    deployment.logs.add(Execution(identifier, kind, started, answer["logLines"], message, request_id))
    return _outcome(answer, request_id, hidden=deployment.name.kind == "prod" and not call.identity.admin)


def _outcome(answer: dict[str, Any], request_id: str, *, hidden: bool) -> Outcome:
    """`hidden`: production tells strangers nothing of what was thrown or printed, but for a ConvexError's data."""
    lines = [] if hidden else answer["logLines"]
    journal = answer.get("journal")
    error = answer.get("error")
    if not error:
        return Outcome(answer["value"], log_lines=lines, journal=journal)
    text = f"[Request ID: {request_id}] Server Error" + ("" if hidden else f"\n{error['message']}")
    data = (error["data"],) if "data" in error else ()
    return Outcome(error=text, data=data, log_lines=lines, journal=journal)


async def _ask(deployment: Deployment, call: Call, path: str, kind: str) -> dict[str, Any]:
    try:
        answer: dict[str, Any] = await deployment.ask(
            "call",
            request=call.request,
            component=call.component,
            path=path,
            kind=kind,
            args=call.args,
            journal=call.journal,
            identity=call.identity.acting,
        )
    except Stopped as stopped:
        if stopped.limit_s is None:
            raise
        limit = f"Function execution timed out (maximum duration: {stopped.limit_s:g}s)"
        return {"error": {"message": limit}, "logLines": []}
    return answer


def _system(deployment: Deployment, call: Call) -> Any:
    if not call.identity.admin:
        raise _Mistake(f"Could not find public function for '{call.path}'.")
    try:
        return system.answer(deployment, call.identity, call.path, {"componentId": call.component, **call.args})
    except Refusal as refusal:
        if refusal.status == 501:
            raise
        # The real one checks the operation inside of the function, which throws.
        raise _Mistake(f"Uncaught Error: {refusal.code}: {refusal.message}") from refusal
    except KeyError as error:
        raise _Mistake(f"ArgumentValidationError: Object is missing the required field `{error.args[0]}`.") from error


def _component(deployment: Deployment, call: Call) -> Definition:
    """Return what is mounted where the function is; only the holder of a key sees into components."""
    found = deployment.mounts.get(call.component)
    if found is None or (call.component and not call.identity.admin):
        raise _Mistake(f"Could not find component '{call.component}'.")
    return found.definition


def _resolve(deployment: Deployment, call: Call) -> tuple[str, str]:
    """Return the function's path and kind, if this caller may know and run it."""
    module, _, name = call.path.partition(":")
    module, name = module.removesuffix(".js"), name or "default"
    shown = module if name == "default" else f"{module}:{name}"
    found = _component(deployment, call).function(module, name)
    internal = found is not None and found["visibility"]["kind"] != "public"
    if found is None or (internal and not call.identity.admin):
        if call.kind is None:
            raise _Mistake(f"Could not find function for '{shown}'. Did you forget to run `npx convex dev`?")
        raise _Mistake(f"Could not find public function for '{shown}'.")
    kind = str(found["udfType"]).lower()
    if internal:
        call.identity.require(INTERNAL[kind])
    if call.kind not in (None, kind):
        wanted = str(call.kind).capitalize()
        raise _Mistake(f"Trying to execute {module}.js:{name} as {wanted}, but it is defined as {kind.capitalize()}.")
    if call.identity.admin and call.identity.acting:
        call.identity.require("ActAsUser")
    return f"{module}:{name}", kind
