"""What a step leaves to those behind it: variables in $GITHUB_ENV, and .env files that the Convex CLI reads."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from ci.audit import credentials, folders
from ci.audit.model import Env, Question, Text
from ci.audit.shell import Command

_LINE = re.compile(r"^\s*(?:export\s+)?([A-Za-z_]\w*)\s*(?:=|<<)(.*)$", re.MULTILINE)
_READ_BY_CONVEX = (".env.local", ".env")
_FILLS = (("vercel", "env", "pull"), ("vercel", "pull"), ("cp",), ("mv",), ("doppler", "secrets", "download"))


@dataclass
class Left:
    """Of one job, step by step."""

    values: dict[str, Text] = field(default_factory=dict)
    questions: list[Question] = field(default_factory=list)
    files: dict[str, tuple[dict[str, Text], list[Question]]] = field(default_factory=dict)  # path -> what it holds
    notes: int = 0

    def note(self, command: Command, *, is_asked: bool) -> None:
        """Take note of what a command writes; whether its step runs at all may be asked of something."""
        targets = command.writes
        if command.feeds[:1] == ("tee",):
            targets += command.feeds[1:]
        for target in targets:
            if "GITHUB_ENV" in target:
                self._variables(command, is_asked=is_asked or bool(command.guards))
            elif _is_dotenv(target):
                self._file(command, target)
        self._fills(command)

    def _variables(self, command: Command, *, is_asked: bool) -> None:
        self.notes += 1
        found = dict(_written(command))
        for name, text in found.items():
            if command.guards and name in (*credentials.KEYS, *credentials.SELF_HOSTED):
                self.questions.append(Question(f"is {name} set in $GITHUB_ENV by then?", command.at))
            else:
                self.values[name] = replace(text, value=f"${name}") if is_asked else text  # it may have another value
        if not found and command.argv[0] not in ("echo", "printf"):
            self.questions.append(Question("which variables does this write to $GITHUB_ENV?", command.at))

    def _file(self, command: Command, target: str) -> None:
        path = folders.joined(command.folder, target)
        if path is None:
            return
        self.notes += 1
        values, questions = self.files.setdefault(path, ({}, []))
        found = dict(_written(command))
        values.update(found)
        if not found and command.argv[0] not in ("echo", "printf", "touch", ":"):
            questions.append(Question(f"which variables does this write to {path}?", command.at))

    def _fills(self, command: Command) -> None:
        """Take note of tools that write a .env file whose content is not told here."""
        if not any(command.argv[: len(words)] == words for words in _FILLS):
            return
        if target := next((word for word in reversed(command.argv) if _is_dotenv(word)), ""):
            path = folders.joined(command.folder, target)
            if path is not None and "example" not in path:
                question = Question(f"which variables does `{' '.join(command.argv[:3])}` write to {path}?", command.at)
                self.files.setdefault(path, ({}, []))[1].append(question)

    def before(self, env: Env) -> Env:
        """Return what a later step starts with: the values of the step itself win."""
        return Env({**self.values, **env.values}, env.dropped, (*env.questions, *self.questions))

    def read_by_convex(self, folder: str | None, env: Env) -> Env:
        """Return what the Convex CLI sees in a folder: .env.local and .env there add what is not set."""
        if folder is None:
            return env
        values, questions = dict(env.values), list(env.questions)
        for name in _READ_BY_CONVEX:
            path = f"{folder}/{name}" if folder else name
            held, asked = self.files.get(path, ({}, []))
            values = {**held, **values}
            questions += asked
        dropped = {name: drop for name, drop in env.dropped.items() if name not in values}
        return Env(values, dropped, tuple(questions))


def _is_dotenv(word: str) -> bool:
    return word.rpartition("/")[2].startswith(".env")


def _written(command: Command) -> Iterator[tuple[str, Text]]:
    """Yield the variables in what a command prints."""
    text = command.given
    if command.argv[0] in ("echo", "printf"):
        printed = [word for word in command.argv[1:] if word not in ("-e", "-n", "-ne", "-en", "--", "%s\\n", "%s")]
        text = "\n".join(printed).replace("\\n", "\n")
    for found in _LINE.finditer(text):
        yield found[1], Text(found[2].strip().strip("\"'"), command.at)
