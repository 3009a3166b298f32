"""Convex validators: which values a function takes and gives."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from ci.errors import InputError

# A Convex value: int is an int64, float a float64, and they are never equal; a record is an object, too.
Scalar: TypeAlias = "str | bool | int | float"
Value: TypeAlias = "Scalar | bytes | list[Value] | dict[str, Value] | None"


class DocumentId(str):
    """The id of a document: a string that tells its table."""

    __slots__ = ("table",)
    table: str

    def __new__(cls, table: str, text: str) -> DocumentId:
        """Make the id of a document of `table`."""
        made = super().__new__(cls, text)
        made.table = table
        return made


@dataclass(frozen=True)
class Any:
    """`v.any()`, and a function without a validator."""


@dataclass(frozen=True)
class Unknown:
    """A validator that a later Convex has and this module does not know; `text` is its JSON."""

    text: str


@dataclass(frozen=True)
class Null:
    """`v.null()`."""


@dataclass(frozen=True)
class Boolean:
    """`v.boolean()`."""


@dataclass(frozen=True)
class Number:
    """`v.number()`: a float64."""


@dataclass(frozen=True)
class Int64:
    """`v.int64()`, a bigint of JavaScript; a `v.commitTs()` takes the same values."""


@dataclass(frozen=True)
class String:
    """`v.string()`."""


@dataclass(frozen=True)
class Bytes:
    """`v.bytes()`."""


@dataclass(frozen=True)
class Id:
    """`v.id(table)`."""

    table: str


@dataclass(frozen=True, eq=False)
class Literal:
    """`v.literal(value)`. Python's 1, 1.0 and True are equal, a bigint, a number and a boolean are not."""

    value: Scalar

    def __eq__(self, other: object) -> bool:
        """Compare kind and value, -0.0 and 0.0 included."""
        return isinstance(other, Literal) and _exactly(self.value) == _exactly(other.value)

    def __hash__(self) -> int:
        """Hash what is compared."""
        return hash(_exactly(self.value))


@dataclass(frozen=True)
class Array:
    """`v.array(of)`."""

    of: Validator


@dataclass(frozen=True)
class Record:
    """`v.record(keys, values)`."""

    keys: Validator
    values: Validator


class Field(NamedTuple):
    """One field of an object."""

    validator: Validator
    optional: bool


@dataclass(frozen=True)
class Object:
    """`v.object(fields)`."""

    fields: Mapping[str, Field]


@dataclass(frozen=True)
class Union:
    """`v.union(...members)`; without members it accepts nothing."""

    members: tuple[Validator, ...]


Validator: TypeAlias = (
    "Any | Unknown | Null | Boolean | Number | Int64 | String | Bytes | Id | Literal | Array | Record | Object | Union"
)

_PLAIN: Mapping[str, Validator] = {
    "any": Any(),
    "null": Null(),
    "boolean": Boolean(),
    "number": Number(),
    "bigint": Int64(),
    "string": String(),
    "bytes": Bytes(),
}
_NAMES = {type(validator): name for name, validator in _PLAIN.items()}
# Other names of the same: Convex reads its retired maps and sets as any.
_ALIASES: Mapping[str, Validator] = {"commitTs": Int64(), "map": Any(), "set": Any()}


def accepts(validator: Validator, value: Value) -> bool:
    """
    Tell whether Convex takes `value`: a field that the validator does not name is refused, an absent optional one not.

    Source: Validator::check_value of crates/common/src/schemas/validator.rs in the open-source backend;
        read 2026-11-22.
    """
    match validator:
        case Any() | Unknown():
            return True
        case Null():
            return value is None
        case Boolean():
            return isinstance(value, bool)
        case Number():
            return isinstance(value, float)
        case Int64():
            return isinstance(value, int) and not isinstance(value, bool)
        case String():
            return isinstance(value, str)
        case Bytes():
            return isinstance(value, bytes)
        case Id(table):
            return isinstance(value, DocumentId) and value.table == table
        case Literal(wanted):
            return isinstance(value, str | bool | int | float) and _exactly(value) == _exactly(wanted)
        case _:
            return _accepts_parts(validator, value)


def _accepts_parts(validator: Array | Record | Object | Union, value: Value) -> bool:
    match validator:
        case Union(members):
            return any(accepts(member, value) for member in members)
        case Array(of):
            return isinstance(value, list) and all(accepts(of, item) for item in value)
        case Record(keys, values):
            return isinstance(value, dict) and all(
                accepts(keys, key) and accepts(values, item) for key, item in value.items()
            )
        case Object(fields):
            return (
                isinstance(value, dict)
                and value.keys() <= fields.keys()
                and all(
                    accepts(field.validator, value[name]) if name in value else field.optional
                    for name, field in fields.items()
                )
            )


