"""The closing words of a run: what was done, how long it took, and what was not run."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


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
