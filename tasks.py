"""Every command of Lockstep, in the order of a release. Read it from top to bottom, and you know the product."""

from __future__ import annotations

import shlex
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from invoke.context import Context
from invoke.exceptions import UnexpectedExit
from invoke.tasks import task

from ci import audit as audits
from ci import config, convex, pages, release, report, toolchain
from ci import workflow as workflows
from ci.config import Config
from ci.convex import Code
from ci.engine.step import Ready, step
from ci.engine.typed import Choices
from ci.errors import InputError, Unfinished
from ci.report import Format

if TYPE_CHECKING:
    from ci.release.comparison import Comparison
    from ci.workflow.written import Place

TargetName = Annotated[str, Choices(lambda: config.load().targets)]
RuleName = Annotated[str, Choices(lambda: audits.registry.ids())]
TARGET = {"target": "where to: a target of lockstep.toml (default: LOCKSTEP_TARGET, else the sandbox)"}
FORMAT = {"format": "how to print it, github as annotations"}


@step(
    timeout_s=90,
    help=TARGET
    | {"allow_dirty": "ship uncommitted changes", "no_browser": "release though no browser can open the page"},
)
def preflight(c: Context, target: TargetName = "", allow_dirty: bool = False, no_browser: bool = False) -> None:
    """Refuse what cannot succeed, before anything has run."""
    settings = config.load()
    release.commands.start_sandbox(c)  # where code is generated, whatever the target
    site, tree = settings.target(target), release.commands.tree(c, settings)
    values = config.environment(site.name)
    release.refusals.check(settings, site, tree, values, allow_dirty=allow_dirty, no_browser=no_browser)


@step(pre=[preflight], timeout_s=600, registry=True)
def install(c: Context) -> str:
    """Install the packages, frozen, and check every tool's version."""
    app = config.load().app
    with c.cd(app.folder):
        c.run(shlex.join(toolchain.install_argv(app)), env=toolchain.QUIET)
    printed = {tool: release.commands.read(c, argv) for tool, argv in toolchain.version_argvs(app).items()}
    found = toolchain.check_versions(app, printed, release.bunlock.versions(release.bunlock.read(app)))
    return ", ".join(f"{tool} {version}" for tool, version in found.items())


@step(pre=[install], timeout_s=60, checks=True)
def lockfile(c: Context) -> None:
    """Check bun.lock against every package.json."""
    release.bunlock.check(config.load().app)


@step(
    pre=[install],
    timeout_s=120,
    checks=True,
    alone=("root", "only", "skip", "min_severity", "explain"),
    help={
        "root": "another repository (default: the one that holds the app of lockstep.toml)",
        "format": "how to print it: text, json, github for annotations, or sarif",
        "only": "a rule to check, and no others",
        "skip": "a rule not to check",
        "min_severity": "the least that is printed",
        "explain": "what a rule is about, with examples; or all",
    },
)
def audit(
    c: Context,
    root: str = "",
    format: str = "text",  # not by choices: those of contract and plan, under the same flag, lack sarif
    only: list[RuleName] = [],  # noqa: B006  # as in plan
    skip: list[RuleName] = [],  # noqa: B006  # as in plan
    min_severity: Literal["error", "warning", "note"] = "note",
    explain: Annotated[str, Choices(lambda: (*audits.registry.ids(), audits.manual.ALL))] = "",
) -> str | None:
    """Read workflows and scripts for what will go wrong there; nothing of them is run."""
    if explain:
        print(audits.manual.explain(explain))
        return None
    folder = Path(root).resolve() if root else audits.result.top(config.load().app.folder)
    found = audits.result.check(folder, only=only, skip=skip, min_severity=min_severity)
    print(audits.printing.shown(found, format, where=release.calls.in_version_control(folder)))
    found.refuse_errors()
    return audits.printing.summary(found)


@step(pre=[install], timeout_s=180)
def codegen(c: Context) -> str | None:
    """Generate the backend's types, without any key."""
    settings = config.load()
    before = release.generated.files(settings.app)
    try:
        release.commands.generate(c, settings, settings.app, settings.code_generation())
    except UnexpectedExit:
        if instead := release.commands.fall_back(c, settings, before):
            return instead
        raise
    release.generated.stale_copies(settings.app)
    return release.generated.difference(release.commands.read(c, release.generated.differs_argv(settings.app)))


