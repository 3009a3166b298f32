"""What the code at hand calls, held against what a backend has: the code at hand, a deployment, or a file."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ci import contract, convex, rest
from ci.config import App, Backend, Config
from ci.convex import Function
from ci.errors import CheckFailed, InputError, Unfinished
from ci.release import generated

if TYPE_CHECKING:
    from ci.contract.check import Missing
    from ci.contract.environment import Environment
    from ci.contract.references import Found
    from ci.contract.spec import Spec

_SKIPPED = {"node_modules", ".git", ".turbo", "dist", "build", ".next", "coverage", "_generated"}


@dataclass(frozen=True)
class Repository:
    """A repository with its backends: folders of functions, the app's own first if it `is_app` of lockstep.toml."""

    root: Path
    backends: tuple[Path, ...]
    is_app: bool = False

    def named(self) -> Iterator[tuple[str, Path]]:
        """Yield each backend as `Found` names it, with its folder."""
        yield from ((name(self.root, folder), folder) for folder in self.backends)


@dataclass(frozen=True)
class Contract:
    """A repository's calls, and what became of them; `backends`: name to the number of its functions, if known."""

    backends: Mapping[str, int | None]
    found: Found
    missing: tuple[Missing, ...]


def app_repository(app: App) -> Repository:
    """Return the app of lockstep.toml."""
    own = generated.functions_folder(app)
    others = [folder for folder in _backends(app.folder) if folder != own]
    return Repository(app.folder, (own, *others), is_app=True)


def repository(root: Path) -> Repository:
    """
    Return another repository.

    Its backends are what a convex.json names, and each folder "convex" with modules beside a package.json that names
    convex.

    Raises:
        InputError: there is no such folder, or a convex.json is broken.
    """
    if not root.is_dir():
        raise InputError(f"there is no folder {root}", hint="name the root of a repository: --root ../my-app")
    return Repository(root, tuple(_backends(root)))


def find(config: Config, place: Repository) -> Found:
    """Return every call in a repository to a function of its backends."""
    return contract.references.find(place.root, place.backends, cache=config.state / "cache")


def of_clients(config: Config) -> Found:
    """Return the calls of the app's clients to its backend: of all that is not itself pushed."""
    place = app_repository(config.app)
    own, _ = next(place.named())
    return contract.plan.clients(contract.plan.of(find(config, place), own), own)


def client_functions(config: Config) -> frozenset[str]:
    """Return the public functions that the app's clients call."""
    return contract.plan.names_called(of_clients(config))


def held(config: Config, place: Repository, specs: Mapping[str, Spec]) -> Contract:
    """Hold the calls of a repository against the specs that are known, by the name of the backend."""
    found = find(config, place)
    missing = [
        item for one, known in specs.items() for item in contract.check.missing(contract.plan.of(found, one), known)
    ]
    counts = {one: len(specs[one].functions) if one in specs else None for one, _ in place.named()}
    return Contract(counts, found, tuple(missing))


def only(app: App, place: Repository) -> str:
    """
    Return the name of the one backend that a single spec can belong to: the app's own, or the only one.

    Raises:
        InputError: there are none, or several.
    """
    named = dict(place.named())
    own = name(place.root, generated.functions_folder(app))
    if own in named or len(named) == 1:
        return own if own in named else next(iter(named))
    what = f"{place.root} has not one backend but {', '.join(named) or 'none'}"
    raise InputError(what, hint="name the folder of one package: --root ../my-app/packages/backend")


def refuse_none(place: Repository) -> None:
    """
    Return when there is a backend to hold calls against.

    Raises:
        InputError: there is none.
    """
    if not place.backends:
        hint = "a backend is what convex.json names, or convex/ in a package that depends on convex"
        raise InputError(f"there is no folder of Convex functions in {place.root}", hint=hint)


def app_of(app: App, place: Repository, folder: Path) -> App:
    """Return `app` with its backend in another repository: the package that has the functions in `folder`."""
    package = next((one for one in (folder, *folder.parents) if (one / "package.json").is_file()), place.root)
    return replace(app, root=str(place.root), backend=name(place.root, package))


