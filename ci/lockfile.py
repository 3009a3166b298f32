"""bun.lock -> what it says, and where that is not what every package.json says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

DEPENDENCIES = ("dependencies", "devDependencies", "optionalDependencies", "peerDependencies")
_ROOT_KEYS = ("overrides", "patchedDependencies", "catalog", "catalogs")


def load(text: str) -> dict[str, Any]:
    """
    Return what a bun.lock says, which is JSON with trailing commas.

    Raises:
        ValueError: it is broken.
    """
    import pyjson5

    try:
        found = pyjson5.decode(text)
    except pyjson5.Json5Exception as error:
        raise ValueError(str(error)) from error
    if not isinstance(found, dict) or not all(
        _is_shaped(found, key) for key in ("workspaces", "packages", *_ROOT_KEYS)
    ):
        raise ValueError("not of the shape that bun writes")
    return found


def _is_shaped(lock: Mapping[str, Any], key: str) -> bool:
    held = lock.get(key, {})
    if key != "workspaces" or not isinstance(held, dict):
        return isinstance(held, dict)
    groups = (one.get(group, {}) for one in held.values() if isinstance(one, dict) for group in DEPENDENCIES)
    return all(isinstance(one, dict) for one in (*held.values(), *groups))


def differences(lock: Mapping[str, Any], packages: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """
    Yield one line for each difference that bun would mend by resolving again.

    Args:
        lock: {"workspaces": {folder: manifest}, "packages": {name: ["name@version", registry, {...}, integrity]}, ...}.
        packages: folder ("" for the root) to package.json.
    """
    locked = lock.get("workspaces", {})
    for folder in sorted(packages.keys() | locked.keys()):
        if folder not in locked:
            yield f"{folder}: not in bun.lock"
        elif folder not in packages:
            yield f"{folder}: in bun.lock, but not on disk"
        else:
            yield from _dependencies(folder or "the root", locked[folder], packages[folder])
    for key in _ROOT_KEYS:
        wanted = _wanted(key, lock, packages[""])
        if wanted != lock.get(key, {}):
            yield f"{key}: {lock.get(key, {})} in bun.lock, {wanted} in package.json"
    yield from _unlocked(lock.get("packages", {}), packages)


def formalities(lock: Mapping[str, Any], packages: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """
    Yield one line for each difference that changes nothing of what is installed.

    The root's name is left out: bun keeps the first one for good (`bun install` of 1.2.19 and 1.4.5; tried 2026-11-22).
    """
    for folder, locked in sorted(lock.get("workspaces", {}).items()):
        was, now = locked.get("name"), packages.get(folder, locked).get("name")
        if folder and was != now:
            yield f"{folder}: name is {was} in bun.lock, {now} in package.json"
    if sorted(packages[""].get("trustedDependencies", [])) != sorted(lock.get("trustedDependencies", [])):
        yield "trustedDependencies differ"


def _wanted(key: str, lock: Mapping[str, Any], root: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what package.json wants of a setting, as bun writes it down."""
    grouped = root.get("workspaces") if isinstance(root.get("workspaces"), dict) else {}
    wanted: Mapping[str, Any] = root.get(key) or (grouped or {}).get(key) or {}
    if key == "patchedDependencies":  # of what is not installed, bun writes down nothing
        installed = {str(entry[0]) for entry in lock.get("packages", {}).values() if isinstance(entry, list) and entry}
        return {name: patch for name, patch in wanted.items() if name in installed}
    if key == "overrides":
        ranges = {name: said for group in DEPENDENCIES for name, said in root.get(group, {}).items()}
        found = {**root.get("resolutions", {}), **wanted}
        return {name: ranges.get(str(said)[1:], said) if _refers(said) else said for name, said in found.items()}
    return wanted


def _refers(said: object) -> bool:
    return isinstance(said, str) and said.startswith("$")


def _dependencies(place: str, locked: Mapping[str, Any], wanted: Mapping[str, Any]) -> Iterator[str]:
    for group in DEPENDENCIES:
        old, new = locked.get(group, {}), wanted.get(group, {})
        for name in sorted(old.keys() | new.keys()):
            if old.get(name) != new.get(name):
                was, now = old.get(name, "absent"), new.get(name, "absent")
                yield f"{place}: {group}.{name} is {was} in bun.lock, {now} in package.json"


def _unlocked(entries: Mapping[str, Any], packages: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    for folder, manifest in packages.items():
        for group in ("dependencies", "devDependencies"):
            for name in manifest.get(group, {}):
                if name not in entries and f"{manifest.get('name')}/{name}" not in entries:
                    yield f"{folder or 'the root'}: {name} has no version in bun.lock"
