"""Whether the values of one validator fit another, said place by place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal as OneOf

from ci.contract import validators
from ci.contract.validators import (
    Any,
    Array,
    Boolean,
    Field,
    Id,
    Literal,
    Null,
    Object,
    Record,
    String,
    Union,
    Unknown,
    Validator,
    accepts,
)

Level = OneOf["breaking", "risky", "safe"]
Side = OneOf["arguments", "return value"]

SEVERITY: Mapping[Level, int] = {"safe": 0, "risky": 1, "breaking": 2}
COMPARISONS = 2000  # so many decide whether several members together take what none takes alone: half a second
SHOWN = 100  # characters of a validator in a message


@dataclass(frozen=True)
class Finding:
    """One difference, and what it does to clients of before."""

    level: Level
    what: str
    reason: str


# What is given must fit what takes it. Arguments: clients of before give, the new function takes. Return value: the new
# function gives, clients of before take. {at} is the place, {old} and {new} are validators, {more} is one of a union.
_RULES: Mapping[tuple[Side, str], Finding] = {
    ("arguments", "fits"): Finding("safe", "{at}: {old} became {new}", "it accepts all that it accepted"),
    ("arguments", "unchecked"): Finding(
        "risky", "{at}: {old} became {new}", "nobody can tell whether what callers send now passes"
    ),
    ("arguments", "unfit"): Finding("breaking", "{at}: {old} became {new}", "values that it accepted are refused"),
    ("arguments", "partly"): Finding("breaking", "{at} no longer accepts {more}", "callers that send it are refused"),
    ("arguments", "unknown"): Finding(
        "breaking", "{at} was removed", "Convex refuses a field that it does not know, so callers that send it fail"
    ),
    ("arguments", "missing"): Finding(
        "breaking", "{at} was added, and is required", "callers of before do not send it, and are refused"
    ),
    ("arguments", "spare"): Finding("safe", "{at} was added, and may be left out", "callers of before leave it out"),
    ("arguments", "perhaps"): Finding("breaking", "{at} became required", "callers that leave it out are refused"),
    ("arguments", "always"): Finding("safe", "{at} became optional", "callers of before go on sending it"),
    ("return value", "fits"): Finding(
        "safe", "{at}: {old} became {new}", "clients of before know every value that it can be"
    ),
    ("return value", "unchecked"): Finding(
        "risky", "{at}: {old} became {new}", "nobody can tell whether clients of before know every value that it can be"
    ),
    ("return value", "unfit"): Finding(
        "breaking", "{at}: {old} became {new}", "clients of before cannot read what it is now"
    ),
    ("return value", "partly"): Finding("risky", "{at} can now be {more}", "clients of before may not know that value"),
    ("return value", "unknown"): Finding(
        "safe", "{at} was added", "clients of before pass over a field that they do not know"
    ),
    ("return value", "missing"): Finding("breaking", "{at} was removed", "clients of before count on it"),
    ("return value", "spare"): Finding("safe", "{at} was removed", "clients of before know that it may be absent"),
    ("return value", "perhaps"): Finding("risky", "{at} may now be absent", "clients of before count on it"),
    ("return value", "always"): Finding("safe", "{at} is now always there", "clients of before know it"),
}


@dataclass
class _Effort:
    """What is left of `COMPARISONS`, for all places of one function together."""

    left: int = COMPARISONS


@dataclass(frozen=True)
class _Place:
    """Where in the arguments or in the return value two validators are compared."""

    side: Side
    path: str = ""
    effort: _Effort = field(default_factory=_Effort)

    def within(self, part: str) -> _Place:
        return _Place(self.side, self.path + part, self.effort)

    def found(self, rule: str, given: Validator, taken: Validator, more: Validator | None = None) -> Finding:
        old, new = (given, taken) if self.side == "arguments" else (taken, given)
        words = {"at": str(self), "old": _short(old), "new": _short(new), "more": _short(more) if more else ""}
        found = _RULES[self.side, rule]
        return Finding(found.level, found.what.format(**words), found.reason)

    def __str__(self) -> str:
        if self.side == "arguments":
            return f"argument {self.path[1:]}" if self.path else "the arguments"
        return f"returned {self.path.removeprefix('.')}" if self.path else "the return value"


def arguments(old: Validator, new: Validator) -> list[Finding]:
    """
    Return how the arguments of a function have changed.

    Without a breaking or risky finding, the new function accepts every value that the old one accepted. What only `any`
    hid is risky: what callers really send was never written down.
    """
    return _fit(old, new, _Place("arguments"))


def returned(old: Validator, new: Validator) -> list[Finding]:
    """
    Return how what a function answers has changed.

    Narrower answers are safe: clients of before know each of them. Wider ones are risky and not breaking: the validator
    says what the function may answer, not that it ever does, and only the client's code tells what it does with a value
    that it does not know. Breaking is what no answer can satisfy any longer: a field that clients count on has gone, or
    nothing of the old type is left. Clients do not validate, so a field more is safe.
    """
    return _fit(new, old, _Place("return value"))


def worst(findings: Sequence[Finding]) -> Level:
    """Return the gravest level; nothing found is safe."""
    return max((finding.level for finding in findings), key=SEVERITY.__getitem__, default="safe")


def _fit(given: Validator, taken: Validator, at: _Place) -> list[Finding]:
    givens, takens = _members(given), _members(taken)
    if all(one in takens for one in givens) and all(one in givens for one in takens):
        return []
    if isinstance(takens[0] if takens else None, Any):
        return [at.found("fits", given, taken)]
    if isinstance(givens[0] if givens else None, Any):
        return [at.found("unchecked", given, taken)]
    if len(givens) == len(takens) == 1:
        return _fit_one(givens[0], takens[0], at)
    return _fit_members(givens, takens, at) or [at.found("fits", given, taken)]


def _members(validator: Validator) -> list[Validator]:
    """Return what a value can be: the members of a union, flattened; any alone, if it is among them."""
    if not isinstance(validator, Union):
        return [validator]
    members = [inner for member in validator.members for inner in _members(member)]
    return [Any()] if Any() in members else members


def _fit_one(given: Validator, taken: Validator, at: _Place) -> list[Finding]:
    """Compare two validators of which neither is a union or any."""
    match given, taken:
        case _ if given == taken:
            return []
        case (Unknown(), _) | (_, Unknown()):
            return [at.found("unchecked", given, taken)]
        case Object(), Object():
            return list(_fit_fields(given, taken, at))
        case Object(fields), Record(keys, values) if all(_takes(keys, name) for name in fields):
            return [
                found for name in fields for found in _fit(fields[name].validator, values, at.within(f".{name}"))
            ] or [at.found("fits", given, taken)]
        case Array(of), Array(other):
            return _fit(of, other, at.within("[]"))
        case Record(), Record():
            return [
                *_fit(given.keys, taken.keys, at.within(" keys")),
                *_fit(given.values, taken.values, at.within("{}")),
            ]
        case _ if _is_within(given, taken):
            return [at.found("fits", given, taken)]
        case _ if at.side == "return value" and _is_within(taken, given):
            return [at.found("partly", given, taken, more=given)]
    return [at.found("unfit", given, taken)]


def _takes(keys: Validator, name: str) -> bool:
    return not isinstance(keys, Any | Unknown) and accepts(keys, name)


def _is_within(inner: Validator, outer: Validator) -> bool:
    """Tell whether a literal or an id is one of the values of a plain type."""
    if isinstance(inner, Literal):
        return accepts(outer, inner.value)
    return isinstance(inner, Id) and isinstance(outer, String)


def _fit_fields(given: Object, taken: Object, at: _Place) -> Iterator[Finding]:
    for name in sorted({*given.fields, *taken.fields}):
        gives, takes, place = given.fields.get(name), taken.fields.get(name), at.within(f".{name}")
        if takes is None:
            yield place.found("unknown", given, taken)
        elif gives is None:
            yield place.found("spare" if takes.optional else "missing", given, taken)
        else:
            if gives.optional != takes.optional:
                yield place.found("perhaps" if gives.optional else "always", given, taken)
            yield from _fit(gives.validator, takes.validator, place)


def _fit_members(givens: Sequence[Validator], takens: Sequence[Validator], at: _Place) -> list[Finding]:
    """Fit each member into the one that suits it best; what has no counterpart at all is told together."""
    findings: list[Finding] = []
    strangers: dict[int, Level] = {}
    for index, member in enumerate(givens):
        best, counterpart = _best(member, takens, at)
        level = _level_by_parts(member, takens, at) if len(takens) > 1 else worst(best)
        if level == "safe":
            continue
        if level != "breaking" and worst(best) == "breaking":
            findings.append(at.found("unchecked", member, _union(takens)))
        elif counterpart:
            findings += best
        else:
            strangers[index] = worst(best)
    return findings + _told(strangers, givens, takens, at)


def _told(
    strangers: Mapping[int, Level], givens: Sequence[Validator], takens: Sequence[Validator], at: _Place
) -> list[Finding]:
    """Say it of the whole where, null aside, nothing of it fits; else of each member that has nobody to take it."""
    given, taken = _union(givens), _union(takens)
    if not strangers:
        return []
    if at.side == "arguments" and "breaking" not in strangers.values():
        return [at.found("unchecked", given, taken)]
    rest = [one for index, one in enumerate(givens) if index not in strangers]
    replaced = all(one == Null() for one in rest) and any(one != Null() for one in takens)
    if replaced and (at.side == "arguments" or "risky" not in strangers.values()):
        return [at.found("unfit", given, taken)]
    return [at.found("partly", given, taken, more=givens[index]) for index in strangers]


def _best(member: Validator, takens: Sequence[Validator], at: _Place) -> tuple[list[Finding], bool]:
    """Return the findings against what suits `member` best, and whether that is its counterpart."""
    tried = [(_fit_one(member, taken, at), _is_counterpart(member, taken)) for taken in takens]
    unfit = ([at.found("unfit", member, _union(takens))], False)
    return min(tried, key=lambda one: (SEVERITY[worst(one[0])], not one[1], len(one[0])), default=unfit)


def _is_counterpart(one: Validator, other: Validator) -> bool:
    """Tell whether two members of unions are the same thing in two versions: no literal field tells them apart."""
    if not isinstance(one, Object) or not isinstance(other, Object):
        return type(one) is type(other) and isinstance(one, Array | Record)
    shared = one.fields.keys() & other.fields.keys()
    return not any(_are_apart(one.fields[name].validator, other.fields[name].validator) for name in shared)


def _are_apart(one: Validator, other: Validator) -> bool:
    mine, others = _members(one), _members(other)
    literal = all(isinstance(member, Literal) for member in [*mine, *others])
    return literal and not any(member in others for member in mine)


def _level_by_parts(given: Validator, takens: Sequence[Validator], at: _Place) -> Level:
    """
    Return the gravest level of any part of what is given; risky when that takes too long to tell.

    What none takes alone, several may take together: {a: "x" | "y"} is {a: "x"} | {a: "y"}.
    """
    takens = [one for one in takens if not _excludes(given, one)]
    at.effort.left -= len(takens) + 1
    if at.effort.left < 0:
        return "risky"
    found = worst(_best(given, takens, at)[0])
    parts = [] if found == "safe" else _parts(given, takens, at)
    if not parts:
        return found
    levels: list[Level] = []
    for part in parts:
        levels.append(_level_by_parts(part, takens, at))
        if levels[-1] == "breaking":
            break
    return max(levels, key=SEVERITY.__getitem__)


def _excludes(given: Validator, taken: Validator) -> bool:
    """Tell whether no value is both, by a literal that each value of the one has, and none of the other."""
    if not isinstance(given, Object) or not isinstance(taken, Object):
        return False
    shared = [name for name in given.fields if name in taken.fields and not given.fields[name].optional]
    return any(_are_apart(given.fields[name].validator, taken.fields[name].validator) for name in shared)


def _parts(given: Validator, takens: Sequence[Validator], at: _Place) -> list[Validator]:
    """Return validators that together accept what one does, each with one choice less in it; none without a choice."""
    match given:
        case Boolean():
            return [Literal(True), Literal(False)]
        case Union():
            return _members(given)
        case Object(fields):
            for name, field in fields.items():
                others = [one.fields.get(name) for one in takens if isinstance(one, Object)]
                if any(_differ(field, other, at) for other in others) and (parts := _field_parts(field, others, at)):
                    rest = {other: fields[other] for other in fields if other != name}
                    return [Object(rest if part is None else {**rest, name: Field(part, False)}) for part in parts]
    return []


def _differ(field: Field, other: Field | None, at: _Place) -> bool:
    if other is None or field.optional != other.optional:
        return True
    return worst(_fit(field.validator, other.validator, at)) != "safe"


def _field_parts(field: Field, others: Sequence[Field | None], at: _Place) -> list[Validator | None]:
    """Return the parts of one field, None for its absence."""
    if field.optional:
        return [field.validator, None]
    takens = [member for other in others if other for member in _members(other.validator)]
    return list(_parts(field.validator, takens, at))


def _union(members: Sequence[Validator]) -> Validator:
    return members[0] if len(members) == 1 else Union(tuple(members))


def _short(validator: Validator) -> str:
    shown = validators.show(validator)
    return shown if len(shown) <= SHOWN else f"{shown[: SHOWN - 3]}..."
