"""The rows of the board: what runs, for how long, and the last thing that it said."""

import io
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.text import Text

from ci.engine import lines

WHEEL = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
PLAIN_WHEEL = "|/-\\"
MOST_ROWS = 12
MARGIN = 4  # lines of the terminal that are the log's even when many tasks run
FULL_WIDTH = 40  # columns; narrower boards do without a column for the time


@dataclass
class _Task:
    started_at: float = field(default_factory=time.monotonic)
    last_line: str = ""


class Picture:
    """Keeps what the board shows, and draws it for a terminal of any size."""

    def __init__(self, titles: Sequence[str], encoding: str, environ: Mapping[str, str]) -> None:
        self._waiting = dict.fromkeys(titles)
        self._running: dict[str, _Task] = {}
        self._ended = {"done": 0, "failed": 0, "interrupted": 0}
        self._turns = 0
        self._wheel = WHEEL if encoding.lower().startswith("utf") else PLAIN_WHEEL
        self._console = Console(
            file=io.StringIO(), force_terminal=True, highlight=False, legacy_windows=False, _environ=environ
        )

    def started(self, title: str) -> None:
        """Let a task run."""
        self._waiting.pop(title, None)
        self._running[title] = _Task()

    def said(self, title: str, block: str) -> None:
        """Note the last line of `block`, in which nothing moves the cursor."""
        last = lines.uncoloured(block.rstrip().rpartition("\n")[2]).strip().expandtabs(1)
        if last and title in self._running:
            self._running[title].last_line = last

    def ended(self, title: str, state: str) -> None:
        """Count a task that ended, whether or not it was told to run."""
        self._waiting.pop(title, None)
        self._running.pop(title, None)
        self._ended[state] = self._ended.get(state, 0) + 1

    def drawn(self, columns: int, height: int) -> tuple[str, list[int]]:
        """Return the board as text and the width of each row; no row is as wide as the terminal."""
        self._turns += 1
        most = max(0, min(MOST_ROWS, height - MARGIN))
        width = max((cell_len(title) for title in self._running), default=0)
        rows = [self._row(title, task, width, columns) for title, task in list(self._running.items())[:most]]
        rows.append(self._footer(len(self._running) - len(rows)))
        for row in rows:
            row.truncate(max(1, columns - 1), overflow="ellipsis")
        self._console.width = max(1, columns)
        with self._console.capture() as captured:
            for row in rows:
                self._console.print(row, no_wrap=True, crop=False, overflow="ignore")
        return captured.get(), [row.cell_len for row in rows]

    def _row(self, title: str, task: _Task, width: int, columns: int) -> Text:
        seconds = f"{time.monotonic() - task.started_at:.1f} s"
        seconds = seconds if columns < FULL_WIDTH else f"{seconds:>8}"
        most = max(1, min(width, columns - len(seconds) - 4))
        name = title if cell_len(title) <= most else f"{set_cell_size(title, most - 1)}…"
        wheel = self._wheel[self._turns % len(self._wheel)]
        return Text.assemble((wheel, "cyan"), " ", set_cell_size(name, most), f" {seconds} ", (task.last_line, "dim"))

    def _footer(self, unseen: int) -> Text:
        counts = {"running": len(self._running), "waiting": len(self._waiting), **self._ended}
        said = [
            (f"{count} {state}", "red" if state == "failed" else "bold")
            for state, count in counts.items()
            if count or state == "done"
        ]
        parts = [part for one in said for part in (", ", one)][1:]
        return Text.assemble(f"+ {unseen} more; " if unseen else "", *parts)
