"""Workflow commands of GitHub Actions, and the places in files that errors and the output of tools name."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

MOST = 10  # GitHub shows no more of a step
DEPTH = 4  # of a package below the root: tools name files from the folder of the package that they check
ESCAPES = re.compile(r"\x1b\[[0-9;]*m")
FILE = r"(?P<file>[\w@.+~/\[\]()-]+\.\w+)"
PATTERNS = tuple(
    re.compile(pattern, re.MULTILINE)
    for pattern in (
        # tsc, plain and pretty
        rf"(?:^|\s){FILE}\((?P<line>\d+),(?P<column>\d+)\): error (?P<message>TS\d+: .+)$",
        rf"(?:^|\s){FILE}:(?P<line>\d+):(?P<column>\d+) - error (?P<message>TS\d+: .+)$",
        # oxlint: what is wrong, then where
        rf"^.*?[x\u00d7\u2716] (?P<message>.+)\n[^\n]*[,╭][-─]+\[{FILE}:(?P<line>\d+):(?P<column>\d+)\]",
        # Python: the innermost call, then what was raised
        r'^(?P<dent>.*?)  File "(?P<file>[^"<>\n]+)", line (?P<line>\d+).*\n'
        r"(?:(?P=dent) {4}.*\n)*(?P=dent)(?P<message>[\w.]+(?:: .*)?)$",
        # mypy, ruff, and all that write as compilers do
        rf"(?:^|\s){FILE}:(?P<line>\d+):(?:(?P<column>\d+):)? (?P<message>\S.*)$",
    )
)


class Place(NamedTuple):
    """Something that is wrong, and the file and line that it is in; the column may be empty."""

    file: str
    line: str
    column: str
    message: str


def command(name: str, message: str, **properties: str) -> str:
    """
    Return the line that tells the runner something.

    Source: packages/core/src/command.ts of actions/toolkit, on what is escaped; read 2026-11-22.
    """
    said = ",".join(f"{key}={_property(value)}" for key, value in properties.items() if value)
    return f"::{name} {said}".rstrip() + f"::{_data(message)}\n"


def places(text: str) -> list[Place]:
    """Return the places that `text` names, each once, in the order of `text`."""
    text = ESCAPES.sub("", text.replace("\r\n", "\n"))
    found = sorted((match for pattern in PATTERNS for match in pattern.finditer(text)), key=lambda match: match.start())
    first: dict[tuple[str, str], Place] = {}
    for match in found:
        said = match.groupdict()
        place = Place(said["file"], said["line"], said.get("column") or "", said["message"].strip())
        first.setdefault((place.file, place.line), place)
    return list(first.values())


def errors(found: list[Place], *, title: str, root: Path) -> Iterator[str]:
    """Yield the lines that put `found` beside the code on GitHub; `root` is the checkout."""
    for place in found[:MOST]:
        file = _from(root, place.file)
        yield command("error", place.message, file=file, line=place.line, col=place.column, title=title)


def _from(root: Path, file: str) -> str:
    """Return `file` as it is called from `root`, if it can be found there, and only once."""
    if Path(file).is_absolute():
        return str(Path(file).relative_to(root)) if Path(file).is_relative_to(root) else file
    for depth in range(DEPTH):
        matches = [path for path in root.glob("*/" * depth + _literal(file)) if "node_modules" not in path.parts]
        if matches:
            return str(matches[0].relative_to(root)) if len(matches) == 1 else file
    return file


def _literal(file: str) -> str:
    """Return a glob for `file` itself, whose name may hold brackets."""
    return re.sub(r"[\[*?]", r"[\g<0>]", str(Path(file)))


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
