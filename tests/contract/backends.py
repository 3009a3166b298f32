"""Backends for tests, in few words."""

from __future__ import annotations

from typing import Any

from ci.contract import spec
from ci.contract.plan import Half


def half(*functions: str, schema: dict[str, Any] | None = None, **args: Any) -> Half:
    """Return a backend of "a/b:c" (a public query) or "kind visibility a/b:c"; `args` belong to all of them."""
    return Half(spec.parse([entry(*one.split(), args=args) for one in functions]), schema)


def entry(*words: str, args: dict[str, Any]) -> dict[str, Any]:
    kind, visibility, path = words if len(words) == 3 else ("query", "public", words[0])
    module, _, name = path.partition(":")
    return {
        "identifier": f"{module}.js:{name}",
        "functionType": kind.capitalize(),
        "visibility": {"kind": visibility},
        "args": {"type": "object", "value": args},
        "returns": {"type": "any"},
    }


def table(name: str, **indexes: list[str]) -> dict[str, Any]:
    found = [{"indexDescriptor": index, "fields": fields} for index, fields in indexes.items()]
    return {"tableName": name, "indexes": found, "searchIndexes": [], "documentType": None}
