"""GitHub's expressions: what they mean, and what becomes of them when a value is not known."""

from __future__ import annotations

import time

import pytest

from ci.audit import expressions, substitution, worlds
from ci.audit.model import Truth
from ci.audit.worlds import Fitting, Unknown, Value

KNOWN: dict[str, Value] = {
    "github.ref": "refs/heads/main",
    "inputs.count": 3.0,
    "github.repository": Fitting("here"),
    "head.repo": Fitting("fork"),
    "success()": True,
    "always()": True,
}


def resolve(name: str) -> Value:
    return KNOWN.get(name, Unknown(name))


def asked(text: str) -> Truth:
    expression = expressions.condition(text)
    return worlds.in_all(lambda world: worlds.truth(worlds.value(expression, resolve, world), world))


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("true", "yes"),
        ("'' || 0 || null", "no"),
        ("'false'", "yes"),
        ("github.ref == 'refs/heads/main'", "yes"),
        ("${{ github.ref != 'REFS/heads/MAIN' }}", "no"),
        ("${{ github.ref }} == 'refs/heads/dev'", "yes"),  # the whole is a text, and a text holds
        ("startsWith(github.ref, 'refs/tags/') || endsWith(github.ref, 'main')", "yes"),
        ('contains(fromJSON(\'["refs/heads/main", "x"]\'), github.ref)', "yes"),
        ("contains('refs/heads/main', 'tags')", "no"),
        ("github['ref'] == format('refs/heads/{0}', 'main')", "yes"),
        ("inputs.count > 2 && inputs.count <= '3'", "yes"),
        ("'1' == 1 && true == 1 && null == ''", "yes"),
        ("!(success() && false)", "yes"),
        ("github.repository == 'anybody/anything'", "yes"),
        ("github.repository == ''", "no"),
        ("head.repo == github.repository", "no"),
        ("github.actor == 'bot'", "maybe"),
        ("github.actor == 'bot' && github.actor == 'me'", "no"),
        ("github.actor == 'bot' || github.actor != 'bot'", "yes"),
        ("vars.x && vars.x == ''", "no"),
        ("contains(github.event.labels.*.name, 'ship') && !contains(github.event.labels.*.name, 'ship')", "no"),
        ("false && vars.x", "no"),
        ("vars.x || always()", "yes"),
        ("hashFiles('**/bun.lock') != ''", "maybe"),
    ],
)
def test_a_condition_is_asked_in_every_world_that_matters(text: str, holds: Truth) -> None:
    assert asked(text) == holds


@pytest.mark.parametrize(
    "text", ["", "a b", "(a", "a ==", "'open", "f(a", "a.", "a[0", "!" * 100 + "a", "(" * 400, "a # b"]
)
def test_what_is_no_expression_is_refused(text: str) -> None:
    with pytest.raises(expressions.Malformed):
        expressions.parse(text)


GIVEN = {
    "inputs.env": "prod",
    "inputs.key": "${{ secrets.KEY }}",
    "inputs.mixed": "a-${{ github.ref }}-{b}",
    "inputs.dry": "${{ false }}",
    "secrets.*": "",
}


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("to ${{ inputs.env }} and ${{inputs.ENV}}", "to prod and prod"),
        ("${{ inputs.key }}", "${{ secrets.KEY }}"),
        ("${{ secrets.OTHER }}", ""),
        ("${{ inputs.env == 'prod' && 'main' || 'dev' }}", "main"),
        ("${{ inputs.dry }}", "false"),
        ("${{ inputs.dry && 'a' || github.ref }}", "${{ ((false && 'a') || github.ref) }}"),
        ("${{ contains(inputs.mixed, 'x') }}", "${{ contains(format('a-{0}-{{b}}', github.ref), 'x') }}"),
        ("${{ github.ref }} $inputs.env", "${{ github.ref }} $inputs.env"),
        ("${{ not an expression }}", "${{ not an expression }}"),
    ],
)
def test_names_are_filled_in_and_what_is_then_known_is_written_out(text: str, filled: str) -> None:
    assert substitution.fill(text, GIVEN) == filled


def test_too_many_worlds_are_a_maybe() -> None:
    assert asked(" && ".join(f"(vars.a{n} || vars.b{n})" for n in range(40))) == "maybe"


@pytest.mark.parametrize(
    ("text", "asks"),
    [("always()", True), ("${{ !cancelled() && a }}", True), ("a == 'always()'", False), ("(", False)],
)
def test_an_if_that_asks_for_the_status_is_told_from_one_that_does_not(text: str, asks: bool) -> None:
    assert expressions.asks_status(text) == asks


HOSTILE = [
    "${{ " * 100_000,
    "${{" + "'" * 101 + "$",
    "${{ 'a" * 50_000,
    "${{ a" + " && a" * 50_000 + "}}",
    "${{ a }}" * 20_000,
]


@pytest.mark.parametrize("text", HOSTILE, ids=["open", "quotes", "strings", "long", "many"])
def test_no_text_takes_long_to_fill_in(text: str) -> None:
    began = time.process_time()
    assert substitution.fill(text, {"inputs.x": "y"}) == text
    assert time.process_time() - began < 5
