"""The closing words of a run: what was done, how long it took, and what was not run."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


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


@dataclass(frozen=True)
class Row:
    """How one task of a run went: in `note` what it says itself, and in `log` where its output is."""

    title: str
    seconds: float
    state: str
    note: str = ""
    log: Path | None = None


def table(rows: Sequence[Row], critical_path: Sequence[str], left: Sequence[str]) -> str:
    """Return one line a task that ran, aligned, and what is to be said of all; `left` are those that did not run."""
    width = max((len(row.title) for row in rows), default=0)
    lines = [f"  {row.title:<{width}}  {row.seconds:>6.1f} s  {row.note or row.state}" for row in rows]
    if 0 < len(critical_path) < len(rows):  # a path of all tasks says nothing
        seconds = sum(row.seconds for row in rows if row.title in critical_path)
        lines.append(f"  critical path: {', '.join(critical_path)} ({seconds:.1f} s)")
    if left:
        lines.append(f"  not run: {', '.join(left)}")
    folders = dict.fromkeys(row.log.parent for row in rows if row.log)
    lines += [f"  logs: {folder}" for folder in folders]
    return "\n".join(["── summary", *lines])
