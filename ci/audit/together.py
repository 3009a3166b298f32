"""npm-run-all and concurrently, as the shell text that runs the same commands one after the other."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Sequence

from ci.audit import workspaces

_RUN_ALL = {"run-s", "run-p", "npm-run-all", "npm-run-all2"}
_RUN_ALL_VALUES = "--max-parallel --npm-path"
_CONCURRENTLY = {"concurrently", "conc"}
_CONCURRENTLY_VALUES = """-n --names -c --prefix-colors -p --prefix -l --prefix-length -t --timestamp-format -s
    --success -m --max-processes --restart-tries --restart-after --hide --default-input-target --kill-signal
    --kill-timeout --name-separator"""
_MANAGERS = {"npm": "npm run", "bun": "bun run", "pnpm": "pnpm run", "yarn": "yarn run", "node": "node --run"}


def text(argv: Sequence[str], scripts: Iterable[str]) -> str | None:
    """
    Return the shell text that does what a command line does, None if it is of neither program.

    What runs at once is put in a row, with `&&`: all of it runs, and a failure of any is a failure of the whole.

    Args:
        scripts: the names of those of the package.
    """
    name = argv[0].rpartition("/")[2] if argv else ""
    if name in _RUN_ALL:
        words = _words(argv[1:], _RUN_ALL_VALUES)
        return " && ".join(f"npm run {one}" for word in words for one in named(word, scripts))
    if name in _CONCURRENTLY:
        words = _words(argv[1:], _CONCURRENTLY_VALUES)
        return " && ".join(one for word in words for one in _short(word, scripts))
    return None


def named(pattern: str, scripts: Iterable[str]) -> Iterator[str]:
    """Yield the scripts that a pattern means, in which `*` stops at a colon, with the arguments that follow it."""
    glob, _, rest = pattern.partition(" ")
    if "*" not in glob:
        yield pattern
        return
    for name in scripts:
        if workspaces.matches(glob.replace(":", "/"), name.replace(":", "/")):
            yield f"{shlex.quote(name)} {rest}".rstrip()


def _words(words: Sequence[str], valued: str) -> Iterator[str]:
    waiting = list(words)
    while waiting:
        word = waiting.pop(0)
        if word == "--":
            return  # what follows fills placeholders
        if word in valued.split():
            waiting = waiting[1:]
        elif not word.startswith("-"):
            yield word


def _short(word: str, scripts: Iterable[str]) -> Iterator[str]:
    manager, is_short, script = word.partition(":")
    if is_short and manager in _MANAGERS:
        yield from (f"{_MANAGERS[manager]} {one}" for one in named(script, scripts))
    else:
        yield word
