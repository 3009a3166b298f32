"""The table of secrets: what each is for, where to get it, the least it must allow, and who sees it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ci import convex
from ci.config import SANDBOX, Config, Settings
from ci.errors import InputError, LockstepError, Problems

DEPLOY, DRIFT = "deploy", "drift"  # the jobs of the workflow that hold a secret at all
JOB = "LOCKSTEP_JOB"  # set by the Nox session that a run is in, which is the job's


@dataclass(frozen=True)
class Variable:
    """
    One secret that a target reads from the environment.

    `scopes` has each job that sees it, with the least that it must allow there; `commands` names the steps whose
    commands get it, beside the release's own calls.
    """

    name: str
    purpose: str
    source: str
    scopes: Mapping[str, str]
    commands: tuple[str, ...]
    shape: re.Pattern[str]
    example: str


VARIABLES = (
    Variable(
        "CONVEX_DEPLOY_KEY",
        "pushes the functions to the target's Convex deployment",
        "the Convex dashboard: the deployment's Settings, Deploy Keys",
        {DEPLOY: ", ".join(convex.OPERATIONS), DRIFT: ", ".join(convex.READING)},
        ("deploy-backend", "migrate"),
        re.compile(r"(?:[a-z0-9-]+:){0,2}[a-z0-9-]+\|\S+"),
        "prod:graceful-shrimp-355|...",
    ),
    Variable(
        "CLOUDFLARE_API_TOKEN",
        "publishes the site to Cloudflare Pages",
        "the Cloudflare dashboard: My Profile, API Tokens, a token with Account > Cloudflare Pages > Edit",
        {DEPLOY: "Account > Cloudflare Pages > Edit"},
        ("deploy-frontend",),
        re.compile(r"[\x21-\x7e]+"),
        "40 letters and digits",
    ),
    Variable(
        "CLOUDFLARE_ACCOUNT_ID",
        "names the Cloudflare account that owns the Pages project",
        "the Cloudflare dashboard: Workers & Pages, Account details",
        {DEPLOY: "none: it belongs to the token, and opens nothing"},
        ("deploy-frontend",),
        re.compile(r"[0-9a-f]{32}"),
        "32 hexadecimal digits",
    ),
)


def of_target(settings: Settings) -> tuple[Variable, ...]:
    """Return the table for one target: what every target has, and what opens its site to the smoke test."""
    opens = {DEPLOY: "to open the site", DRIFT: "to open the site"}
    headers = (
        Variable(
            variable,
            f"opens the protected site to the smoke test, as the header {header}",
            "what guards the site; of Cloudflare Access, a service token",
            opens,
            ("smoke",),
            re.compile(r"[\x20-\x7e]+"),
            "any text",
        )
        for header, variable in settings.smoke_headers.items()
    )
    return (*VARIABLES, *headers)


def by_target(config: Config) -> dict[str, tuple[Variable, ...]]:
    """Return the table of every target but the sandbox, which needs none."""
    return {name: of_target(settings) for name, settings in config.targets.items() if name != SANDBOX}


def by_job(config: Config) -> dict[str, dict[str, tuple[str, ...]]]:
    """Return the names that each job sees, for every target: target to job to names."""
    return {
        target: {job: tuple(one.name for one in table if job in one.scopes) for job in (DEPLOY, DRIFT)}
        for target, table in by_target(config).items()
    }


def misformed(values: Mapping[str, str], target: str) -> list[InputError]:
    """Return one problem for each secret that is missing, empty, quoted, has a stray end of line, or another shape."""
    job = values.get(JOB, "")
    return [
        problem
        for variable in VARIABLES
        for problem in _misformed(variable, values.get(variable.name), target=target, job=job)
    ]


def refuse_missing(config: Config, target: str, values: Mapping[str, str], job: str) -> None:
    """
    Return when all that `job` needs for a target is set.

    Raises:
        Problems: what is missing, or cannot be right.
    """
    seen = [one.name for one in VARIABLES if job in one.scopes]
    problems: list[LockstepError] = [
        problem for problem in misformed(values, target) if problem.message.partition(" ")[0] in seen
    ]
    problems += unset_headers(config.targets[target], values, target)
    if problems and target != SANDBOX:
        raise Problems(problems)


def is_well_formed(name: str, value: str) -> bool:
    """Tell whether `value` may be that variable's, so that it makes sense to ask a cloud about it."""
    return not [
        problem
        for variable in VARIABLES
        if variable.name == name
        for problem in _misformed(variable, value, target="", job="")
    ]


def unset_headers(settings: Settings, values: Mapping[str, str], target: str) -> list[LockstepError]:
    """Return one problem for each variable that a target's `smoke_headers` name and nobody sets."""
    job = values.get(JOB, "")
    return [
        InputError(
            f"{variable} is not set{_for(job)}: as the header {header}, it opens the protected site to the smoke test",
            hint=_put(variable, target, job),
        )
        for header, variable in settings.smoke_headers.items()
        if not values.get(variable)
    ]


def _misformed(variable: Variable, value: str | None, *, target: str, job: str) -> Iterator[InputError]:
    get = f"get it from {variable.source}, and {_put(variable.name, target, job)}"
    name = variable.name
    if not value:
        state = "is not set" if value is None else "is set but empty"
        yield InputError(f"{name} {state}{_for(job)}: it {variable.purpose}", hint=get)
    elif value.strip() != value:
        yield InputError(
            f"{name} begins or ends with white space or an end of line",
            hint="store it again without: printf %s, not echo",
        )
    elif value[0] in "\"'" or value[-1] in "\"'":
        yield InputError(f"{name} contains its quotes", hint="store it again without quotes")
    elif not variable.shape.fullmatch(value):
        yield InputError(f"{name} does not look like one ({variable.example})", hint=get)


def _for(job: str) -> str:
    return f" for job {job}" if job else ""


def _put(name: str, target: str, job: str) -> str:
    """Return where to put a secret: a job reads no file, so where GitHub keeps it, or in this shell."""
    if job:
        environment = f"{target}-{DRIFT}" if job == DRIFT else target
        return f"put it in the environment: gh secret set {name} --env {environment}, or export {name} here"
    return f"put it in .env.lockstep.{target} or the environment"
