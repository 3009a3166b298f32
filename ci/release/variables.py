"""The public variables that are built into the site: what the frontend reads, and what the target gives."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from ci import rest
from ci.config import App, Target
from ci.errors import InputError

_BUILT_IN = {"MODE", "DEV", "PROD", "SSR", "BASE_URL"}
_READ = re.compile(
    r"import\.meta\.env(?:\.|\[[\"'])([A-Z][A-Z0-9_]*)"
    r"|process\.env(?:\.|\[[\"'])((?:VITE|NEXT_PUBLIC|PUBLIC|REACT_APP|EXPO_PUBLIC|NUXT_PUBLIC|GATSBY)_[A-Z0-9_]+)"
)
_SOURCES = (".ts", ".tsx", ".js", ".jsx", ".mts", ".mjs", ".vue", ".svelte", ".astro", ".html")
_NOT_SHIPPED = {"node_modules", "dist", "build", "coverage", "tests", "test", "__tests__", "e2e", "_generated"}


def built_in(target: Target, app: App, backend_url: str) -> dict[str, str]:
    """Return the public variables of a build for `target`."""
    return {**target.public_variables, app.backend_url_variable: backend_url}


def unset(app: App, target: Target) -> list[InputError]:
    """Return one problem for each public variable that the frontend reads and the target does not give."""
    given = built_in(target, app, "given")
    strays = set(_env_file_names(app.frontend_folder))
    return [
        _unset(name, place, name in strays, target) for name, place in sorted(_reads(app).items()) if name not in given
    ]


def loopback(target: Target) -> list[InputError]:
    """Return one problem for each public variable that would send visitors of a real site to their own machine."""
    if target.is_sandbox:
        return []
    return [
        InputError(
            f"{name} is {value}, an address of this machine, and target {target.name} is public",
            hint=f"set the public address under targets.{target.name}.public_variables in lockstep.toml",
        )
        for name, value in target.public_variables.items()
        if _is_loopback(value)
    ]


def _unset(name: str, place: str, in_env_file: bool, target: Target) -> InputError:
    hint = (
        f'give it a value under targets.{target.name}: public_variables = {{ {name} = "..." }} ("" if it may be empty)'
    )
    if in_env_file:
        return InputError(
            f"{name} ({place}) is set only by a .env file beside the frontend, which CI does not have", hint=hint
        )
    return InputError(f"{name} ({place}) is built into the site, and target {target.name} does not set it", hint=hint)


def _is_loopback(value: str) -> bool:
    host = urlsplit(value if "//" in value else f"//{value}").hostname or ""
    return host in rest.LOOPBACK or host.startswith("127.") or host.endswith(".localhost")


def _reads(app: App) -> dict[str, str]:
    """Return each public variable that the frontend's source reads, with the first place as "path:line"."""
    found: dict[str, str] = {}
    for path in _sources(app.frontend_folder):
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
            for match in _READ.finditer(line):
                name = match[1] or match[2]
                if name not in _BUILT_IN:
                    found.setdefault(name, f"{path.relative_to(app.folder)}:{number}")
    return found


def _sources(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.is_dir() and path.name not in _NOT_SHIPPED and not path.name.startswith("."):
            yield from _sources(path)
        elif path.suffix in _SOURCES and not re.search(r"\.(test|spec|stories|config|d)\.", path.name):
            yield path


def _env_file_names(folder: Path) -> Iterator[str]:
    import dotenv

    for path in sorted(folder.glob(".env*")):
        if path.is_file() and not path.name.endswith((".example", ".sample", ".template")):
            yield from dotenv.dotenv_values(path, interpolate=False)