def parse(found: object) -> Validator:
    """
    Read the JSON of a validator; None is a function without one.

    Raises:
        InputError: it is none.

    Source: ValidatorJson of crates/common/src/schemas/json.rs in the open-source backend, as in {"type": "object",
        "value": {"name": {"fieldType": {"type": "string"}, "optional": true}}}; read 2026-11-22.
    """
    if found is None:
        return Any()
    try:
        return _parse(found)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        shown = json.dumps(found, default=repr)[:120]
        raise InputError(f"{shown} is no validator of Convex", hint="read the function spec again") from error


def _parse(found: object) -> Validator:
    if not isinstance(found, dict):
        raise TypeError(type(found))
    match kind := found["type"]:
        case "id":
            return Id(str(found["tableName"]))
        case "literal":
            return Literal(_literal(found["value"]))
        case "array":
            return Array(_parse(found["value"]))
        case "record":
            return Record(_parse(found["keys"]), _parse(found["values"]["fieldType"]))
        case "object":
            return Object({name: _field(field) for name, field in sorted(found["value"].items())})
        case "union":
            return Union(tuple(_parse(member) for member in found["value"]))
        case _:
            return _PLAIN.get(kind) or _ALIASES.get(kind) or Unknown(json.dumps(found, sort_keys=True))


def _field(found: Mapping[str, object]) -> Field:
    return Field(_parse(found["fieldType"]), bool(found["optional"]))


def _literal(found: object) -> Scalar:
    """Read a literal; in JSON every number is a float64, and a bigint is {"$integer": 8 bytes, the lowest first}."""
    if isinstance(found, dict) and set(found) == {"$integer"}:
        return int.from_bytes(base64.b64decode(found["$integer"]), "little", signed=True)
    if isinstance(found, str | bool):
        return found
    if isinstance(found, int | float):
        return float(found)
    raise TypeError(type(found))


def to_json(validator: Validator) -> dict[str, object]:
    """Return the JSON that `parse` reads, with sorted fields."""
    match validator:
        case Unknown(text):
            return dict(json.loads(text))
        case Id(table):
            return {"type": "id", "tableName": table}
        case Literal(value):
            return {"type": "literal", "value": _literal_to_json(value)}
        case Array(of):
            return {"type": "array", "value": to_json(of)}
        case Record(keys, values):
            return {
                "type": "record",
                "keys": to_json(keys),
                "values": {"fieldType": to_json(values), "optional": False},
            }
        case Object(fields):
            shown = {
                name: {"fieldType": to_json(field.validator), "optional": field.optional}
                for name, field in sorted(fields.items())
            }
            return {"type": "object", "value": shown}
        case Union(members):
            return {"type": "union", "value": [to_json(member) for member in members]}
        case _:
            return {"type": _NAMES[type(validator)]}


def _literal_to_json(value: Scalar) -> object:
    if isinstance(value, int) and not isinstance(value, bool):
        return {"$integer": base64.b64encode(value.to_bytes(8, "little", signed=True)).decode()}
    return value


def show(validator: Validator) -> str:
    """Return the validator as its author wrote it: `v.array(v.id("sites"))`."""
    match validator:
        case Unknown(text):
            return text
        case Id(table):
            return f"v.id({json.dumps(table)})"
        case Literal(value):
            return f"v.literal({_show_literal(value)})"
        case Array(of):
            return f"v.array({show(of)})"
        case Record(keys, values):
            return f"v.record({show(keys)}, {show(values)})"
        case Object(fields):
            return "v.object({" + ", ".join(f"{name}: {_show_field(field)}" for name, field in fields.items()) + "})"
        case Union(members):
            return f"v.union({', '.join(map(show, members))})"
        case Int64():
            return "v.int64()"
        case _:
            return f"v.{_NAMES[type(validator)]}()"


def _show_literal(value: Scalar) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value}n"
    return json.dumps(value).removesuffix(".0") if isinstance(value, float) else json.dumps(value)


def _show_field(field: Field) -> str:
    return f"v.optional({show(field.validator)})" if field.optional else show(field.validator)


def _exactly(value: Scalar) -> tuple[str, str]:
    kind = next(kind for kind in (bool, int, float, str) if isinstance(value, kind))
    return kind.__name__, repr(value)
