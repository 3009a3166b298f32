"""What preflight refuses: everything that can be known before anything has run, all of it together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from ci import convex, pages, toolchain
from ci.config import Backend, Config, Target
from ci.errors import InputError, LockstepError, Problems, Unfinished
from ci.release import generated, manifest, page, secrets, variables
from ci.release.git import NO_COMMIT, Tree


def check(
    config: Config, target: Target, tree: Tree, values: Mapping[str, str], *, allow_dirty: bool, no_browser: bool
) -> None:
    """
    Return when nothing speaks against a release.

    Args:
        values: the variables as `config.environment` reads them.

    Raises:
        Problems: all that does.
        Unfinished: nothing does, but a cloud did not answer.
    """
    asked: list[Callable[[], Sequence[LockstepError]]] = [
        lambda: _pinned(config),
        lambda: generated.folder_problems(config.app),
        lambda: _development_servers(config),
        lambda: _public_variables(config, target),
        lambda: _backend(target),
        lambda: _frontend(target),
        lambda: secrets.unset_headers(config.targets[target.name], values, target.name) or _site(target),
    ]
    if not target.is_sandbox:
        asked += [
            lambda: secrets.misformed(values, target.name),
            lambda: _tree(target, tree, allow_dirty=allow_dirty),
            lambda: _browser(target, no_browser=no_browser),
        ]
    problems = [problem for ask in asked for problem in _collected(ask)]
    silent = [problem for problem in problems if isinstance(problem, Unfinished)]
    if problems and problems == silent:
        raise silent[0]
    if problems:
        raise Problems(problems)


def _collected(ask: Callable[[], Sequence[LockstepError]]) -> list[LockstepError]:
    """Return the problems that `ask` returns or raises."""
    try:
        return list(ask())
    except Problems as error:
        return list(error.problems)
    except LockstepError as error:
        return [error]


def _pinned(config: Config) -> list[LockstepError]:
    toolchain.bun(config.app)
    toolchain.manifest(config.app.frontend_folder)
    return []


def _public_variables(config: Config, target: Target) -> list[LockstepError]:
    return [*variables.unset(config.app, target), *variables.loopback(target)]


def _development_servers(config: Config) -> list[LockstepError]:
    """Name every `convex dev` of this project: it pushes over a release, and is never killed from here."""
    return [
        InputError(
            f"convex dev is running in {folder} (process {pid}) and would push over this release",
            hint=f"stop it first: kill {pid}",
        )
        for pid, folder in _running_dev(config.app.folder)
    ]


def _running_dev(root: Path) -> Iterator[tuple[int, str]]:
    import psutil

    for process in psutil.process_iter(["pid", "cmdline", "cwd"]):
        words, folder = process.info["cmdline"] or [], process.info["cwd"] or ""
        is_dev = (
            any(Path(word).name == "convex" or word.endswith("convex/bin/main.js") for word in words) and "dev" in words
        )
        if is_dev and Path(folder).is_relative_to(root):
            yield process.info["pid"], folder


def _tree(target: Target, tree: Tree, *, allow_dirty: bool) -> list[LockstepError]:
    problems: list[LockstepError] = []
    branch = target.frontend.branch
    if tree.commit == NO_COMMIT:
        return [
            InputError(
                "the app is not under version control, or has no commit yet",
                hint="commit it: a release is named by its commit",
            )
        ]
    if not {branch, f"origin/{branch}"} & set(tree.branches):
        where = ", ".join(tree.branches) or "no branch"
        problems.append(
            InputError(
                f"the working tree is on {where}, and target {target.name} ships {branch}", hint=f"git switch {branch}"
            )
        )
    if tree.dirty and not allow_dirty:
        some = ", ".join(tree.changed[:3]) + (f" and {len(tree.changed) - 3} more" if len(tree.changed) > 3 else "")
        problems.append(
            InputError(
                f"the working tree has uncommitted changes: {some}",
                hint="commit or stash them, or ship them with --allow-dirty",
            )
        )
    return problems


def _browser(target: Target, *, no_browser: bool) -> list[LockstepError]:
    if not page.browser():
        page.no_browser(target, allowed=no_browser)
    return []


def _backend(target: Target) -> list[LockstepError]:
    """Ask what the key opens and what it may do; a key is never trusted by its name."""
    backend = target.backend
    key = backend.deploy_key.reveal()
    if not secrets.is_well_formed("CONVEX_DEPLOY_KEY", key):
        return []
    named = key.partition("|")[0]
    if named.startswith(("project:", "preview:")) and named.count(":") == 2:
        return [_other_key(target, f"is a {named.partition(':')[0]} key")]
    if (named if ":" in named else f"prod:{named}") != backend.deployment:
        return [_other_key(target, f"opens {named}")]
    return _permissions(backend, convex.reach(backend), target)


def _permissions(backend: Backend, url: str, target: Target) -> list[LockstepError]:
    lacking = convex.missing_operations(backend, url)
    if not lacking:
        return []
    what = ", ".join(dict.fromkeys(convex.OPERATIONS[operation] for operation in lacking))
    return [
        InputError(
            f"CONVEX_DEPLOY_KEY may not {what} on {target.backend.deployment} ({', '.join(lacking)})",
            hint=_new_key(target),
        )
    ]


def _other_key(target: Target, what: str) -> InputError:
    return InputError(
        f"CONVEX_DEPLOY_KEY {what}, but target {target.name} is {target.backend.deployment}", hint=_new_key(target)
    )


def _new_key(target: Target) -> str:
    kind = "production " if target.backend.deployment.startswith("prod:") else ""
    place = "the Convex dashboard (Settings, Deploy Keys)"
    return f"create a {kind}deploy key in {place} and put it in .env.lockstep.{target.name}"


def _frontend(target: Target) -> list[LockstepError]:
    frontend = target.frontend
    given = {"CLOUDFLARE_API_TOKEN": frontend.api_token.reveal(), "CLOUDFLARE_ACCOUNT_ID": frontend.account_id}
    if not all(secrets.is_well_formed(name, value) for name, value in given.items()):
        return []
    project = pages.project(frontend)
    problems: list[LockstepError] = []
    if not pages.may_publish(frontend):
        what = f"CLOUDFLARE_API_TOKEN may read Pages project {project.name}, not publish to it"
        hint = "give the token the permission Account > Cloudflare Pages > Edit in the Cloudflare dashboard"
        problems.append(InputError(what, hint=hint))
    if project.production_branch != frontend.branch:
        what = f"Pages project {project.name} has production branch {project.production_branch}"
        hint = f"set targets.{target.name}.pages_branch in lockstep.toml, or the project's in {pages.DASHBOARD}"
        problems.append(InputError(f"{what}, and target {target.name} ships {frontend.branch}", hint=hint))
    if project.git_deploys:
        what = f"Pages project {project.name} also deploys from Git by itself, without waiting for the backend"
        hint = f"turn off automatic deployments in {pages.DASHBOARD}: Settings, Builds, Branch control"
        problems.append(InputError(what, hint=hint))
    return problems


def _site(target: Target) -> list[LockstepError]:
    """Find out now that nobody can look at the site, not when it has been published."""
    obstacle = manifest.obstacle(target)
    if not obstacle:
        return []
    table = f"targets.{target.name} of lockstep.toml"
    hint = f"in {table}, set site to where it ends up, or smoke_headers to what lets a service in"
    return [InputError(f"{target.frontend.site} {obstacle}, so the smoke test could not open it", hint=hint)]