@step(pre=[codegen], timeout_s=600, checks=True)
def lint(c: Context) -> str | None:
    """Run the app's linter, which may ask for types."""
    return release.commands.script(c, config.load(), "lint")


@step(pre=[codegen], timeout_s=900, checks=True)
def typecheck(c: Context) -> str | None:
    """Check the types of every package."""
    return release.commands.script(c, config.load(), "typecheck")


@step(pre=[codegen], timeout_s=1800, checks=True)
def test(c: Context) -> str | None:
    """Run the app's tests."""
    return release.commands.script(c, config.load(), "test")


@step(
    pre=[codegen],
    timeout_s=600,
    alone=("root", "against", "references_only"),
    help=TARGET
    | FORMAT
    | {
        "root": "another repository (default: the app of lockstep.toml)",
        "against": "what must have the functions: code, live, or a file that npx convex function-spec wrote",
        "references_only": "list the calls, check none: needs no package and no cloud",
    },
)
def contract(
    c: Context,
    target: str = "",
    root: str = "",
    format: Format = "text",
    against: str = "code",
    references_only: bool = False,
) -> str:
    """Check that each function that is called exists, is public, and is of the right kind."""
    settings = config.load()
    place = release.calls.repository(Path(root).resolve()) if root else release.calls.app_repository(settings.app)
    hands = release.commands.hands(c, settings, target)
    specs = {} if references_only else release.specs.read(settings, place, against, hands)
    checked = release.calls.held(settings, place, specs)
    print(report.contract(checked, format, where=release.calls.in_version_control(place.root)))
    release.calls.refuse_missing(checked.missing, against)
    return f"{len(checked.found.references)} calls" + ("" if references_only else ", all there")


@step(pre=[preflight], timeout_s=60, checks=True)
def workflow_check(c: Context) -> str:
    """Check that all that `inv workflow` writes is up to date."""
    settings = config.load()
    place = workflows.written.place(partial(release.commands.asked, c), config.ROOT, settings.app.folder)
    if not place.holds_app:
        return "skipped: the app is in another repository, which has a workflow of its own"
    return workflows.written.refuse_stale(_texts(settings, place), place.top)


@step(pre=[lint, lockfile, audit, workflow_check, typecheck, test, contract], timeout_s=60)
def check(c: Context) -> None:
    """Run every check that needs no key and no cloud."""


@step(pre=[codegen], timeout_s=900, help=TARGET)
def build(c: Context, target: str = "") -> str | None:
    """Build the frontend for the target, while nothing has changed."""
    settings = config.load()
    if settings.app.prerender:
        return "later: app.prerender is set, so deploy-frontend builds, against the new functions"
    return release.commands.build(c, settings, settings.target(target))


@step(
    pre=[codegen],
    timeout_s=120,
    help=TARGET | FORMAT | {"allow_breaking": "a function that may break for clients in the field"},
)
def plan(
    c: Context,
    target: str = "",
    format: Format = "text",
    allow_breaking: list[str] = [],  # noqa: B006  # Invoke takes a flag that is repeated for one whose default is a list
) -> None:
    """Show what a release will change; refuse what would break clients in the field."""
    world = release.commands.compare(c, target)
    print(_plan(world, format))
    world.refuse_breaking(allow_breaking)


@step(pre=[check, build, plan], timeout_s=3600, terminal=True, help=TARGET | {"yes": "release without being asked"})
def approve(c: Context, target: str = "", yes: bool = False) -> str:
    """Ask once, before anything is changed."""
    world = release.commands.compare(c, target)
    if world.target.is_sandbox or yes:
        return "not asked: " + ("the sandbox holds nothing of value" if world.target.is_sandbox else "--yes")
    if not sys.stdin.isatty():
        raise InputError(
            f"releasing to {world.target.name} needs an approval, and there is no terminal to ask on",
            hint="approve it with --yes",
        )
    print(_plan(world, "text"), file=sys.stderr)
    if input(f"release to {world.target.name}? [y/N] ").strip().lower() not in ("y", "yes"):
        raise InputError("not approved, nothing was changed", hint="answer y, or pass --yes")
    return "approved"


