"""From each step of a workflow, and each build of a host, to the commands that matter, through all that is between."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from ci.audit import actions, credentials, folders, hosts, shell, turns
from ci.audit.files import Files
from ci.audit.follow import OF_HOSTS, Follower
from ci.audit.left import Left
from ci.audit.model import (
    Env,
    Guard,
    Job,
    Package,
    Place,
    Question,
    Reached,
    Step,
    Swallow,
    Text,
    Turbo,
    Workflow,
)
from ci.audit.trail import Trail

# What the runner sets.
# Source: docs.github.com/en/actions/learn-github-actions/environment-variables, in a copy, read 2026-11-22.
_RUNNER = {name: Text("true", Place("")) for name in ("CI", "GITHUB_ACTIONS")}
_SECRET = re.compile(r"\b(?:secrets|env|vars|inputs)\.([A-Za-z_][\w-]*)")
_OUTPUT = re.compile(r"\b(steps|needs)\.([\w-]+)\.outputs\b")
_MATTERS = re.compile(r"convex|wrangler|vercel|netlify|turbo|\b(npm|npx|pnpm|yarn|bun|bunx)\b", re.IGNORECASE)


def reach(
    files: Files, workflows: Sequence[Workflow], packages: Sequence[Package], turbo: Turbo | None
) -> tuple[Reached, ...]:
    """Return every command that matters; what was not followed is among them as `unknown`, or in `files.skipped`."""
    walk = _Walk(files, packages, turbo)
    found = [one for workflow in workflows for job in workflow.jobs for one in walk.job(workflow, job)]
    found += [one for build in hosts.builds(files, packages) for one in walk.host(build)]
    return tuple(found)


def latent(files: Files, packages: Sequence[Package], turbo: Turbo) -> tuple[Reached, ...]:
    """Return what the tasks of turbo would reach, were all of them run, with all keys."""
    keys = {name: Text("a key", Place(turbo.path)) for name in (*credentials.KEYS, credentials.SELF_HOSTED[1])}
    names = dict.fromkeys(f"{task.package}#{task.name}".removeprefix("#") for task in turbo.tasks)
    trail = Trail(Env(keys)).to(turbo.path, Place(turbo.path))
    return tuple(Follower(files, packages, turbo).turbo_run(("turbo", "run", *names), trail))


class _Walk(Follower):
    def job(self, workflow: Workflow, job: Job) -> Iterator[Reached]:
        self.left = Left()
        trail = Trail(workflow=workflow, job=job, guards=_asked(job.conditions, job, workflow), given=job.given)
        if _is_true(job.continue_on_error):
            trail = replace(trail, swallowed=(Swallow("`continue-on-error` of the job", job.at),))
        if job.remote:
            question = f"what does the reusable workflow {job.remote.value} do: does it deploy, publish or verify?"
            yield (
                trail.to(f'job "{job.id}"', job.at)
                .to(f"uses {job.remote.value}", job.remote.at)
                .at(0)
                .reached(
                    kind="unknown",
                    tool=actions.slug(job.remote.value),
                    argv=(job.remote.value,),
                    questions=(Question(question, job.remote.at),),
                )
            )
        for step in job.steps:
            found: dict[object, Reached] = {}
            for row, turn in turns.of(step, job):
                for one in self.step(turn, trail, row):
                    key = (one.kind, one.argv, one.folder, one.chain, one.host)
                    found[key] = _whatever_is_chosen(found[key], step) if key in found else one
            yield from found.values()

    def host(self, build: hosts.Build) -> Iterator[Reached]:
        """Yield what matters of what a host does by itself."""
        self.left = Left()
        question = Question(f"which variables are set in the settings of {build.host}?", build.text.at)
        trail = Trail(Env(questions=(question,)), build.folder, host=build.host).to(build.setting, build.text.at)
        for one in self.text(build.text, shell.Scene(is_errexit=True), trail, is_block=False):
            if one.kind in OF_HOSTS:
                yield one

    def step(self, step: Step, trail: Trail, row: int | None) -> Iterator[Reached]:
        assert trail.job
        assert trail.workflow
        where = f'job "{trail.job.id}", step "{step.label}"'
        trail = replace(
            trail.to(where, step.at),
            given={},
            step=step,
            env=self.left.before(_env({**_RUNNER, **step.env})),
            folder=step.folder if step.folder is None else folders.joined("", step.folder),
            order=(step.index,),
            guards=(*trail.guards, *_asked(step.conditions, trail.job, trail.workflow)),
        )
        trail = trail if row is None else trail.side_by_side().at(row)
        if _is_true(step.continue_on_error):
            swallow = Swallow("`continue-on-error` of the step", step.at)
            trail = replace(trail, swallowed=(*trail.swallowed, swallow))
        for used in step.via:
            trail = trail.to(f"uses {used.value}", used.at)
        if step.run:
            yield from self.run(step, step.run, trail)
        elif step.uses:
            yield from self.uses(step, step.uses, trail)

    def run(self, step: Step, text: Text, trail: Trail) -> Iterator[Reached]:
        kind = step.shell.split()[:1]
        name = posixpath.basename(kind[0]) if kind else "bash"
        if name in ("bash", "sh", "zsh"):
            is_errexit = len(step.shell.split()) < 2 or bool(re.search(r"\s-\w*e|errexit", step.shell))
            scene = shell.Scene(is_errexit=is_errexit, is_pipefail=step.shell == "bash" or "pipefail" in step.shell)
            yield from self.text(text, scene, trail)
        elif _MATTERS.search(text.value):
            yield self.unknown(f"what does this {name} text run?", trail.to(f"{name} text", text.at).at(0))

    def uses(self, step: Step, uses: Text, trail: Trail) -> Iterator[Reached]:
        here = replace(trail.to(f"uses {uses.value}", uses.at), given=step.given)
        folder = step.given.get("workingDirectory") or step.given.get("working-directory")
        if folder:
            here = replace(here, folder=folders.joined("", folder.value))
        for number, text in enumerate(actions.texts(uses.value, step.given)):
            yield from self.text(text, shell.Scene(is_errexit=True), here.at(number))
        if uses.value.startswith("./"):
            yield from self.local_action(uses.value, here)
        elif meaning := actions.read(uses.value, step.given):
            args = step.given.get("vercel-args")
            if meaning.tool == "vercel" and not (args and "--prebuilt" in args.value):
                yield from self.vercel_build(here.at(9))
            yield from self.meant(meaning, (uses.value,), here.at(10))
        if actions.loads(uses.value, step.given):
            self.left.questions.append(Question(f"which variables does {uses.value} set?", uses.at))

    def local_action(self, uses: str, here: Trail) -> Iterator[Reached]:
        """Yield what the program of an action of the repository reaches; composite ones are steps by now."""
        folder = folders.joined("", uses)
        text = self.files.text(f"{folder}/action.yml") or self.files.text(f"{folder}/action.yaml")
        path = folders.joined(folder, _program_of(text) or ".") if text else None
        if text and path and self.files.exists(path):
            yield from self.program(path, ("node", path), replace(here, folder=""))
        elif text and _MATTERS.search(text):
            yield self.unknown(f"what does {uses} do: does it deploy, publish or verify?", here)


def _env(values: Mapping[str, Text]) -> Env:
    asked = tuple(
        Question(f"which variables does `env: {text.value}` set?", text.at) for text in (values.get("*"),) if text
    )
    return Env({name: text for name, text in values.items() if name != "*"}, questions=asked)


def _whatever_is_chosen(one: Reached, step: Step) -> Reached:
    """Return what several texts of a step reach, under the conditions of the step alone."""
    assert one.step
    return replace(one, step=replace(one.step, conditions=step.conditions))


def _program_of(action: str) -> str | None:
    """Return the file that an action of the repository runs, by its action.yml."""
    found = re.search(r"^\s+main:\s*['\"]?([^'\"\n#]+)", action, re.MULTILINE)
    return found[1].strip() if found else None


def _is_true(written: str) -> bool:
    return written.strip() == "true" or re.fullmatch(r"\$\{\{\s*true\s*\}\}", written.strip()) is not None


def _asked(conditions: Sequence[Text], job: Job, workflow: Workflow) -> tuple[Guard, ...]:
    """Return conditions as guards; an output of a step or job asks for what that one looks at."""
    return tuple(Guard(text.value, frozenset(_names(text.value, job, workflow)), text.at) for text in conditions)


def _names(condition: str, job: Job, workflow: Workflow) -> Iterator[str]:
    yield from _SECRET.findall(condition)
    for kind, id in _OUTPUT.findall(condition):
        if kind == "steps":
            asked = [step for step in job.steps if step.id == id]
        else:
            asked = [step for other in workflow.jobs if other.id.rpartition(" / ")[2] == id for step in other.steps]
        for step in asked:
            written = step.run.value if step.run and "GITHUB_OUTPUT" in step.run.value else ""
            yield from _SECRET.findall(written)
            yield from (name for name in step.env if re.search(rf"\$\{{?{re.escape(name)}\b", written))
