"""A run on a terminal: the lines of all tasks scroll by above a board of those that run now."""

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ci.engine import lines
from ci.engine.channel import Channel
from ci.engine.redaction import Redactor
from ci.engine.screen import Screen
from ci.engine.summary import Row

if TYPE_CHECKING:
    from ci.engine.picture import Picture

TICK_S = 0.1  # between two pictures
SEEN_SIZE = 500  # of a line, in its row
BATCH_SIZE = 1 << 20  # of output that is shown without waiting for the next picture


class Board(Screen):
    """
    Draws the board below the log, and with it all that came since the last time: a picture a line would be slow.

    The cursor rests below the board at the start of a line, so that even a kill leaves the terminal in order.
    """

    def __init__(self, redactor: Redactor, out: Channel, err: Channel, environ: Mapping[str, str]) -> None:
        super().__init__(redactor, out, err)
        self._environ = environ
        self._picture: Picture | None = None  # None where there is no board: one task, a pause, the end
        self._pending: list[str] = []
        self._pending_size = 0
        self._drawn_at = 0.0
        self._widths: list[int] = []  # of the rows that are on the screen
        self._stopped = threading.Event()
        self._ticker = threading.Thread(target=self._tick, name="board", daemon=True)

    def begin(self, titles: Sequence[str]) -> None:
        """Set the board up where there are several tasks."""
        super().begin(titles)
        if self._is_shared:
            # Imported here: rich takes longer than all of Invoke's start, and one task needs no board.
            from ci.engine.picture import Picture

            self._picture = Picture(titles, self._err.encoding, self._environ)
            self._ticker.start()

    def started(self, title: str) -> None:
        """Give a task its row."""
        with self._lock:
            if self._picture:
                self._picture.started(title)
            super().started(title)

    def show(self, title: str, text: str) -> None:
        """Show output of a task; a line that has not ended yet, as a progress bar's, is seen in its row."""
        with self._lock:
            super().show(title, text)
            if self._picture and (rest := self._lines[title].rest):
                self._picture.said(title, lines.harmless(rest[-SEEN_SIZE:], coloured=False))

    def ended(self, title: str, state: str, note: str, seconds: float) -> None:
        """Take the row of a task away."""
        with self._lock:
            super().ended(title, state, note, seconds)
            if self._picture:
                self._picture.ended(title, state)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Take the board away for as long as a task needs the terminal."""
        with self._lock:
            picture = self._taken_away()
        try:
            with super().paused():
                yield
        finally:
            with self._lock:
                self._picture = picture

    def end(self, rows: Sequence[Row], critical_path: Sequence[str], left: Sequence[str]) -> None:
        """Take the board away for good, and sum up."""
        self._stopped.set()
        with self._lock:
            for title in list(self._lines):
                self.ended(title, "interrupted", "", 0.0)
            self._taken_away()
            super().end(rows, critical_path, left)
        if self._ticker.is_alive():
            self._ticker.join()

    def _show_lines(self, title: str, block: str) -> None:
        if self._picture:
            block = lines.harmless(block, coloured=not self._environ.get("NO_COLOR"))
            self._picture.said(title, block)
        super()._show_lines(title, block)

    def _write(self, text: str) -> None:
        if not self._picture:
            super()._write(text)
            return
        self._pending.append(text)
        self._pending_size += len(text)
        if self._pending_size > BATCH_SIZE or time.monotonic() - self._drawn_at > TICK_S:
            self._draw(self._picture)

    def _write_result(self, text: str) -> None:
        picture = self._taken_away() if self._is_one_terminal else None
        super()._write_result(text)
        if picture:
            self._end_line()
            self._picture = picture
            self._draw(picture)

    def _tick(self) -> None:
        while not self._stopped.wait(TICK_S):
            with self._lock:
                if self._picture:
                    self._draw(self._picture)

    def _taken_away(self) -> "Picture | None":
        """Leave the log alone on the screen, and return the picture to put back."""
        if self._picture:
            self._err.write(self._erased() + self._scrolled())
            self._widths = []
        picture, self._picture = self._picture, None
        return picture

    def _draw(self, picture: "Picture") -> None:
        columns, height = self._err.size()
        drawn, widths = picture.drawn(columns, height)
        self._err.write(self._erased() + self._scrolled() + drawn)
        self._widths, self._drawn_at = widths, time.monotonic()

    def _erased(self) -> str:
        """Return what takes the board off the screen, which may have become narrower and so have wrapped its rows."""
        columns, _ = self._err.size()
        height = sum(max(1, -(-width // columns)) for width in self._widths)
        return f"\r\x1b[{height}A\x1b[J" if height else ""

    def _scrolled(self) -> str:
        pending, self._pending, self._pending_size = "".join(self._pending), [], 0
        return pending
