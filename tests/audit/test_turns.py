"""The texts that a step may run, each under the condition that selects it."""

from __future__ import annotations

import pytest

from ci.audit import turns
from ci.audit.model import Job, Place, Step, Text

AT = Place("ci.yml", 3, 14)


def texts(run: str, matrix: dict[str, tuple[str, ...]] | None = None) -> list[tuple[str, ...]]:
    step = Step(index=0, label="0", at=AT, run=Text(run, AT))
    found = (turn for _, turn in turns.of(step, Job(id="a", at=AT, matrix=matrix or {})))
    return [((one.run or step.run or Text("", AT)).value, *(text.value for text in one.conditions)) for one in found]


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        ("tool ${{ a && 'x y' || 'z' }}", [("tool x y", "a"), ("tool z", "!a")]),
        (
            "tool ${{ a && 'x' || b && 'y' || 'z' }}",
            [("tool x", "a"), ("tool y", "!a", "b"), ("tool z", "!a", "!b")],
        ),
        (
            "tool ${{ a && (b && 'x' || 'y') || 'z' }}",
            [("tool x", "a", "b"), ("tool y", "a", "!b"), ("tool z", "!a")],
        ),
        ("tool ${{ inputs.a || 'x' }}", [("tool ${{ inputs.a }}", "inputs.a"), ("tool x", "!inputs.a")]),
        ("tool ${{ format('{0} {{{1}}}', 'x', b) }}", [("tool x {${{ b }}}",)]),
        ("${{ format('{0} all', a && 'x' || 'y') }}", [("x all", "a"), ("y all", "!a")]),
        ("${{ a && 'x' || 'y' }} ${{ a && 'x' || 'y' }}", [("x x", "a"), ("y y", "!a")]),
    ],
)
def test_each_choice_of_literals_is_a_text_under_its_condition(run: str, expected: list[tuple[str, ...]]) -> None:
    assert sorted(texts(run)) == sorted(expected)


@pytest.mark.parametrize(
    "run",
    [
        "tool ${{ a && b || c }}",
        "tool ${{ secrets.A || secrets.B }}",
        "tool ${{ a && 'x' || }}",
        "test -n a || echo b",
        " ".join(f"${{{{ a{n} && 'x' || 'y' }}}}" for n in range(9)),
    ],
)
def test_what_is_not_known_or_has_too_many_texts_stays_as_it_is(run: str) -> None:
    assert texts(run) == [(run,)]


def test_rows_of_the_matrix_are_put_in_first() -> None:
    found = texts("${{ matrix.tool }} ${{ a && 'x' || 'y' }}", {"tool": ("npm", "bun")})
    assert [one[0] for one in found] == ["npm x", "npm y", "bun x", "bun y"]
