"""GitHub's expressions, as trees."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

STATUS = ("always", "success", "failure", "cancelled")
REGION = re.compile(r"\$\{\{((?:'(?:[^']|'')*+'|[^'}$]|\}(?!\}))*+)\}\}")  # ${{ }}; it never steps back

LONGEST = 21_000  # GitHub's own limit for an expression

MOST_TOKENS = 400  # each may be a level of the tree, and trees are walked by recursion

_TOKEN = re.compile(
    r"\s*(?:(?P<string>'(?:[^']|'')*')|(?P<number>[-+]?(?:0x[0-9a-fA-F]+|0o[0-7]+|\d+(?:\.\d*)?(?:[eE][-+]?\d+)?|\.\d+))"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_-]*)|(?P<sign>&&|\|\||==|!=|<=|>=|[<>!()\[\].,*]))"
)

Scalar = None | bool | float | str


class Malformed(ValueError):
    """Say that a text is no expression."""


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
    whole = REGION.fullmatch(text.strip())
    if whole:
        return parse(whole[1])
    regions = REGION.findall(text)
    if regions:
        return Expression("format", None, (Expression("literal", text), *map(parse, regions)))
    return parse(text)


def names(text: str) -> frozenset[str]:
    """Return what the expressions of a text name, in small letters: "secrets.convex_deploy_key"."""
    found: set[str] = set()
    for region in REGION.findall(text):
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
        if len(text) > LONGEST:
            raise Malformed("longer than GitHub allows")
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


def number(one: object) -> float:
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
