"""Invoke's executor, replaced: what is asked for, what is refused, and what each task is handed."""

import contextlib
import os
import sys
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from invoke import executor
from invoke.config import Config
from invoke.exceptions import Exit
from invoke.main import program
from invoke.parser.argument import Argument
from invoke.parser.context import ParserContext
from invoke.tasks import Call, Task

from ci import errors
from ci.engine import environment, graph, output, values
from ci.engine.graph import Node
from ci.engine.run import Run
from ci.engine.runner import Frame, Runner, StepContext
from ci.engine.signals import Signals, Stopped
from ci.engine.step import Promise, Step
from ci.errors import InputError, LockstepError, Unfinished

# Core flags of Invoke that would change how a step runs its commands, and with that what its success means.
REFUSED = ("command-timeout", "config", "hide", "no-dedupe", "prompt-for-sudo-password", "pty", "warn-only")
TOOLS = (".venv/bin", "ci/node_modules/.bin")


class Executor(executor.Executor):
    """Runs what the command line asks for; turns every LockstepError into its text and exit code."""

    def execute(self, *tasks: Any) -> dict[Task[Any], Any]:
        """Run `tasks`, as names, names with arguments or what Invoke's parser made of them, and what they need."""
        try:
            self._check_environment()
            return {} if self._helped(tasks) else self._run(*self._asked(tasks))
        except LockstepError as error:
            raise Exit(errors.text(error), code=error.exit_code) from error
        except Stopped as stopped:
            output.say(f"error: ended by {stopped}")
            raise Exit(code=128 + stopped.signum) from stopped

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
        if any(isinstance(node.task, Step) for node in nodes):
            self._refuse_core_flags()
            if self._core_flag("dry"):
                print(_plan(nodes))
                return {}
            self._move_in()
        run = Run(nodes, self._perform)
        run.to_the_end()
        return run.results

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

    def _perform(self, node: Node, signals: Signals) -> Any:
        if isinstance(node.task, Step):
            return self._perform_step(node, node.task.promise, signals)
        with signals.left_alone():
            return self._perform_plain(node)

    def _perform_step(self, node: Node, promise: Promise, signals: Signals) -> Any:
        output.say(f"── {node.title}")
        stdout = sys.stdout if node.is_named else sys.stderr
        with contextlib.redirect_stdout(stdout), signals.deadline(promise.timeout_s) as deadline_at:
            frame = Frame(self.root, self._environment(promise), deadline_at, signals)
            context = StepContext(self._step_config(node), self.core.remainder, frame)
            return node.task(context, **node.bound)

    def _perform_plain(self, node: Node) -> Any:
        """Do what Invoke does."""
        self.config.load_collection(self.collection.configuration(node.call.called_as))
        self.config.load_shell_env()
        result = node.task(node.call.make_context(self.config, core_parse_result=self.core), **node.bound)
        if node.is_named and node.task.autoprint:
            print(result)
        return result

    def _environment(self, promise: Promise) -> dict[str, str]:
        base = environment.base(os.environ, self.root, self._project.tasks.get("path", TOOLS))
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


def _plan(nodes: Sequence[Node]) -> str:
    """Return the order of a run, what each step changes, and which values reach it."""
    width = max(len(node.title) for node in nodes)
    lines = []
    for number, node in enumerate(nodes, 1):
        what = f"changes {node.task.promise.changes}" if isinstance(node.task, Step) else "plain task"
        reaching = " ".join(f"{name}={value!r}" for name, value in node.bound.items())
        lines.append(f"{number:>3}. {node.title:<{width}}  {what:<16}  {reaching}".rstrip())
    return "\n".join(lines)
