"""Whether the Convex CLI finds what it needs to reach a deployment, in a step of a workflow."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal

from ci.audit import facts, scenarios
from ci.audit.model import Backend, Reached, Repository, Scenario, Step, Text, Truth

TOOLS = ("convex", "kitcn", "better-convex")

# Each alone opens a deployment, or the whole of a group does.
# Sources: src/cli/lib/utils/utils.ts and deploymentSelection.ts of convex 1.48.0. CONVEX_DEPLOYMENT alone names a
# deployment and opens none: that needs the login of a developer's machine.
KEYS = ("CONVEX_DEPLOY_KEY", "CONVEX_DEPLOYMENT_TOKEN", "CONVEX_OVERRIDE_ACCESS_TOKEN")
SELF_HOSTED = ("CONVEX_SELF_HOSTED_URL", "CONVEX_SELF_HOSTED_ADMIN_KEY")

_WRITTEN = re.compile(r"\bconvex@([\w.-]+)")  # `npx convex@latest`
_TYPED_IN = re.compile(r"\$\{\{\s*(?:github\.event\.)?inputs\.[\w-]+\s*\}\}$")
_LOCAL = re.compile(r"^(?:local|anonymous):")
_MAKES_LOCAL = re.compile(
    r"convex(?:@\S+)?\s+(?:init|deployment\s+create\s+local|dev\s[^\n]*--local)"
    r"|convex-local-backend|get-convex/convex-backend"
)
_ABOUT_KEYS = re.compile(
    r"CONVEX\w*(?:KEY|TOKEN|SECRET|DEPLOYMENT|ADMIN|AUTH)|DEPLOY_?KEY|ADMIN_KEY|SKIP|HAS_|SELF_HOSTED_", re.IGNORECASE
)
# What is asked for in what runs on a host, or is not sourced.
_NOT_HERE = re.compile(r"\$\{?(?:VERCEL|VERCEL_ENV\w*|VERCEL_GIT\w*|NETLIFY|CF_PAGES\w*)\b|BASH_SOURCE")
_DECIDES_ITSELF = re.compile(
    r"CONVEX_[A-Z_]*(?:KEY|TOKEN|DEPLOYMENT|AGENT|SELF_HOSTED)|\bCI\b|GITHUB_ACTIONS|\bskip", re.I
)


def needs(reached: Reached, repository: Repository) -> Literal["now", "later", "never"]:
    """Return whether a command fails without credentials: with the CLI that is locked, with a newer one, or never."""
    if reached.tool not in TOOLS:
        return "never"
    if reached.argv[1:2] != ("codegen",):
        return "now"
    backend = backend_of(reached, repository)
    written = _WRITTEN.search(reached.chain[-1].text)
    known = backend and (repository.locks or facts.is_exact(backend.convex_version))
    version = facts.version(written[1] if written else backend.convex_version if backend and known else "")
    asks = facts.codegen_asks(version, has_components=bool(backend and backend.has_components))
    return "now" if asks else "later"


def backend_of(reached: Reached, repository: Repository) -> Backend | None:
    """Return the backend that a command is about, the only one if it cannot be told."""
    here = [one for one in repository.backends if reached.folder is not None and one.folder == reached.folder]
    return next(iter(here), next(iter(repository.backends), None))


def is_asked_for(reached: Reached) -> bool:
    """Tell whether a condition around a command asks whether there are credentials."""
    return any(_ABOUT_KEYS.search(name) for guard in reached.guards for name in guard.names)


def is_elsewhere(reached: Reached) -> bool:
    """Tell whether a condition around a command of a workflow asks for a host, or for a script that is not sourced."""
    texts = [guard.text for guard in reached.guards if "-z " not in guard.text and not guard.text.startswith("!")]
    return not reached.host and any(map(_NOT_HERE.search, texts))


def decides_itself(reached: Reached, repository: Repository) -> bool:
    """Tell whether a program that was only read, not understood, looks whether it can, or should, call the CLI."""
    return reached.confidence == "low" and bool(_DECIDES_ITSELF.search(repository.texts.get(reached.at.path, "")))


def any_key(reached: Reached) -> bool:
    """Tell whether a command is given credentials in some scenario or other."""
    return any(name in reached.env.values for name in (*KEYS, SELF_HOSTED[1])) or "--admin-key" in reached.argv


def is_anonymous(reached: Reached) -> bool:
    """Tell whether a command may work on a deployment of its own, on the machine that it runs on."""
    values = reached.env.values
    if "CONVEX_DEPLOYMENT" in values and _LOCAL.match(values["CONVEX_DEPLOYMENT"].value):
        return True
    if reached.argv[1:2] == ("dev",) and "CONVEX_AGENT_MODE" in values:
        return True
    steps = reached.job.steps if reached.job and reached.step else ()
    earlier = [step for step in steps if reached.step and step.index <= reached.step.index]
    return any(_makes_local(step) for step in earlier) or "--local" in reached.argv


def _makes_local(step: Step) -> bool:
    text = step.run.value if step.run else ""
    is_asked_for = "CONVEX_AGENT_MODE" in step.env or "CONVEX_AGENT_MODE" in text
    return _says_local(text) or (is_asked_for and bool(re.search(r"convex(?:@\S+)?\s+dev", text)))


@lru_cache(maxsize=1000)
def _says_local(text: str) -> bool:
    return bool(_MAKES_LOCAL.search(text))


def given(reached: Reached, scenario: Scenario) -> Truth:
    """Return whether a command has credentials in a scenario; secrets are, and what a person is to type in."""
    values = reached.env.values
    if "--admin-key" in reached.argv or any(_TYPED_IN.match(values[name].value) for name in KEYS if name in values):
        return "yes"
    one = [is_set(values[name], reached, scenario) for name in KEYS if name in values]
    both = [is_set(values[name], reached, scenario) for name in SELF_HOSTED if name in values]
    if "yes" in one or both == ["yes", "yes"]:
        return "yes"
    is_open = "maybe" in one or (len(both) == 2 and "no" not in both)
    return "maybe" if is_open or reached.env.questions or "--env-file" in " ".join(reached.argv) else "no"


def is_set(text: Text, reached: Reached, scenario: Scenario) -> Truth:
    """Return whether a value is there for a command in a scenario."""
    if not (reached.workflow and reached.job):
        return "yes" if text.value.strip() else "no"
    return scenarios.is_set(text, scenario, workflow=reached.workflow, job=reached.job, step=reached.step)
