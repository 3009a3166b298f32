"""
What GitHub's expressions come to, asked in each world that is left open.

What a repository does not tell is an `Unknown`. Deciding by one splits the world: `explore` asks a question in all the
worlds that it makes a difference in, so that two conditions on the same unknown value are held against each other.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from ci.audit.expressions import STATUS, Expression, Scalar, number, string
from ci.audit.model import Truth

Answer = TypeVar("Answer")

MOST_WORLDS = 256


@dataclass(frozen=True)
class Unknown:
    """A value that the repository does not tell; `name` is how it is written."""

    name: str


@dataclass(frozen=True)
class Fitting:
    """A value that is taken to be whatever text it is compared with; but never another such value, or nothing."""

    name: str


@dataclass(frozen=True)
class Other:
    """What a world says of an unknown value that is none of some."""

    than: tuple[Scalar, ...]


Value = Scalar | Unknown | Fitting | tuple[Scalar, ...]
World = Mapping[str, "Scalar | Other"]
Resolve = Callable[[str], Value]  # "github.ref", "always()", in small letters -> what it is


class Undecided(Exception):
    """Ask for a world in which an unknown value is one of two."""

    def __init__(self, name: str, choices: tuple[Scalar | Other, ...]) -> None:
        super().__init__(name)
        self.name = name
        self.choices = choices


def value(expression: Expression, resolve: Resolve, world: World) -> Value:
    """
    Return what an expression is in a world.

    Raises:
        Undecided: the world does not say enough.
    """
    kind, operands = expression.kind, expression.operands
    if kind == "literal":
        return expression.value
    if kind == "name":
        return resolve(str(expression.value).lower())
    if kind in ("&&", "||"):
        left = value(operands[0], resolve, world)
        return value(operands[1], resolve, world) if truth(left, world) == (kind == "&&") else left
    if kind == "!":
        return not truth(value(operands[0], resolve, world), world)
    if kind in STATUS:
        return resolve(f"{kind}()")
    values = [value(operand, resolve, world) for operand in operands]
    if kind in ("==", "!="):
        return equal(values[0], values[1], world) == (kind == "==")
    settled = [_settled(one, world) for one in values]
    if any(isinstance(one, Unknown | Fitting) for one in settled):
        shown = ", ".join(one.name if isinstance(one, Unknown | Fitting) else str(one) for one in settled)
        return Unknown(f"{kind}({shown})")
    return _call(kind, settled)


def _settled(one: Value, world: World) -> Value:
    known = world.get(one.name) if isinstance(one, Unknown) and one.name in world else one
    return one if isinstance(known, Other) else known


def truth(one: Value, world: World) -> bool:
    """Return whether a value counts as true."""
    if isinstance(one, Unknown):
        known = world.get(one.name, Other(()))
        if isinstance(known, Other) and "" not in known.than:
            raise Undecided(one.name, ("", Other((*known.than, ""))))
        return isinstance(known, Other) or truth(known, world)
    if isinstance(one, float):
        return one != 0 and not math.isnan(one)
    return bool(one) or isinstance(one, tuple)  # an empty list holds, too


def equal(left: Value, right: Value, world: World) -> bool:
    """Return whether two values are equal as GitHub has it: letters' size does not count, and kinds are converted."""
    if isinstance(left, Fitting) or isinstance(right, Fitting):
        one, other = (left, right) if isinstance(left, Fitting) else (right, left)
        return one == other if isinstance(other, Fitting) else isinstance(other, str) and other != ""
    if isinstance(left, Unknown) and isinstance(right, Unknown):
        return left == right or truth(Unknown(f"{left.name} == {right.name}"), world)
    if isinstance(left, Unknown):
        return _is(left, right, world)
    if isinstance(right, Unknown):
        return _is(right, left, world)
    return _same(left, right)


def _is(unknown: Unknown, literal: Value, world: World) -> bool:
    if isinstance(literal, Unknown | Fitting | tuple):
        return False
    known = world.get(unknown.name, Other(()))
    if not isinstance(known, Other):
        return _same(known, literal)
    if any(_same(other, literal) for other in known.than):
        return False
    raise Undecided(unknown.name, (literal, Other((*known.than, literal))))


def _same(left: Value, right: Value) -> bool:
    if isinstance(left, str) and isinstance(right, str):
        return left.lower() == right.lower()
    if type(left) is type(right):
        return left == right
    return number(left) == number(right)


def _call(kind: str, values: list[Value]) -> Value:
    if kind in ("<", "<=", ">", ">="):
        left, right = (number(one) for one in values)
        return {"<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right}[kind]
    texts = [string(one) if not isinstance(one, tuple | Unknown | Fitting) else "" for one in values]
    if kind == "contains" and len(values) == 2:
        if isinstance(values[0], tuple):
            return any(_same(one, values[1]) for one in values[0])
        return texts[1].lower() in texts[0].lower()
    if kind == "startswith" and len(values) == 2:
        return texts[0].lower().startswith(texts[1].lower())
    if kind == "endswith" and len(values) == 2:
        return texts[0].lower().endswith(texts[1].lower())
    if kind == "format" and values:
        return _format(texts[0], texts[1:])
    if kind == "fromjson" and len(values) == 1:
        return _from_json(texts[0])
    return Unknown(f"{kind}({', '.join(texts)})")


def _format(template: str, given: list[str]) -> str:
    known = {f"{{{n}}}": text for n, text in enumerate(given)} | {"{{": "{", "}}": "}"}
    return re.sub(r"\{\{|\}\}|\{\d+\}", lambda match: known.get(match[0], ""), template)


def _from_json(text: str) -> Value:
    try:
        read = json.loads(text)
    except (ValueError, RecursionError):
        return Unknown(f"fromjson({text})")
    if isinstance(read, int):
        return read if isinstance(read, bool) else float(read)
    if isinstance(read, list):
        return tuple(one for one in read if isinstance(one, str | bool | float | None))
    return Unknown(f"fromjson({text})") if isinstance(read, dict) else read


def explore(question: Callable[[World], Answer]) -> list[tuple[World, Answer]] | None:
    """Return the answers to a question in all worlds that it tells apart; None: there are too many."""
    answers: list[tuple[World, Answer]] = []
    open_worlds: list[World] = [{}]
    for _ in range(MOST_WORLDS):
        if not open_worlds:
            return answers
        world = open_worlds.pop()
        try:
            answers.append((world, question(world)))
        except Undecided as undecided:
            open_worlds += [{**world, undecided.name: choice} for choice in undecided.choices]
    return None


def in_all(question: Callable[[World], bool]) -> Truth:
    """Return "yes" if the answer is yes in all worlds, "no" if in none."""
    answers = explore(question)
    if answers is None:
        return "maybe"
    said = {answer for _, answer in answers}
    return "maybe" if len(said) > 1 else "yes" if True in said else "no"
