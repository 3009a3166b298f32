"""The closing words of a run: what was done, how long it took, and what was not run."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass
class Outcome:
    """How one task of a run went; `seconds` is None for one that was not run."""

    title: str
    seconds: float | None = None
    state: str = ""
    note: str = ""


def text(outcomes: Sequence[Outcome]) -> str:
    """Return one line a task that ran, aligned, and one for all that did not run."""
    ran = [outcome for outcome in outcomes if outcome.seconds is not None]
    width = max((len(outcome.title) for outcome in ran), default=0)
    lines = [f"  {one.title:<{width}}  {one.seconds:>6.1f} s  {one.note or one.state}" for one in ran]
    left = [outcome.title for outcome in outcomes if outcome.seconds is None]
    return "\n".join(["── summary", *lines, *([f"  not run: {', '.join(left)}"] if left else [])])