@step(timeout_s=60, always=True, help=TARGET)
def live(c: Context, target: TargetName = "") -> None:
    """Say what is live now, and what to type next."""
    print(report.live(release.commands.compare(c, target)))


@step(pre=[approve], post=[live], timeout_s=900, changes="backend", help=TARGET)
def deploy_backend(c: Context, target: str = "") -> str:
    """Push the functions: the old site still works with them."""
    settings = config.load()
    backend = settings.target(target).backend
    if settings.target(target).is_sandbox:
        release.commands.furnish(settings, settings.app, backend)
    here, url = _here(settings), convex.reach(backend)
    if convex.live_code(backend, url) == here:
        return f"already so: {backend.deployment} runs this code"
    with c.cd(settings.app.backend_folder):
        c.run(shlex.join(convex.deploy_argv(settings.app)), env=convex.cli_env(backend))
    return convex.confirm_pushed(backend, url, here)


@step(pre=[deploy_backend], timeout_s=180, help=TARGET)
def verify_backend(c: Context, target: str = "") -> str:
    """Read back, live, what the frontend calls and what was pushed."""
    settings = config.load()
    backend = settings.target(target).backend
    here, url = _here(settings), convex.reach(backend)
    release.calls.wait_until_served(backend, url, release.calls.of_clients(settings), within_s=80)
    release.calls.wait_for_functions(backend, url, here.functions, within_s=80)
    return f"{len(here.functions)} functions are live"


@step(pre=[verify_backend], post=[live], timeout_s=3600, changes="data", help=TARGET)
def migrate(c: Context, target: str = "") -> str:
    """Run the migrations that this deployment has not run."""
    settings = config.load()
    backend = settings.target(target).backend
    url, commit = convex.reach(backend), release.commands.tree(c, settings).commit
    pending = release.migrations.pending(settings, release.migrations.recorded(backend, url))
    for migration in pending:
        if not release.migrations.is_in_state(release.migrations.recorded(backend, url), migration, "running"):
            with c.cd(settings.app.backend_folder):
                c.run(shlex.join(convex.run_argv(settings.app, migration.function)), env=convex.cli_env(backend))
        release.migrations.finish(backend, url, migration, commit=commit)
    return f"ran {', '.join(item.function for item in pending)}" if pending else "already so: nothing to run"


@step(pre=[migrate], post=[live], timeout_s=900, changes="frontend", help=TARGET)
def deploy_frontend(c: Context, target: str = "") -> str:
    """Publish the site, and read back that it is the one served."""
    settings = config.load()
    site, tree = settings.target(target), release.commands.tree(c, settings)
    if settings.app.prerender:
        release.commands.build(c, settings, site)
    release.commands.check_dist(settings.app, url := convex.reach(site.backend))
    called = release.calls.client_functions(settings)
    stamp = release.manifest.stamp(settings.app.dist_folder, tree, site.backend.deployment, url, called)
    if release.manifest.live(site) == stamp:
        return f"already so: {site.frontend.site} serves release {stamp.release}"
    output = pages.fresh_output(settings.state / "wrangler")
    with c.cd(settings.app.frontend_folder):
        argv = pages.deploy_argv(
            settings.app, site.frontend, commit=tree.commit, message=tree.message, dirty=tree.dirty
        )
        c.run(shlex.join(argv), env=pages.env(site.frontend, output), warn=True)
    published = pages.confirm_published(site.frontend, pages.reported(output), tree.commit)
    return f"published release {stamp.release} at {published.url}"


@step(pre=[deploy_frontend], timeout_s=300, help=TARGET)
def smoke(c: Context, target: str = "", no_browser: bool = False) -> Ready:
    """Open the live site in a browser and fail on any error there."""
    settings = config.load()
    site = settings.target(target)
    screenshot = Path(".lockstep/smoke", f"{site.name}.png")
    browser = "" if no_browser else release.page.browser()
    look = release.commands.start_browser(c, settings, site, browser, screenshot) if browser else None
    yield  # the browser starts while deploy-frontend publishes
    release.page.wait_for(site, release.manifest.read(settings.app.dist_folder).release, within_s=120)
    if not look:
        return release.page.no_browser(site, allowed=no_browser)
    visit = release.page.judge(look(), site.frontend.site, screenshot)
    return f"{visit.title!r} opened without an error, screenshot in {screenshot}"


