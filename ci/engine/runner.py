"""`c.run` in a step: Invoke's own call and result, over our own watch of the process."""

import signal
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from math import inf
from pathlib import Path
from typing import Any

from invoke.config import Config
from invoke.context import Context
from invoke.exceptions import CommandTimedOut, UnexpectedExit
from invoke.runners import Local, Result

from ci.engine import output, process
from ci.engine.signals import Signals, Stopped
from ci.secret import Secret

# A call that asks for one of these is left to Invoke's own runner.
INVOKES_OWN = ("asynchronous", "disown", "dry", "encoding", "in_stream", "pty", "watchers")


@dataclass(frozen=True)
class Frame:
    """What the commands of one step run in."""

    root: Path
    env: Mapping[str, str]
    deadline_at: float  # on the monotonic clock
    signals: Signals


class StepContext(Context):
    """The Context that a step is handed."""

    frame: Frame

    def __init__(self, config: Config, remainder: str, frame: Frame) -> None:
        super().__init__(config, remainder)
        self._set(frame=frame)


class Runner(Local):
    """
    Run a command in the frame of its step.

    Its environment is the step's base and what the call declares, its folder the one of tasks.py; what it prints goes
    to stderr, since stdout is for results.
    """

    context: StepContext

    def generate_env(self, env: dict[str, Any], replace_env: bool) -> dict[str, Any]:  # noqa: ARG002 - always replaced
        """Return the base with what the call declares, a Secret still being one."""
        return {**self.context.frame.env, **env}

    def echo(self, command: str) -> None:
        """Show the command itself, which holds no secret: those travel in the environment."""
        output.say(f"$ {command}")

    def start(self, command: str, shell: str, env: dict[str, Any]) -> None:
        """Start Invoke's own way."""
        super().start(command, shell, _revealed(env))

    def wait(self) -> None:
        """Wait Invoke's own way, but leave nothing behind when we are stopped."""
        try:
            super().wait()
        except Stopped:
            self.kill()
            raise

    def _unify_kwargs_with_config(self, kwargs: Any) -> None:
        out_stream = kwargs.get("out_stream")
        super()._unify_kwargs_with_config(kwargs)
        self.streams["out"] = out_stream or sys.stderr

    def _run_body(self, command: str, **kwargs: Any) -> Result:
        left_s = self.context.frame.deadline_at - time.monotonic()
        timeout_s = kwargs.get("timeout") or inf
        if any(kwargs.get(name) for name in INVOKES_OWN):
            return super()._run_body(command, **kwargs)
        self._setup(command, kwargs)
        ended = self._ended(command, min(left_s, timeout_s))
        texts = {"stdout": ended.stdout, "stderr": ended.stderr, "exited": ended.exited}
        result = self.generate_result(**{**self.result_kwargs, "pid": ended.pid, **texts})
        if ended.timed_out and timeout_s > left_s:
            raise Stopped(signal.SIGALRM)
        if ended.timed_out:
            raise CommandTimedOut(result, timeout_s)  # type: ignore[arg-type]  # fractions of a second are fine
        if not (result or self.opts["warn"]):
            raise UnexpectedExit(result)
        return result

    def _ended(self, command: str, timeout_s: float) -> process.Ended:
        frame = self.context.frame
        return process.run(
            [self.opts["shell"], "-c", command],
            env=_revealed(self.env),
            cwd=frame.root,
            shows=(self._show("stdout", "out"), self._show("stderr", "err")),
            timeout_s=timeout_s,
            signals=frame.signals,
        )

    def _show(self, name: str, stream: str) -> process.Show:
        if name in self.opts["hide"]:
            return _hide
        return partial(output.write, self.streams[stream])


def _hide(_text: str) -> None:
    """Show nothing."""


def _revealed(env: Mapping[str, str | Secret]) -> dict[str, str]:
    return {name: value.reveal() if isinstance(value, Secret) else value for name, value in env.items()}
