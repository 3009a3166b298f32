"""The way from a workflow, or a host's build, to a command, and what holds on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from ci.audit.model import (
    Confidence,
    Env,
    Guard,
    Job,
    Link,
    Place,
    Question,
    Reached,
    Step,
    Swallow,
    Text,
    Workflow,
)


@dataclass(frozen=True)
class Trail:
    """Where the walk stands; a trail is never changed, it is continued."""

    env: Env = field(default_factory=Env)
    folder: str | None = ""
    chain: tuple[Link, ...] = ()
    guards: tuple[Guard, ...] = ()
    swallowed: tuple[Swallow, ...] = ()
    order: tuple[int, ...] = ()
    together: Mapping[tuple[int, ...], frozenset[int]] = field(default_factory=dict)
    confidence: Confidence = "high"
    workflow: Workflow | None = None
    job: Job | None = None
    step: Step | None = None
    host: str = ""
    given: Mapping[str, Text] = field(default_factory=dict)
    inside: tuple[str, ...] = ()  # scripts, files and tasks that it is in, so that a circle is seen

    def to(self, text: str, at: Place) -> Trail:
        """Continue through a link."""
        return replace(self, chain=(*self.chain, Link(text, at)))

    def at(self, number: int) -> Trail:
        """Continue as the command of that number in what it is in."""
        return replace(self, order=(*self.order, number))

    def into(self, key: str) -> Trail | None:
        """Continue into a script or a file; None when it is in there already, or too deep."""
        if key in self.inside or len(self.inside) >= 24:
            return None
        return replace(self, inside=(*self.inside, key))

    def with_env(
        self, sets: Mapping[str, Text] | None = None, unsets: Sequence[str] = (), questions: Sequence[Question] = ()
    ) -> Trail:
        """Continue with variables set, taken away ("*": all), or asked about."""
        values = {} if "*" in unsets else {k: v for k, v in self.env.values.items() if k not in unsets}
        values.update(sets or {})
        dropped = {name: drop for name, drop in self.env.dropped.items() if name not in values}
        return replace(self, env=Env(values, dropped, (*self.env.questions, *questions)))

    def side_by_side(self, waits: frozenset[int] = frozenset()) -> Trail:
        """Continue as one of what starts at once here, and waits for those of these numbers."""
        return replace(self, together={**self.together, self.order: waits})

    def bare(self) -> Trail:
        """Continue with nothing of the way that led here, as the start of what is known of a script on its own."""
        return Trail(env=self.env, inside=self.inside)

    def before(self, one: Reached) -> Reached:
        """Return what was reached from a bare trail as if it had been reached from here."""
        return replace(
            one,
            chain=self.chain + one.chain,
            guards=self.guards + one.guards,
            swallowed=self.swallowed + one.swallowed,
            order=self.order + one.order,
            together={**self.together, **{self.order + at: waits for at, waits in one.together.items()}},
            confidence="low" if "low" in (self.confidence, one.confidence) else "high",
            workflow=self.workflow,
            job=self.job,
            step=self.step,
            host=one.host or self.host,
            given=self.given,
        )

    def reached(self, **about: object) -> Reached:
        """Return a command that was found here."""
        return Reached(
            folder=self.folder,
            chain=self.chain,
            env=self.env,
            guards=self.guards,
            swallowed=self.swallowed,
            order=self.order,
            confidence=self.confidence,
            workflow=self.workflow,
            job=self.job,
            step=self.step,
            host=self.host,
            given=self.given,
            together=self.together,
            **about,  # type: ignore[arg-type]  # kind, tool, argv, questions: of Reached itself
        )
