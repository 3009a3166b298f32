"""
GitHub's expressions: read, filled in, and asked in each world that is left open.

What a repository does not tell is an `Unknown`. Deciding by one splits the world: `explore` asks a question in all the
worlds that it makes a difference in, so that two conditions on the same unknown value are held against each other.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

from ci.audit.model import Truth

Answer = TypeVar("Answer")

STATUS = ("always", "success", "failure", "cancelled")

MOST_TOKENS = 1_000
MOST_WORLDS = 256

_REGION = re.compile(r"\$\{\{((?:'(?:[^']|'')*'|[^'}]|\}(?!\}))*)\}\}")
_TOKEN = re.compile(
    r"\s*(?:(?P<string>'(?:[^']|'')*')|(?P<number>[-+]?(?:0x[0-9a-fA-F]+|0o[0-7]+|\d+(?:\.\d*)?(?:[eE][-+]?\d+)?|\.\d+))"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_-]*)|(?P<sign>&&|\|\||==|!=|<=|>=|[<>!()\[\].,*]))"
)


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


Scalar = None | bool | float | str
Value = Scalar | Unknown | Fitting | tuple[Scalar, ...]
World = Mapping[str, "Scalar | Other"]
Resolve = Callable[[str], Value]  # "github.ref", "always()", in small letters -> what it is


class Malformed(ValueError):
    """Say that a text is no expression."""


class Undecided(Exception):
    """Ask for a world in which an unknown value is one of two."""

    def __init__(self, name: str, choices: tuple[Scalar | Other, ...]) -> None:
        super().__init__(name)
        self.name = name
        self.choices = choices


@dataclass(frozen=True)
class Expression:
    """A literal (`kind` "literal"), a name, a call, or an operator with its operands."""

    kind: str
    value: Scalar = None
    operands: tuple[Expression, ...] = ()

    def __str__(self) -> str:
        if self.kind == "literal":
            return quoted(self.value)
        if self.kind == "name":
            return str(self.value)
        shown = [str(operand) for operand in self.operands]
        if self.kind == "!":
            return f"!{shown[0]}"
        return f"{self.kind}({', '.join(shown)})" if self.kind.isidentifier() else f"({f' {self.kind} '.join(shown)})"


# --- reading --------------------------------------------------------------------------------------------------------


def parse(text: str) -> Expression:
    """
    Return the expression of a text without `${{ }}` around it.

    Raises:
        Malformed: it is none.
    """
    return _Parser(text).whole()


@lru_cache(maxsize=4096)
def condition(text: str) -> Expression:
    """Return what an `if` asks; `${{ }}` in a longer text makes it a text, which always holds: GitHub's own trap."""
    whole = _REGION.fullmatch(text.strip())
    if whole:
        return parse(whole[1])
    regions = _REGION.findall(text)
    if regions:
        return Expression("format", None, (Expression("literal", text), *map(parse, regions)))
    return parse(text)


def names(text: str) -> frozenset[str]:
    """Return what the expressions of a text name, in small letters: "secrets.convex_deploy_key"."""
    found: set[str] = set()
    for region in _REGION.findall(text):
        found |= {match.lower() for match in _names(region)}
    return frozenset(found)


def asks_status(text: str) -> bool:
    """Tell whether an `if` says itself what becomes of it when something before it failed."""
    try:
        return any(part.kind in STATUS for part in _parts(condition(text)))
    except Malformed:
        return False


def _parts(expression: Expression) -> Iterator[Expression]:
    yield expression
    for operand in expression.operands:
        yield from _parts(operand)


def _names(region: str) -> Iterator[str]:
    try:
        for part in _parts(parse(region)):
            if part.kind == "name":
                yield str(part.value)
    except Malformed:
        return


