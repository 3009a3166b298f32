"""From each step of a workflow, and each build of a host, to the commands that matter, through all that is between."""

from __future__ import annotations

import itertools
import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from ci.audit import actions, arguments, commands, folders, managers, shell, wrappers
from ci.audit.files import Files
from ci.audit.left import Left
from ci.audit.model import (
    Env,
    Guard,
    Job,
    Package,
    Place,
    Question,
    Reached,
    Skipped,
    Step,
    Swallow,
    Text,
    Turbo,
    Workflow,
)
from ci.audit.trail import Trail

MAX_COMMANDS = 60_000  # command lines that are looked at, in one repository
MAX_TURNS = 24  # of a matrix

_MATRIX = re.compile(r"\$\{\{\s*matrix\.([\w-]+)\s*\}\}")
_SECRET = re.compile(r"\b(?:secrets|env|vars|inputs)\.([A-Za-z_][\w-]*)")
_OUTPUT = re.compile(r"\b(steps|needs)\.([\w-]+)\.outputs\b")
_WINDOWS = ("pwsh", "powershell", "cmd")


def reach(
    files: Files, workflows: Sequence[Workflow], packages: Sequence[Package], turbo: Turbo | None
) -> tuple[Reached, ...]:
    """Return every command that matters; what was not followed is among them as `unknown`, or in `files.skipped`."""
    walk = _Walk(files, packages, turbo)
    found = [one for workflow in workflows for job in workflow.jobs for one in walk.job(workflow, job)]
    return tuple(found)


_Managed = managers.Runs | managers.Executes | managers.Installs


class _Walk:
    def __init__(self, files: Files, packages: Sequence[Package], turbo: Turbo | None) -> None:
        self.files = files
        self.packages = packages
        self.turbo = turbo
        self.left = Left()
        self.count = 0

    # --- jobs and steps -----------------------------------------------------------------------------------------

    def job(self, workflow: Workflow, job: Job) -> Iterator[Reached]:
        self.left = Left()
        trail = Trail(workflow=workflow, job=job, guards=_asked(job.conditions, job, workflow))
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
                    given=job.given,
                    questions=(Question(question, job.remote.at),),
                )
            )
        for step in job.steps:
            for turn in _turns(step, job):
                yield from self.step(turn, trail)

    def step(self, step: Step, trail: Trail) -> Iterator[Reached]:
        assert trail.job
        assert trail.workflow
        trail = replace(
            trail,
            step=step,
            env=self.left.before(Env(step.env)),
            folder=step.folder,
            order=(step.index,),
            guards=(*trail.guards, *_asked(step.conditions, trail.job, trail.workflow)),
        ).to(f'job "{trail.job.id}", step "{step.label}"', step.at)
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
        if name in _WINDOWS:
            yield self.unknown(f"what does this {name} text run?", trail.to(f"{name} text", text.at).at(0))
        elif name in ("bash", "sh", "zsh"):
            is_errexit = len(step.shell.split()) < 2 or bool(re.search(r"\s-\w*e|errexit", step.shell))
            scene = shell.Scene(is_errexit=is_errexit, is_pipefail=step.shell == "bash" or "pipefail" in step.shell)
            yield from self.text(text, scene, trail)
        else:
            yield self.unknown(f"what does this {name} text run?", trail.to(f"{name} text", text.at).at(0))

    def uses(self, step: Step, uses: Text, trail: Trail) -> Iterator[Reached]:
        here = trail.to(f"uses {uses.value}", uses.at)
        folder = step.given.get("workingDirectory") or step.given.get("working-directory")
        if folder:
            here = replace(here, folder=folders.joined("", folder.value))
        for number, text in enumerate(actions.texts(uses.value, step.given)):
            yield from self.text(text, shell.Scene(is_errexit=True), here.at(number))
        if meaning := actions.read(uses.value, step.given):
            yield here.at(9).reached(
                kind=meaning.kind,
                tool=meaning.tool,
                argv=(uses.value,),
                given=step.given,
                questions=(Question(meaning.asks, uses.at),) if meaning.asks else (),
            )
        if actions.loads(uses.value):
            self.left.questions.append(Question(f"which variables does {uses.value} set?", uses.at))

    # --- shell texts --------------------------------------------------------------------------------------------

    def text(self, text: Text, scene: shell.Scene, trail: Trail, *, is_block: bool = True) -> Iterator[Reached]:
        """Yield what a shell text reaches."""
        scene = replace(scene, env=trail.env, folder=trail.folder, reader=self.files.text)
        result = shell.commands(text.value, shell.Origin(text.at, is_block), scene)
        for why in result.limits:
            self.files.skipped.append(Skipped(text.at.path, f"line {text.at.line}: {why}: the rest was not followed"))
        for number, command in enumerate(result.commands):
            self.left.note(command)
            here = replace(
                trail.at(number),
                env=replace(
                    command.env, dropped={k: d for k, d in trail.env.dropped.items() if k not in command.env.values}
                ),
                folder=command.folder,
                guards=trail.guards + command.guards,
                swallowed=trail.swallowed + command.swallowed,
            )
            yield from self.command(command.argv, command.at, here, feeds=command.feeds)

    def command(
        self, argv: tuple[str, ...], at: Place, trail: Trail, *, feeds: Sequence[str] = (), said: str = ""
    ) -> Iterator[Reached]:
        """Yield what a command line reaches."""
        said = said or _said(argv)
        self.count += 1
        if self.count > MAX_COMMANDS or not argv:
            self.stop(at)
            return
        if inner := wrappers.inner(argv):
            yield from self.wrapped(inner, at, trail, said)
        elif (does := managers.read(argv, trail.folder, self.packages)) is not None:
            yield from self.managed(does, at, trail, said)
        else:
            yield from self.plain(argv, trail.to(said, at), feeds)

    def stop(self, at: Place) -> None:
        if self.count == MAX_COMMANDS + 1:
            why = f"more than {MAX_COMMANDS:,} commands are reached: those behind line {at.line} were not followed"
            self.files.skipped.append(Skipped(at.path, why))

    def wrapped(self, inner: wrappers.Inner, at: Place, trail: Trail, said: str) -> Iterator[Reached]:
        questions = (Question(f"which variables does `{inner.loads}` set?", at),) if inner.loads else ()
        sets = {name: Text(value, at) for name, value in inner.sets}
        here = trail.with_env(sets, inner.unsets, questions)
        if inner.folder:
            here = replace(here, folder=folders.joined(here.folder, inner.folder))
        if inner.text:
            scene = shell.Scene(is_errexit="e" in inner.options.split(" ")[0], arguments=inner.script)
            yield from self.text(Text(inner.text, at), scene, here, is_block=False)
        elif inner.argv:
            yield from self.command(inner.argv, at, here, said=said)
        elif inner.script:
            yield from self.script_file(inner.script, at, here, "e" in inner.options)

    def managed(self, does: _Managed, at: Place, trail: Trail, said: str) -> Iterator[Reached]:
        if isinstance(does, managers.Executes):
            yield from self.command(does.argv, at, replace(trail, folder=does.folder), said=said)
        elif isinstance(does, managers.Runs):
            for number, (package, name) in enumerate(does.scripts):
                more = does.arguments if name == does.name else ()
                yield from self.script(package, name, more, trail.to(said, at).at(number))
            if not does.is_all_known:
                yield self.unknown(f"which scripts does {said} run?", trail.to(said, at).at(len(does.scripts)))
        elif isinstance(does, managers.Installs):
            here = trail.to(said, at)
            yield here.at(0).reached(kind="install", tool=does.manager, argv=does.argv)
            for number, (package, name) in enumerate(does.hooks, 1):
                yield from self.script(package, name, (), here.at(number))

    def script(self, package: Package, name: str, more: Sequence[str], trail: Trail) -> Iterator[Reached]:
        text = package.scripts.get(name)
        inside = trail.into(f"{package.path} {name}")
        if text is None or inside is None:
            return
        here = replace(inside.to(f'{package.path} script "{name}"', text.at), folder=package.folder)
        whole = " ".join((text.value, *map(_quoted, more)))
        yield from self.text(Text(whole, text.at), shell.Scene(), here, is_block=False)

    def script_file(self, words: tuple[str, ...], at: Place, trail: Trail, is_errexit: bool) -> Iterator[Reached]:
        path = folders.joined(trail.folder, words[0])
        text = self.files.text(path) if path else None
        if path is None or text is None:
            yield self.unknown(f"what does {_said(words)} run?", trail.to(_said(words), at))
            return
        inside = trail.to(_said(words), at).into(path)
        if inside is None:
            return
        scene = shell.Scene(is_errexit=is_errexit or _is_strict(text), arguments=words[1:], script=path)
        yield from self.text(Text(text, Place(path)), scene, inside)

    def plain(self, argv: tuple[str, ...], here: Trail, feeds: Sequence[str]) -> Iterator[Reached]:
        meaning = commands.read(argv, feeds)
        if meaning is None:
            return
        at = here.chain[-1].at
        if meaning.tool == "convex":
            here = replace(here, env=self.left.read_by_convex(here.folder, here.env))
            if text := arguments.value(argv, "--cmd"):
                yield from self.text(Text(text, at), shell.Scene(), here.at(0), is_block=False)
                here = here.at(1)
        questions = (Question(meaning.asks, at),) if meaning.asks else ()
        yield here.reached(kind=meaning.kind, tool=meaning.tool, argv=argv, questions=questions)

    def unknown(self, asks: str, trail: Trail) -> Reached:
        """Return what was not followed, with the question that it leaves."""
        at = trail.chain[-1].at
        return trail.reached(kind="unknown", tool="unknown", argv=(), questions=(Question(asks, at),))


