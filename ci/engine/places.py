"""The places in files that errors and the output of tools name."""

import re
from pathlib import Path
from typing import NamedTuple

DEPTH = 4  # of a package below the root: tools name files from the folder of the package that they check
NO_SENTENCE = re.compile(r"[^\n]{1000,}")  # bundled code, or data
ESCAPES = re.compile(r"\x1b\[[0-9;]*m")
FILE = r"(?P<file>[\w@.+~/\[\]()-]+\.[A-Za-z]\w*)"
PATTERNS = tuple(
    re.compile(pattern, re.MULTILINE)
    for pattern in (
        # tsc, plain and pretty
        rf"(?:^|\s){FILE}\((?P<line>\d+),(?P<column>\d+)\): error (?P<message>TS\d+: .+)$",
        rf"(?:^|\s){FILE}:(?P<line>\d+):(?P<column>\d+) - error (?P<message>TS\d+: .+)$",
        # oxlint: what is wrong, then where
        rf"^(?:\S+ )?[ \t]*[x\u00d7\u2716] (?P<message>.+)\n[^\n]*[,╭][-─]+\[{FILE}:(?P<line>\d+):(?P<column>\d+)\]",
        # Python: the innermost call, then what was raised
        r'^(?P<dent>.*?)  File "(?P<file>[^"<>\n]+)", line (?P<line>\d+).*\n'
        r"(?:(?P=dent) {4}.*\n)*(?P=dent)(?P<message>[\w.]+(?:: .*)?)$",
        # mypy, ruff, and all that write as compilers do
        rf"(?:^|\s){FILE}:(?P<line>\d+):(?:(?P<column>\d+):?)? (?P<message>\S.*)$",
    )
)


class Place(NamedTuple):
    """Something that is wrong, and the file and line that it is in; the column may be empty."""

    file: str
    line: str
    column: str
    message: str


def find(text: str) -> list[Place]:
    """Return the places that `text` names, each once, in the order of `text`."""
    text = NO_SENTENCE.sub("", ESCAPES.sub("", text.replace("\r\n", "\n")))
    found = sorted((match for pattern in PATTERNS for match in pattern.finditer(text)), key=lambda match: match.start())
    first: dict[tuple[str, str], Place] = {}
    for match in found:
        said = match.groupdict()
        place = Place(said["file"], said["line"], said.get("column") or "", said["message"].strip())
        first.setdefault((place.file, place.line), place)
    return list(first.values())


def below(root: Path, file: str) -> str:
    """Return `file` as it is called from `root`, if it can be found there, and only once."""
    if not file:
        return ""
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
