"""A secret shows its value to nobody who does not ask for it by name."""

from __future__ import annotations

import copy
import json
import pickle
from dataclasses import asdict, dataclass

import pytest

from ci import secret
from ci.secret import Secret


@dataclass
class Holder:
    key: Secret


def test_a_secret_prints_as_stars_however_it_is_printed() -> None:
    key = Secret("word")
    assert [
        str(key),
        repr(key),
        f"{key}",
        f"{key:>5}",
        f"{key!r}",
        "".join(map(str, [key])),
        str([key]),
        str(Holder(key)),
    ] == [
        *["***"] * 3,
        "  ***",
        *["***"] * 2,
        "[***]",
        "Holder(key=***)",
    ]


def test_a_secret_gives_its_value_when_asked() -> None:
    assert Secret("word").reveal() == "word"


def test_secrets_are_compared_by_value_and_only_with_each_other() -> None:
    same = {Secret("word"), Secret("word")}
    assert (same == {Secret("word")}, Secret("word") == Secret("other"), Secret("word") == "word") == (
        True,
        False,
        False,
    )


def test_an_empty_secret_is_false() -> None:
    assert [bool(Secret("")), bool(Secret("word"))] == [False, True]


def test_a_secret_can_be_copied_with_what_holds_it() -> None:
    holder = Holder(Secret("word"))
    assert [copy.deepcopy(holder), copy.copy(holder.key), asdict(holder)["key"]] == [holder, holder.key, holder.key]


@pytest.mark.parametrize("write", [json.dumps, pickle.dumps, lambda key: pickle.dumps([key], protocol=0), vars])
def test_a_secret_is_not_written_by_accident(write: object) -> None:
    with pytest.raises(TypeError):
        write(Secret("word"))  # type: ignore[operator]


def test_who_heeds_secrets_hears_of_each_value_once() -> None:
    heard: list[str] = []
    Secret("heard-before")
    secret.heed(heard.append)
    before = len(heard)
    for value in ("heard-later", "heard-before", "heard-later"):
        Secret(value)
    assert ("heard-before" in heard[:before], heard[before:]) == (True, ["heard-later"])
