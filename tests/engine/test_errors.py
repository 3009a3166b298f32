"""Errors have one form."""

from __future__ import annotations

import pytest

from ci import errors
from ci.errors import CheckFailed, InputError, LockstepError, Problems, Unfinished


def test_each_kind_has_its_exit_code() -> None:
    kinds = (InputError, Problems, Unfinished, CheckFailed)
    assert [kind.exit_code for kind in kinds] == [2, 2, 3, 4]


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (InputError("no key"), "error: no key"),
        (InputError("no key", "make one"), "error: no key\n  hint: make one"),
        (Problems([InputError("a", "b"), Problems([Unfinished("c")])]), "error: a\n  hint: b\nerror: c"),
    ],
)
def test_the_text_is_what_is_wrong_and_the_next_thing_to_do(error: LockstepError, text: str) -> None:
    assert errors.text(error) == text


def test_an_error_as_a_string_is_its_message() -> None:
    assert [str(InputError("no key", "make one")), str(Problems([InputError("a"), InputError("b")]))] == [
        "no key",
        "a\nb",
    ]
