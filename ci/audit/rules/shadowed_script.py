"""A script that a package manager does not run, since it has a verb of that name."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from typing import Literal

from ci.audit import line, workspaces
from ci.audit.line import Line
from ci.audit.model import Finding, Package, Place, Repository, Text
from ci.audit.rule import Rule

RULE = Rule(
    id="shadowed-script",
    severity="warning",
    title="The package manager runs its own command, not the script of that name",
    happens="""`bun test` is bun's test runner, `bun build` its bundler, `pnpm deploy` copies a package: the script that
was meant never runs, and the step may be green all the same.""",
    fix="""Write `run`: `bun run test`, `pnpm run deploy`.""",
    bad="""# package.json
{ "scripts": { "test": "vitest run" } }

# .github/workflows/ci.yml
      - run: bun test""",
    good="""# package.json
{ "scripts": { "test": "vitest run" } }

# .github/workflows/ci.yml
      - run: bun run test""",
)

# Verbs that people take for their scripts; `npm ci` and `bun install` nobody does.
_VERBS = {"bun": {"test", "build", "deploy", "prune", "publish"}, "pnpm": {"deploy", "publish", "setup", "server"}}
_OF_PNPM_DEPLOY = re.compile(r"--(prod|dev|no-optional|filter|legacy|force|config|node-linker|ignore)|-[PDF]")
_COMMAND = re.compile(
    r"""(?:^|&&|\|\||[;|(]|\bthen\b|\bdo\b)\s*(?:\w+=\S*\s+)*((?:bun|pnpm)\s(?:[^\n;&|"'()#]|"[^"\n]*"|'[^'\n]*')*)""",
    re.MULTILINE,
)
_CHANGES_FOLDER = re.compile(r"\b(?:cd|pushd)\s")


def check(repository: Repository) -> Iterator[Finding]:
    """Yield one finding for each command line that runs a verb where a script of that name waits."""
    told: set[tuple[Place, str]] = set()
    reached = {link.at for one in repository.reached for link in one.chain}
    for text, folder, is_block in _texts(repository):
        moves = _CHANGES_FOLDER.search(text.value)
        for command in _COMMAND.finditer(text.value):
            at = _place(text, command.start(1), is_block=is_block)
            if moves and moves.start() < command.start(1):
                break  # from here on it is not known whose script is meant
            found = _shadowed(command[1], folder, repository)
            if found and (at, found[0].verb) not in told:
                said, package = found
                told.add((at, said.verb))
                message = f"`{said.manager} {said.verb}` is {said.manager}'s own, not the script of {package.path}"
                script = f'"{package.scripts[said.verb].value}"'
                status: Literal["gap", "latent"] = "gap" if is_block or text.at in reached else "latent"
                yield RULE.found(at, f"{message}: {script}", f"write `{said.manager} run {said.verb}`", status=status)


def _texts(repository: Repository) -> Iterator[tuple[Text, str, bool]]:
    for workflow in repository.workflows:
        for job in workflow.jobs:
            for step in job.steps:
                if step.run and step.folder is not None:
                    yield step.run, step.folder, True
    for package in repository.packages:
        yield from ((text, package.folder, False) for text in package.scripts.values())


def _place(text: Text, start: int, *, is_block: bool) -> Place:
    return Place(text.at.path, text.at.line + (text.value.count("\n", 0, start) if is_block else 0), text.at.column)


def _shadowed(command: str, folder: str, repository: Repository) -> tuple[Line, Package] | None:
    try:
        said = line.parse(shlex.split(command))
    except ValueError:
        return None
    if said is None or said.verb not in _VERBS.get(said.manager, ()) or _is_meant(said):
        return None
    package = _package(said, folder, repository)
    script = package.scripts.get(said.verb) if package else None
    if package is None or script is None or _comes_to(said, package):
        return None
    return said, package


def _is_meant(said: Line) -> bool:
    """Tell whether the manager's own verb is meant: it is told about what, and no option that it does not know."""
    options = [word for word in said.words if word.startswith("-")]
    if said.verb == "deploy" and not all(map(_OF_PNPM_DEPLOY.match, options)):
        return False
    return len(options) < len(said.words)


def _comes_to(said: Line, package: Package) -> bool:
    """Tell whether the script runs that very command, itself or by way of other scripts: then it is meant."""
    seen = {said.verb}
    waiting = [said.verb]
    while waiting:
        text = package.scripts[waiting.pop()].value
        if re.search(rf"\b{said.manager}\s+{said.verb}\b", text):
            return True
        new = [word for word in text.split() if word in package.scripts and word not in seen]
        seen.update(new)
        waiting += new
    return False


def _package(said: Line, folder: str, repository: Repository) -> Package | None:
    here = workspaces.owner(folder, repository.packages)
    if here is None or said.options.keys() & {"folder", "all"}:
        return None
    if "only" not in said.options:
        return here
    if said.manager == "bun":
        return None  # with a filter, bun runs scripts
    family = workspaces.members(workspaces.root(here, repository.packages), repository.packages)
    return next(iter(workspaces.chosen(said.options["only"], folder, family).packages), None)
