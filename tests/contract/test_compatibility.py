"""What a new spec does to clients of the old one: each rule as files, and laws that hold for every validator."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from ci.contract import compatibility, fit, spec, validators
from ci.contract.spec import Function, Spec
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
    Validator,
    Value,
    accepts,
)

CASES = sorted(path for path in Path(__file__).with_name("compatibility").iterdir() if path.is_dir())
TABLES = ("sites", "places")
NAMES = ("a", "b", "c")
# A busy machine is no failure.
LAW = settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case.name))
def test_a_rule_holds_in_its_case(case: Path) -> None:
    old, new, calls, expected = (
        json.loads((case / f"{name}.json").read_text()) for name in ("old", "new", "calls", "expected")
    )
    changes = compatibility.compare(
        spec.parse(old),
        spec.parse(new),
        live_calls=None if calls["live"] is None else frozenset(calls["live"]),
        new_calls=frozenset(calls["new"]),
        scheduled=frozenset(calls["scheduled"]),
    )
    assert [asdict(change) for change in changes] == expected


LITERALS: tuple[str | bool | int | float, ...] = ("x", "y", True, False, 1, 2, 1.0, -0.0)
LEAVES: list[Validator] = [
    *(Null(), Boolean(), Number(), Int64(), String(), Bytes()),
    *(Id(table) for table in TABLES),
    *(Literal(value) for value in LITERALS),
]
KEYS: list[Validator] = [String(), *(Id(table) for table in TABLES)]


def parts(inner: SearchStrategy[Validator], fewest: int = 1) -> SearchStrategy[Validator]:
    fields = st.dictionaries(st.sampled_from(NAMES), st.builds(Field, inner, st.booleans()), max_size=3)
    return st.one_of(
        st.builds(Array, inner),
        st.builds(Record, st.sampled_from(KEYS), inner),
        st.builds(Object, fields),
        st.lists(inner, min_size=fewest, max_size=3).map(lambda members: Union(tuple(members))),
    )


KNOWN = st.recursive(st.sampled_from(LEAVES), parts, max_leaves=6)
# With `any`, and with unions that accept nothing.
ALL = st.recursive(st.sampled_from([*LEAVES, Any()]), lambda inner: parts(inner, fewest=0), max_leaves=6)
TEXT = st.text("xyz", max_size=2)
SCALARS: SearchStrategy[Value] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(),
    TEXT,
    st.binary(max_size=3),
    st.sampled_from(LITERALS),
    st.builds(DocumentId, st.sampled_from(TABLES), st.just("j57")),
)
ANYTHING: SearchStrategy[Value] = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(st.sampled_from(NAMES), inner, max_size=2)),
    max_leaves=4,
)


@st.composite
def versions(draw: DrawFn, base: SearchStrategy[Validator] = ALL) -> tuple[Validator, Validator]:
    """Draw two versions of one validator: two of any kind seldom have anything in common."""
    first = draw(base)
    return first, draw(st.one_of(evolved(first, base), base))


def evolved(validator: Validator, base: SearchStrategy[Validator]) -> SearchStrategy[Validator]:
    """Draw what an edit or two make of a validator."""
    whole = [st.just(validator), st.builds(lambda more: Union((validator, more)), base)]
    match validator:
        case Union(members) if members:
            fewer = st.lists(st.sampled_from(members), min_size=1, max_size=3).map(lambda some: Union(tuple(some)))
            each = st.tuples(*(evolved(member, base) for member in members)).map(Union)
            return st.one_of(*whole, st.sampled_from(members), fewer, each)
        case Array(of):
            return st.one_of(*whole, evolved(of, base).map(Array))
        case Record(keys, values):
            inner = evolved(values, base)
            return st.one_of(
                *whole, st.builds(Record, st.sampled_from(KEYS), inner), inner.map(lambda v: Record(keys, v))
            )
        case Object(fields):
            return st.one_of(*whole, evolved_object(fields, base))
    return st.one_of(*whole)


@st.composite
def evolved_object(draw: DrawFn, fields: Mapping[str, Field], base: SearchStrategy[Validator]) -> Validator:
    made = {}
    for name in NAMES:
        field = fields.get(name)
        if field is None:
            if draw(st.integers(0, 3)) == 0:
                made[name] = Field(draw(base), draw(st.booleans()))
        elif draw(st.integers(0, 5)) > 0:
            optional = field.optional if draw(st.booleans()) else draw(st.booleans())
            made[name] = Field(draw(evolved(field.validator, base)), optional)
    return Object(made)


def is_possible(validator: Validator) -> bool:
    """Tell whether any value at all is accepted."""
    return any(True for _ in samples(validator))


def samples(validator: Validator) -> Iterator[Value]:
    """Yield values of a validator, one at least of every kind that validators can tell apart."""
    match validator:
        case Union(members):
            found = itertools.chain.from_iterable(map(samples, members))
            yield from {
                repr((type(value), value, getattr(value, "table", ""))): value
                for value in itertools.islice(found, MANY)
            }.values()
        case Array(of):
            yield from ([item] for item in samples(of))
            yield []
        case Record(keys, values):
            yield from ({str_of(key): value} for key in samples(keys) for value in samples(values))
            yield {}
        case Object(fields):
            yield from sample_objects(fields)
        case _:
            yield from (value for value in PALETTE if accepts(validator, value))


MANY = 3000
PALETTE: list[Value] = [
    *(None, True, False, 1, 2, 3, 1.0, -0.0, 2.5, "x", "y", "z", b"z"),
    *(DocumentId(table, "j57") for table in TABLES),
]


def str_of(value: Value) -> str:
    assert isinstance(value, str)
    return value


def sample_objects(fields: Mapping[str, Field]) -> Iterator[Value]:
    choices: list[list[tuple[str, Value] | None]] = [
        [*((name, value) for value in itertools.islice(samples(field.validator), MANY)), *([None] * field.optional)]
        for name, field in fields.items()
    ]
    for chosen in itertools.product(*choices):
        yield dict(pair for pair in chosen if pair)


@st.composite
def values_of(draw: DrawFn, validator: Validator) -> Value:
    """Draw a value that a validator accepts."""
    match validator:
        case Union(members):
            drawn: SearchStrategy[Value] = st.one_of(*(values_of(member) for member in members if is_possible(member)))
            return draw(drawn)
        case Array(of):
            return draw(st.lists(values_of(of), max_size=3)) if is_possible(of) else []
        case Record(keys, values):
            return (
                draw(st.dictionaries(values_of(keys).map(str_of), values_of(values), max_size=3))
                if is_possible(values)
                else {}
            )
        case Object(fields):
            wanted = {
                name: field.validator
                for name, field in fields.items()
                if not field.optional or (is_possible(field.validator) and draw(st.booleans()))
            }
            return {name: draw(values_of(inner)) for name, inner in wanted.items()}
        case Literal(value):
            return value
        case Id(table):
            return DocumentId(table, draw(TEXT))
        case Any():
            return draw(ANYTHING)
    plain: Value = draw(PLAIN[type(validator)])
    return plain


PLAIN: dict[type[Validator], SearchStrategy[Value]] = {
    Null: st.none(),
    Boolean: st.booleans(),
    Number: st.floats(),
    Int64: st.integers(-(2**63), 2**63 - 1),
    String: TEXT,
    Bytes: st.binary(max_size=3),
}


@LAW
@given(ALL.filter(is_possible).flatmap(lambda one: st.tuples(st.just(one), values_of(one))))
def test_a_value_made_for_a_validator_is_accepted(pair: tuple[Validator, Value]) -> None:
    assert accepts(*pair)


@LAW
@given(ALL)
def test_a_validator_written_as_json_is_read_back_as_the_same(validator: Validator) -> None:
    assert validators.parse(json.loads(json.dumps(validators.to_json(validator)))) == validator


@LAW
@given(ALL)
def test_a_validator_does_not_differ_from_itself(validator: Validator) -> None:
    assert (fit.arguments(validator, validator), fit.returned(validator, validator)) == ([], [])


@LAW
@given(versions().filter(lambda pair: is_possible(pair[0])), st.data())
def test_arguments_called_safe_accept_every_value_that_they_accepted(
    pair: tuple[Validator, Validator], data: st.DataObject
) -> None:
    old, new = pair
    value = data.draw(values_of(old))
    assert accepts(new, value) or fit.worst(fit.arguments(old, new)) != "safe"


@LAW
@given(versions(KNOWN))
def test_arguments_called_breaking_refuse_a_value_that_they_accepted(pair: tuple[Validator, Validator]) -> None:
    old, new = pair
    accepted = list(itertools.islice(samples(old), MANY))
    assume(len(accepted) < MANY)
    refused = [value for value in accepted if not accepts(new, value)]
    assert (fit.worst(fit.arguments(old, new)) == "breaking") == bool(refused)


WIDE = ("a", "b", "c", "d", "e", "f")
CHOICES: list[Validator] = [
    Boolean(), Literal(True), Literal(False), Literal("x"), Literal("y"), Union((Literal("x"), Literal("y")))
]  # fmt: skip


@st.composite
def wide_objects(draw: DrawFn, *, among: int) -> Object:
    """Draw an object of more combinations than anybody compares one by one."""
    field = st.builds(Field, st.sampled_from(CHOICES[:among]), st.booleans())
    return Object({name: draw(field) for name in WIDE})


@LAW
@given(wide_objects(among=1), st.lists(wide_objects(among=3), min_size=2, max_size=4))
def test_wide_objects_are_breaking_exactly_when_a_value_is_refused(old: Object, members: list[Object]) -> None:
    assert_exact(old, Union(tuple(members)))


@LAW
@given(wide_objects(among=len(CHOICES)), st.sampled_from(WIDE), st.sampled_from(WIDE), st.booleans())
def test_a_wide_object_may_become_a_union_of_its_cases(old: Object, first: str, second: str, whole: bool) -> None:
    members = [old]
    for name in {first, second}:
        members = [part for one in members for part in parts_of(one, name)]
    assert_exact(old, Union(tuple(members if whole else members[1:])))


def parts_of(validator: Object, name: str) -> list[Object]:
    """Return objects that together accept what one does, with one choice less."""
    fields = validator.fields
    if name not in fields:
        return [validator]
    field = fields[name]
    choices: dict[Validator, list[Validator]] = {
        Boolean(): [Literal(True), Literal(False)],
        CHOICES[-1]: [Literal("x"), Literal("y")],
    }
    kinds = choices.get(field.validator, [field.validator])
    present = [Object({**fields, name: Field(kind, False)}) for kind in kinds]
    absent = Object({other: fields[other] for other in fields if other != name})
    return [*present, absent] if field.optional else present


def assert_exact(old: Object, new: Validator) -> None:
    refused = [value for value in samples(old) if not accepts(new, value)]
    assert (fit.worst(fit.arguments(old, new)) == "breaking") == bool(refused)
    assert (fit.worst(fit.arguments(old, new)) == "safe") == (not refused)


def test_what_takes_too_long_to_decide_is_risky() -> None:
    names = [f"f{number}" for number in range(11)]
    old = Object({name: Field(Boolean(), False) for name in names})
    every = itertools.product((True, False), repeat=len(names))
    new = Union(tuple(Object({n: Field(Literal(v), False) for n, v in zip(names, one, strict=True)}) for one in every))
    assert [finding.level for finding in fit.arguments(old, new)] == ["risky"]


def test_what_only_any_hid_is_risky_in_the_cases_of_an_object() -> None:
    old = Object({"on": Field(Boolean(), False), "more": Field(Any(), False)})
    on = Object({"on": Field(Literal(True), False), "more": Field(String(), False)})
    off = Object({"on": Field(Literal(False), False), "more": Field(Any(), False)})
    assert [finding.level for finding in fit.arguments(old, Union((on, off)))] == ["risky"]


@LAW
@given(versions().filter(lambda pair: is_possible(pair[1])), st.data())
def test_answers_called_safe_are_readable_to_who_knew_the_old_ones(
    pair: tuple[Validator, Validator], data: st.DataObject
) -> None:
    old, new = pair
    value = data.draw(values_of(new))
    assert is_readable(old, value) or fit.worst(fit.returned(old, new)) != "safe"


def is_readable(validator: Validator, value: Value) -> bool:
    """Tell whether a client that knows `validator` can read `value`: it passes over fields that it does not know."""
    match validator:
        case Union(members):
            return any(is_readable(member, value) for member in members)
        case Array(of):
            return isinstance(value, list) and all(is_readable(of, item) for item in value)
        case Record(keys, values):
            entries = value.items() if isinstance(value, dict) else [(None, None)]
            return all(accepts(keys, key) and is_readable(values, item) for key, item in entries)
        case Object(fields):
            return isinstance(value, dict) and all(
                is_readable(field.validator, value[name]) if name in value else field.optional
                for name, field in fields.items()
            )
    return accepts(validator, value)


def functions(args: SearchStrategy[Validator]) -> SearchStrategy[Function]:
    kinds, visibilities = st.sampled_from(["query", "mutation", "action"]), st.sampled_from(["public", "internal"])
    return st.builds(Function, st.just("sites/list"), st.sampled_from(NAMES), kinds, visibilities, args, ALL)


@st.composite
def specs(draw: DrawFn) -> tuple[Spec, Spec]:
    """Draw a spec and what became of it."""
    old = {one.path: one for one in draw(st.lists(functions(OBJECTS), max_size=3))}
    new = {}
    for one in old.values():
        if draw(st.booleans()):
            args = draw(st.one_of(evolved_object(object_of(one).fields, ALL), st.just(one.args)))
            later = draw(functions(st.just(args)))
            kept = Function(one.module, one.name, one.kind, one.visibility, args, one.returns)
            new[one.path] = draw(
                st.sampled_from(
                    [kept, Function(one.module, one.name, later.kind, later.visibility, args, later.returns)]
                )
            )
    return Spec(old, frozenset()), Spec(new, frozenset())


OBJECTS = st.builds(Object, st.dictionaries(st.sampled_from(NAMES), st.builds(Field, ALL, st.booleans()), max_size=2))


def object_of(function: Function) -> Object:
    assert isinstance(function.args, Object)
    return function.args


@LAW
@given(specs(), st.data())
def test_safe_changes_break_no_call(pair: tuple[Spec, Spec], data: st.DataObject) -> None:
    old, new = pair
    changes = compatibility.compare(old, new, live_calls=None, new_calls=frozenset(), scheduled=frozenset())
    unsafe = {change.function for change in changes if change.kind != "safe"}
    for path, function in old.functions.items():
        if path not in unsafe and is_possible(function.args):
            value = data.draw(values_of(function.args))
            now = new.functions[path]
            assert (now.kind, accepts(now.args, value)) == (function.kind, True)
            assert now.visibility == "public" or function.visibility == "internal"


@LAW
@given(specs())
def test_equal_specs_give_nothing(pair: tuple[Spec, Spec]) -> None:
    again = spec.parse(json.loads(json.dumps(spec.to_json(pair[0]))))
    changes = compatibility.compare(
        pair[0], again, live_calls=None, new_calls=frozenset(), scheduled=frozenset(pair[0].functions)
    )
    assert (again, changes) == (pair[0], ())
