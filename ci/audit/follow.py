"""From a shell text to the commands that matter, through wrappers, package managers, task runners and scripts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from ci.audit import arguments, commands, folders, hosts, managers, nx, requests, shell, spawned, targets, wrappers
from ci.audit import turbo as turbos
from ci.audit.files import Files
from ci.audit.left import Left
from ci.audit.meaning import Meaning
from ci.audit.model import Env, Guard, Package, Place, Question, Reached, Text, Turbo
from ci.audit.trail import Trail
from ci.audit.waits import Waits

OF_HOSTS = ("codegen", "deploy", "convex", "publish", "verify")  # what matters of a build on another machine
MAX_COMMANDS = 10_000  # command lines that are looked at, in one repository

_INTERPRETERS = arguments.some("node bun tsx ts-node esno jiti zx python python3 deno vite-node bash sh")
_PROGRAMS = (".sh", ".bash", ".js", ".mjs", ".cjs", ".ts", ".mts", ".cts", ".py")
_INLINE = (("-e",), ("--eval",), ("-c",), ("-p",))
_CHECKS = re.compile(r"(check|lint|test|validate|verify|typecheck|assert|coverage)(?![a-z])", re.IGNORECASE)
_VERIFIES = re.compile(r"smoke|health|canary|verify|post-?deploy|live|synthetic|uptime", re.IGNORECASE)
_ASKS = re.compile(r"\bfetch\(|\baxios\b|\brequests\.(get|post)|\bhttps?\.get|urllib|playwright|ConvexHttpClient")
_UNKNOWN_FOLDER = re.compile(r"^cd \"?\$\S+ && ")

_Managed = managers.Runs | managers.Executes | managers.Installs


class Follower:
    """Follows command lines; `left` is what earlier steps of the job left, and is renewed for each job."""

    def __init__(self, files: Files, packages: Sequence[Package], turbo: Turbo | None) -> None:
        self.files = files
        self.packages = packages
        self.turbo = turbo
        self.left = Left()
        self.count = 0
        self.waits = Waits(packages)
        self.known: dict[object, tuple[Reached, ...]] = {}  # what a script reaches in an environment
        self.starts: dict[str, tuple[spawned.Spawned, ...]] = {}  # what a program starts

    def text(self, text: Text, scene: shell.Scene, trail: Trail, *, is_block: bool = True) -> Iterator[Reached]:
        """Yield what a shell text reaches."""
        scene = replace(scene, env=trail.env, folder=trail.folder, reader=self.files.text)
        result = shell.commands(text.value, shell.Origin(text.at, is_block), scene)
        for why in result.limits:
            self.files.skip(text.at.path, f"line {text.at.line}: {why}: the rest was not followed")
        for number, command in enumerate(result.commands):
            self.left.note(command, is_asked=bool(trail.step and trail.step.conditions))
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
        elif (does := managers.read(argv, trail.folder, self.packages, known=self.files.folders)) is not None:
            if _is_side_by_side(argv):
                trail = trail.side_by_side()
            yield from self.managed(does, at, trail, said)
        else:
            yield from self.plain(argv, trail.to(said, at), feeds)

    def stop(self, at: Place) -> None:
        if self.count == MAX_COMMANDS + 1:
            why = f"more than {MAX_COMMANDS:,} commands are reached: those behind line {at.line} were not followed"
            self.files.skip(at.path, why)

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
            yield from self.scripts(does, trail, trail.to(said, at), said)
        elif isinstance(does, managers.Installs):
            here = trail.to(said, at)
            yield here.at(0).reached(kind="install", tool=does.manager, argv=does.argv)
            for number, (package, name) in enumerate(does.hooks, 1):
                for one in self.script(package, name, (), here.at(number)):
                    if one.confidence == "high" or one.kind == "codegen":  # a wizard that asks stops in CI
                        yield one

    def scripts(self, does: managers.Runs, trail: Trail, here: Trail, said: str) -> Iterator[Reached]:
        """Yield what scripts reach; those of several packages run at once, each after those of packages it uses."""
        at = here.chain[-1].at
        is_at_once = trail.order in trail.together
        is_of_many = len({package.folder for package, _ in does.scripts}) > 1
        for number, (package, name) in enumerate(does.scripts):
            inside = here
            if is_of_many and not is_at_once:
                inside = here.side_by_side(self.waits.of_script(number, does.scripts))
            more = does.arguments if name == does.name else ()
            yield from self.script(package, name, more, inside.at(number))
        is_program = not does.scripts and not any(does.name in one.scripts for one in self.packages)
        if is_program and commands.read((does.name, *does.arguments)):
            yield from self.command((does.name, *does.arguments), at, trail, said=said)
        elif not does.is_all_known:
            yield self.unknown(f"which scripts does {said} run?", here.at(len(does.scripts)))

    def script(self, package: Package, name: str, more: Sequence[str], trail: Trail) -> Iterator[Reached]:
        """Yield what a script reaches; what it reaches once it reaches again, wherever it is called with the same."""
        text = package.scripts.get(name)
        inside = trail.into(f"{package.path} {name}")
        if text is None or inside is None:
            return
        key = (package.path, name, *more, _key(trail.env))
        found = None if self.left.files else self.known.get(key)
        if found is None:
            before = self.left.notes
            start = inside.bare().to(f'{package.path} script "{name}"', text.at)
            whole = Text(" ".join((text.value, *map(_quoted, more))), text.at)
            start = replace(start, folder=package.folder)
            found = tuple(self.text(whole, shell.Scene(), start, is_block=False))
            if before == self.left.notes and not self.left.files:
                self.known[key] = found
        yield from (trail.before(one) for one in found)

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
        elif program in _INTERPRETERS and argv[1:2] in _INLINE and argv[2:]:
            yield from self.inline(argv, here)
        elif (path := self.file_of(argv, here)) is not None:
            yield from self.program(path, argv, here)
        elif meaning := commands.read(argv, feeds):
            yield from self.around(meaning, argv, here)

    def around(self, meaning: Meaning, argv: tuple[str, ...], here: Trail) -> Iterator[Reached]:
        """Yield a command that matters, after what it runs itself before it does its own work."""
        at = here.chain[-1].at
        if meaning.tool == "convex":
            here = replace(here, env=self.left.read_by_convex(here.folder, here.env))
            if meaning.kind == "deploy" and requests.is_local(_value(here.env, "CONVEX_SELF_HOSTED_URL")):
                meaning = replace(meaning, kind="convex")
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
        for one in self.text(build.text, shell.Scene(is_errexit=True), trail, is_block=False):
            if is_here or one.kind in OF_HOSTS:
                yield one

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
        if path not in self.starts:
            self.starts[path] = spawned.read(path, text)
        for number, (words, line) in enumerate(self.starts[path]):
            at = Place(path, line)
            known = tuple(_UNKNOWN_FOLDER.sub("", word) for word in words)  # most often the root, where it was called
            yield from self.command(known, at, inside.at(number).to(path, at))
        name = path.rpartition("/")[2]
        if _VERIFIES.search(name) and _ASKS.search(text):
            yield inside.at(10_000).reached(kind="verify", tool=arguments.program(argv), argv=argv)
        elif _CHECKS.match(name):
            yield here.at(10_000).reached(kind="gate", tool=arguments.program(argv), argv=argv)

    def inline(self, argv: tuple[str, ...], here: Trail) -> Iterator[Reached]:
        """Yield what a program reaches that stands in the command line itself: `node -e "..."`."""
        at = here.chain[-1].at
        path = "inline.py" if arguments.program(argv).startswith("python") else "inline.js"
        for number, (words, _) in enumerate(spawned.read(path, argv[2])):
            yield from self.command(words, at, replace(here.at(number), confidence="low"))

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
        turbo = self.turbo if here.folder is None or here.folder in self.files.folders else None
        runs = turbos.run(turbo, argv, here.folder, self.packages, here.env.values) if turbo else ()
        if turbo is None:
            yield self.unknown(f"what does {_said(argv)} run, without a turbo.json?", here)
        inside = here.into(" ".join(argv))
        waits = self.waits.of(runs)
        for number, run in enumerate(runs if inside else ()):
            assert inside
            asked = {*inside.env.values, "CONVEX_DEPLOY_KEY"}  # that one also where the step has none yet
            dropped = {name: drop for name in asked if (drop := run.drop(name))}
            values = {name: text for name, text in inside.env.values.items() if name not in dropped}
            trail = inside.side_by_side(waits[number]).at(number)
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


def _value(env: Env, name: str) -> str:
    return env.values[name].value if name in env.values else ""


def _key(env: Env) -> object:
    return frozenset(env.values.items()), frozenset(env.dropped.items()), env.questions


def _quoted(word: str) -> str:
    """Return a word as it stands in a shell text; its variables stay variables."""
    return '"' + word.replace('"', '\\"') + '"' if re.search(r"[\s;&|<>()*?']", word) else word


def _is_strict(text: str) -> bool:
    """Tell whether a script asks for `set -e` in its first line."""
    first = text.partition("\n")[0]
    return first.startswith("#!") and re.search(r"\s-\w*e", first) is not None
