"""The true state of a target: both halves, whether they match each other, and what this checkout would change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ci.convex import Code, Function
from ci.errors import CheckFailed, Unfinished
from ci.release import manifest
from ci.release.comparison import Comparison


@dataclass(frozen=True)
class Status:
    """
    What is live beside what is at hand.

    `behind` is how many commits the live site lacks, None when its commit is not known here; `last_run` is what the
    last run in this checkout was, as its journal sums it up, if there was one.
    """

    world: Comparison
    behind: int | None
    last_run: Mapping[str, Any] | None

    @cached_property
    def missing(self) -> tuple[str, ...]:
        """Return the functions of the code at hand that are not live, or not so."""
        return self._names(self.world.here, self.world.backend)

    @cached_property
    def extra(self) -> tuple[str, ...]:
        """Return the functions that are live and not in the code at hand, or not so."""
        return self._names(self.world.backend, self.world.here)

    @property
    def is_code_compared(self) -> bool:
        """Tell whether the code itself was compared, not only what it offers."""
        return isinstance(self.world.backend, Code) and self.world.backend.modules is not None

    @cached_property
    def unserved(self) -> tuple[str, ...] | None:
        """Return what the live site calls and the live backend does not have; None when one of them is unknown."""
        called, backend = self.world.live_calls, self.world.backend
        if called is None or isinstance(backend, str):
            return None
        return tuple(sorted(called - {one.name for one in backend.functions if one.visibility == "public"}))

    @property
    def unread(self) -> list[str]:
        """Return what could not be read, each with the reason; that no site is there is an answer."""
        parts = {
            self.world.target.backend.deployment: self.world.backend,
            "the code at hand": self.world.here,
            "the record of migrations": self.world.record,
            self.world.target.frontend.site: self.world.site if self._is_site_unread else "",
        }
        return [f"{name} {found}" for name, found in parts.items() if found and isinstance(found, str)]

    @property
    def differences(self) -> list[str]:
        """Return how the target differs from this commit, as far as it could be read."""
        world = self.world
        has = {
            "the backend does not run the code at hand": self._is_backend_known and not world.backend_is_current,
            f"migrations were not run: {', '.join(world.pending)}": world.pending,
            "the site is not this commit": not self._is_site_unread and not world.frontend_is_current,
            "the site calls functions that the backend does not have": self.unserved,
        }
        return [words for words, is_so in has.items() if is_so]

    def refuse_difference(self) -> None:
        """
        Return when the target is what this commit is.

        Raises:
            CheckFailed: it is not.
            Unfinished: nobody can tell.
        """
        name = self.world.target.name
        release = "./inv deploy" + ("" if self.world.target.is_sandbox else f" --target {name}")
        if self.differences:
            what = f"{name} is not what commit {self.world.tree.commit[:12]} is: {'; '.join(self.differences)}"
            raise CheckFailed(what, hint=f"release it: {release}")
        if self.unread:
            hint = "see why it cannot be read, then run the same command again"
            raise Unfinished(f"whether {name} is up to date cannot be told: {'; '.join(self.unread)}", hint=hint)

    @property
    def _is_site_unread(self) -> bool:
        return isinstance(self.world.site, str) and self.world.site != manifest.NO_SITE

    @property
    def _is_backend_known(self) -> bool:
        return isinstance(self.world.backend, Code) and isinstance(self.world.here, Code)

    def _names(self, these: Code | str, those: Code | str) -> tuple[str, ...]:
        if isinstance(these, str) or isinstance(those, str):
            return ()
        return tuple(sorted(map(_named, these.functions - those.functions)))


def _named(function: Function) -> str:
    return f"{function.name} ({function.visibility} {function.kind})"
