"""Questions that several rules ask of a repository."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from ci.audit import credentials, expressions, scenarios, shown
from ci.audit.model import Concurrency, Package, Place, Reached, Repository, Scenario, Text, Workflow

_NOT_LIVE = re.compile(
    r"preview|staging|stage\b|\bstg|\bdev\b|develop|\bpr-|\btest|\bqa\b|sandbox|draft", re.IGNORECASE
)
_EXAMPLE = re.compile(r"(?:^|/)(?:examples?|demos?|playground|templates?|fixtures?|samples?)(?:/|$)")
_NOT_THE_APP = re.compile(r"\bdocs?\b|storybook|coverage|report|allure|badge|slides|typedoc", re.IGNORECASE)
_ADDRESS = re.compile(r"CONVEX\w*_URL$")
_NOTHING = Text("", Place(""))
_HOST_SETTINGS = ("vercel.json", "netlify.toml")
# Source: vercel.com/docs/project-configuration/git-configuration, read 2026-11-22.
_NOT_BY_ITSELF = re.compile(
    r'"deploymentEnabled"\s*:\s*(?:false|\{[^}]*"(?:main|master|production|prod)"\s*:\s*false)'
    r'|"github"\s*:\s*\{[^}]*"enabled"\s*:\s*false|"ignoreCommand"|^\s*ignore\s*=',
    re.MULTILINE,
)
_SERVERS = ("railway", "fly")
_ANYTHING = ("sst", "alchemy")  # deploy what a program describes
_FRONTENDS = (
    "react-dom",
    "next",
    "vue",
    "nuxt",
    "svelte",
    "@sveltejs/kit",
    "solid-js",
    "astro",
    "@angular/core",
    "preact",
)
_BUILT = ("dist", "build", "out", ".output", "public", "www", ".")
_OF_ONE_RUN = re.compile(r"github\.(?:sha|run_id|run_number|run_attempt|event\.head_commit|event\.after)")
_MAY_DEPLOY = re.compile(r"deploy|convex|backend|release|publish|ship", re.IGNORECASE)


# --- when -----------------------------------------------------------------------------------------------------------


def releases(reached: Reached) -> tuple[Scenario, ...]:
    """Return the scenarios in which a command ships what was merged: those of the main branch, if it has any."""
    found = [one for one in whens(reached) if not one.is_pull_request and one.ref != "refs/heads/topic"]
    main = [one for one in found if not (one.ref or "").startswith("refs/heads/") or is_main(one, reached.workflow)]
    return tuple(main or found)


def whens(reached: Reached) -> tuple[Scenario, ...]:
    """Return the scenarios in which a command may run."""
    if reached.workflow is None or reached.job is None:
        return ()
    workflow, job = reached.workflow, reached.job
    return tuple(one for one in scenarios.of(workflow) if scenarios.runs(workflow, job, reached.step, one) != "no")


def is_main(scenario: Scenario, workflow: Workflow | None) -> bool:
    """Tell whether a scenario is one of the main branch, as far as a workflow tells which that is."""
    name = (scenario.ref or "").removeprefix("refs/heads/")
    return name in ("production", "prod") or (workflow is not None and name == scenarios.default_branch(workflow))


# --- what -----------------------------------------------------------------------------------------------------------


def deploys(repository: Repository) -> Iterator[Reached]:
    """Yield what deploys a backend that is to stay; a preview is not."""
    yield from (one for one in repository.reached if one.kind == "deploy" and is_to_stay(one))


def is_to_stay(deploy: Reached) -> bool:
    """Tell whether a deploy is not that of a preview, nor one that runs on a host only."""
    is_preview = any(word.startswith("--preview") for word in deploy.argv)
    return not is_preview and not credentials.is_elsewhere(deploy)


def pushes(repository: Repository) -> Iterator[Reached]:
    """Yield what brings functions to a backend that is to stay: a deploy, or `convex dev --once` with a key."""
    yield from deploys(repository)
    yield from (one for one in repository.reached if _is_dev_push(one))


def _is_dev_push(one: Reached) -> bool:
    is_dev = one.tool == "convex" and one.argv[1:2] == ("dev",) and credentials.any_key(one)
    return is_dev and not credentials.is_anonymous(one)


def publishes(repository: Repository) -> Iterator[Reached]:
    """Yield what shows an app that uses the backend to its users: no previews, manuals, or servers without pages."""
    for one in repository.reached:
        is_site = one.kind == "publish" and (one.tool not in _SERVERS or has_pages(one, repository))
        if is_site and not is_preview(one) and is_of_the_app(one, repository):
            yield one


def drafts(repository: Repository) -> Iterator[Reached]:
    """Yield what shows the app in previews, where nothing deploys a backend for them either."""
    if not any(one.kind == "deploy" for one in repository.reached):
        shown = (one for one in repository.reached if one.kind == "publish" and is_of_the_app(one, repository))
        yield from (one for one in shown if one.tool not in (*_SERVERS, "gh-pages") and whens(one))


def ships(repository: Repository) -> Iterator[Reached]:
    """Yield what workflows change of what is deployed, production or not, outside of pull requests."""
    deployed = list(deploys(repository))
    deploying = {one.workflow.path for one in deployed if one.workflow}
    if not repository.backends and not deployed:
        return
    for one in repository.reached:
        is_publish = one.kind == "publish" and not is_draft(one) and is_of_the_app(one, repository)
        is_known = one.tool != "gh-pages" or not asks_what(one, repository)
        is_dev = one.workflow is not None and one.workflow.path not in deploying and _is_dev_push(one)
        is_meant = (is_publish and is_known) or (one.kind == "deploy" and is_to_stay(one)) or is_dev
        if is_meant and one.job and releases(one):
            yield one


def groups(one: Reached) -> tuple[Concurrency, ...]:
    """Return the concurrency groups that a command runs in."""
    of_workflow = one.workflow.concurrency if one.workflow else None
    of_job = one.job.concurrency if one.job else ()
    return (*of_job, of_workflow) if of_workflow else of_job


def is_shared(group: Concurrency) -> bool:
    """Tell whether two runs can be in a group, which one with the commit or the run in its name does not let them."""
    return not _OF_ONE_RUN.search(group.group)


def unknowns(repository: Repository) -> Iterator[Reached]:
    """Yield what was not followed and may deploy, by its name."""
    for one in repository.reached:
        said = " ".join((*one.argv, *(question.text.partition(":")[0] for question in one.questions)))
        named = f"{one.step.label if one.step else ''} {one.job.id if one.job else ''}"
        if one.kind == "unknown" and _MAY_DEPLOY.search(f"{said} {named}"):
            yield one


def is_trusted_elsewhere(reached: Reached) -> bool:
    """Tell whether a job hands all secrets to a reusable workflow of another repository."""
    is_remote = reached.kind == "unknown" and reached.job is not None and reached.job.remote is not None
    return is_remote and reached.given.get("secrets", _NOTHING).value == "inherit"


def is_preview(reached: Reached) -> bool:
    """Tell whether what is published is surely not what users see: a draft, or by its name another stage."""
    if is_draft(reached):
        return True
    branch = reached.given.get("branch") if reached.tool == "cloudflare/pages-action" else None
    named = branch.value if branch else option(reached.argv, "--branch", "--env", "-e")
    return bool(_NOT_LIVE.search(named)) and "$" not in named


def is_draft(reached: Reached) -> bool:
    """Tell whether a host gives what is published an address of its own, which nobody knows, and is meant to."""
    return _has_own_address(reached) and not _is_meant_for_users(reached)


def _has_own_address(reached: Reached) -> bool:
    words = [*reached.argv, *(reached.given[name].value for name in ("vercel-args", "args") if name in reached.given)]
    line = " ".join(words)
    is_open = any(word.startswith("$") and not before.startswith("-") for before, word in pairwise(("", *words)))
    if reached.tool == "vercel":
        is_other_verb = re.search(r"\b(promote|alias|rolling-release)\b", line)
        return not (is_open or is_other_verb or re.search(r"--prod\b|--target[= ]production", line))
    if reached.tool == "netlify":
        is_live = is_open or re.search(r"--prod|(?:^|\s)-p\b", line) or reached.argv[0].lower().startswith("nwtgck/")
        return not is_live or reached.given.get("production-deploy", _NOTHING).value == "false"
    if reached.tool == "firebase":
        is_action = "/" in reached.argv[0]
        return "hosting:channel:deploy" in line or (is_action and "channelId" not in reached.given)
    return False


def _is_meant_for_users(reached: Reached) -> bool:
    """Tell whether what runs on the main branch only does not call itself a preview."""
    line = " ".join((*reached.argv, *(text.value for text in reached.given.values())))
    names = (
        reached.workflow and reached.workflow.name,
        reached.job and reached.job.id,
        reached.step and reached.step.label,
    )
    is_called_so = _NOT_LIVE.search(" ".join((line, *(name or "" for name in names))))
    return not is_called_so and all(is_main(one, reached.workflow) for one in whens(reached))


def option(argv: tuple[str, ...], *names: str) -> str:
    """Return the value of an option, "" without one."""
    for number, word in enumerate(argv):
        for name in names:
            if word.startswith(f"{name}="):
                return word.partition("=")[2]
            if word == name and number + 1 < len(argv):
                return argv[number + 1]
    return ""


def is_of_the_app(reached: Reached, repository: Repository) -> bool:
    """Tell whether what is published may use the backend."""
    paths = [path for path in shown.folders(reached) if path]
    if any(_NOT_THE_APP.search(path) for path in paths) or shown.is_plain(reached, repository.plain):
        return False
    owners = [owner for path in paths if (owner := owner_of(path, repository)) is not None]
    if not owners:
        return True
    deepest = max(owners, key=lambda owner: len(owner.folder))
    return not deepest.folder or uses_backend(deepest, repository) or _is_told_of_backend(reached)


def _is_told_of_backend(reached: Reached) -> bool:
    """Tell whether a step of the job that publishes, or of one that it needs, is given the address of a backend."""
    jobs = reached.workflow.jobs if reached.workflow and reached.job else ()
    mine = (job for job in jobs if reached.job and job.id in (reached.job.id, *reached.job.needs))
    return any(_ADDRESS.search(name) for job in mine for step in job.steps for name in step.env)


def has_pages(reached: Reached, repository: Repository) -> bool:
    """Tell whether the package that a server is deployed from has a frontend in it."""
    owner = owner_of(reached.folder or "", repository)
    return owner is None or any(name in _FRONTENDS for name in owner.declared)


def asks_what(reached: Reached, repository: Repository) -> str:
    """Return the question that is left of whether a publish shows the app to its users, "" if it is clear."""
    if reached.tool in _ANYTHING and not has_pages(reached, repository):
        return f"is the frontend among what `{reached.tool} deploy` deploys?"
    if _has_own_address(reached):
        return "is this only a preview, without --prod?"
    if not reached.questions:
        return ""
    is_built = any(path.rpartition("/")[2] in _BUILT for path in shown.folders(reached))
    return "" if reached.tool == "gh-pages" and is_built else reached.questions[0].text


def owner_of(path: str, repository: Repository) -> Package | None:
    """Return the package that a path lies in."""
    owners = [one for one in repository.packages if not one.folder or f"{path}/".startswith(f"{one.folder}/")]
    return max(owners, key=lambda one: len(one.folder), default=None)


def is_example(path: str) -> bool:
    """Tell whether a path is one of what only shows how something is used."""
    return bool(_EXAMPLE.search(path))


def uses_backend(package: Package, repository: Repository) -> bool:
    """Tell whether a package, or one of the workspace that it depends on, uses Convex."""
    by_name = {one.name: one for one in repository.packages if one.name}
    seen: set[str] = set()
    left = [package]
    while left:
        one = left.pop()
        if any(name == "convex" or "convex" in name.split("/")[0] for name in one.declared):
            return True
        new = [by_name[name] for name in one.declared if name in by_name and name not in seen]
        seen.update(one.name for one in new)
        left += new
    return False


def host_settings(repository: Repository) -> Iterator[str]:
    """Yield the files by which a host may build, and publish, an app that uses the backend, on every push."""
    for path, text in sorted(repository.texts.items()):
        folder, _, name = path.rpartition("/")
        owner = owner_of(folder, repository) if name in _HOST_SETTINGS else None
        is_app = (
            owner and owner.folder == folder and uses_backend(owner, repository) and not _NOT_THE_APP.search(folder)
        )
        if is_app and not _NOT_BY_ITSELF.search(text):
            yield path


# --- where ----------------------------------------------------------------------------------------------------------


def place(reached: Reached) -> Place:
    """Return where a workflow, or an action of it, calls what leads to a command."""
    written = [link.at for link in reached.chain if link.at.path.startswith(".github/")]
    return written[-1] if written else reached.at


def said(reached: Reached) -> str:
    """Return a command as a person would say it."""
    line = " ".join(reached.argv)
    return f"`{line if len(line) <= 60 else line[:57] + '...'}`"


def step_of(reached: Reached) -> str:
    """Return the step of a command as a person would say it."""
    if reached.host:
        return f"the build on {reached.host}"
    job = reached.job.id if reached.job else ""
    return f'job "{job}", step "{reached.step.label}"' if reached.step else f'job "{job}"'


# --- values ---------------------------------------------------------------------------------------------------------


def secrets_in(text: Text) -> frozenset[str]:
    """Return the names of the secrets in a value, in capital letters."""
    named = expressions.names(text.value)
    return frozenset(name.removeprefix("secrets.").upper() for name in named if name.startswith("secrets."))
