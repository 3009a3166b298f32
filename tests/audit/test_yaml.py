"""YAML with places: what is read, where it stands, and what is refused."""

from __future__ import annotations

import pytest

from ci.audit import yaml
from ci.audit.model import Place, Text


def test_values_stay_as_written_and_know_their_place() -> None:
    root = yaml.load("on:\n  push:\njobs: {a: {steps: [ 'x' , \"y\"]}}\n", "w.yml")
    on = root.get("on")
    assert [key for key, _ in root.items()] == [Text("on", Place("w.yml", 1, 1)), Text("jobs", Place("w.yml", 3, 1))]
    assert on.get("push").text is None
    assert root.get("jobs").get("a").get("steps").texts == (
        Text("x", Place("w.yml", 3, 21)),
        Text("y", Place("w.yml", 3, 27)),
    )


@pytest.mark.parametrize("style", ["|", "|-", ">", "|2"])
def test_a_block_begins_at_its_first_line_of_text(style: str) -> None:
    run = yaml.load(f"run: {style}\n  echo a\n  echo b\n", "w.yml").get("run")
    assert run.at == Place("w.yml", 2, 3)


def test_an_alias_is_what_its_anchor_is_and_a_merge_gives_way_to_own_keys() -> None:
    root = yaml.load("a: &x {k: 1, l: 2}\nb: *x\nc:\n  <<: *x\n  k: 3\n", "w.yml")
    assert root.get("b").get("k").string == "1"
    assert {key.value: value.string for key, value in root.get("c").items()} == {"k": "3", "l": "2"}


def test_what_is_not_there_is_empty_however_it_is_asked() -> None:
    node = yaml.load("a: [1]\n", "w.yml").get("a").get("b").get("c")
    assert (node.is_empty, node.string, node.texts, list(node.items()), node.text) == (True, "", (), [], None)


BOMB = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 40))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a: [", "w.yml is not YAML: line 2: did not find expected node content"),
        ("a: \0", "w.yml is not YAML: unacceptable character #x0000: control characters are not allowed"),
        ("[" * 200_000, "w.yml cannot be read: line 1: nested more than 100 deep"),
        ("- " * 200_000, "w.yml cannot be read: line 1: nested more than 100 deep"),
        (BOMB, "w.yml cannot be read: line 17: more than 500000 values, aliases counted"),
        ("a: &a [*a]", "w.yml cannot be read: line 1: the alias *a has no anchor before it"),
        ("a: 1\nb: 2\na: 3", "w.yml cannot be read: line 3: the key a is there twice"),
    ],
    ids=["open", "nul", "deep", "deep block", "bomb", "cycle", "twice"],
)
def test_what_cannot_be_read_is_refused_with_its_reason(text: str, why: str) -> None:
    with pytest.raises(yaml.Broken) as broken:
        yaml.load(text, "w.yml")
    assert str(broken.value) == why


@pytest.mark.parametrize("text", ["", "# only a comment\n", "---\n", "~"])
def test_an_empty_file_is_an_empty_node(text: str) -> None:
    assert yaml.load(text, "w.yml").is_empty
