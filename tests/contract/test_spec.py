"""The function spec: what a deployment answers, as one typed model."""

from __future__ import annotations

import json

import pytest

from ci.contract import spec, validators
from ci.contract.spec import Function, HttpRoute, Spec
from ci.contract.validators import (
    Any,
    Array,
    Boolean,
    Bytes,
    DocumentId,
    Field,
    Id,
    Int64,
    Literal,
    Null,
    Number,
    Object,
    Record,
    String,
    Union,
    Unknown,
    Validator,
    Value,
)
from ci.errors import InputError

API_SPEC: list[dict[str, object]] = [
    {
        "identifier": "sites/list.js:listCompanySites",
        "functionType": "Query",
        "visibility": {"kind": "public"},
        "args": {
            "type": "object",
            "value": {"company_id": {"fieldType": {"type": "id", "tableName": "companies"}, "optional": False}},
        },
        "returns": {"type": "array", "value": {"type": "union", "value": [{"type": "string"}, {"type": "null"}]}},
    },
    {
        "identifier": "jobs.js:default",
        "functionType": "Action",
        "visibility": {"kind": "internal"},
        "args": {"type": "any"},
        "returns": None,
    },
    {"functionType": "HttpAction", "method": "POST", "path": "/hooks/*"},
]
READ = Spec(
    {
        "sites/list:listCompanySites": Function(
            "sites/list",
            "listCompanySites",
            "query",
            "public",
            Object({"company_id": Field(Id("companies"), False)}),
            Array(Union((String(), Null()))),
        ),
        "jobs:default": Function("jobs", "default", "action", "internal", Any(), Any()),
    },
    frozenset({HttpRoute("POST", "/hooks/*")}),
)


def test_an_api_spec_is_read_into_functions_by_path_and_routes() -> None:
    assert spec.parse(API_SPEC) == READ


def test_a_spec_written_as_json_is_read_back_as_the_same() -> None:
    written = spec.to_json(READ)
    assert (spec.parse(json.loads(json.dumps(written))), [item.get("identifier") for item in written]) == (
        READ,
        ["jobs.js:default", "sites/list.js:listCompanySites", None],
    )


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("sites/list:listCompanySites", "sites/list:listCompanySites"),
        ("sites/list.js:listCompanySites", "sites/list:listCompanySites"),
        ("jobs", "jobs:default"),
        ("jobs.js", "jobs:default"),
    ],
)
def test_the_names_of_one_function_are_one(name: str, path: str) -> None:
    assert spec.canonical(name) == path


def test_values_that_json_cannot_tell_apart_are_told_apart() -> None:
    returns = {
        "type": "record",
        "keys": {"type": "string"},
        "values": {
            "optional": False,
            "fieldType": {
                "type": "union",
                "value": [
                    {"type": "literal", "value": {"$integer": "//////////8="}},
                    {"type": "literal", "value": 1},
                    {"type": "literal", "value": "1"},
                    {"type": "literal", "value": True},
                    {"type": "commitTs"},
                ],
            },
        },
    }
    members = (Literal(-1), Literal(1.0), Literal("1"), Literal(True), Int64())
    assert spec.parse([{**API_SPEC[1], "returns": returns}]).functions["jobs:default"].returns == Record(
        String(), Union(members)
    )
    assert len(set(members)) == 5


def test_a_validator_of_a_later_convex_is_kept_as_it_is() -> None:
    read = spec.parse([{**API_SPEC[1], "returns": {"type": "decimal", "digits": 2}}])
    assert read.functions["jobs:default"].returns == Unknown('{"digits": 2, "type": "decimal"}')
    assert spec.parse(spec.to_json(read)) == read


@pytest.mark.parametrize(
    "found",
    [
        [{"identifier": "a.js:b"}],
        [{"functionType": "HttpAction"}],
        ["a.js:b"],
        [{**API_SPEC[1], "functionType": "Subscription"}],
        [{**API_SPEC[1], "visibility": "public"}],
    ],
)
def test_what_is_no_function_spec_is_refused(found: list[dict[str, object]]) -> None:
    with pytest.raises(InputError, match="this is no function spec"):
        spec.parse(found)


VALUES: dict[str, Value] = {
    "null": None,
    "true": True,
    "1n": 1,
    "1": 1.0,
    "-0": -0.0,
    "'a'": "a",
    "bytes": b"a",
    "id": DocumentId("sites", "a"),
    "[]": [],
    "['a']": ["a"],
    "{}": {},
    "{a: 'a'}": {"a": "a"},
    "{a: 'a', b: 1}": {"a": "a", "b": 1.0},
}


@pytest.mark.parametrize(
    ("validator", "accepted"),
    [
        (Any(), [*VALUES]),
        (Null(), ["null"]),
        (Boolean(), ["true"]),
        (Int64(), ["1n"]),
        (Number(), ["1", "-0"]),
        (String(), ["'a'", "id"]),
        (Bytes(), ["bytes"]),
        (Id("sites"), ["id"]),
        (Id("places"), []),
        (Literal(True), ["true"]),
        (Literal(1), ["1n"]),
        (Literal(1.0), ["1"]),
        (Literal(0.0), []),
        (Literal("a"), ["'a'", "id"]),
        (Array(String()), ["[]", "['a']"]),
        (Array(Number()), ["[]"]),
        (Record(String(), String()), ["{}", "{a: 'a'}"]),
        (Record(Id("sites"), Any()), ["{}"]),
        (Object({}), ["{}"]),
        (Object({"a": Field(String(), False)}), ["{a: 'a'}"]),
        (Object({"a": Field(String(), False), "b": Field(Number(), True)}), ["{a: 'a'}", "{a: 'a', b: 1}"]),
        (Object({"a": Field(Null(), True)}), ["{}"]),
        (Union((Null(), Literal(1))), ["null", "1n"]),
        (Union(()), []),
    ],
)
def test_a_validator_accepts_what_convex_takes(validator: Validator, accepted: list[str]) -> None:
    assert [name for name, value in VALUES.items() if validators.accepts(validator, value)] == accepted


@pytest.mark.parametrize(
    ("validator", "shown"),
    [
        (
            Object({"a": Field(Id("sites"), True), "b": Field(Bytes(), False)}),
            'v.object({a: v.optional(v.id("sites")), b: v.bytes()})',
        ),
        (
            Union((Literal("x"), Literal(1), Literal(1.0), Literal(1.5), Literal(False))),
            'v.union(v.literal("x"), v.literal(1n), v.literal(1), v.literal(1.5), v.literal(false))',
        ),
        (Record(String(), Array(Int64())), "v.record(v.string(), v.array(v.int64()))"),
    ],
)
def test_a_validator_is_shown_as_it_is_written(validator: Validator, shown: str) -> None:
    assert validators.show(validator) == shown


@pytest.mark.parametrize("found", ["string", {"kind": "string"}, {"type": "array"}, {"type": "literal", "value": None}])
def test_what_is_no_validator_is_refused(found: object) -> None:
    with pytest.raises(InputError, match="no validator of Convex"):
        spec.parse([{**API_SPEC[1], "args": found}])