def _said(argv: Sequence[str]) -> str:
    text = " ".join(argv)
    return f"`{text if len(text) <= 100 else text[:97] + '...'}`"


def _quoted(word: str) -> str:
    return f'"{word}"' if re.search(r"\s", word) else word


def _is_true(written: str) -> bool:
    return written.strip() == "true" or re.fullmatch(r"\$\{\{\s*true\s*\}\}", written.strip()) is not None


def _is_strict(text: str) -> bool:
    """Tell whether a script asks for `set -e` in its first line."""
    first = text.partition("\n")[0]
    return first.startswith("#!") and re.search(r"\s-\w*e", first) is not None


def _turns(step: Step, job: Job) -> Iterator[Step]:
    """Yield the step with each value of the matrix that it mentions put in."""
    texts = [text for text in (step.run, step.uses) if text] + list(step.env.values()) + list(step.given.values())
    mentioned = {name for text in texts for name in _MATRIX.findall(text.value)}
    names = [name for name in sorted(mentioned) if job.matrix.get(name)]
    rows = itertools.product(*(job.matrix[name] for name in names))
    for row in itertools.islice(rows, MAX_TURNS):
        yield _filled(step, dict(zip(names, row, strict=True))) if names else step


def _filled(step: Step, row: Mapping[str, str]) -> Step:
    def put(text: Text) -> Text:
        return replace(text, value=_MATRIX.sub(lambda found: row.get(found[1], found[0]), text.value))

    return replace(
        step,
        run=put(step.run) if step.run else None,
        uses=put(step.uses) if step.uses else None,
        env={name: put(text) for name, text in step.env.items()},
        given={name: put(text) for name, text in step.given.items()},
    )


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
