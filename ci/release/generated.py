"""The `_generated` folder: what code generation wrote, and copies of it that must not be there."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from ci.config import App
from ci.errors import InputError, LockstepError, Problems, Unfinished

_SKIPPED = {"node_modules", ".git", ".turbo", "dist", "build", ".next", "coverage"}
_MODULE = re.compile(r"\.(test|spec)?\.?[cm]?[jt]sx?$")
_OWN_SOURCE = ("@", "~", "#", "src", "$lib")  # aliases that customarily mean the importing package itself
_IMPORT = re.compile(r"""["']([^"'\n]*_generated/[\w/.-]+)["']""")


def functions_folder(app: App) -> Path:
    """
    Return the folder with the Convex functions: `functions` of convex.json, else "convex", below the backend package.

    Raises:
        InputError: convex.json is broken.
    """
    path = app.backend_folder / "convex.json"
    try:
        found = json.loads(path.read_text()) if path.exists() else {}
    except ValueError as error:
        raise InputError(f"{path.relative_to(app.folder)} is not valid JSON: {error}", hint="mend it there") from error
    return (app.backend_folder / str(found.get("functions", "convex"))).resolve()


def folder_problems(app: App) -> list[LockstepError]:
    """Return what is wrong with the place of the functions: an empty push deletes every function and exits 0."""
    package = f"{app.root}/{app.backend}"
    if not app.backend_folder.is_dir():
        return [InputError(f"the backend package {package} does not exist", hint="set app.backend in lockstep.toml")]
    folder, doubled = functions_folder(app), app.backend_folder / app.backend
    name, hint = _shown(app, folder), f'set "functions" in {package}/convex.json'
    problems: list[LockstepError] = []
    if not folder.is_dir():
        problems.append(InputError(f"the functions folder {name} does not exist", hint=hint))
    elif not any(modules(folder)):
        what = f"the functions folder {name} is empty: pushing it would delete every function"
        problems.append(InputError(what, hint=hint))
    if doubled.is_dir() and doubled.resolve() != app.backend_folder.resolve():
        hint = f"something ran in the wrong folder; remove it: rm -r {_shown(app, doubled)}"
        problems.append(InputError(f"{_shown(app, doubled)} doubles the backend's path", hint=hint))
    for other in filter(lambda path: _disagrees(app, path), _files(app.folder, "convex.json")):
        what = f"{_shown(app, other)} and {package}/convex.json disagree on where the functions are"
        problems.append(InputError(what, hint=f"keep one: rm {_shown(app, other)}"))
    return problems


def stale_copies(app: App) -> None:
    """
    Return when no second `_generated` can be mistaken for the real one.

    Raises:
        Problems: the frontend imports a copy, so its types say nothing about the functions that are pushed.
    """
    real = functions_folder(app) / "_generated"
    copies = [
        path.parent
        for path in _files(app.folder, "api.d.ts", "api.ts")
        if path.parent.name == "_generated" and path.parent != real
    ]
    used = {
        copy: place
        for place, specifier in _imports(app.frontend_folder)
        for copy in copies
        if _resolves(place, specifier, copy, real)
    }
    problems: list[LockstepError] = [
        InputError(
            f"{_shown(app, place)} imports {_shown(app, copy)}, a copy that code generation does not write",
            hint=f"import {_shown(app, real)} instead, and remove the copy",
        )
        for copy, place in used.items()
    ]
    if problems:
        raise Problems(problems)


def files(app: App) -> dict[Path, bytes]:
    """Return the files of `_generated`, the app's own and those of its components."""
    found = (path for path in _files(functions_folder(app)) if path.parent.name == "_generated")
    return {path: path.read_bytes() for path in found}


def bundled(app: App) -> dict[Path, bytes]:
    """Return the files of `_generated` that become part of the pushed bundles: all but the declarations."""
    return {path: content for path, content in files(app).items() if not path.name.endswith(".d.ts")}


