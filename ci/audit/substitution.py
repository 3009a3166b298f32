"""Putting inputs, secrets and variables into texts and conditions that name them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ci.audit import worlds
from ci.audit.expressions import REGION, Expression, Malformed, parse, string
from ci.audit.worlds import Fitting, Undecided, Unknown


def fill(text: str, given: Mapping[str, str]) -> str:
    """
    Return a text with names in its `${{ }}` replaced; `given` is by name in small letters, values as written.

    A value may hold `${{ }}` itself. `prefix.*` stands for all other names of a prefix. What is then known is written
    out: `${{ inputs.env == 'prod' && 'main' || 'dev' }}` becomes `main`.
    """
    return REGION.sub(lambda match: _filled_region(match, given), text) if "${{" in text else text


def fill_condition(text: str, given: Mapping[str, str]) -> str:
    """Return an `if` with names replaced as `fill` does, in `${{ }}` or not."""
    whole = REGION.fullmatch(text.strip())
    if whole is None and "${{" in text:
        return fill(text, given)
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
    regions = list(REGION.finditer(value))
    if not regions:
        return Expression("literal", value)
    try:
        inner = tuple(parse(region[1]) for region in regions)
    except Malformed:
        return Expression("name", value)
    if regions[0][0] == value.strip():
        return inner[0]
    between = [literal.replace("{", "{{").replace("}", "}}") for literal in REGION.split(value)[::2]]
    template = "".join(f"{literal}{{{n}}}" for n, literal in enumerate(between[:-1])) + between[-1]
    return Expression("format", None, (Expression("literal", template), *inner))


def _written_out(text: str) -> str:
    whole = REGION.fullmatch(text.strip())
    if whole is None:
        return text
    try:
        known = worlds.value(parse(whole[1]), Unknown, {})
    except (Malformed, Undecided):
        return text
    return text if isinstance(known, Unknown | Fitting | tuple) else string(known)
