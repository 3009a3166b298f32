"""The texts that one step may have: each value of the matrix put in, each choice that an expression makes."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ci.audit.expressions import REGION, Expression, Malformed, parse, string
from ci.audit.model import Job, Step, Text

MOST = 24  # of a matrix
MOST_CHOICES = 8

_MATRIX = re.compile(r"\$\{\{\s*matrix\.([\w-]+)\s*\}\}")
_CHOOSES = re.compile(r"\|\||\bformat\s*\(")


def of(step: Step, job: Job) -> Iterator[tuple[int | None, Step]]:
    """
    Yield the step as it is for each row of the matrix that it mentions, and under each condition in its texts.

    The number of the row comes with it, None where no matrix is mentioned: rows run side by side.
    """
    for number, row in enumerate(_rows(step, job)):
        for turn in _chosen(_put_in(step, _MATRIX, row) if row else step):
            yield number if row else None, turn


def _rows(step: Step, job: Job) -> Iterator[Mapping[str, str]]:
    texts = [text.value for text in (step.run, step.uses, *step.env.values(), *step.given.values()) if text]
    mentioned = {name for text in (*texts, step.folder or "") for name in _MATRIX.findall(text)}
    names = [name for name in sorted(mentioned) if job.matrix.get(name)]
    for row in itertools.islice(itertools.product(*(job.matrix[name] for name in names)), MOST):
        yield dict(zip(names, row, strict=True))


def _put_in(step: Step, pattern: re.Pattern[str], known: Mapping[str, str]) -> Step:
    """Return a step with what is known of the first group of a pattern put in."""

    def put_in(text: str) -> str:
        return pattern.sub(lambda match: known.get(match[1], match[0]), text) if "${{" in text else text

    def put(text: Text) -> Text:
        return replace(text, value=put_in(text.value))

    return replace(
        step,
        run=put(step.run) if step.run else None,
        uses=put(step.uses) if step.uses else None,
        folder=put_in(step.folder) if step.folder else step.folder,
        env={name: put(text) for name, text in step.env.items()},
        given={name: put(text) for name, text in step.given.items()},
    )


# --- choices --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Choice:
    text: str
    asked: tuple[Expression, ...] = ()  # what must hold for it


def _chosen(step: Step) -> Iterator[Step]:
    """Yield the step once for each text that `${{ a && 'x' || 'y' }}` makes of what it runs."""
    texts = [text for text in (step.run, *step.given.values()) if text and _CHOOSES.search(text.value)]
    regions = (match for text in texts for match in REGION.finditer(text.value) if _CHOOSES.search(match[1]))
    choices = {match[1]: _choices_of(match) for match in regions}
    open_ = {written: found for written, found in choices.items() if found}
    rows = list(itertools.islice(itertools.product(*open_.values()), MOST_CHOICES + 1)) if open_ else []
    if not rows or len(rows) > MOST_CHOICES:
        yield step
        return
    for row in rows:
        yield _with(step, dict(zip(open_, row, strict=True)), texts[0])


def _with(step: Step, row: Mapping[str, _Choice], where: Text) -> Step:
    known = {written: choice.text for written, choice in row.items()}
    filled = replace(_put_in(step, REGION, known), env=step.env)
    asked = dict.fromkeys(str(one) for choice in row.values() for one in choice.asked)
    return replace(filled, conditions=(*step.conditions, *(Text(text, where.at) for text in asked)))


def _choices_of(region: re.Match[str]) -> list[_Choice]:
    """Return what an expression may come to, nothing if none of it is known."""
    try:
        found = _choices(parse(region[1]))
    except Malformed:
        return []
    return found if any(not choice.text.startswith("${{") for choice in found) else []


def _choices(one: Expression) -> list[_Choice]:
    """Return the texts that an expression may come to; what is not known stays an expression."""
    if one.kind == "literal":
        return [_Choice(string(one.value))]
    if one.kind == "format" and one.operands and one.operands[0].kind == "literal":
        rows = itertools.product(*map(_choices, one.operands))
        return [_formatted(*row) for row in itertools.islice(rows, MOST_CHOICES + 1)]
    return _first_that_holds(_alternatives(one)) if one.kind == "||" else _written(one)


def _alternatives(one: Expression) -> list[Expression]:
    return [*_alternatives(one.operands[0]), one.operands[1]] if one.kind == "||" else [one]


def _first_that_holds(alternatives: Sequence[Expression]) -> list[_Choice]:
    """Return what `a && 'x' || b || 'z'` comes to: 'x' if a holds, else b if it holds, else 'z'."""
    found: list[_Choice] = []
    others: tuple[Expression, ...] = ()
    for one in alternatives[:-1]:
        is_chosen = one.kind == "&&" and _is_text(one.operands[1])
        condition, choices = (one.operands[0], _choices(one.operands[1])) if is_chosen else (one, _written(one))
        found += _under((*others, condition), choices)
        others = (*others, Expression("!", None, (condition,)))
    return [*found, *_under(others, _choices(alternatives[-1]))]


def _written(one: Expression) -> list[_Choice]:
    return [_Choice(f"${{{{ {one} }}}}")]


def _is_text(one: Expression) -> bool:
    """Tell whether an expression is surely a text that counts as true."""
    if one.kind == "||":
        return _is_text(one.operands[1])
    return one.kind == "format" or (one.kind == "literal" and bool(one.value))


def _under(conditions: tuple[Expression, ...], choices: Sequence[_Choice]) -> Iterator[_Choice]:
    return (replace(choice, asked=(*conditions, *choice.asked)) for choice in choices)


def _formatted(template: _Choice, *given: _Choice) -> _Choice:
    known = {f"{{{n}}}": one.text for n, one in enumerate(given)} | {"{{": "{", "}}": "}"}
    text = re.sub(r"\{\{|\}\}|\{\d+\}", lambda match: known.get(match[0], ""), template.text)
    return _Choice(text, tuple(one for choice in given for one in choice.asked))
