"""What hosts are told to do by files of the repository: vercel.json, netlify.toml, wrangler.toml and wrangler.json."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ci.audit import arguments, folders, jsonc, workspaces
from ci.audit.files import Files
from ci.audit.model import Package, Place, Text, Truth

_WORKERS = ("wrangler.jsonc", "wrangler.json", "wrangler.toml")
_SERVES = re.compile(
    r"open-next|\.output|svelte-kit|_worker|react|@tanstack|solid|astro|nuxt|next|virtual:|server-entry"
)
_FRAMEWORKS = arguments.some("react-dom vue svelte solid-js astro next nuxt @sveltejs/kit preact @angular/core qwik")


@dataclass(frozen=True)
class Build:
    """A command that a host runs, in the order of a build; `folder` is where."""

    host: str
    folder: str
    text: Text
    setting: str  # that says so


def builds(files: Files, packages: Sequence[Package]) -> Iterator[Build]:
    """Yield what Vercel and Netlify are told to run when they build the repository by themselves."""
    told: set[str] = set()
    for build in _builds(files):
        told.add(build.folder)
        yield build
    for package in packages:
        for name in ("vercel-build", "build"):
            text = package.scripts.get(name)
            if text and package.folder not in told and (name == "vercel-build" or "convex deploy" in text.value):
                host = "vercel" if name == "vercel-build" else "a host"
                told.add(package.folder)
                run = Text(f"npm run {name}", text.at)
                yield Build(host, package.folder, run, f"{package.path}, which a host may build")


def _builds(files: Files) -> Iterator[Build]:
    for path in files.paths:
        folder, _, name = path.rpartition("/")
        if name == "vercel.json":
            node = jsonc.read(files, path)
            for key in ("installCommand", "buildCommand"):
                if text := node[key].text:
                    yield Build("vercel", folder, text, f"{path} {key}")
        elif name == "netlify.toml":
            yield from _netlify(files, path, folder)


def _netlify(files: Files, path: str, folder: str) -> Iterator[Build]:
    data, text = _toml(files, path)
    build = _table(data.get("build"))
    base = folders.joined(folder, str(build.get("base") or "."))
    production = _table(_table(data.get("context")).get("production"))
    command = production.get("command") or build.get("command")
    if isinstance(command, str) and base is not None:
        yield Build("netlify", base, Text(command, _written(path, text, "command")), f"{path} command")


def vercel_build(files: Files, packages: Sequence[Package], folder: str | None) -> Build | None:
    """Return what `vercel build` runs in a folder: vercel.json's buildCommand, else the script that it looks for."""
    package = workspaces.owner(folder, packages)
    if folder is None or package is None:
        return None
    path = f"{folder}/vercel.json" if folder else "vercel.json"
    if files.exists(path) and (text := jsonc.read(files, path)["buildCommand"].text):
        return Build("vercel", folder, text, f"{path} buildCommand")
    script = next((name for name in ("vercel-build", "build") if name in package.scripts), "")
    text = package.scripts.get(script)
    return Build("vercel", package.folder, Text(f"npm run {script}", text.at), "vercel build") if text else None


@dataclass(frozen=True)
class Worker:
    """What a wrangler file says: whether its Worker serves a site, and the command that builds it."""

    serves: Truth
    build: Text | None = None
    folder: str | None = None


def worker(files: Files, packages: Sequence[Package], argv: Sequence[str], folder: str | None) -> Worker:
    """Return what `wrangler deploy` deploys; "maybe" when no file tells."""
    at = folders.joined(folder, arguments.value(argv, "--cwd") or ".")
    named = arguments.value(argv, "--config", "-c")
    paths = [folders.joined(at, name) for name in ((named,) if named else _WORKERS)]
    path = next((path for path in paths if path and files.exists(path)), None)
    if "--assets" in arguments.options(argv) or "--site" in arguments.options(argv):
        return Worker("yes")
    if path is None:
        return Worker("maybe")
    home = path.rpartition("/")[0]
    data, text = _toml(files, path) if path.endswith(".toml") else (_plain(jsonc.read(files, path)), "")
    command = _table(data.get("build")).get("command")
    place = _written(path, text, "command")
    build = Text(command, place) if isinstance(command, str) else None
    package = workspaces.owner(home, packages)
    serves = bool(
        {"assets", "site", "pages_build_output_dir"} & data.keys()
        or _SERVES.search(str(data.get("main") or ""))
        or (package and _FRAMEWORKS & package.declared.keys())
    )
    return Worker("yes" if serves else "no", build, home)


def _toml(files: Files, path: str) -> tuple[Mapping[str, object], str]:
    text = files.text(path) or ""
    try:
        return tomllib.loads(text), text
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        files.skip(path, f"is no TOML: {error}")
        return {}, text


def _plain(node: jsonc.Node) -> Mapping[str, object]:
    return {name: _plain(one) if one.members else one.value for name, one in node.members.items()}


def _table(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _written(path: str, text: str, key: str) -> Place:
    """Return the place of a key's value in a TOML file."""
    found = re.search(rf"^\s*{key}\s*=\s*", text, re.MULTILINE)
    if not found:
        return Place(path)
    return Place(path, text.count("\n", 0, found.end()) + 1, found.end() - text.rfind("\n", 0, found.end()))
