"""What is live on a target, beside what is at hand: read by the plan, and by the last words of every run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from ci import contract, convex
from ci.config import Config, Target
from ci.convex import Code
from ci.errors import CheckFailed, InputError, LockstepError, Unfinished
from ci.release import calls, manifest, migrations
from ci.release.git import Tree
from ci.release.manifest import Stamp

if TYPE_CHECKING:
    from ci.contract.check import Missing
    from ci.contract.plan import Plan
    from ci.contract.references import Found

T = TypeVar("T")


@dataclass(frozen=True)
class Comparison:
    """
    The two halves of a target; what could not be read is the sentence that says why.

    `calls` are those of the app's clients, `lacking` the variables that the code at hand reads and the deployment does
    not have, `untold` the places ("a.ts:7") that read one by a computed name, `listed` the migrations that
    lockstep.toml speaks of, `record` those that the deployment has run.
    """

    target: Target
    tree: Tree
    url: str
    backend: Code | str
    here: Code | str
    pending: tuple[str, ...]
    site: Stamp | str
    calls: Found | str
    scheduled: frozenset[str] | str
    lacking: tuple[str, ...] | str
    listed: tuple[str, ...]
    untold: tuple[str, ...] = ()
    record: migrations.Record | str = field(default_factory=dict)

    @cached_property
    def plan(self) -> Plan | None:
        """Return what a push would change, or None when a backend or the calls of the clients could not be read."""
        if isinstance(self.backend, str) or isinstance(self.here, str) or isinstance(self.calls, str):
            return None
        halves = (contract.plan.Half(contract.spec.parse(code.spec), code.schema) for code in (self.backend, self.here))
        old, new = halves
        # What could not be read may be anything: each internal function may be scheduled.
        internal = frozenset(path for path, one in old.spec.functions.items() if one.visibility == "internal")
        scheduled = internal if isinstance(self.scheduled, str) else self.scheduled
        called = contract.plan.Calls(self.live_calls, contract.plan.names_called(self.calls), scheduled)
        return contract.plan.make(old, new, called, self.listed)

    @property
    def unread(self) -> list[str]:
        """Return what could not be read, each with the reason."""
        parts = {
            self.target.backend.deployment: self.backend,
            "the code at hand": self.here,
            "what its clients call": self.calls,
        }
        return [f"{name} {found}" for name, found in parts.items() if isinstance(found, str)]

    @property
    def live_calls(self) -> frozenset[str] | None:
        """Return the functions that the live site calls, or None when that is unknown."""
        functions = self.site.functions if isinstance(self.site, Stamp) else None
        return None if functions is None else frozenset(functions)

    @cached_property
    def unserved(self) -> tuple[Missing, ...]:
        """Return the calls of the clients at hand that the deployment could not answer now."""
        if isinstance(self.backend, str) or isinstance(self.calls, str):
            return ()
        return contract.check.missing(self.calls, contract.spec.parse(self.backend.spec))

    @property
    def backend_is_current(self) -> bool:
        """Tell whether the deployment runs the code at hand."""
        return isinstance(self.backend, Code) and isinstance(self.here, Code) and self.backend.matches(self.here)

    @property
    def frontend_is_current(self) -> bool:
        """Tell whether the site is this commit, built for this backend."""
        return isinstance(self.site, Stamp) and self.site.commit == self.tree.commit and self.site_is_for_this_backend

    @property
    def site_is_for_this_backend(self) -> bool:
        """Tell whether the live site calls the target's deployment, whose URL is unknown when it was not reached."""
        here = {"url": self.url} if self.url else {"deployment": self.target.backend.deployment}
        return isinstance(self.site, Stamp) and here.items() <= self.site.backend.items()

    @property
    def is_current(self) -> bool:
        """Tell whether nothing is left to release."""
        return self.backend_is_current and self.frontend_is_current and not self.pending

    def refuse_breaking(self, allowed: Sequence[str]) -> None:
        """
        Return when clients in the field survive the push.

        Raises:
            InputError: what is allowed is nothing that this release changes.
            CheckFailed: some would not, and not all of that is allowed.
            Unfinished: nobody can tell, since one of the backends could not be read.
        """
        if self.plan is None:
            why = "; ".join(self.unread)
            hint = "see why it cannot be read, then run the same command again"
            raise Unfinished(f"what this release would break cannot be told: {why}", hint=hint)
        self._refuse_mistaken(self.plan, allowed)
        breaking = self.plan.breaking(allowed)
        if breaking:
            said = "\n".join(f"  {one.function}: {one.what}: {one.reason}" for one in breaking)
            raise CheckFailed(f"clients in the field would break:\n{said}", hint=contract.plan.advice(breaking))

    def _refuse_mistaken(self, plan: Plan, allowed: Sequence[str]) -> None:
        # The same command resumes a release: once the code is pushed, what was allowed has happened.
        mistaken = () if self.backend_is_current else plan.unchanged(allowed)
        if mistaken:
            near = contract.plan.nearest(mistaken[0], plan.breaking())
            hint = f"what breaks is {', '.join(near)}" if near else "leave it out: nothing breaks"
            raise InputError(
                f"--allow-breaking names what this release does not change: {', '.join(mistaken)}", hint=hint
            )


def read(config: Config, target: Target, tree: Tree) -> Comparison:
    """Return what is live and what is at hand; nothing is changed, and no failure to read is hidden."""
    here = _or_why(lambda: convex.code_at_hand(config.sandbox_control(), config.code_generation()))
    site = _or_why(lambda: manifest.live(target))
    found = _or_why(lambda: calls.of_clients(config))
    listed = tuple(name for item in config.migrations for name in (item.function, item.done) if name)
    try:
        url = convex.reach(target.backend)
    except LockstepError as error:
        why = f"could not be reached: {error}"
        return Comparison(target, tree, "", why, here, (), site, found, why, why, listed, record=why)
    backend = _or_why(lambda: convex.live_code(target.backend, url))
    scheduled = _or_why(lambda: convex.scheduled(target.backend, url)) if backend != here else frozenset()
    read = _or_why(lambda: calls.variables(config.app))
    untold = () if isinstance(read, str) else tuple(f"{one.path}:{one.line}" for one in read.dynamic)
    lacking = (
        read
        if isinstance(read, str)
        else _or_why(lambda: contract.plan.lacking(read.names, convex.variables(target.backend, url)))
    )
    record = _or_why(lambda: migrations.recorded(target.backend, url))
    pending = () if isinstance(record, str) else tuple(item.function for item in migrations.pending(config, record))
    return Comparison(
        target, tree, url, backend, here, pending, site, found, scheduled, lacking, listed, untold, record
    )


def _or_why(ask: Callable[[], T]) -> T | str:
    try:
        return ask()
    except LockstepError as error:
        return f"could not be read: {error}"
