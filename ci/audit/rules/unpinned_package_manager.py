"""A package manager whose version CI picks by itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from ci.audit import queries
from ci.audit.locks import MANAGERS
from ci.audit.model import Finding, Job, Place, Reached, Repository, Step, Text
from ci.audit.rule import Rule

RULE = Rule(
    id="unpinned-package-manager",
    severity="warning",
    title="CI takes another version of the package manager than everybody else",
    happens="""A release of the package manager changes how it reads the lock file, and CI fails on a commit that has
nothing to do with it, or passes where it should not; nobody can repeat it at home.""",
    fix="""Name the version once, as `packageManager` in the root's package.json, and let the setup action read it:
without a version of their own, oven-sh/setup-bun and pnpm/action-setup do.""",
    bad="""# .github/workflows/ci.yml
      - uses: oven-sh/setup-bun@v2
        with:
          bun-version: latest""",
    good="""# package.json
{ "packageManager": "bun@1.3.1" }

# .github/workflows/ci.yml
      - uses: oven-sh/setup-bun@v2""",
)

_INPUTS = {"bun": "bun-version", "pnpm": "version"}
_FILES = {"bun": "bun-version-file", "pnpm": "package_json_file"}
_FLOATING = {"", "latest", "canary", "*", "next"}
_VARIABLE = re.compile(r"\$\{\{\s*env\.(\w+)\s*\}\}")
# pnpm/action-setup refuses any difference from 4 on.
# Source: github.com/pnpm/action-setup/pull/122, read 2026-11-22.
_LENIENT = re.compile(r"@v?[123](?:\.|$)")
_VERSION = re.compile(r"\d+(?:\.\d+)*")

_GLOBAL = re.compile(r"\bnpm\s+(?:i|install|add)\s(?:\s*-\S+)*\s*\b(bun|pnpm)(?:@([^\s;&|]+))?(?:\s+-\S+)*")
_INSTALLER = re.compile(r"https://(bun)\.sh/install\s*\|\s*(?:ba)?sh(?!\s+-s)|https://get\.(pnpm)\.io/install\.sh\s*\|")
_COREPACK = re.compile(r"\bcorepack\s+enable\b")
_COREPACK_SAYS = re.compile(r"\bcorepack\s+(?:prepare|use|install)\s.*@\d")


@dataclass(frozen=True)
class _Brought:
    """A place that brings a package manager, and what is wrong with that."""

    at: Place
    tool: str
    why: str
    job: Job
    step: Step


def check(repository: Repository) -> Iterator[Finding]:
    """Yield one finding for each place that brings a package manager in another version than the pinned one."""
    pinned = next((one.manager for one in repository.packages if not one.folder), None)
    told: set[Place] = set()
    for one in (*_set_up(repository, pinned), *_installed(repository, pinned)):
        if one.at not in told:
            told.add(one.at)
            message = f'job "{one.job.id}", step "{one.step.label}" brings {one.tool} {one.why}'
            found = RULE.found(one.at, message, _hint(one.tool, pinned))
            yield replace(found, job=one.job.id, step=one.step.label)


def _set_up(repository: Repository, pinned: Text | None) -> Iterator[_Brought]:
    """Yield the actions that set up bun or pnpm."""
    for one in repository.reached:
        if one.kind == "setup" and one.tool in _INPUTS and "/" in one.argv[0] and one.job and one.step:
            given = one.given.get(_INPUTS[one.tool])
            if why := _why(one, given, _pinned(one.tool, pinned)):
                yield _Brought(given.at if given else queries.place(one), one.tool, why, one.job, one.step)


def _installed(repository: Repository, pinned: Text | None) -> Iterator[_Brought]:
    """Yield the commands that install them, or let corepack choose."""
    locked = [tool for path in repository.locks if (tool := MANAGERS[path.rpartition("/")[2]]) in ("pnpm", "yarn")]
    for workflow in repository.workflows:
        for job in workflow.jobs:
            is_said = pinned or any(step.run and _COREPACK_SAYS.search(step.run.value) for step in job.steps)
            for step in job.steps:
                for tool, why, at in _commands(step.run, pinned) if step.run else ():
                    yield _Brought(at, tool, why, job, step)
                if step.run and locked and not is_said and (found := _COREPACK.search(step.run.value)):
                    why = "by corepack, and package.json has no `packageManager` that says which"
                    yield _Brought(_at(step.run, found.start()), locked[0], why, job, step)


def _commands(run: Text, pinned: Text | None) -> Iterator[tuple[str, str, Place]]:
    for found in _GLOBAL.finditer(run.value):
        if re.search(r"\s(?:-g|--global)\b", found[0]):
            tool, version = found[1], found[2] or "latest"
            if why := _differs(version, _pinned(tool, pinned), is_exact=False):
                yield tool, why, _at(run, found.start())
    for found in _INSTALLER.finditer(run.value):
        yield found[1] or found[2], _differs("latest", "", is_exact=False), _at(run, found.start())


def _at(run: Text, start: int) -> Place:
    return Place(run.at.path, run.at.line + run.value.count("\n", 0, start), run.at.column)


def _pinned(tool: str, manager: Text | None) -> str:
    name, _, version = manager.value.partition("@") if manager else ("", "", "")
    return version.partition("+")[0] if name == tool else ""


def _why(one: Reached, given: Text | None, pinned: str) -> str:
    """Return what is wrong with the version that an action is given, "" when nothing is."""
    if given is None:
        is_read = bool(pinned) or _FILES[one.tool] in one.given
        return "" if is_read else "without a version, and package.json has no `packageManager` that names one"
    asked = _VARIABLE.sub(lambda match: _value(one, match[1]) or match[0], given.value).strip().removeprefix("bun-v")
    refuses = one.tool == "pnpm" and not _LENIENT.search(one.argv[0])
    return _differs(asked, pinned, is_exact=refuses)


def _differs(asked: str, pinned: str, *, is_exact: bool) -> str:
    if asked.lower() in _FLOATING:
        return f'"{asked or "latest"}", whatever that is today'
    if not pinned or "$" in asked or asked == pinned or (not is_exact and _agrees(asked, pinned)):
        return ""
    return f"{asked}, but package.json asks for {pinned}"


def _value(one: Reached, name: str) -> str:
    text = one.step.env.get(name) if one.step else None
    return text.value if text else ""


def _agrees(asked: str, pinned: str) -> bool:
    """Tell whether a range, or the beginning of a version, may be the one that is pinned."""
    found = _VERSION.match(asked)
    return found is None or f"{pinned}.".startswith(f"{found[0]}.")


def _hint(tool: str, pinned: Text | None) -> str:
    if _pinned(tool, pinned):
        return (
            f"say no version there (`{_INPUTS.get(tool, 'version')}`), so that `packageManager` of package.json counts"
        )
    return (
        f'add `"packageManager": "{tool}@<the version that you use>"` to the root\'s package.json, and say none there'
    )
