"""What the journals tell: the runs that are kept, and each of them."""

import json
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from ci.engine import digest, journal
from ci.errors import InputError, Unfinished

FOLDER = journal.FOLDER
VERSION = 1  # of the JSON
INTERRUPTED = (129, 130, 143)
Line = dict[str, Any]


@dataclass(frozen=True)
class Told:
    """One run, as its journal tells it; `lines` are all that can be read."""

    folder: Path
    lines: list[Line]
    is_running: bool

    @property
    def id(self) -> str:
        """Return its id, which sorts by time."""
        return self.folder.name

    @cached_property
    def began(self) -> Line:
        """Return the first line, or an empty one."""
        return next((line for line in self.lines if line["event"] == "begin"), {})

    @cached_property
    def exit_code(self) -> int | None:
        """Return the exit code, or None of a run that goes on or was killed."""
        return next((int(line["exit_code"]) for line in self.lines if line["event"] == "end"), None)

    @property
    def outcome(self) -> str:
        """Return how it went: done, failed, interrupted, running, killed, or that nothing can be read."""
        if self.exit_code is None:
            return "running" if self.is_running else "killed" if self.lines else "unreadable"
        return "done" if self.exit_code == 0 else "interrupted" if self.exit_code in INTERRUPTED else "failed"

    @property
    def seconds(self) -> float | None:
        """Return how long it took or, of one that was killed, how long it is known to have lived."""
        if not self.lines:
            return None
        if self.exit_code is not None:
            return float(self.lines[-1]["seconds"])
        first, last = (datetime.fromisoformat(line["at"]) for line in (self.lines[0], self.lines[-1]))
        return (last - first).total_seconds()

    @cached_property
    def tasks(self) -> list[Line]:
        """Return a row a task that started: task, values, commands, state and, if it has ended, what its line says."""
        unended = "running" if self.outcome == "running" else "killed"
        rows: dict[str, Line] = {}
        for line in self.lines:
            said = {name: value for name, value in line.items() if name not in ("at", "event")}
            if line["event"] == "started":
                rows[line["task"]] = {**said, "state": unended, "commands": []}
            elif line["event"] == "command" and said.pop("task") in rows:
                rows[line["task"]]["commands"].append(said)
            elif line["event"] == "ended" and line["task"] in rows:
                rows[line["task"]] |= said
        return list(rows.values())

    @property
    def may_change(self) -> bool:
        """Tell whether any of its steps was to change something, had it come that far."""
        return any(one["changes"] not in ("", "nothing") for one in self.began.get("order") or ())

    def summary(self) -> Line:
        """Return it in one JSON object."""
        return {
            "id": self.id,
            "at": self.began.get("at"),
            "argv": self.began.get("argv", []),
            "outcome": self.outcome,
            "exit_code": self.exit_code,
            "seconds": self.seconds,
        }

    def whole(self) -> Line:
        """Return all of it in one JSON object."""
        began = {name: self.began.get(name) for name in ("commit", "values", "order")}
        return {**self.summary(), **began, "folder": str(self.folder), "tasks": self.tasks}


def read(folder: Path) -> Told:
    """Return the run in `folder`; a line that a kill has cut is left out."""
    is_running = journal.is_running(folder)  # first: one that ends meanwhile has all its lines
    try:
        text = (folder / journal.NAME).read_bytes().decode("utf-8", "replace")
    except OSError:
        text = ""
    return Told(folder, [line for line in map(_line, text.split("\n")) if line], is_running)


def kept(folder: Path) -> list[Told]:
    """Return the runs below `folder`, the newest first."""
    try:
        names = sorted((path.name for path in folder.iterdir()), reverse=True)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise Unfinished(f"cannot read {folder}: {error.strerror}") from error
    return [read(folder / name) for name in names if journal.ID.fullmatch(name) and not name.startswith(".")]


def last_change(folder: Path) -> Line | None:
    """Return the summary of the last run that was to change something, or None."""
    changing = (run for run in kept(folder) if run.may_change)
    return next((run.summary() for run in changing), None)


def listed(folder: Path, form: str = "text") -> str:
    """Return the list of all runs, as text or one JSON document."""
    found = kept(folder)
    if _form(form) == "json":
        return json.dumps({"version": VERSION, "runs": [run.summary() for run in found]}, indent=2)
    return "\n".join(map(_row, found)) or f"no run is recorded in {folder}"


def shown(folder: Path, word: str, form: str = "text") -> str:
    """Return the run whose id contains `word` (`last`: the newest), as text, Markdown or one JSON document."""
    run = _find(kept(folder), word)
    if form == "markdown":
        title = f"`inv {_what(run)}`: {_ending(run)}, {_time(run.seconds).strip()}"
        return digest.markdown(title, run.tasks, run.began.get("order") or [], run.folder)
    if _form(form) == "json":
        return json.dumps({"version": VERSION, "run": run.whole()}, indent=2)
    return "\n".join(_told(run))


def _line(text: str) -> Line | None:
    try:
        line = json.loads(text)
    except ValueError:
        return None
    return line if isinstance(line, dict) and {"at", "event"} <= line.keys() else None


def _form(form: str) -> str:
    if form not in ("text", "json"):
        raise InputError(f"--format takes text or json (or, of one run, markdown), not {form!r}")
    return form


def _find(runs: list[Told], word: str) -> Told:
    found = runs[:1] if word == "last" else [run for run in runs if word in run.id]
    if len(found) != 1:
        what = f"{len(found)} runs have" if found else "no run has"
        raise InputError(f"{what} {word!r} in its id", "inv runs")
    return found[0]


def _row(run: Told) -> str:
    return f"{run.id}  {_when(run):<23}  {_ending(run):<16}  {_time(run.seconds)}  {_what(run)}".rstrip()


def _when(run: Told) -> str:
    return f"{datetime.fromisoformat(run.began['at']):%Y-%m-%d %H:%M:%S} UTC" if run.began else ""


def _what(run: Told) -> str:
    return " ".join(map(str, run.began.get("argv", [])))


def _ending(run: Told) -> str:
    return f"{run.outcome} ({run.exit_code})" if run.exit_code else run.outcome


def _time(seconds: float | None) -> str:
    return " " * 8 if seconds is None else f"{seconds:>6.1f} s"


def _told(run: Told) -> list[str]:
    values = " ".join(f"{name}={value!r}" for name, value in (run.began.get("values") or {}).items())
    facts = {
        "what": _what(run),
        "when": _when(run),
        "outcome": f"{_ending(run)}, {_time(run.seconds).strip()}",
        "commit": run.began.get("commit"),
        "values": values,
        "folder": str(run.folder),
    }
    lines = [f"{name:<9}{value}" for name, value in {"run": run.id, **facts}.items() if value]
    return [*lines, *(line for row in run.tasks for line in _task(row))]


def _task(row: Line) -> list[str]:
    failed = row["state"] == "failed"
    outcome = row["state"] if failed else row.get("note") or row["state"]
    why = [f"      {line}" for line in row["note"].splitlines()] if failed else []
    log = f"  ({row['log']})" if row.get("log") else ""
    head = f"── {row['task']} {_time(row.get('seconds')).strip()}".rstrip()
    return [f"{head}  {outcome}{log}", *(f"      {_command(one)}" for one in row["commands"]), *why]


def _command(said: Line) -> str:
    return f"{said['program']} exited with {said['exited']} after {said['seconds']:.1f} s"
