"""From each step of a workflow, and each build of a host, to the commands that matter, through all that is between."""

from __future__ import annotations

import itertools
import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from ci.audit import (
    actions,
    arguments,
    commands,
    folders,
    hosts,
    managers,
    nx,
    shell,
    spawned,
    targets,
    workspaces,
    wrappers,
)
from ci.audit import turbo as turbos
from ci.audit.files import Files
from ci.audit.left import Left
from ci.audit.meaning import Meaning
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
_INTERPRETERS = arguments.some("node bun tsx ts-node esno jiti zx python python3 deno vite-node bash sh")
_PROGRAMS = (".sh", ".bash", ".js", ".mjs", ".cjs", ".ts", ".mts", ".cts", ".py")
_VERIFIES = re.compile(r"smoke|health|canary|verify|post-?deploy|live|synthetic|uptime", re.IGNORECASE)
_ASKS = re.compile(r"\bfetch\(|https?://|\baxios\b|\brequests\.|urllib|playwright|ConvexHttpClient")
_MATTERS = re.compile(r"convex|wrangler|vercel|netlify|turbo|\b(npm|npx|pnpm|yarn|bun|bunx)\b", re.IGNORECASE)


def reach(
    files: Files, workflows: Sequence[Workflow], packages: Sequence[Package], turbo: Turbo | None
) -> tuple[Reached, ...]:
    """Return every command that matters; what was not followed is among them as `unknown`, or in `files.skipped`."""
    walk = _Walk(files, packages, turbo)
    found = [one for workflow in workflows for job in workflow.jobs for one in walk.job(workflow, job)]
    found += [one for build in hosts.builds(files, packages) for one in walk.host(build)]
    return tuple(found)


_Managed = managers.Runs | managers.Executes | managers.Installs


