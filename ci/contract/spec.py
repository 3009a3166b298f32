"""The function spec of one deployment, or of the code at hand: what can be called, with what, for what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

from ci.contract import validators
from ci.contract.validators import Validator
from ci.errors import InputError

Kind = Literal["query", "mutation", "action"]
Visibility = Literal["public", "internal"]


@dataclass(frozen=True)
class Function:
    """One function, as its module exports it."""

    module: str
    name: str
    kind: Kind
    visibility: Visibility
    args: Validator
    returns: Validator

    @property
    def path(self) -> str:
        """Return what clients call it: "sites/list:listCompanySites", "sites/list:default" for a default export."""
        return f"{self.module}:{self.name}"


@dataclass(frozen=True, order=True)
class HttpRoute:
    """One route of the HTTP router; `path` ends in "*" for a prefix."""

    method: str
    path: str


@dataclass(frozen=True)
class Spec:
    """What one backend offers; `functions` by their path."""

    functions: Mapping[str, Function]
    routes: frozenset[HttpRoute]


def canonical(name: str) -> str:
    """Return the one form of a function's name: "sites/list.js" and "sites/list" are "sites/list:default"."""
    module, _, export = name.partition(":")
    return f"{module.removesuffix('.js')}:{export or 'default'}"


def parse(api_spec: Sequence[Mapping[str, Any]]) -> Spec:
    """
    Read what `_system/cli/modules:apiSpec` answers, or "functions" of what `convex function-spec` prints.

    Args:
        api_spec: {"identifier": "a/b.js:c", "functionType": "Query", "visibility": {"kind": "public"}, "args": {...},
            "returns": {...}} for a function, {"functionType": "HttpAction", "method": "GET", "path": "/hook"} for a
            route. Ask for it in the format "convex_encoded_json": in "json" the literal 1n and the literal "1" are one.

    Raises:
        InputError: it is something else.

    Source: npm-packages/system-udfs/convex/_system/cli/modules.ts of the open-source backend; read 2026-11-22.
    """
    try:
        functions = [_function(item) for item in api_spec if "identifier" in item]
        routes = [HttpRoute(str(item["method"]), str(item["path"])) for item in api_spec if "identifier" not in item]
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        hint = "a function spec is what `convex function-spec` prints"
        raise InputError(f"this is no function spec: {error!r}", hint=hint) from error
    return Spec({function.path: function for function in functions}, frozenset(routes))


def _function(item: Mapping[str, Any]) -> Function:
    module, _, name = canonical(item["identifier"]).partition(":")
    kind, visibility = item["functionType"].lower(), item["visibility"]["kind"]
    if kind not in get_args(Kind) or visibility not in get_args(Visibility):
        raise ValueError(f"{item['identifier']} is {visibility} {kind}")
    args, returns = validators.parse(item.get("args")), validators.parse(item.get("returns"))
    return Function(module, name, cast(Kind, kind), cast(Visibility, visibility), args, returns)


def to_json(spec: Spec) -> list[dict[str, Any]]:
    """Return what `parse` reads, in one order: functions by path, then routes."""
    functions = [
        {
            "identifier": f"{function.module}.js:{function.name}",
            "functionType": function.kind.capitalize(),
            "visibility": {"kind": function.visibility},
            "args": validators.to_json(function.args),
            "returns": validators.to_json(function.returns),
        }
        for _, function in sorted(spec.functions.items())
    ]
    routes = [{"functionType": "HttpAction", "method": item.method, "path": item.path} for item in sorted(spec.routes)]
    return [*functions, *routes]