def fall_back(app: App, before: Mapping[Path, bytes], lacks: str, *, committed: str) -> str:
    """
    Put back the files of `_generated` as they were `before`, and return the line that says so.

    Args:
        committed: what git printed for `committed_argv`.

    Raises:
        Unfinished: there is no `_generated` in git to fall back on.
    """
    for path in files(app).keys() - before.keys():
        path.unlink()
    for path, content in before.items():
        path.write_bytes(content)
    if not committed:
        hint = f"commit the one that `npx convex dev` writes: {_shown(app, functions_folder(app) / '_generated')}"
        raise Unfinished(f"{lacks}, and no _generated is in git to be used instead", hint=hint)
    return f"not generated, what git has is used instead: {lacks}"


def refuse_unset(names: list[str]) -> None:
    """
    Return when the functions read no variable that the sandbox lacks.

    Raises:
        InputError: they do, and could not be loaded.
    """
    if names:
        values = ", ".join(f'{name} = "..."' for name in names)
        raise InputError(
            f"the functions do not load, and read variables that the sandbox does not have: {', '.join(names)}",
            hint=f"give it what they need in lockstep.toml: [targets.sandbox] variables = {{ {values} }}",
        )


def committed_argv(app: App) -> list[str]:
    """Return the argv that prints the files of `_generated` that git has."""
    return ["git", "-C", str(app.folder), "ls-files", "--", str(functions_folder(app) / "_generated")]


def differs_argv(app: App) -> list[str]:
    """Return the argv that prints the committed files of `_generated` that code generation has just changed."""
    return [
        "git",
        "-C",
        str(app.folder),
        "diff",
        "--name-only",
        "HEAD",
        "--",
        str(functions_folder(app) / "_generated"),
    ]


def difference(printed: str) -> str | None:
    """Return the line that says which committed files code generation has changed, if any."""
    changed = printed.split()
    return f"committed and stale, commit them again: {', '.join(changed)}" if changed else None


def modules(folder: Path) -> Iterator[Path]:
    """Yield what the CLI would push: modules with one dot in their name, outside `_generated`."""
    for path in _files(folder):
        if _MODULE.search(path.name) and path.name.count(".") == 1 and "_generated" not in path.parts:
            yield path


def _disagrees(app: App, path: Path) -> bool:
    """Tell whether a second convex.json, in the root or inside the backend, means another folder of functions."""
    near = path.parent == app.folder or app.backend_folder in path.parent.parents
    if path.parent == app.backend_folder or not near:
        return False
    try:
        functions = json.loads(path.read_text()).get("functions", "convex")
    except (ValueError, AttributeError):
        return True
    return (path.parent / str(functions)).resolve() != functions_folder(app)


def _resolves(place: Path, specifier: str, copy: Path, real: Path) -> bool:
    """Tell whether an import means `copy`: exactly for a relative one, by its longest common tail for an alias."""
    if specifier.startswith("."):
        return Path(os.path.normpath(place.parent / specifier)).parent == copy
    parts = specifier.partition("_generated")[0].strip("/").split("/")
    ahead = _common_tail(parts, copy.parent.parts) - _common_tail(parts, real.parent.parts)
    return ahead > 0 or (ahead == 0 and parts[0] in _OWN_SOURCE)


def _common_tail(one: list[str], other: tuple[str, ...]) -> int:
    length = 0
    while length < min(len(one), len(other)) and one[-1 - length] == other[-1 - length]:
        length += 1
    return length


def _imports(folder: Path) -> Iterator[tuple[Path, str]]:
    for path in _files(folder):
        if _MODULE.search(path.name) and "_generated" not in path.parts:
            for match in _IMPORT.finditer(path.read_text(errors="replace")):
                yield path, match[1]


def _files(folder: Path, *names: str) -> Iterator[Path]:
    """Yield the files below `folder` with one of `names` (any without), not following links, not in built folders."""
    for root, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in _SKIPPED)
        yield from (Path(root) / name for name in sorted(files) if not names or name in names)


def _shown(app: App, path: Path) -> str:
    return str(path.relative_to(app.folder)) if path.is_relative_to(app.folder) else str(path)