class _Walk:
    def __init__(self, files: Files, packages: Sequence[Package], turbo: Turbo | None) -> None:
        self.files = files
        self.packages = packages
        self.turbo = turbo
        self.left = Left()
        self.count = 0
        self.below: dict[str, frozenset[str]] = {}

    # --- jobs and steps -----------------------------------------------------------------------------------------

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
            for turn in _turns(step, job):
                for one in self.step(turn, trail):
                    found.setdefault((one.kind, one.argv, one.folder, one.chain, one.host), one)
            yield from found.values()

    def host(self, build: hosts.Build) -> Iterator[Reached]:
        """Yield what matters of what a host does by itself."""
        self.left = Left()
        question = Question(f"which variables are set in the settings of {build.host}?", build.text.at)
        trail = Trail(Env(questions=(question,)), build.folder, host=build.host).to(build.setting, build.text.at)
        for one in self.text(build.text, shell.Scene(is_errexit=True), trail, is_block=False):
            if one.kind in ("codegen", "deploy", "convex", "publish", "verify"):
                yield one

    def step(self, step: Step, trail: Trail) -> Iterator[Reached]:
        assert trail.job
        assert trail.workflow
        trail = replace(
            trail,
            given={},
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
        if meaning := actions.read(uses.value, step.given):
            args = step.given.get("vercel-args")
            if meaning.tool == "vercel" and not (args and "--prebuilt" in args.value):
                yield from self.vercel_build(here.at(9))
            yield from self.meant(meaning, (uses.value,), here.at(10))
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
            if command.given and arguments.program(command.argv) in ("bash", "sh", "ssh"):
                yield from self.fed(command, here)

    def fed(self, command: shell.Command, trail: Trail) -> Iterator[Reached]:
        """Yield what a shell reaches that reads its commands from a heredoc, here or on another machine."""
        at = Place(command.at.path, command.at.line + 1, command.at.column)
        if arguments.program(command.argv) == "ssh":
            trail = _elsewhere(trail, at)
        yield from self.text(Text(command.given, at), shell.Scene(), trail.to(_said(command.argv[:4]), command.at))

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
            if _is_side_by_side(argv):
                trail = trail.side_by_side()
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
            is_program = not does.scripts and not any(does.name in one.scripts for one in self.packages)
            if is_program and commands.read((does.name, *does.arguments)):
                yield from self.command((does.name, *does.arguments), at, trail, said=said)
            elif not does.is_all_known:
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
            if not words[0].startswith(("/", "~")):
                yield self.unknown(f"what does {_said(words)} run?", trail.to(_said(words), at))
            return
        inside = trail.to(_said(words), at).into(path)
        if inside is None:
            return
        scene = shell.Scene(is_errexit=is_errexit or _is_strict(text), arguments=words[1:], script=path)
        yield from self.text(Text(text, Place(path)), scene, inside)

    def plain(self, argv: tuple[str, ...], here: Trail, feeds: Sequence[str]) -> Iterator[Reached]:
        """Yield what a program reaches that is neither a wrapper nor a package manager."""
        program, at = arguments.program(argv), here.chain[-1].at
        if program == "turbo":
            yield from self.turbo_run(argv, here)
        elif targets.is_runner(argv):
            yield from self.target(argv, here)
        elif program == "nx":
            yield from self.nx_run(argv, here)
        elif program == "ssh" and len(argv) > 2 and (text := _remote(argv)):
            yield from self.text(Text(text, at), shell.Scene(), _elsewhere(here, at), is_block=False)
        elif (path := self.file_of(argv, here)) is not None:
            yield from self.program(path, argv, here)
        elif meaning := commands.read(argv, feeds):
            yield from self.around(meaning, argv, here)

    def around(self, meaning: Meaning, argv: tuple[str, ...], here: Trail) -> Iterator[Reached]:
        """Yield a command that matters, after what it runs itself before it does its own work."""
        at = here.chain[-1].at
        if meaning.tool == "convex":
            here = replace(here, env=self.left.read_by_convex(here.folder, here.env))
            if text := arguments.value(argv, "--cmd"):
                yield from self.text(Text(text, at), shell.Scene(is_errexit=False), here.at(0), is_block=False)
        elif meaning.tool == "wrangler" and meaning.kind == "publish":
            worker = hosts.worker(self.files, self.packages, argv, here.folder)
            if worker.build:
                inside = replace(here.at(0), folder=worker.folder)
                yield from self.text(worker.build, shell.Scene(), inside, is_block=False)
            if worker.serves == "no":
                return
            if worker.serves == "maybe":
                meaning = replace(meaning, asks="does this Worker serve the frontend of the app?")
        elif meaning.tool == "vercel" and (argv[1:2] == ("build",) or _builds_there(argv)):
            yield from self.vercel_build(here, is_here=argv[1:2] == ("build",))
        elif meaning.kind == "gate" and commands.asks_a_site(argv, here.env.values):
            meaning = replace(meaning, kind="verify")
        yield from self.meant(meaning, argv, here.at(1))

    def meant(self, meaning: Meaning, argv: tuple[str, ...], here: Trail) -> Iterator[Reached]:
        questions = (Question(meaning.asks, here.chain[-1].at),) if meaning.asks else ()
        yield here.reached(kind=meaning.kind, tool=meaning.tool, argv=argv, questions=questions)

    def vercel_build(self, here: Trail, *, is_here: bool = False) -> Iterator[Reached]:
        build = hosts.vercel_build(self.files, self.packages, here.folder)
        inside = here.into("vercel build")
        if build is None or inside is None:
            return
        question = Question("which variables are set in the settings of vercel?", build.text.at)
        trail = replace(inside.at(0).to(build.setting, build.text.at), folder=build.folder)
        if is_here:
            trail = trail.with_env(questions=(question,))
        else:
            trail = replace(trail, host="vercel", env=Env(questions=(question,)))
        yield from self.text(build.text, shell.Scene(is_errexit=True), trail, is_block=False)

    def file_of(self, argv: Sequence[str], here: Trail) -> str | None:
        """Return the file of the repository that a command line runs, None when it runs none."""
        words = argv
        if arguments.program(argv) in _INTERPRETERS:
            words = arguments.words(argv) if arguments.program(argv) != "deno" else arguments.words(argv)[1:]
        if not words or not ("/" in words[0] or words[0].endswith(_PROGRAMS)):
            return None
        path = folders.joined(here.folder, words[0])
        return path if path and self.files.exists(path) else None

    def program(self, path: str, argv: tuple[str, ...], here: Trail) -> Iterator[Reached]:
        """Yield what a file of the repository reaches when it is run."""
        text = self.files.text(path)
        if text is None:
            return
        first = text.partition("\n")[0]
        if path.endswith((".sh", ".bash")) or re.match(r"#!.*\b(ba|z|da)?sh\b", first):
            yield from self.script_file(argv, here.chain[-1].at, here, False)
            return
        inside = here.into(path)
        if inside is None:
            return
        inside = replace(inside, confidence="low")
        for number, (words, line) in enumerate(spawned.read(path, text)):
            at = Place(path, line)
            yield from self.command(words, at, inside.at(number).to(path, at))
        if _VERIFIES.search(path.rpartition("/")[2]) and _ASKS.search(text):
            yield inside.at(10_000).reached(kind="verify", tool=arguments.program(argv), argv=argv)

    def target(self, argv: tuple[str, ...], here: Trail) -> Iterator[Reached]:
        """Yield what a target of a Makefile or its like reaches."""
        read = targets.lines(self.files, argv, here.folder)
        inside = here.into(" ".join(argv))
        if read is None:
            yield self.unknown(f"what does {_said(argv)} run: does it deploy, publish or verify?", here)
        elif inside is not None:
            inside = replace(inside, folder=read[0])
            for number, text in enumerate(read[1]):
                trail = inside.at(number).to(f"{text.at.path}", text.at)
                yield from self.text(text, shell.Scene(is_errexit=True), trail, is_block=False)

    def nx_run(self, argv: tuple[str, ...], here: Trail) -> Iterator[Reached]:
        """Yield what the targets of an `nx` command line reach."""
        tasks = nx.tasks(self.files, self.packages, argv)
        inside = here.into(" ".join(argv))
        if tasks is None:
            yield self.unknown(f"what does {_said(argv)} run: does it deploy, publish or verify?", here)
        for number, task in enumerate((tasks or ()) if inside else ()):
            assert inside
            trail = replace(inside.at(number).to(f'nx target "{task.name}"', task.at), folder=task.folder)
            yield from self.text(task.text, shell.Scene(), trail, is_block=False)

    def turbo_run(self, argv: tuple[str, ...], here: Trail) -> Iterator[Reached]:
        """Yield what the tasks of a `turbo run` reach."""
        runs = turbos.run(self.turbo, argv, here.folder, self.packages, here.env.values) if self.turbo else ()
        if self.turbo is None:
            yield self.unknown(f"what does {_said(argv)} run, without a turbo.json?", here)
        inside = here.into(" ".join(argv))
        for number, run in enumerate(runs if inside else ()):
            assert inside
            asked = {*inside.env.values, "CONVEX_DEPLOY_KEY"}  # that one also where the step has none yet
            dropped = {name: drop for name in asked if (drop := run.drop(name))}
            values = {name: text for name, text in inside.env.values.items() if name not in dropped}
            trail = inside.side_by_side(self.waits(run, runs)).at(number)
            trail = replace(
                trail,
                env=Env(values, {**inside.env.dropped, **dropped}, inside.env.questions),
                chain=(*inside.chain, *run.chain),
            )
            if not run.is_sure:
                trail = replace(
                    trail, guards=(*trail.guards, Guard(f"chosen by {_said(argv)}", frozenset(), here.chain[-1].at))
                )
            for place, name in enumerate(run.scripts):
                more = run.arguments if name == run.script else ()
                yield from self.script(run.package, name, more, trail.at(place))

    def waits(self, run: turbos.TurboRun, runs: Sequence[turbos.TurboRun]) -> frozenset[int]:
        """Return the numbers of the runs that one waits for, at once or by way of others."""
        found: set[int] = set()
        waiting = [run]
        while waiting:
            one = waiting.pop()
            for number, other in enumerate(runs):
                if number not in found and self.is_before(other, one):
                    found.add(number)
                    waiting.append(other)
        return frozenset(found)

    def is_before(self, first: turbos.TurboRun, then: turbos.TurboRun) -> bool:
        """Tell whether the second task names the first in its `dependsOn`."""
        for text in then.task.depends_on:
            package, _, name = text.value.rpartition("#")
            if name.startswith("^"):
                if first.script == name[1:] and first.package.folder in self.used_by(then.package.folder):
                    return True
            elif first.script == name and (first.package.name == package if package else first.package == then.package):
                return True
        return False

    def used_by(self, folder: str) -> frozenset[str]:
        """Return the folders of all packages that one depends on, at once or by way of others."""
        if folder not in self.below:
            graph = workspaces.graph(self.packages)
            found: set[str] = set()
            waiting = [folder]
            while waiting:
                new = [one.folder for one in graph.get(waiting.pop(), ()) if one.folder not in found]
                found.update(new)
                waiting += new
            self.below[folder] = frozenset(found)
        return self.below[folder]

    def unknown(self, asks: str, trail: Trail) -> Reached:
        """Return what was not followed, with the question that it leaves."""
        at = trail.chain[-1].at
        return trail.reached(kind="unknown", tool="unknown", argv=(), questions=(Question(asks, at),))


def _is_side_by_side(argv: Sequence[str]) -> bool:
    """Tell whether a command line starts several things at once."""
    program = arguments.program(argv)
    is_all = program.startswith("npm-run-all") and not {"-p", "--parallel"}.isdisjoint(argv)
    return program in ("concurrently", "conc", "run-p") or is_all or "--parallel" in argv


def _builds_there(argv: Sequence[str]) -> bool:
    """Tell whether a `vercel` command line has Vercel build what it is sent."""
    verbs = [word for word in argv[1:] if not word.startswith("-")][:1]
    return "--prebuilt" not in argv and verbs not in (["promote"], ["alias"], ["rolling-release"])


def _remote(argv: Sequence[str]) -> str:
    """Return what `ssh` is to run on the other machine."""
    return " ".join(arguments.words(argv, arguments.some("-i -p -o -l -F -J -L -R -D -b -c -E -e -m -S -W -w"))[1:])


def _elsewhere(trail: Trail, at: Place) -> Trail:
    question = Question("which variables are set on that machine?", at)
    return replace(trail, env=Env(questions=(question,)), folder=None)


def _said(argv: Sequence[str]) -> str:
    text = " ".join(argv).replace(f"{folders.ROOT}/", "")
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
