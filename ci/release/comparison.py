"""What is live on a target, beside what is at hand: read by the plan, and by the last words of every run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from ci import convex
from ci.config import Config, Target
from ci.convex import Code
from ci.errors import LockstepError
from ci.release import manifest, migrations
from ci.release.git import Tree
from ci.release.manifest import Stamp

T = TypeVar("T")


@dataclass(frozen=True)
class Comparison:
    """The two halves of a target; a half that could not be read is the sentence that says why."""

    target: Target
    tree: Tree
    url: str
    backend: Code | str
    here: Code | str
    pending: tuple[str, ...]
    site: Stamp | str

    @property
    def added(self) -> list[str]:
        """Return the functions that the code at hand has and the deployment lacks."""
        return sorted(self._names(self.here) - self._names(self.backend))

    @property
    def removed(self) -> list[str]:
        """Return the functions that the deployment has and the code at hand lacks."""
        return sorted(self._names(self.backend) - self._names(self.here)) if isinstance(self.here, Code) else []

    @property
    def backend_is_current(self) -> bool:
        """Tell whether the deployment runs the code at hand."""
        return isinstance(self.backend, Code) and self.backend == self.here

    @property
    def frontend_is_current(self) -> bool:
        """Tell whether the site is this commit, built for this backend."""
        site = self.site
        return isinstance(site, Stamp) and (site.commit, site.backend.get("url")) == (self.tree.commit, self.url)

    @property
    def is_current(self) -> bool:
        """Tell whether nothing is left to release."""
        return self.backend_is_current and self.frontend_is_current and not self.pending

    @staticmethod
    def _names(code: Code | str) -> set[str]:
        return {function.name for function in code.functions} if isinstance(code, Code) else set()


def read(config: Config, target: Target, tree: Tree) -> Comparison:
    """Return what is live and what is at hand; nothing is changed, and no failure to read is hidden."""
    here = _or_why(lambda: convex.code_at_hand(config.sandbox_control(), config.code_generation()))
    site = _or_why(lambda: manifest.live(target))
    try:
        url = convex.reach(target.backend)
    except LockstepError as error:
        return Comparison(target, tree, "", f"could not be reached: {error}", here, (), site)
    backend = _or_why(lambda: convex.live_code(target.backend, url))
    record = _or_why(lambda: migrations.recorded(target.backend, url))
    pending = () if isinstance(record, str) else tuple(item.function for item in migrations.pending(config, record))
    return Comparison(target, tree, url, backend, here, pending, site)


def _or_why(ask: Callable[[], T]) -> T | str:
    try:
        return ask()
    except LockstepError as error:
        return f"could not be read: {error}"
