"""What two exported schemas differ in, as the CLI prints it."""

from __future__ import annotations

from typing import Any

Index = dict[str, Any]


def index_diff(before: dict[str, Any] | None, after: dict[str, Any] | None) -> dict[str, list[Index]]:
    """Return the indexes that are added and removed; one that is changed is both."""
    old, new = _indexes(before), _indexes(after)
    return {
        "added_indexes": [index for name, index in new.items() if old.get(name) != index],
        "removed_indexes": [index for name, index in old.items() if new.get(name) != index],
        "enabled_indexes": [],
        "disabled_indexes": [],
    }


def _indexes(schema: dict[str, Any] | None) -> dict[str, Index]:
    found: dict[str, Index] = {}
    for table in schema["tables"] if schema else []:
        for key, kind in (
            ("indexes", "database"),
            ("stagedDbIndexes", "database"),
            ("searchIndexes", "search"),
            ("vectorIndexes", "vector"),
        ):
            for index in table.get(key) or []:
                name = f"{table['tableName']}.{index['indexDescriptor']}"
                rest = {field: value for field, value in index.items() if field != "indexDescriptor"}
                found[name] = {"name": name, "type": kind, **rest, "staged": key.startswith("staged")}
    return found
