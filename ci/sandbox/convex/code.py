"""The code of a deployment: the modules that were pushed, and what they declare."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class Definition:
    """
    What was pushed of the app, or of one component: its modules, and what they declare.

    What was sent: `modules`, `schema_module` and `definition_module` (convex.config.js), each {"path", "source",
    "sourceMap"?, "environment", "sha256"?}; `dependencies`, the paths of the definitions that it uses. What it
    declares: `functions`, module path -> the CLI's analyzedModule; `schema`, exported; `definition`, the CLI's
    componentDefinitionMetadata.
    """

    modules: list[Json] = field(default_factory=list)
    schema_module: Json | None = None
    definition_module: Json | None = None
    dependencies: list[str] = field(default_factory=list)
    functions: Json = field(default_factory=dict)
    schema: Json | None = None
    definition: Json = field(default_factory=dict)
    server_version: str | None = None

    def sources(self) -> Json:
        """Return what the runtime needs to load it."""
        others = {"schemaModule": self.schema_module, "definitionModule": self.definition_module}
        return {"modules": self.modules, "dependencies": self.dependencies, **others}

    def crons(self) -> list[Json]:
        """Return its cron jobs: [{"identifier", "spec": {"name", "args", "schedule"}}], "name" being the function."""
        return (self.functions.get("crons.js") or {"cronSpecs": None})["cronSpecs"] or []

    def routes(self) -> list[Json] | None:
        """Return its HTTP routes, None without http.js: [{"path", "method"}]."""
        found = (self.functions.get("http.js") or {"httpRoutes": None})["httpRoutes"]
        return None if found is None else [route["route"] for route in found]

    def function(self, module: str, name: str) -> Json | None:
        """Return a function as the CLI's analyzedFunction, if there is such a one."""
        declared = self.functions.get(f"{module}.js", {"functions": []})["functions"]
        return next((function for function in declared if function["name"] == name), None)


@dataclass(frozen=True)
class Code(Definition):
    """One push: the app itself, `components` by the paths of their definitions, and `auth`, the providers."""

    id: str = ""
    components: dict[str, Definition] = field(default_factory=dict)
    auth: list[Json] = field(default_factory=list)
    pushed_at: str = ""

    def definitions(self) -> dict[str, Definition]:
        """Return the definitions by path; the app's own is ""."""
        return {"": self, **self.components}

    def components_digest(self) -> str:
        """Return a hash of all code of components and of how they are mounted, "" if there are none."""
        sources = [self.definition_module, *(one.sources() for one in self.components.values())]
        text = json.dumps([sources, sorted(self.components)], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest() if self.components else ""

    def request(self) -> Json:
        """Return what the runtime needs to load it."""
        return {"id": self.id, "definitions": {path: one.sources() for path, one in self.definitions().items()}}

    def spec(self) -> list[Json]:
        """Return the function spec, which has the app's own functions alone: what `modules:apiSpec` answers."""
        spec: list[Json] = []
        for path, module in self.functions.items():
            spec += [_entry(path, function) for function in module["functions"]]
            spec += [{"functionType": "HttpAction", **route["route"]} for route in module["httpRoutes"] or []]
        return spec


def parse(text: str) -> Code:
    """Return the code that was kept as JSON."""
    data = json.loads(text)
    components = {path: Definition(**one) for path, one in data.pop("components", {}).items()}
    return Code(**data, components=components)


def _entry(path: str, function: Json) -> Json:
    return {
        "identifier": f"{path}:{function['name']}",
        "functionType": function["udfType"],
        "visibility": function["visibility"],
        # A function without a validator for what it returns has "null" here, as JSON text.
        "args": json.loads(function["args"]),
        "returns": json.loads(function["returns"]),
    }
