"""The code of a deployment: the modules that were pushed, and what they declare."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Code:
    """
    One push.

    What was sent: `modules`, `schema_module` and `definition_module` (convex.config.js), each {"path", "source",
    "sourceMap"?, "environment", "sha256"?}. What it declares: `functions`, module path -> the CLI's analyzedModule;
    `schema`, exported; `definition`, the CLI's componentDefinitionMetadata; `auth`, the providers.
    """

    id: str = ""
    modules: list[dict[str, Any]] = field(default_factory=list)
    schema_module: dict[str, Any] | None = None
    definition_module: dict[str, Any] | None = None
    functions: dict[str, Any] = field(default_factory=dict)
    schema: dict[str, Any] | None = None
    definition: dict[str, Any] = field(default_factory=dict)
    auth: list[dict[str, Any]] = field(default_factory=list)
    server_version: str | None = None
    pushed_at: str = ""

    def request(self) -> dict[str, Any]:
        """Return what the runtime needs to load it."""
        others = {"schemaModule": self.schema_module, "definitionModule": self.definition_module}
        return {"id": self.id, "modules": self.modules, **others}

    def spec(self) -> list[dict[str, Any]]:
        """Return the function spec: what `_system/cli/modules:apiSpec` answers."""
        spec: list[dict[str, Any]] = []
        for path, module in self.functions.items():
            spec += [_entry(path, function) for function in module["functions"]]
            spec += [{"functionType": "HttpAction", **route["route"]} for route in module["httpRoutes"] or []]
        return spec


def _entry(path: str, function: dict[str, Any]) -> dict[str, Any]:
    return {
        "identifier": f"{path}:{function['name']}",
        "functionType": function["udfType"],
        "visibility": function["visibility"],
        # A function without a validator for what it returns has "null" here, as JSON text.
        "args": json.loads(function["args"]),
        "returns": json.loads(function["returns"]),
    }
