"""The workflow and its Dependabot settings as text: templates that a person can read, filled in from lockstep.toml."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from ci.config import SANDBOX, Config, Settings
from ci.errors import InputError, LockstepError, Problems

WORKFLOW, DEPENDABOT = ".github/workflows/ci.yml", ".github/dependabot.yml"
TEMPLATES = Path(__file__).parent / "template"

# What may stand in the file: names that need no quotes there, nor in a shell or an expression of GitHub.
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_BRANCH = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]*")
_CRON = re.compile(r"[0-9*,/-]+( [0-9*,/-]+){4}")
_PIN = re.compile(r"uses: ([\w./-]+)@[0-9a-f]{40} # v\S+")
_SITE = re.compile(r"https?://[^\s'\"{}$]+")

# target to job to the names of the secrets that the job sees
Secrets = Mapping[str, Mapping[str, tuple[str, ...]]]


def files(config: Config, secrets: Secrets, top: Path, *, folder: str = "") -> dict[Path, str]:
    """
    Return the files that GitHub reads; pins of actions stay as they are, since Dependabot raises them there.

    Args:
        top: the root of the repository.
        folder: that of Lockstep below the root; "" where it is the root itself.

    Raises:
        Problems: all that cannot stand in a workflow.
    """
    if problems := list(_problems(config)):
        raise Problems(problems)
    before = (top / WORKFLOW).read_text() if (top / WORKFLOW).is_file() else ""
    workflow = _pinned(_workflow(config, secrets, folder), before)
    return {top / WORKFLOW: workflow, top / DEPENDABOT: _filled("dependabot")}


def _workflow(config: Config, secrets: Secrets, folder: str) -> str:
    targets = {name: settings for name, settings in config.targets.items() if name != SANDBOX}
    branches = list(dict.fromkeys(settings.pages_branch for settings in targets.values())) or ["main"]
    schedule = _filled("schedule", cron=json.dumps(config.workflow.drift)) if targets else ""
    place = f"    working-directory: {folder}\n" if folder else ""
    steps = {"setup": _setup(config, folder), "summary": _filled("summary")}
    jobs = [_filled("check", **steps)]
    if config.workflow.sessions:
        jobs.append(_filled("sessions", sessions=_listed(config.workflow.sessions), **steps))
    jobs += _deploy_jobs(config, targets, secrets, steps)
    steps["setup"] = _setup(config, folder, "          ref: ${{ matrix.branch }}\n          fetch-depth: 0\n")
    jobs += _drift_jobs(targets, secrets, steps)
    return _filled("head", branches=_listed(branches), schedule=schedule, place=place) + "\n".join(jobs)


def _deploy_jobs(
    config: Config, targets: Mapping[str, Settings], secrets: Secrets, steps: Mapping[str, str]
) -> list[str]:
    """Return one job for all targets that ship the same branch with the same secrets."""
    groups: dict[tuple[str, tuple[str, ...]], list[str]] = defaultdict(list)
    for name, settings in targets.items():
        groups[settings.pages_branch, secrets[name]["deploy"]].append(name)
    return [
        _filled(
            "deploy",
            job=_job("deploy", names, len(groups)),
            needs=_listed(["check", *(["sessions"] if config.workflow.sessions else [])]),
            ref=f"'refs/heads/{branch}'",
            max_parallel=str(config.workflow.max_parallel),
            include=_include(targets, names, ("site",)),
            secrets=_secrets(held),
            **steps,
        )
        for (branch, held), names in groups.items()
    ]


def _drift_jobs(targets: Mapping[str, Settings], secrets: Secrets, steps: Mapping[str, str]) -> list[str]:
    """Return one job for all targets that are looked at with the same secrets."""
    groups: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for name in targets:
        groups[secrets[name]["drift"]].append(name)
    return [
        _filled(
            "drift",
            job=_job("drift", names, len(groups)),
            include=_include(targets, names, ("branch", "site")),
            secrets=_secrets(held),
            **steps,
        )
        for held, names in groups.items()
    ]


def _job(kind: str, targets: Sequence[str], groups: int) -> str:
    return kind if groups == 1 else "-".join([kind, *targets])


def _include(targets: Mapping[str, Settings], names: Sequence[str], keys: Sequence[str]) -> str:
    lines = []
    for name in names:
        known = {"branch": targets[name].pages_branch, "site": targets[name].site}
        lines += [f"          - target: {name}\n", *(f"            {key}: {known[key]}\n" for key in keys)]
    return "".join(lines)


def _secrets(names: Iterable[str]) -> str:
    return "".join(f"          {name}: ${{{{ secrets.{name} }}}}\n" for name in names)


def _setup(config: Config, folder: str, checkout: str = "") -> str:
    here = f"{folder}/" if folder else ""
    root = _below(config, folder)
    locks = (f"{here}requirements*.lock", f"{here}ci/package-lock.json", f"{root}bun.lock")
    return _filled("setup", checkout=checkout, locks=", ".join(f"'{lock}'" for lock in locks))


def _below(config: Config, folder: str) -> str:
    """Return the app's folder as the root of the repository sees it, with a slash behind it, or nothing."""
    parts: list[str] = []
    for part in [*folder.split("/"), *config.app.root.split("/")]:
        if part == "..":
            parts = parts[:-1]
        elif part not in ("", "."):
            parts.append(part)
    return "".join(f"{part}/" for part in parts)


def _pinned(text: str, before: str) -> str:
    pins = {found[1]: found[0] for found in _PIN.finditer(before)}
    return _PIN.sub(lambda found: pins.get(found[1], found[0]), text)


def _listed(names: Sequence[str]) -> str:
    return f"[{', '.join(names)}]"


def _filled(template: str, **values: str) -> str:
    """Return a template with its values; one that stands alone on a line brings its own ends of line."""
    text = (TEMPLATES / f"{template}.yml").read_text()
    for name, value in values.items():
        text = text.replace(f"<{name}>\n", value) if value.endswith("\n") or not value else text
        text = text.replace(f"<{name}>", value)
    return text


def _problems(config: Config) -> Iterable[LockstepError]:
    workflow = config.workflow
    for name in workflow.sessions:
        yield from _unfit(_NAME, name, f"workflow.sessions has {name!r}", "name Nox sessions, as ./nox --list does")
    hint = 'write five fields, such as "23 5 * * *"'
    yield from _unfit(_CRON, workflow.drift, f"workflow.drift is {workflow.drift!r}", hint)
    if workflow.max_parallel < 1:
        yield InputError(f"lockstep.toml: workflow.max_parallel is {workflow.max_parallel}", hint="write 1 or more")
    for name, settings in config.targets.items():
        if name != SANDBOX:
            yield from _target_problems(name, settings)


def _target_problems(name: str, settings: Settings) -> Iterable[LockstepError]:
    yield from _unfit(_NAME, name, f"a target is called {name!r}", "use letters, digits, - and _")
    what = f"targets.{name}.pages_branch is {settings.pages_branch!r}"
    yield from _unfit(_BRANCH, settings.pages_branch, what, "name one branch, without a pattern")
    yield from _unfit(_SITE, settings.site, f"targets.{name}.site is {settings.site!r}", "write its address: https://")
    for variable in settings.smoke_headers.values():
        what = f"targets.{name}.smoke_headers names the variable {variable!r}"
        yield from _unfit(_NAME, variable, what, "use letters, digits and _")


def _unfit(shape: re.Pattern[str], value: str, what: str, hint: str) -> Iterable[LockstepError]:
    if not shape.fullmatch(value):
        yield InputError(f"lockstep.toml: {what}, which cannot stand in a workflow", hint=hint)
