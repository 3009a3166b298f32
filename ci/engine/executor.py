"""Invoke's executor, replaced: what is asked for, what is refused, and what each task is handed."""

import itertools
import os
import sys
from collections.abc import Callable, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from invoke import executor
from invoke.config import Config
from invoke.exceptions import Exit
from invoke.main import program
from invoke.parser.argument import Argument
from invoke.parser.context import ParserContext
from invoke.tasks import Call, Task

from ci import errors, secret
from ci.engine import commit, dry, environment, graph, redaction, screen, settings, values
from ci.engine.audience import Audience, Recorded
from ci.engine.graph import Node
from ci.engine.guard import Guard
from ci.engine.journal import FOLDER, Journal
from ci.engine.output import Stage
from ci.engine.play import Play
from ci.engine.redaction import Redactor
from ci.engine.run import Run
from ci.engine.runner import Frame, Runner, StepContext
from ci.engine.settings import Settings
from ci.engine.step import Promise, Step
from ci.engine.work import Work
from ci.errors import InputError, LockstepError, Unfinished

# Core flags of Invoke that would change how a step runs its commands, and with that what its success means.
REFUSED = ("command-timeout", "config", "hide", "no-dedupe", "prompt-for-sudo-password", "pty", "warn-only")


class Executor(executor.Executor):
    """Runs what the command line asks for; turns every LockstepError into its text and exit code."""

    def execute(self, *tasks: Any) -> dict[Task[Any], Any]:
        """Run `tasks`, as names, names with arguments or what Invoke's parser made of them, and what they need."""
        try:
            self._check_environment()
            return {} if self._helped(tasks) else self._run(*self._asked(tasks))
        except LockstepError as error:
            raise Exit(errors.text(error), code=error.exit_code) from error

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._numbers = itertools.count()  # of steps
        self._plays: dict[Node, Play] = {}

    @cached_property
    def root(self) -> Path:
        """Return the folder of tasks.py."""
        return Path(self.collection.loaded_from or ".").resolve()

    @cached_property
    def _project(self) -> Config:
        """Return what invoke.yaml beside tasks.py says: files elsewhere and variables have no say in a step."""
        project = Config(project_location=self.root, lazy=True)
        project.load_project()
        return project

    def _check_environment(self) -> None:
        """Refuse to run in another environment than the one `tasks.environment` names; Nox has its own."""
        wanted = self._project.tasks.get("environment")
        if not wanted or "NOX_CURRENT_SESSION" in os.environ:
            return
        if Path(sys.prefix).resolve() != (self.root / wanted).resolve():
            raise InputError(f"this inv belongs to another environment ({sys.prefix})", "run ./inv")

    def _helped(self, requests: Sequence[Any]) -> bool:
        """Show the help that Invoke's parser took for the value of a required parameter; never run that task."""
        for request, argument in _required(requests):
            if argument.raw_value in ("-h", "--help"):
                program.print_task_help(str(request.name))
                return True
            if isinstance(argument, values.Flag) and argument.raw_value in self.core[0].flags:
                raise InputError(
                    f"{request.name} needs a value for {argument.name}, not the flag {argument.raw_value}",
                    f"put {argument.raw_value} before {request.name}",
                )
        return False

    def _asked(self, requests: Sequence[Any]) -> tuple[list[Call], dict[str, Any]]:
        """Return the calls that were asked for, and the values that the command line gives to all of the run."""
        contexts = [request for request in requests if isinstance(request, ParserContext)]
        calls = self.normalize(tuple(requests))
        for call, request in zip(calls, requests, strict=False):
            call.kwargs = {} if isinstance(request, ParserContext) else call.kwargs
        return calls, values.given(contexts)

    def _run(self, calls: list[Call], given: dict[str, Any]) -> dict[Task[Any], Any]:
        nodes = graph.build(calls, given, dedupe=self.config.tasks.get("dedupe", True))
        if not any(isinstance(node.task, Step) for node in nodes):
            return self._run_plain(nodes)
        self._refuse_core_flags()
        if self._core_flag("dry"):
            print(self._stage().redactor.text(dry.text(nodes)))
            return {}
        self._move_in()
        return self._run_steps(nodes, given)

    def _run_plain(self, nodes: list[Node]) -> dict[Task[Any], Any]:
        run = Run(nodes, self._plain_body, self._settings, Audience(self._stage()))
        with run.audience.stage.set():
            run.to_the_end()
        return run.results

    def _run_steps(self, nodes: list[Node], given: dict[str, Any]) -> dict[Task[Any], Any]:
        stage = self._stage()
        journal = Journal(self.root / FOLDER, stage.redactor)
        audience = Recorded(stage, screen.screen(stage.redactor, environ=os.environ), journal)
        with Guard(journal.id) as guard, stage.set():  # the guard first: it forks, and the screen may have a thread
            audience.begin(nodes, self.core.unparsed, given, commit.read(self.root))
            run = Run(nodes, partial(self._body, guard, audience), self._settings, audience)
            try:
                run.to_the_end()
            finally:
                for play in self._plays.values():
                    play.end()
        return run.results

    @cached_property
    def _settings(self) -> Settings:
        return settings.load(self._project.tasks, os.environ)

    def _stage(self) -> Stage:
        """Return where all that is said is redacted, which knows the secrets of the environment and of the types."""
        redactor = Redactor()
        redactor.add(*redaction.named_values(os.environ, self._settings.secrets))
        secret.heed(redactor.add)
        return Stage(redactor)

    def _core_flag(self, name: str) -> Any:
        return self.core[0].args[name].value if self.core else None

    def _refuse_core_flags(self) -> None:
        for name in REFUSED:
            if self._core_flag(name):
                raise InputError(f"--{name} is not for steps: each says itself how its commands run", "leave it out")

    def _move_in(self) -> None:
        """Go to the folder of tasks.py, wherever inv was called, and have the checkout's own HOME."""
        os.chdir(self.root)
        home = environment.home(self.root)
        try:
            home.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Unfinished(f"cannot make {home}: {error.strerror}", "make the folder of tasks.py writable") from error

    def _body(self, guard: Guard, audience: Audience, work: Work) -> Callable[[], Any]:
        """Return what performs a task; what it needs is made here, since configuration is not for threads."""
        node, task = work.node, work.node.task
        if not isinstance(task, Step):
            return self._plain_body(work)
        if node not in self._plays:
            token = f"{guard.token}.{next(self._numbers)}"
            env = self._environment(task.promise)
            frame = Frame(self.root, env, self._settings, work, guard, audience, token, itertools.count())
            context = StepContext(self._step_config(node), self.core.remainder, frame)
            self._plays[node] = Play(task, context, node.bound, token)
        play = self._plays[node]
        return partial(play.get_ready if work.is_ahead else play.perform, work)

    def _plain_body(self, work: Work) -> Callable[[], Any]:
        """Return what does what Invoke does."""
        return partial(self._perform_plain, work.node)

    def _perform_plain(self, node: Node) -> Any:
        self.config.load_collection(self.collection.configuration(node.call.called_as))
        self.config.load_shell_env()
        result = node.task(node.call.make_context(self.config, core_parse_result=self.core), **node.bound)
        if node.is_named and node.task.autoprint:
            print(result)
        return result

    def _environment(self, promise: Promise) -> dict[str, str]:
        base = environment.base(os.environ, self.root, self._settings.path)
        return base | (environment.registries(os.environ) if promise.registry else {})

    def _step_config(self, node: Node) -> Config:
        """Return what the project itself configures, without a word on how to run commands: only the call says that."""
        self._project.load_collection(self.collection.configuration(node.call.called_as))
        stock = Config.global_defaults()
        run = {**stock["run"], "echo": bool(self._core_flag("echo"))}
        own = {"run": run, "timeouts": stock["timeouts"], "sudo": stock["sudo"], "runners": {"local": Runner}}
        return Config(defaults={**dict(self._project.items()), **own}, lazy=True)


def _required(requests: Sequence[Any]) -> list[tuple[ParserContext, Argument]]:
    parsed = [request for request in requests if isinstance(request, ParserContext)]
    return [(request, argument) for request in parsed for argument in request.positional_args]