@step(pre=[smoke], post=[live], timeout_s=60, help=TARGET)
def deploy(c: Context, target: str = "") -> str:
    """Release: backend first, frontend last, each step proved."""
    return f"released to {config.load().target(target).frontend.site}"


@step(
    timeout_s=120,
    checks=True,
    help=TARGET | FORMAT | {"strict": "fail when it is not what this commit is, or nobody can tell"},
)
def status(c: Context, target: TargetName = "", format: Format = "text", strict: bool = False) -> None:
    """Tell the true state of a target beside what is at hand; reads only."""
    from ci.engine import history

    settings = config.load()
    site = release.commands.target(c, settings, target)
    if strict:
        release.secrets.refuse_missing(settings, site.name, config.environment(site.name), release.secrets.DRIFT)
    world = release.comparison.read(settings, site, release.commands.tree(c, settings))
    last_run = history.last_change(config.ROOT / history.FOLDER)
    found = release.status.Status(world, release.commands.behind(c, settings, world.site), last_run)
    print(report.status(found, format))
    if strict:
        found.refuse_difference()


@task(
    help={
        "stop": "end it; its data stay",
        "reset": "forget its data; addresses and keys stay",
        "status": "say whether it runs, where, and what it lacks",
    }
)
def sandbox(c: Context, stop: bool = False, reset: bool = False, status: bool = False) -> None:
    """Start both clouds on this machine, for the real tools."""
    verbs = [verb for verb, wanted in (("stop", stop), ("reset", reset), ("status", status)) if wanted]
    if len(verbs) > 1:
        raise InputError(f"--{verbs[0]} and --{verbs[1]} cannot go together", hint=f"./inv sandbox --{verbs[0]}")
    if c.run(shlex.join(toolchain.sandbox_argv(verbs[0] if verbs else "start")), warn=True).failed and not status:
        raise Unfinished("the sandbox did not do as asked", hint="see .lockstep/sandbox/sandbox.log")


@task(help={"check": "write nothing; fail, with the difference, when something is stale"})
def workflow(c: Context, check: bool = False) -> None:
    """Write CI's workflow, .env.example and docs/secrets.md from lockstep.toml and the table of secrets."""
    settings = config.load()
    place = workflows.written.place(partial(release.commands.asked, c), config.ROOT, settings.app.folder)
    texts = _texts(settings, place)
    print(workflows.written.refuse_stale(texts, place.top) if check else workflows.written.write(texts, place))


@task(help=TARGET | {"format": "text or json"})
def doctor(c: Context, target: str = "", format: str = "text") -> None:
    """List what this machine has and lacks, and what to type next."""
    from ci.engine import environment

    settings = config.load()
    ask, seen = partial(release.commands.asked, c), environment.names_seen(config.ROOT)
    print(report.doctor(release.doctor.examine(settings, settings.target_name(target), ask, seen), format))


@task(help={"show": "tell this one: its id, a part of that, or last", "format": "text, json or, of one run, markdown"})
def runs(c: Context, show: str = "", format: str = "text") -> None:
    """List the last runs; tell one: its tasks, commands and logs."""
    from ci.engine import history

    folder = config.ROOT / history.FOLDER
    print(history.shown(folder, show, format) if show else history.listed(folder, format))


@task(help={"task": "only this one, and what runs with it", "format": "text, mermaid or json"})
def graph(c: Context, task: str = "", format: str = "text") -> None:
    """Draw which task comes before which."""
    from ci.engine import diagram

    print(diagram.draw(task, format))


def _texts(settings: Config, place: Place) -> dict[Path, str]:
    secrets = release.secrets.by_job(settings)
    of_repository = workflows.render.files(settings, secrets, place.top, folder=place.below)
    return of_repository | {config.ROOT / name: text for name, text in release.documents.texts(settings).items()}


def _here(settings: Config) -> Code:
    return convex.code_at_hand(settings.sandbox_control(), settings.code_generation())


def _plan(world: Comparison, format: Format) -> str:
    steps = (deploy_backend, verify_backend, migrate, deploy_frontend, smoke)
    rows = [(item.name.replace("_", "-"), item.promise.changes, str(item.__doc__).strip()) for item in steps]
    return report.plan(world, rows, format)
