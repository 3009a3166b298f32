"""The body of a step, played at once or in two halves: up to its `yield` it gets ready, the rest waits for its turn."""

from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

from ci.engine import descendants, values
from ci.engine.runner import StepContext
from ci.engine.step import Step
from ci.engine.work import Work
from ci.errors import InputError


class Play:
    """One step, its context and its values; what it starts lives until it has ended, or could not get ready."""

    def __init__(self, step: Step, context: StepContext, bound: Mapping[str, Any], token: str) -> None:
        self._step = step
        self._context = context
        self._bound = bound
        self._token = token
        self._ready: Any = None  # the generator, once it is at its yield

    def get_ready(self, work: Work) -> None:
        """Play the first half, as `work`; where it fails nothing is left, and it can be played again."""
        self._context.move(work)
        self._ready = self._begin()
        with ExitStack() as failing:
            failing.callback(self.end)
            for _ in self._ready:
                failing.pop_all()
                return
            raise self._wrong("never")

    def perform(self, work: Work) -> Any:
        """Play all that is left, as `work`, and return what the step returns."""
        try:
            if self._step.gets_ready and not self._ready:
                self.get_ready(work)
            self._context.move(work)
            return self._rest() if self._ready else self._begin()
        finally:
            self.end()

    def end(self) -> None:
        """End what was started."""
        if self._ready:
            self._ready.close()
        self._ready = None
        descendants.end(self._token)

    def _begin(self) -> Any:
        return self._step(self._context, **self._bound)

    def _rest(self) -> Any:
        try:
            next(self._ready)
        except StopIteration as over:
            return over.value
        raise self._wrong("more than once")

    def _wrong(self, how_often: str) -> InputError:
        hint = "one yield parts what gets ready from what waits for its turn"
        return InputError(f"{values.title(self._step)} yields {how_often}", hint)
