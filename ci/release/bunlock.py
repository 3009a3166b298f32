"""bun.lock against every package.json: stricter than bun, whose --frozen-lockfile lets several kinds of drift pass."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ci import toolchain
from ci.config import App
from ci.errors import CheckFailed, InputError

_ROOT_KEYS = ("overrides", "patchedDependencies", "catalog", "catalogs")
_UPDATE = "run bun install in the monorepo's root, and commit bun.lock"


def read(app: App) -> dict[str, Any]:
    """
    Return bun.lock, which is JSON with trailing commas.

    Raises:
        InputError: it is missing or broken; bun would then resolve afresh and call that a success.
    """
    import pyjson5

    path = app.folder / "bun.lock"
    try:
        found: dict[str, Any] = pyjson5.decode(path.read_text())
    except FileNotFoundError as error:
        raise InputError(f"{app.root}/bun.lock is missing", hint=_UPDATE) from error
    except pyjson5.Json5DecoderException as error:
        raise InputError(f"{app.root}/bun.lock is broken: {error}", hint=f"restore it, or {_UPDATE}") from error
    return found


def versions(lock: Mapping[str, Any]) -> dict[str, str]:
    """Return the version that is locked for each package at the top of the tree."""
    return {
        name: str(entry[0]).rpartition("@")[2]
        for name, entry in lock.get("packages", {}).items()
        if "/" not in name.lstrip("@").partition("/")[2]
    }


def check(app: App) -> None:
    """
    Return once bun.lock says what every package.json says.

    Raises:
        CheckFailed: it does not; the message has one line for each difference.
    """
    drift = list(differences(read(app), toolchain.workspaces(app)))
    if drift:
        raise CheckFailed(f"{app.root}/bun.lock is stale:\n" + "\n".join(f"  {line}" for line in drift), hint=_UPDATE)


def differences(lock: Mapping[str, Any], packages: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """
    Yield one line for each difference.

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
    root = packages[""]
    grouped = root.get("workspaces") if isinstance(root.get("workspaces"), dict) else {}
    for key in _ROOT_KEYS:
        wanted = root.get(key) or (grouped or {}).get(key) or {}
        if wanted != lock.get(key, {}):
            yield f"{key}: {lock.get(key, {})} in bun.lock, {wanted} in package.json"
    if sorted(root.get("trustedDependencies", [])) != sorted(lock.get("trustedDependencies", [])):
        yield "trustedDependencies differ"
    yield from _unlocked(lock.get("packages", {}), packages)


def _dependencies(place: str, locked: Mapping[str, Any], wanted: Mapping[str, Any]) -> Iterator[str]:
    for group in toolchain.DEPENDENCIES:
        old, new = locked.get(group, {}), wanted.get(group, {})
        for name in sorted(old.keys() | new.keys()):
            if old.get(name) != new.get(name):
                was, now = old.get(name, "absent"), new.get(name, "absent")
                yield f"{place}: {group}.{name} is {was} in bun.lock, {now} in package.json"
    if locked.get("name") != wanted.get("name"):
        yield f"{place}: name is {locked.get('name')} in bun.lock, {wanted.get('name')} in package.json"


def _unlocked(entries: Mapping[str, Any], packages: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    for folder, manifest in packages.items():
        for group in ("dependencies", "devDependencies"):
            for name in manifest.get(group, {}):
                if name not in entries and f"{manifest.get('name')}/{name}" not in entries:
                    yield f"{folder or 'the root'}: {name} has no version in bun.lock"