_BINARY = (("||",), ("&&",), ("==", "!="), ("<", "<=", ">", ">="))


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens: list[tuple[str, str]] = []
        at = 0
        while text[at:].strip():
            match = _TOKEN.match(text, at)
            if match is None or len(self.tokens) == MOST_TOKENS or match.lastgroup is None:
                raise Malformed(f"not an expression: {text[:80]}")
            self.tokens.append((match.lastgroup, match[match.lastgroup]))
            at = match.end()
        self.at = 0
        self.depth = 0

    def whole(self) -> Expression:
        expression = self.binary(0)
        if self.at < len(self.tokens):
            raise Malformed(f"not an expression: {self.text[:80]}")
        return expression

    def peek(self) -> str:
        kind, text = self.tokens[self.at] if self.at < len(self.tokens) else ("", "")
        return text if kind == "sign" else ""

    def take(self, sign: str) -> None:
        if self.peek() != sign:
            raise Malformed(f"{sign} is missing: {self.text[:80]}")
        self.at += 1

    def binary(self, level: int) -> Expression:
        if level == len(_BINARY):
            return self.unary()
        left = self.binary(level + 1)
        while (sign := self.peek()) in _BINARY[level]:
            self.at += 1
            left = Expression(sign, None, (left, self.binary(level + 1)))
        return left

    def unary(self) -> Expression:
        self.depth += 1
        if self.depth > 50:
            raise Malformed(f"nested too deep: {self.text[:80]}")
        if self.peek() == "!":
            self.at += 1
            expression = Expression("!", None, (self.unary(),))
        else:
            expression = self.primary()
        self.depth -= 1
        return expression

    def primary(self) -> Expression:
        if self.peek() == "(":
            self.at += 1
            inner = self.binary(0)
            self.take(")")
            return self.path(inner)
        kind, text = self.tokens[self.at] if self.at < len(self.tokens) else ("", "")
        self.at += 1
        if kind == "string":
            return Expression("literal", text[1:-1].replace("''", "'"))
        if kind == "number":
            return Expression("literal", number(text))
        if kind != "name":
            raise Malformed(f"not an expression: {self.text[:80]}")
        if text.lower() in ("true", "false", "null"):
            return Expression("literal", {"true": True, "false": False, "null": None}[text.lower()])
        if self.peek() == "(":
            return self.path(Expression(text.lower(), None, self.arguments()))
        return self.path(Expression("name", text))

    def arguments(self) -> tuple[Expression, ...]:
        self.take("(")
        found: list[Expression] = []
        while self.peek() != ")":
            if found:
                self.take(",")
            found.append(self.binary(0))
        self.take(")")
        return tuple(found)

    def path(self, start: Expression) -> Expression:
        """Return what `.name`, `.*` and `[...]` behind a start make of it: one long name."""
        while (sign := self.peek()) in (".", "["):
            self.at += 1
            if sign == ".":
                kind, part = self.tokens[self.at] if self.at < len(self.tokens) else ("", "")
                if kind != "name" and part != "*":
                    raise Malformed(f"a name is missing: {self.text[:80]}")
                self.at += 1
            else:
                index = self.binary(0)
                self.take("]")
                part = str(index.value) if index.kind == "literal" else f"[{index}]"
            start = Expression("name", f"{start}.{part}")
        return start


# --- filling in -----------------------------------------------------------------------------------------------------


def substitute(text: str, given: Mapping[str, str]) -> str:
    """
    Return a text with names in its `${{ }}` replaced; `given` is by name in small letters, values as written.

    A value may hold `${{ }}` itself. `prefix.*` stands for all other names of a prefix. What is then known is written
    out: `${{ inputs.env == 'prod' && 'main' || 'dev' }}` becomes `main`.
    """
    return _REGION.sub(lambda match: _filled_region(match, given), text) if "${{" in text else text


def substitute_condition(text: str, given: Mapping[str, str]) -> str:
    """Return an `if` with names replaced as `substitute` does, in `${{ }}` or not."""
    whole = _REGION.fullmatch(text.strip())
    if whole is None and "${{" in text:
        return substitute(text, given)
    try:
        return str(_filled(parse(whole[1] if whole else text), given))
    except Malformed:
        return text


def _filled_region(match: re.Match[str], given: Mapping[str, str]) -> str:
    try:
        expression = parse(match[1])
    except Malformed:
        return match[0]
    if expression.kind == "name":
        value = _given(str(expression.value), given)
        return match[0] if value is None else _written_out(value)
    filled = _filled(expression, given)
    return match[0] if filled == expression else _written_out(f"${{{{ {filled} }}}}")


def _given(name: str, given: Mapping[str, str]) -> str | None:
    name = name.lower()
    return given.get(name, given.get(f"{name.partition('.')[0]}.*"))


def _filled(expression: Expression, given: Mapping[str, str]) -> Expression:
    if expression.kind == "name":
        value = _given(str(expression.value), given)
        return expression if value is None else _as_expression(value)
    operands = tuple(_filled(operand, given) for operand in expression.operands)
    return Expression(expression.kind, expression.value, operands)


def _as_expression(value: str) -> Expression:
    regions = list(_REGION.finditer(value))
    if not regions:
        return Expression("literal", value)
    try:
        inner = tuple(parse(region[1]) for region in regions)
    except Malformed:
        return Expression("name", value)
    if regions[0][0] == value.strip():
        return inner[0]
    between = [literal.replace("{", "{{").replace("}", "}}") for literal in _REGION.split(value)[::2]]
    template = "".join(f"{literal}{{{n}}}" for n, literal in enumerate(between[:-1])) + between[-1]
    return Expression("format", None, (Expression("literal", template), *inner))


def _written_out(text: str) -> str:
    whole = _REGION.fullmatch(text.strip())
    if whole is None:
        return text
    try:
        known = value(parse(whole[1]), Unknown, {})
    except (Malformed, Undecided):
        return text
    return text if isinstance(known, Unknown | Fitting | tuple) else string(known)


# --- asking ---------------------------------------------------------------------------------------------------------


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


def number(one: Value) -> float:
    """Return what GitHub takes a value for when it wants a number."""
    if one is None or isinstance(one, bool | float):
        return float(one or 0)
    if not isinstance(one, str):
        return math.nan
    try:
        return float(int(one, 0) if one.lower().startswith(("0x", "0o")) else one.strip() or 0)
    except ValueError:
        return math.nan


def string(one: Scalar) -> str:
    """Return what GitHub writes for a value."""
    if isinstance(one, bool):
        return str(one).lower()
    if isinstance(one, float):
        return str(int(one)) if one.is_integer() else str(one)
    return one or ""


def quoted(one: Scalar) -> str:
    """Return a literal as it is written in an expression."""
    if isinstance(one, str):
        return "'" + one.replace("'", "''") + "'"
    return "null" if one is None else string(one)


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