def name(root: Path, folder: Path) -> str:
    """Return a folder as a path from `root`."""
    return Path(os.path.relpath(folder, root)).as_posix()


def in_version_control(root: Path) -> str:
    """Return `root` as a path in the repository that holds it, as annotations name files; "." without one."""
    top = next((one for one in (root, *root.parents) if (one / ".git").exists()), root)
    return name(top, root)


def read_spec(path: Path) -> Spec:
    """
    Return the function spec in a file: what `convex function-spec` prints, or its "functions" alone.

    Raises:
        InputError: there is none.
    """
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        hint = "--against takes code, live, or a file that npx convex function-spec wrote"
        raise InputError(f"{path} cannot be read as a function spec: {error}", hint=hint) from error
    return contract.spec.parse(found.get("functions", [found]) if isinstance(found, dict) else found)


def refuse_missing(missing: Sequence[Missing], where: str) -> None:
    """
    Return when nothing is missing.

    Raises:
        CheckFailed: something is; the message has a line for each function, and one for each place that calls it.
    """
    if missing:
        said = "\n".join(lines(missing))
        raise CheckFailed(f"{where} lacks what is called:\n{said}", hint="mend the call, or the function that it names")


def lines(missing: Sequence[Missing]) -> Iterator[str]:
    """Yield a line for each missing function, and one for each place that calls it."""
    for item in missing:
        yield f"  {item.function}: {item.reason}" + (f" (nearest: {item.suggestion})" if item.suggestion else "")
        yield from (f"    at {path}:{line}" for path, line in item.at)


def wait_until_served(backend: Backend, url: str, found: Found, *, within_s: float) -> None:
    """
    Return once the deployment has every function that is called.

    Raises:
        CheckFailed: it still lacks some after `within_s`.
    """
    missing = rest.settled(
        lambda: contract.check.missing(found, contract.spec.parse(convex.api_spec(backend, url))),
        lambda missing: not missing,
        within_s=within_s,
    )
    refuse_missing(missing, backend.deployment)


def variables(app: App) -> Environment:
    """Return the environment variables that the backend's code reads."""
    folder = generated.functions_folder(app)
    texts = {name(folder, path): path.read_text(errors="replace") for path in generated.modules(folder)}
    return contract.environment.read(texts)


def _backends(root: Path) -> list[Path]:
    found = {generated.functions_folder(App(str(package), backend=".")) for package in _packages(root)}
    return sorted(folder for folder in found if any(generated.modules(folder)))


def _packages(root: Path) -> Iterator[Path]:
    """Yield the folders that may be a backend's package."""
    for parent, folders, files in os.walk(root):
        folders[:] = sorted(one for one in folders if one not in _SKIPPED)
        manifest = Path(parent, "package.json")
        if "convex.json" in files or ("package.json" in files and '"convex"' in manifest.read_text(errors="replace")):
            yield Path(parent)


def wait_for_functions(backend: Backend, url: str, wanted: frozenset[Function], *, within_s: float) -> None:
    """
    Return once the deployment serves every wanted function.

    Raises:
        Unfinished: some are still missing after `within_s`; the message has one line for each.
    """
    ask = partial(_missing_functions, backend, url, wanted)
    lines = rest.settled(ask, lambda missing: not missing, within_s=within_s)
    if lines:
        listed = "\n".join(f"  {line}" for line in lines)
        hint = "no frontend was published; push again: ./inv deploy-backend"
        raise Unfinished(f"{backend.deployment} does not serve what was pushed:\n{listed}", hint=hint)


def _missing_functions(backend: Backend, url: str, wanted: frozenset[Function]) -> list[str]:
    """Return one line for each wanted function that is absent, of another kind, or of another visibility."""
    have = {function.name: function for function in convex.functions(backend, url)}
    lines = []
    for function in sorted(wanted):
        found = have.get(function.name)
        if found is None:
            lines.append(f"{function.name} is missing")
        elif found != function:
            lines.append(
                f"{function.name} is {found.visibility} {found.kind}, not {function.visibility} {function.kind}"
            )
    return lines
