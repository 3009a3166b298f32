"""What several tasks run, by the Context that Invoke hands to each of them."""

from __future__ import annotations

import os
import shlex
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from ci import config, convex, toolchain
from ci.config import App, Backend, Config, Target
from ci.release import comparison, generated, git, manifest, page, specs, variables
from ci.release.comparison import Comparison
from ci.release.git import Tree
from ci.secret import Secret

Env = Mapping[str, str | Secret]


class Context(Protocol):
    """What of Invoke's Context is used here."""

    def run(self, command: str, **kwargs: Any) -> Any:
        """Run a command; return Invoke's Result."""

    def cd(self, path: Any) -> AbstractContextManager[None]:
        """Run what is in the block in another folder."""


def start_sandbox(c: Context) -> None:
    """Have both clouds on this machine, running."""
    c.run(shlex.join(toolchain.sandbox_argv("start")), hide=True)


def target(c: Context, settings: Config, name: str) -> Target:
    """Return the target; the sandbox is started first, since it gives its own addresses."""
    if settings.target_name(name) == config.SANDBOX:
        start_sandbox(c)
    return settings.target(name)


def read(c: Context, argv: list[str], env: Env | None = None) -> str:
    """Return what a command prints."""
    return str(c.run(shlex.join(argv), env=env, hide=True).stdout)


def start_browser(c: Context, settings: Config, site: Target, browser: str, screenshot: Path) -> Callable[[], str]:
    """Start the browser, which waits for the end of its input; return what ends that, and returns what it printed."""
    argv = page.visit_argv(site.frontend.site, screenshot)
    env = page.visit_env(browser, site.smoke_headers, settings.smoke.ignore)
    read_fd, write_fd = os.pipe()
    promise = c.run(shlex.join(argv), env=env, hide=True, asynchronous=True, in_stream=os.fdopen(read_fd))

    def go() -> str:
        os.close(write_fd)
        return str(promise.join().stdout)

    return go


def asked(c: Context, argv: list[str]) -> str:
    """Return what a command prints; one that fails has nothing to say."""
    done = c.run(shlex.join(argv), hide=True, warn=True)
    return str(done.stdout) if done.ok else ""


def tree(c: Context, settings: Config) -> Tree:
    """Return what the app's working tree is."""
    folder = settings.app.folder
    argvs = (git.status_argv(folder), git.message_argv(folder), git.branches_argv(folder))
    return git.tree(*(asked(c, argv) for argv in argvs))


def behind(c: Context, settings: Config, site: manifest.Stamp | str) -> int | None:
    """Return how many commits the live site lacks, or None when its commit is not known here."""
    commit = site.commit if isinstance(site, manifest.Stamp) else "nothing"
    counted = asked(c, git.behind_argv(settings.app.folder, commit))
    return int(counted) if counted else None


def compare(c: Context, name: str) -> Comparison:
    """Return what is live on a target, beside what is at hand."""
    settings = config.load()
    return comparison.read(settings, settings.target(name), tree(c, settings))


def furnish(settings: Config, app: App, backend: Backend) -> None:
    """Give a deployment of the sandbox what a real one is given by hand."""
    values = settings.sandbox_variables()
    convex.furnish(settings.sandbox_control(), backend, folder=app.backend_folder, values=values)


def generate(c: Context, settings: Config, app: App, backend: Backend) -> None:
    """Generate the types of `app` by pushing its functions to a deployment of the sandbox."""
    furnish(settings, app, backend)
    bundled = None
    # The CLI bundles before it writes, so what it writes for the first time is in the bundles only the second time.
    while bundled != (found := generated.bundled(app)):
        bundled = found
        with c.cd(app.backend_folder):
            c.run(shlex.join(convex.codegen_argv(app)), env=convex.cli_env(backend))


def fall_back(c: Context, settings: Config, before: Mapping[Path, bytes]) -> str:
    """
    Return why the types that git has are kept, where the sandbox lacks what the code needs; else "".

    Raises:
        InputError: what it lacks are variables.
    """
    control, backend = settings.sandbox_control(), settings.code_generation()
    lacks = convex.lacks(control, backend)
    if not lacks:
        generated.refuse_unset(convex.unset(control, backend))
        return ""
    committed = read(c, generated.committed_argv(settings.app))
    return generated.fall_back(settings.app, before, lacks, committed=committed)


def hands(c: Context, settings: Config, target_name: str) -> specs.Hands:
    """Return what reading a spec may have to do first."""
    return specs.Hands(
        partial(start_sandbox, c), partial(generate, c, settings), partial(target, c, settings, target_name)
    )


def script(c: Context, settings: Config, kind: str) -> str | None:
    """Run one of the app's scripts; what it triggers may generate code, with the sandbox's key and never a real one."""
    name = settings.app.script(kind)
    if not name:
        return f"skipped: lockstep.toml says that the app has no {kind}"
    with c.cd(settings.app.folder):
        c.run(shlex.join(toolchain.script_argv(settings.app, name)), env=_app_env(settings))
    return None


def build(c: Context, settings: Config, site: Target) -> str:
    """Build the frontend for a target, and look at what was built."""
    app, url = settings.app, convex.reach(site.backend)
    with c.cd(app.folder):
        began_at = time.time()
        argv = toolchain.script_argv(app, app.script("build"), only=app.frontend)
        c.run(shlex.join(argv), env={**_app_env(settings), **variables.built_in(site, app, url)})
    manifest.check_built_since(app.dist_folder, began_at)
    check_dist(app, url)
    return f"built for {url}"


def check_dist(app: App, backend_url: str) -> None:
    """Refuse a dist folder that must not be published."""
    client = toolchain.package(app, app.backend_folder, "convex")
    manifest.check_dist(app.dist_folder, backend_url, client)


def _app_env(settings: Config) -> dict[str, str | Secret]:
    return {**toolchain.QUIET, **convex.env(settings.code_generation())}
