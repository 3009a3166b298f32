"""What this machine has and lacks for a target, each with the next thing to type; no cloud is asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ci import config, convex, pages, toolchain
from ci.config import SANDBOX, App, Backend, Config, Frontend
from ci.errors import InputError, LockstepError
from ci.release import bunlock, page, secrets
from ci.secret import Secret

Ask = Callable[[list[str]], str]  # what a command prints, "" when it fails


@dataclass(frozen=True)
class Finding:
    """One thing that was looked for: `found` says what there is; `lacks` is set when it does not do, with `next`."""

    part: str
    name: str
    found: str
    lacks: bool = False
    next: str = ""


def examine(settings: Config, target: str, ask: Ask, seen: Mapping[str, list[str]]) -> list[Finding]:
    """
    Return all findings, in the order in which they matter.

    Args:
        ask: runs a command and returns what it prints, "" when it fails.
        seen: which variables the base of every step's environment has, and what a step sees besides: step to names.
    """
    return [
        *_tools(settings.app, ask),
        *_repository(settings, ask),
        *_target(settings, target),
        *(Finding("steps", step, ", ".join(names) or "nothing") for step, names in {**seen, **beyond_base()}.items()),
    ]


def _tools(app: App, ask: Ask) -> Iterator[Finding]:
    yield _looked("tools", "git", partial(_git, ask))
    yield _looked("tools", "bun", lambda: _pinned(ask([toolchain.bun(app), "--version"]), toolchain.bun_version(app)))
    yield _looked("tools", "node", lambda: ask([toolchain.node(), "--version"]).strip())
    for tool in toolchain.PINNED:
        yield _looked("tools", tool, partial(_installed, app, tool))
    found = page.browser()
    yield Finding("tools", "browser", found or "none", not found, "" if found else "apt install chromium")


def _git(ask: Ask) -> str:
    said = ask(["git", "--version"]).strip()
    if not said:
        raise InputError("none", hint="apt install git")
    return said.removeprefix("git version ")


def _pinned(said: str, pinned: str) -> str:
    if said.strip() != pinned:
        hint = f"install bun {pinned}, or change packageManager"
        raise InputError(f"{said.strip() or 'none'}, and package.json pins {pinned}", hint=hint)
    return pinned


def _installed(app: App, tool: str) -> str:
    folder = {"root": app.folder, "backend": app.backend_folder, "frontend": app.frontend_folder}[
        toolchain.PINNED[tool]
    ]
    if tool == "turbo" and not (app.folder / "turbo.json").exists():
        return "not needed: there is no turbo.json"
    version = str(toolchain.manifest(toolchain.package(app, folder, tool))["version"])
    locked = bunlock.versions(bunlock.read(app)).get(tool, "none")
    if version != locked:
        raise InputError(f"{version}, and bun.lock has {locked}", hint="./inv install")
    return version


def _repository(settings: Config, ask: Ask) -> Iterator[Finding]:
    remote = ask(["git", "-C", str(config.ROOT), "remote", "-v"]).partition("\n")[0].split()
    found = remote[1] if remote else "none"
    # A remote may hold a password before its "@".
    shown = found.rpartition("@")[2] if "://" in found else found
    how = "" if remote else "git remote add origin git@github.com:OWNER/NAME.git"
    yield Finding("repository", "remote", shown, not remote, how)
    running = (settings.state / "sandbox/endpoints.json").exists()
    yield Finding("repository", "sandbox", "made" if running else "not made yet: the first step that needs it does")


def _target(settings: Config, target: str) -> Iterator[Finding]:
    """Say what is set, and where, by name; then what is wrong with it."""
    settings.check_target(target)
    part = f"target {target}"
    if target == SANDBOX:
        yield Finding(part, "secrets", "none needed")
        return
    places, values = config.places(target), config.environment(target)
    problems = [*secrets.misformed(values, target), *secrets.unset_headers(settings.targets[target], values, target)]
    wrong = {problem.message.partition(" ")[0]: problem for problem in problems}
    for one in secrets.of_target(settings.targets[target]):
        place = f"set in {places[one.name]}" if one.name in places else "not set"
        if one.name in wrong:
            words = wrong[one.name].message.removeprefix(f"{one.name} ")
            found = f"{place}: {words}" if one.name in places else words
            yield Finding(part, one.name, found, True, wrong[one.name].hint)
        else:
            yield Finding(part, one.name, f"{place}; it {one.purpose}")
    if not wrong:
        yield Finding(part, "clouds", "not asked", next=f"./inv preflight --target {target}")


def beyond_base() -> dict[str, list[str]]:
    """Return what the commands of each step see, beyond what every step's do, by the functions that make it."""
    nothing = Secret("")
    deployment = Backend("", nothing, "elsewhere")
    backend = sorted(convex.cli_env(deployment))
    frontend = sorted(pages.env(Frontend("", "", "", "", nothing), Path()))
    browser = sorted(page.visit_env("", {}, ()))
    of_app = sorted({*toolchain.QUIET, *convex.env(deployment)})
    return {
        "codegen (the sandbox's key)": backend,
        "lint, typecheck, test (the sandbox's key)": of_app,
        "build (the sandbox's key)": [*of_app, "and public_variables of the target"],
        "deploy-backend, migrate (the target's key)": backend,
        "deploy-frontend": frontend,
        "smoke": browser,
    }


def _looked(part: str, name: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(part, name, look())
    except LockstepError as error:
        return Finding(part, name, error.message, True, error.hint)
