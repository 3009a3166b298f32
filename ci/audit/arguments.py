"""The words of a command line: its program, its options and what they are given."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence


def some(words: str) -> frozenset[str]:
    """Return the words of a text."""
    return frozenset(words.split())


def options(argv: Sequence[str]) -> frozenset[str]:
    """Return the names of the options: `--prod`, `-e`, `--branch` of `--branch=main`."""
    return frozenset(word.partition("=")[0] for word in argv[1:] if word.startswith("-"))


def value(argv: Sequence[str], *names: str) -> str | None:
    """Return the value of an option, `--name value` or `--name=value`; None when it is not there."""
    for number, word in enumerate(argv):
        name, equals, rest = word.partition("=")
        if name in names:
            return rest if equals else "".join(argv[number + 1 : number + 2])
    return None


def words(argv: Sequence[str], valued: frozenset[str] = frozenset()) -> tuple[str, ...]:
    """Return the words that are neither options nor the values of options."""
    found: list[str] = []
    skip = False
    for word in argv[1:]:
        if skip:
            skip = False
        elif word == "--":
            continue
        elif word.startswith("-") and len(word) > 1:
            skip = word in valued
        else:
            found.append(word)
    return tuple(found)


def program(argv: Sequence[str]) -> str:
    """Return the program, without its folder and version: `convex` of `./node_modules/.bin/convex`, `convex@1.2`."""
    head = posixpath.basename(argv[0])
    return head if head.startswith("@") else re.sub(r"(?<=.)@.*", "", head)
