"""Targets of Makefile, justfile and Taskfile, as far as they are plain: each as the lines that it runs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ci.audit import arguments, folders, yaml
from ci.audit.files import Files
from ci.audit.model import Place, Text

_FILES = {
    "make": ("Makefile", "makefile", "GNUmakefile"),
    "gmake": ("Makefile", "makefile", "GNUmakefile"),
    "just": ("justfile", "Justfile", ".justfile"),
    "task": ("Taskfile.yml", "Taskfile.yaml", "taskfile.yml"),
    "go-task": ("Taskfile.yml", "Taskfile.yaml", "taskfile.yml"),
}
_TARGET = re.compile(r"^@?([A-Za-z0-9_./-]+(?:[ \t]+[^:=#\n]*?)?)[ \t]*:(?![=:])([^\n=]*)$")
_VARIABLE = re.compile(r"\$\(([A-Za-z_]\w*)\)")
_JUST = "{{justfile_directory()}}"
_MOST = 200  # lines of one target and those that it needs


def is_runner(argv: Sequence[str]) -> bool:
    """Tell whether a command line runs targets of a file of the repository."""
    return arguments.program(argv) in _FILES


def lines(files: Files, argv: Sequence[str], folder: str | None) -> tuple[str | None, list[Text]] | None:
    """Return the folder and the lines that a command line runs, in order; None when they cannot be told."""
    at = folders.joined(folder, arguments.value(argv, "-C", "--directory", "-d", "--dir") or ".")
    program = arguments.program(argv)
    path = next((p for name in _FILES[program] if (p := folders.joined(at, name)) and files.exists(p)), None)
    text = files.text(path) if path else None
    if path is None or text is None:
        return None
    table = _tasks(text, path) if program in ("task", "go-task") else _targets(text, path)
    wanted = [
        word for word in arguments.words(argv, arguments.some("-C --directory -f -j -d --dir")) if "=" not in word
    ]
    wanted = wanted or list(table)[:1] if "default" not in table else wanted or ["default"]
    if any(name not in table for name in wanted):
        return None
    return at, list(_flat(table, wanted))


_Table = dict[str, tuple[list[str], list[Text]]]


def _flat(table: _Table, wanted: Sequence[str]) -> Iterator[Text]:
    """Yield the lines of targets, those that they need first, each once."""
    done: set[str] = set()
    waiting = list(reversed(wanted))
    count = 0
    while waiting and count < _MOST:
        name = waiting[-1]
        needs = [need for need in table[name][0] if need in table and need not in done and need not in waiting]
        if needs:
            waiting += reversed(needs)
            continue
        waiting.pop()
        if name not in done:
            done.add(name)
            yield from table[name][1]
            count += len(table[name][1]) + 1


def _targets(text: str, path: str) -> _Table:
    found: _Table = {}
    names: list[str] = []
    for row, line in _whole_lines(text):
        if line[:1] in ("\t", " ") and line.strip():
            recipe = _VARIABLE.sub(r"${\1}", line.strip().lstrip("@-+")).replace("$$", "$").replace(_JUST, folders.ROOT)
            for name in names:
                found[name][1].append(Text(recipe, Place(path, row, len(line) - len(line.lstrip()) + 1)))
        elif rule := _TARGET.match(line):
            names = rule[1].split()[:1] if "justfile" in path.lower() else rule[1].split()
            for name in names:
                found.setdefault(name, ([], []))[0].extend(rule[2].partition("#")[0].replace("|", " ").split())
        elif line.strip() and not line.startswith("#"):
            names = []
    return {name: held for name, held in found.items() if not name.startswith(".")}


def _whole_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield the lines with their numbers, those that end in a backslash together with the next."""
    begun, first = "", 1
    for row, line in enumerate(text.split("\n"), 1):
        first = first if begun else row
        if line.endswith("\\"):
            begun += line[:-1]
            continue
        yield first, begun + line
        begun = ""


def _tasks(text: str, path: str) -> _Table:
    try:
        tasks = yaml.load(text, path).get("tasks")
    except yaml.Broken:
        return {}
    found: _Table = {}
    for name, task in tasks.items():
        needs = [one.string or one.get("task").string for one in task.get("deps").sequence]
        commands = (
            task.get("cmds").sequence or task.sequence or tuple(one for one in (task.get("cmd"), task) if one.text)
        )
        steps: list[Text] = []
        for one in commands:
            text_ = one.text or one.get("cmd").text
            if text_:
                steps.append(text_)
            elif one.get("task").text:
                steps.append(Text(f"task {one.get('task').string}", one.at))
        found[name.value] = (needs, steps)
    return found
