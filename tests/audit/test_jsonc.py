"""JSON as people write it: with comments, commas too many, and broken."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci.audit import jsonc
from ci.audit.files import Files
from ci.audit.model import Place, Skipped, Text

TEXT = """{
  // what runs
  "scripts": { "build": "vite build", "ship": "a \\"b\\"", },
  /* {"no": 1} */ "list": ["x", 1, true, null, "y"],
}
"""


def test_each_value_knows_where_it_is() -> None:
    node = jsonc.load(TEXT, "package.json")
    assert node["scripts"].named == {
        "build": Text("vite build", Place("package.json", 3, 25)),
        "ship": Text('a "b"', Place("package.json", 3, 47)),
    }
    assert [text.value for text in node["list"].texts] == ["x", "y"]
    assert node["list"].at == Place("package.json", 4, 27)


def test_what_is_not_there_is_empty_whatever_it_is_asked_for() -> None:
    node = jsonc.load('{"a": 1}', "x.json")
    for nothing in (node["b"], node["a"]["b"]["c"], node["b"]["c"]):
        assert (nothing.string, nothing.text, nothing.texts, nothing.named, nothing.items) == ("", None, (), {}, [])


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "line 1: a value is missing, or broken"),
        ('{\n"a": 1\n"b": 2}', "line 3: , is missing"),
        ('{"a" 1}', "line 1: : is missing"),
        ("{,}", "line 1: a name is missing"),
        ("[1,,2]", "line 1: a value is missing, or broken"),
        ('{"a": nope}', "line 1: a value is missing, or broken"),
        ('{"a": "b', "line 1: a value is missing, or broken"),
        ("{} {}", "line 1: more than one value"),
        ("[" * 101, "line 1: nested deeper than 100"),
        ("/*" * 50_000, "line 1: a value is missing, or broken"),
        ("9" * 5_000, "line 1: a value is missing, or broken"),
    ],
)
def test_broken_json_says_where(text: str, why: str) -> None:
    with pytest.raises(jsonc.Broken) as caught:
        jsonc.load(text, "x.json")
    assert str(caught.value) == why


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda one: st.lists(one) | st.dictionaries(st.text(), one),
    )
)
def test_all_json_is_read_as_python_reads_it(value: object) -> None:
    for indent in (None, 2):
        assert plain(jsonc.load(json.dumps(value, indent=indent), "x.json")) == value


@given(st.text(alphabet='{}[]:,"\\/* \n1truefalsn'))
def test_any_text_is_read_or_refused(text: str) -> None:
    assert said_of(text) == "" or said_of(text).startswith("line ")


def said_of(text: str) -> str:
    try:
        jsonc.load(text, "x.json")
    except jsonc.Broken as error:
        return str(error)
    return ""


def plain(node: jsonc.Node) -> object:
    if isinstance(node.value, dict):
        return {key: plain(one) for key, one in node.value.items()}
    return [plain(one) for one in node.value] if isinstance(node.value, list) else node.value


@pytest.mark.parametrize(("text", "why"), [("[1]", "is not an object"), ("{", "line 1: a name is missing")])
def test_a_file_that_holds_no_object_is_said_once(tmp_path: Path, text: str, why: str) -> None:
    (tmp_path / "turbo.json").write_text(text)
    files = Files(tmp_path)
    assert (jsonc.read(files, "turbo.json").members, jsonc.read(files, "turbo.json").members) == ({}, {})
    assert files.skipped == [Skipped("turbo.json", why)]
