"""A step: one of Invoke's tasks, with a promise of what it changes and how long it may take."""

import inspect
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from invoke.exceptions import Exit
from invoke.parser.argument import Argument
from invoke.tasks import Call, Task

from ci import errors
from ci.engine import values
from ci.errors import InputError

Ready = Generator[None, None, str | None]  # what a step returns that gets ready before its turn
Body = Callable[..., str | None] | Callable[..., Ready]
Changes = Literal["nothing", "backend", "data", "frontend"]


@dataclass(frozen=True)
class Promise:
    """What the executor may rely on."""

    timeout_s: float
    changes: Changes = "nothing"
    terminal: bool = False  # needs the person at the terminal
    always: bool = False  # runs at the very end, also after a failure, unless nothing had succeeded by then
    checks: bool = False  # a command that fails in it means that the check found problems
    registry: bool = False  # sees the settings of package registries
    alone: tuple[str, ...] = ()  # flags with which it needs nothing before it, and is no prerequisite of anything


class Step(Task[Body]):
    """A task that keeps a promise; it accepts the flags of everything that runs with it."""

    def __init__(self, body: Body, *, promise: Promise, **invoke: Any) -> None:
        super().__init__(body, auto_shortflags=False, **invoke)
        self.promise = promise

    @property
    def gets_ready(self) -> bool:
        """Return whether it has a first half, up to its `yield`, that changes nothing and needs not wait its turn."""
        return inspect.isgeneratorfunction(self.body)

    def get_arguments(self, ignore_unknown_help: bool | None = None) -> list[Argument]:
        """Return the flags that Invoke's parser shall accept for this step."""
        try:
            if not ignore_unknown_help:
                self._check_help()
            return values.arguments(self)
        except InputError as error:
            raise Exit(errors.text(error), code=error.exit_code) from error

    def _check_help(self) -> None:
        for name in self.help:
            if name.replace("-", "_") not in self.argspec(self.body).parameters:
                raise InputError(f"{values.title(self)} has a help text for {name}, which it does not take")


def step(
    *,
    timeout_s: float,
    changes: Changes = "nothing",
    pre: Sequence[Task[Any] | Call] = (),
    post: Sequence[Task[Any] | Call] = (),
    terminal: bool = False,
    always: bool = False,
    checks: bool = False,
    registry: bool = False,
    alone: Sequence[str] = (),
    name: str | None = None,
    help: Mapping[str, str] | None = None,
) -> Callable[[Body], Step]:
    """Make a function of a Context a step. It may return one line for the summary: what it found or changed."""
    promise = Promise(timeout_s, changes, terminal, always, checks, registry, tuple(alone))

    def decorate(body: Body) -> Step:
        return Step(body, promise=promise, name=name, help=dict(help or {}), pre=list(pre), post=list(post))

    return decorate
