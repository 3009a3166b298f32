"""A run as GitHub Actions shows it: one group a task, and errors beside the code."""

from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path

from ci import annotation, errors
from ci.engine import places
from ci.engine.channel import Channel
from ci.engine.places import Place
from ci.engine.redaction import Redactor
from ci.engine.screen import Screen
from ci.engine.summary import Row
from ci.errors import LockstepError, Problems

MOST = 10  # GitHub shows no more annotations of a step
SEARCHED_SIZE = 1 << 20  # of the output of a task that fails: its end


class GitHub(Screen):
    """Shows one task live, in its group; the output of those that run beside it waits until that group is closed."""

    def __init__(self, redactor: Redactor, out: Channel, err: Channel) -> None:
        super().__init__(redactor, out, err)
        self._root = Path.cwd()
        self._groups: dict[str, _Group] = {}  # the first one is open
        self._is_over = False

    def begin(self, titles: Sequence[str]) -> None:
        """Say what GitHub is to mask before anything else is said."""
        super().begin(titles)
        with self._lock:
            self._mask()

    def started(self, title: str) -> None:
        """Open the group of a task, unless another one is open."""
        if self._is_over:
            super().started(title)
            return
        with self._lock:
            self._groups[title] = _Group()
            if len(self._groups) == 1:
                self._open(title)

    def show(self, title: str, text: str) -> None:
        """Show output of the task whose group is open; let that of others wait."""
        with self._lock:
            group = self._groups.get(title)
            if group:
                group.note(text)
            if group and not group.is_open:
                group.held.append(text)
            else:
                self._write(text)

    def say(self, text: str) -> None:
        """Tell something in the engine's own words; of a traceback, also beside the code."""
        with self._lock:
            super().say(text)
            if text.startswith("Traceback"):
                self._write("".join(self._beside_the_code("", places.find(self._redactor.text(text)))))

    def error(self, title: str, error: LockstepError) -> None:
        """Tell why a task failed, outside of its group, which a reader sees folded up."""
        told = [self._redactor.text(f"{errors.text(error)}\n"), *self._annotations(title, error)]
        with self._lock:
            if title in self._groups:
                self._groups[title].last_words += told
            else:
                self._end_line()
                self._write("".join(told))

    def ended(self, title: str, state: str, note: str, seconds: float) -> None:
        """Close the group of a task, and open the next."""
        with self._lock:
            if title not in self._groups:
                super().ended(title, state, note, seconds)
                return
            self._groups[title].state = state
            self._go_on()
            self._end_result()

    def end(self, rows: Sequence[Row], critical_path: Sequence[str], left: Sequence[str]) -> None:
        """Close all groups, and sum up."""
        with self._lock:
            for group in self._groups.values():
                group.state = group.state or "interrupted"
            self._go_on()
            self._is_over = True
            super().end(rows, critical_path, left)

    def _go_on(self) -> None:
        """Close the open group if its task has ended; then all that ended meanwhile, up to one that goes on."""
        while self._groups:
            title, group = next(iter(self._groups.items()))
            if not group.is_open:
                self._open(title)
            if not group.state:
                return
            self._close(title, group)
            # Those that have ended need not wait for one that goes on.
            self._groups = dict(sorted(self._groups.items(), key=lambda item: not item[1].state))

    def _open(self, title: str) -> None:
        self._end_line()
        self._write(annotation.command("group", self._redactor.text(title)) + "\n")
        group = self._groups[title]
        group.is_open = True
        self._write("".join(group.held))
        group.held.clear()

    def _close(self, title: str, group: "_Group") -> None:
        self._end_line()
        self._write(annotation.command("endgroup", "") + "\n")
        if group.state == "failed":
            group.last_words += self._beside_the_code(title, group.places())
        self._write("".join(group.last_words))
        del self._groups[title]

    def _annotations(self, title: str, error: LockstepError) -> Iterator[str]:
        for one in error.problems if isinstance(error, Problems) else (error,):
            message = self._redactor.text(errors.text(one).removeprefix("error: "))
            yield from self._beside_the_code(title, places.find(message) or [Place("", "", "", message)])

    def _beside_the_code(self, title: str, found: Sequence[Place]) -> Iterator[str]:
        for file, line, column, message in found[:MOST]:
            beside = {"file": places.below(self._root, file), "line": line, "col": column, "title": title}
            yield annotation.command("error", message, **beside) + "\n"

    def _mask(self) -> None:
        # These lines are for the runner, which shows them to nobody: from here on it masks what they say.
        for line in self._redactor.untold():
            self._err.write(annotation.command("add-mask", line) + "\n")

    def _write(self, text: str) -> None:
        self._mask()
        super()._write(text)


class _Group:
    """The output of one task: held back until its group is opened, and the end of it looked through when it fails."""

    def __init__(self) -> None:
        self.is_open = False
        self.state = ""  # how the task has ended
        self.last_words: list[str] = []
        self.held: list[str] = []
        self._tail: deque[str] = deque()
        self._tail_size = 0

    def note(self, text: str) -> None:
        """Remember the end of what is shown."""
        self._tail.append(text)
        self._tail_size += len(text)
        while self._tail_size - len(self._tail[0]) > SEARCHED_SIZE:
            self._tail_size -= len(self._tail.popleft())

    def places(self) -> list[Place]:
        """Return what is named at the end of the output."""
        return places.find("".join(self._tail))
