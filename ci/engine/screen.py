"""What a person sees of a run: one class, and which of its kinds suits the place that we write to."""

import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from ci import errors
from ci.engine import summary
from ci.engine.channel import Channel
from ci.engine.lines import Lines, prefixed
from ci.engine.redaction import Redactor
from ci.engine.summary import Row
from ci.errors import LockstepError


class Screen:
    """
    Shows a run as lines, each behind the name of its task where there are several; its methods suit any thread.

    `show` and `result` take what a stream of the redactor has let go: only the caller can tell one pipe from another.
    All else is redacted here.
    """

    def __init__(self, redactor: Redactor, out: Channel, err: Channel) -> None:
        self._redactor = redactor
        self._lock = threading.RLock()
        self._out = out
        self._err = err
        self._is_one_terminal = out.is_terminal() and err.is_terminal()
        self._is_shared = False  # several tasks write at once
        self._is_mid_line = False
        self._lines: dict[str, Lines] = {}
        self._results = Lines()

    def begin(self, titles: Sequence[str]) -> None:
        """Prepare for the tasks of a run, in their order."""
        with self._lock:
            self._is_shared = len(titles) > 1

    def started(self, title: str) -> None:
        """Tell that a task runs now."""
        self.say(f"── {title}")

    def show(self, title: str, text: str) -> None:
        """Show output of a task, in parts of any size."""
        with self._lock:
            if not self._is_shared:
                self._write(text)
            elif block := self._lines.setdefault(title, Lines()).feed(text):
                self._show_lines(title, block)

    def result(self, text: str) -> None:
        """Write to stdout, and nothing else but this, what a task that was asked for prints there."""
        with self._lock:
            if block := self._results.feed(text) if self._is_shared else text:
                self._write_result(block)

    def say(self, text: str) -> None:
        """Tell something in the engine's own words."""
        with self._lock:
            self._end_line()
            self._write(f"{self._redactor.text(text)}\n")

    def error(self, title: str, error: LockstepError) -> None:  # noqa: ARG002 - where errors are told by task
        """Tell why a task failed."""
        self.say(errors.text(error))

    def ended(self, title: str, state: str, note: str, seconds: float) -> None:  # noqa: ARG002 - others show them
        """Tell that a task does not run any more; `state` is done, failed or interrupted."""
        with self._lock:
            if rest := self._lines.pop(title, Lines()).end():
                self._show_lines(title, rest)
            self._end_line()
            self._end_result()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Leave the terminal to a task that needs it; what it says is shown at once, without its name."""
        with self._lock:
            self._end_line()
            is_shared, self._is_shared = self._is_shared, False
        try:
            yield
        finally:
            with self._lock:
                self._end_line()
                self._is_shared = is_shared

    def end(self, rows: Sequence[Row], critical_path: Sequence[str], left: Sequence[str]) -> None:
        """Sum a run up; what comes later are the last words of steps that always run, one by one."""
        with self._lock:
            for title in list(self._lines):
                self.ended(title, "interrupted", "", 0.0)
            self._end_result()
            self._is_shared = False
            if rows or left:
                self.say(summary.table(rows, critical_path, left))

    def _show_lines(self, title: str, block: str) -> None:
        self._write(prefixed(block, f"{title} │ "))

    def _write(self, text: str) -> None:
        """Write to stderr; whoever calls holds the lock."""
        if text:
            self._err.write(text)
            self._is_mid_line = not text.endswith("\n")

    def _write_result(self, text: str) -> None:
        self._out.write(text)
        if self._is_one_terminal:
            self._is_mid_line = not text.endswith("\n")

    def _end_line(self) -> None:
        if self._is_mid_line:
            self._write("\n")

    def _end_result(self) -> None:
        if rest := self._results.end():
            self._write_result(rest)


def screen(redactor: Redactor, *, environ: Mapping[str, str]) -> Screen:
    """Return the screen for where stderr leads, as it is now."""
    out, err = Channel(sys.stdout), Channel(sys.stderr)
    if environ.get("GITHUB_ACTIONS") == "true":
        from ci.engine.github import GitHub

        return GitHub(redactor, out, err)
    if err.is_terminal() and environ.get("TERM", "dumb") not in ("", "dumb", "unknown") and not environ.get("CI"):
        from ci.engine.board import Board

        return Board(redactor, out, err, environ)
    return Screen(redactor, out, err)
