"""The function spec: what a deployment answers, as one typed model."""

from __future__ import annotations

import json

import pytest

from ci.contract import spec
from ci.contract.spec import Function, HttpRoute, Spec
from ci.contract.validators import Any, Array, Field, Id, Int64, Literal, Null, Object, Record, String, Union, Unknown
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


@pytest.mark.parametrize("found", ["string", {"kind": "string"}, {"type": "array"}, {"type": "literal", "value": None}])
def test_what_is_no_validator_is_refused(found: object) -> None:
    with pytest.raises(InputError, match="no validator of Convex"):
        spec.parse([{**API_SPEC[1], "args": found}])
