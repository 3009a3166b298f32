"""What package.json files ask for and a bun.lock does not hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ci import lockfile
from ci.audit import jsonc, workspaces
from ci.audit.jsonc import Node
from ci.audit.model import Repository

_GROUPS = ("overrides", "resolutions", "patchedDependencies", "catalog", "catalogs")


def differences(repository: Repository, path: str) -> tuple[str, ...]:
    """Return one line for each difference between a bun.lock and the packages that it is for; none if it is broken."""
    folder = path.rpartition("/")[0]
    root = next((one for one in repository.packages if one.folder == folder), None)
    try:
        lock = lockfile.load(repository.texts[path])
    except (KeyError, ValueError):
        return ()
    if root is None:
        return ()
    family = workspaces.members(root, repository.packages)
    found = {one.folder.removeprefix(folder).strip("/"): _manifest(repository, one.path) for one in family}
    return tuple(lockfile.differences(lock, found))


def _manifest(repository: Repository, path: str) -> Mapping[str, Any]:
    """Return what matters of a package.json, in the shapes that it should have."""
    try:
        node = jsonc.load(repository.texts.get(path, "{}"), path)
    except jsonc.Broken:
        return {}
    groups = {group: _ranges(node[group]) for group in lockfile.DEPENDENCIES}
    kept = {group: _plain(node[group]) for group in _GROUPS if node[group].members}
    return {
        "name": node["name"].string,
        "workspaces": {group: _plain(one) for group, one in node["workspaces"].members.items()},
        **groups,
        **kept,
    }


def _ranges(node: Node) -> dict[str, str]:
    return {name: text.value for name, text in node.named.items()}


def _plain(node: Node) -> Any:
    if node.members:
        return {key: _plain(one) for key, one in node.members.items()}
    return [_plain(one) for one in node.items] if node.items else node.value
