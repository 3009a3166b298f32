"""bun.lock against every package.json: stricter than bun, whose --frozen-lockfile lets several kinds of drift pass."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ci import lockfile, toolchain
from ci.config import App
from ci.errors import CheckFailed, InputError

_UPDATE = "run bun install in the monorepo's root, and commit bun.lock"


def read(app: App) -> dict[str, Any]:
    """
    Return bun.lock, which is JSON with trailing commas.

    Raises:
        InputError: it is missing or broken; bun would then resolve afresh and call that a success.
    """
    path = app.folder / "bun.lock"
    try:
        return lockfile.load(path.read_text())
    except FileNotFoundError as error:
        raise InputError(f"{app.root}/bun.lock is missing", hint=_UPDATE) from error
    except ValueError as error:
        raise InputError(f"{app.root}/bun.lock is broken: {error}", hint=f"restore it, or {_UPDATE}") from error


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
    lock, packages = read(app), toolchain.workspaces(app)
    drift = [*lockfile.differences(lock, packages), *lockfile.formalities(lock, packages)]
    if drift:
        raise CheckFailed(f"{app.root}/bun.lock is stale:\n" + "\n".join(f"  {line}" for line in drift), hint=_UPDATE)
