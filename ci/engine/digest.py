"""A run as Markdown: how it ended, its tasks, what they said, the graph; for the summary of a CI job, or an issue."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

TAIL = 60  # lines of a log
SHORT = 30  # lines that are shown unfolded

Row = dict[str, Any]


def markdown(title: str, rows: Sequence[Row], order: Sequence[Row], folder: Path) -> str:
    """
    Return the digest of one run.

    Args:
        title: what was run, and how that ended.
        rows: one a task that started: "task", "state", and "seconds", "note" and "log", if there are any.
        order: one a task of the run: "task", and the titles "before" it.
        folder: where the logs are.
    """
    states = {row["task"]: row["state"] for row in rows}
    lines = [f"## {title}", "", "| task | | seconds | |", "|---|---|---|---|", *map(_line, rows)]
    left = [one["task"] for one in order if one["task"] not in states]
    lines += [f"| {task} | not run | | |" for task in left]
    lines += [line for row in rows for line in _said(row, folder)]
    return "\n".join([*lines, "", *_graph(order, states)])


def _line(row: Row) -> str:
    seconds = f"{row['seconds']:.1f}" if "seconds" in row else ""
    note = "" if row["state"] == "failed" else str(row.get("note") or "").replace("|", "\\|").replace("\n", " ")
    return f"| {row['task']} | {row['state']} | {seconds} | {note} |"


def _said(row: Row, folder: Path) -> Iterator[str]:
    """Yield the end of a task's log and, if it failed, why."""
    lines = (folder / row["log"]).read_text(errors="replace").splitlines() if row.get("log") else []
    lines += row["note"].splitlines() if row["state"] == "failed" else []
    if not lines:
        return
    is_open = " open" if row["state"] == "failed" or len(lines) <= SHORT else ""
    fence = "`" * 8  # longer than any that a tool prints
    more = f", its last {TAIL} lines" if len(lines) > TAIL else ""
    yield f"\n<details{is_open}><summary>{row['task']}{more}</summary>\n\n{fence}text"
    yield from lines[-TAIL:]
    yield f"{fence}\n</details>"


def _graph(order: Sequence[Row], states: dict[str, str]) -> Iterator[str]:
    ids = {one["task"]: f"t{number}" for number, one in enumerate(order, 1)}
    yield "```mermaid\ngraph LR"
    for one in order:
        state = states.get(one["task"], "left")
        yield f'  {ids[one["task"]]}["{one["task"]}"]:::{state}'
    # What waits for something only because that waits for it in turn needs no arrow of its own.
    yield from (f"  {ids[before]} --> {ids[one['task']]}" for one in order for before in _nearest(one, order))
    yield "  classDef done fill:#d4f4dd,color:#111\n  classDef failed fill:#f8d0d0,color:#111"
    yield "  classDef left stroke-dasharray:4\n```"


def _nearest(one: Row, order: Sequence[Row]) -> list[str]:
    before = {other["task"]: set(other["before"]) for other in order}
    return [name for name in one["before"] if not any(name in before.get(other, ()) for other in one["before"])]
