"""`c.run` in a step: Invoke's own call and result, over our own watch of the process."""

import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from math import inf
from pathlib import Path
from typing import Any

from invoke.config import Config
from invoke.context import Context
from invoke.exceptions import CommandTimedOut, UnexpectedExit, WatcherError
from invoke.runners import Local, Result

from ci.engine import descendants, failure, output, process, redaction
from ci.engine.audience import Audience
from ci.engine.guard import Guard
from ci.engine.leash import Stopped
from ci.engine.output import Source
from ci.engine.process import Bounds, Ended
from ci.engine.settings import Settings
from ci.engine.work import Work
from ci.secret import Secret

# A call that asks for one of these is left to Invoke's own runner.
INVOKES_OWN = ("asynchronous", "disown", "dry", "encoding", "in_stream", "pty", "watchers")


@dataclass(frozen=True)
class Frame:
    """What the commands of one step run in."""

    root: Path
    env: Mapping[str, str]
    settings: Settings
    work: Work
    guard: Guard
    audience: Audience
    token: str  # marks what its commands start; each command adds a number
    numbers: "count[int]"


class StepContext(Context):
    """The Context that a step is handed."""

    frame: Frame

    def __init__(self, config: Config, remainder: str, frame: Frame) -> None:
        super().__init__(config, remainder)
        self._set(frame=frame)

    def move(self, work: Work) -> None:
        """Let what it runs from now on, and waits for, be of `work`."""
        self._set(frame=replace(self.frame, work=work))


class Runner(Local):
    """
    Run a command in the frame of its step.

    Its environment is the step's base and what the call declares, its folder the one of tasks.py; what it prints goes
    to stderr, since stdout is for results.
    """

    context: StepContext

    def __init__(self, context: StepContext) -> None:
        super().__init__(context)
        # Invoke cleans these up also when a signal came before it had set them.
        self.using_pty = False
        self.streams: dict[str, Any] = {}

    def generate_env(self, env: dict[str, Any], replace_env: bool) -> dict[str, Any]:  # noqa: ARG002 - always replaced
        """Return the base with what the call declares, a Secret still being one."""
        frame = self.context.frame
        texts = {name: value for name, value in env.items() if isinstance(value, str)}
        frame.audience.stage.redactor.add(*redaction.named_values(texts, frame.settings.secrets))
        return {**frame.env, **env}

    def echo(self, command: str) -> None:
        """Show the command itself, which holds no secret: those travel in the environment."""
        self.context.frame.work.voice.print(1, f"$ {command}\n")

    def start(self, command: str, shell: str, env: dict[str, Any]) -> None:
        """Start Invoke's own way, marked as ours unless the call disowns it."""
        mark = {} if self._disowned else descendants.mark(self._token)
        super().start(command, shell, {**_revealed(env), **mark})

    def wait(self) -> None:
        """Wait Invoke's own way, but leave nothing behind when we are stopped."""
        try:
            super().wait()
        except Stopped:
            self.kill()
            raise

    def kill(self) -> None:
        """End all that the command started, not its shell alone."""
        super().kill()
        descendants.end(self._token)

    def _unify_kwargs_with_config(self, kwargs: Any) -> None:
        frame = self.context.frame
        # What has no terminal to itself has no input either, unless the call gives it one.
        in_stream = None if frame.work.node.is_alone else False
        super()._unify_kwargs_with_config({"in_stream": in_stream, **kwargs})
        self.streams["out"] = self._voiced(kwargs.get("out_stream") or sys.stderr)
        self.streams["err"] = self._voiced(self.streams["err"])

    def _voiced(self, stream: Any) -> Any:
        """Return what writes to a standard stream as this step; each pipe is redacted for itself."""
        which = output.standard(stream)
        return stream if which is None else self.context.frame.work.voice.source(which)

    def _run_body(self, command: str, **kwargs: Any) -> Result:
        frame = self.context.frame
        self._token = f"{frame.token}.{next(frame.numbers)}"
        self._began_at = time.monotonic()
        if any(kwargs.get(name) for name in INVOKES_OWN):
            return super()._run_body(command, **kwargs)
        self._setup(command, kwargs)
        return self._judged(self._ended(command, kwargs.get("timeout") or inf))

    def _finish(self) -> Result:
        """Finish Invoke's own way; also a promise ends here."""
        try:
            return super()._finish()
        finally:
            self._end_streams()

    def _collate_result(self, watcher_errors: list[WatcherError]) -> Result:
        result = super()._collate_result(watcher_errors)
        self._tell(result.command, result.exited)
        return result

    def _ended(self, command: str, timeout_s: float) -> Ended:
        frame = self.context.frame
        try:
            ended = process.run(
                [self.opts["shell"], "-c", command],
                env=_revealed(self.env),
                cwd=frame.root,
                shows=(self._show("stdout", "out"), self._show("stderr", "err")),
                bounds=Bounds(timeout_s, frame.settings.grace_s, frame.work.leash, frame.guard, self._token),
            )
        finally:
            self._end_streams()
        self._tell(command, ended.exited)
        return ended

    def _tell(self, command: str, exited: int) -> None:
        frame, seconds = self.context.frame, time.monotonic() - self._began_at
        frame.audience.command(frame.work.node, failure.program(command), exited, seconds)

    def _end_streams(self) -> None:
        for stream in self.streams.values():
            if isinstance(stream, Source):
                stream.end()

    def _judged(self, ended: Ended) -> Result:
        texts = {"stdout": ended.stdout, "stderr": ended.stderr, "exited": ended.exited}
        result = self.generate_result(**{**self.result_kwargs, "pid": ended.pid, **texts})
        if ended.timed_out:
            raise CommandTimedOut(result, self.opts["timeout"])
        if not (result or self.opts["warn"]):
            raise UnexpectedExit(result)
        return result

    def _show(self, name: str, stream: str) -> process.Show:
        if name in self.opts["hide"]:
            return _hide
        target = self.streams[stream]
        return target.write if isinstance(target, Source) else partial(output.write, target)


def _hide(_text: str) -> None:
    """Show nothing."""


def _revealed(env: Mapping[str, str | Secret]) -> dict[str, str]:
    return {name: value.reveal() if isinstance(value, Secret) else value for name, value in env.items()}
