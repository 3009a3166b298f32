"""The package.json files of a repository, and the Convex backends among them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ci.audit import facts, folders, imports, jsonc, locks, workspaces, yaml
from ci.audit.model import Backend, Package, Text

if TYPE_CHECKING:
    from ci.audit.files import Files

_GENERATED = re.compile(r"/_generated/(?:api|server|dataModel)\.")
_SOURCE = re.compile(r"\.[cm]?[jt]sx?$")
_KINDS = ("peerDependencies", "optionalDependencies", "devDependencies", "dependencies")
# manager, its settings, what they say when they say nothing, what says in them whether an install is frozen
_FREEZES = (
    ("bun", "bunfig.toml", "", re.compile(r"^\s*frozenLockfile\s*=\s*(true|false)", re.MULTILINE)),
    ("pnpm", ".npmrc", "", re.compile(r"^\s*frozen-lockfile\s*=\s*(true|false)", re.MULTILINE)),
    ("yarn", ".yarnrc", "", re.compile(r"^--install\.frozen-lockfile\s+(true|false)", re.MULTILINE)),
    ("yarn", ".yarnrc.yml", "true", re.compile(r"^enableImmutableInstalls:\s*(true|false)", re.MULTILINE)),
)
_EXACT = re.compile(r"\d+\.\d+\.\d+")


def read(files: Files) -> tuple[Package, ...]:
    """Return every package, those nearer to the root first."""
    paths = [path for path in files.paths if path.rpartition("/")[2] == "package.json"]
    return tuple(_package(files, path) for path in sorted(paths, key=lambda path: (path.count("/"), path)))


def backends(files: Files, packages: Sequence[Package]) -> tuple[Backend, ...]:
    """Return every Convex backend: a package that knows convex, with functions where the Convex CLI looks for them."""
    found: dict[str, Backend] = {}
    for package in packages:
        functions = _functions(files, package)
        if functions is not None and functions not in found and _is_backend(files, packages, package, functions):
            version = locks.version(files, package, workspaces.root(package, packages), name="convex")
            committed = _is_generated_committed(files, functions)
            components = facts.has_components(functions, files.under(functions))
            undeclared = tuple(imports.undeclared(files, packages, functions))
            found[functions] = Backend(package.folder, functions, committed, version, components, undeclared)
    return tuple(found.values())


def _package(files: Files, path: str) -> Package:
    folder = path.rpartition("/")[0]
    node = jsonc.read(files, path)
    listed = node["workspaces"].texts or node["workspaces"]["packages"].texts
    return Package(
        folder=folder,
        path=path,
        name=node["name"].string,
        scripts={name: _wireit(node, name, text) for name, text in node["scripts"].named.items()},
        declared={name: text for kind in _KINDS for name, text in node[kind].named.items()},
        manager=_manager(node),
        workspaces=tuple(dict.fromkeys((*(text.value for text in listed), *_pnpm_workspaces(files, folder)))),
        frozen=dict(_frozen(files, folder)),
    )


def _in(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name


def _wireit(node: jsonc.Node, name: str, text: Text) -> Text:
    """Return what wireit runs for a script: the scripts that it depends on, then its command."""
    wired = node["wireit"][name]
    if text.value != "wireit" or not wired.members:
        return text
    needs = [item.string or item["script"].string for item in wired["dependencies"].items]
    runs = [f"npm run {need}" for need in needs if need and not need.startswith((".", "$", "<"))]
    return Text(" && ".join([*runs, wired["command"].string or ":"]), wired["command"].at)


def _manager(node: jsonc.Node) -> Text | None:
    wanted = node["devEngines"]["packageManager"]
    if found := node["packageManager"].text:
        return found
    if _EXACT.fullmatch(
        node["engines"]["bun"].string
    ):  # what oven-sh/setup-bun goes by (src/utils.ts, read 2026-11-22)
        return Text(f"bun@{node['engines']['bun'].string}", node["engines"]["bun"].at)
    return Text(f"{wanted['name'].string}@{wanted['version'].string}", wanted.at) if wanted["name"].string else None


def _pnpm_workspaces(files: Files, folder: str) -> tuple[str, ...]:
    path = _in(folder, "pnpm-workspace.yaml")
    text = files.text(path)
    if text is None:
        return ()
    try:
        return yaml.load(text, path).get("packages").strings
    except yaml.Broken as error:
        files.skip(path, str(error))
        return ()


def _frozen(files: Files, folder: str) -> Iterator[tuple[str, bool]]:
    for manager, name, unsaid, says in _FREEZES:
        text = files.text(_in(folder, name))
        found = says.search(text or "")
        said = found[1] if found else unsaid
        if text is not None and said:
            yield manager, said == "true"


def _functions(files: Files, package: Package) -> str | None:
    """Return the folder of the package's functions, as the Convex CLI finds it."""
    said = _in(package.folder, "convex.json")
    named = jsonc.read(files, said)["functions"].string if files.exists(said) else ""
    usual = "src/convex" if "react-scripts" in package.declared else "convex"
    return folders.joined(package.folder, named or usual)


def _is_backend(files: Files, packages: Sequence[Package], package: Package, functions: str) -> bool:
    around = (package, workspaces.root(package, packages), workspaces.owner(functions, packages))
    declared = {name for one in around if one for name in one.declared}
    is_known = "convex" in declared if declared else _is_generated_committed(files, functions)  # package.json broken?
    if not is_known:
        return False
    return any(_SOURCE.search(path) and not path.endswith(".d.ts") for path in files.under(functions))


def _is_generated_committed(files: Files, functions: str) -> bool:
    return any(_GENERATED.match(path.removeprefix(functions)) for path in files.under(functions))
