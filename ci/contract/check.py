"""References held against a spec: what is called, and cannot be."""

from __future__ import annotations

import difflib
import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ci.contract.spec import Function, Spec, canonical

if TYPE_CHECKING:  # what finds references takes long to import
    from ci.contract.references import Found, Reference

# As it ends in "useQuery", "usePaginatedQuery", "client.mutation" and "/api/action"; not in "transaction".
_KIND = re.compile(r"\b(quer|mutation|action)|(Quer|Mutation|Action)")
_KINDS = {"quer": "query", "mutation": "mutation", "action": "action"}


@dataclass(frozen=True)
class Missing:
    """
    A function that cannot be called as it is, and every (path, line) that does.

    `suggestion` is the nearest name that all of them could call, or "".
    """

    function: str
    reason: str
    suggestion: str
    at: tuple[tuple[str, int], ...]


def missing(found: Found, spec: Spec) -> tuple[Missing, ...]:
    """
    Return the calls that `spec` cannot answer, by function and reason.

    Args:
        found: references to the backend of that spec alone.
    """
    calls: defaultdict[tuple[str, str], list[Reference]] = defaultdict(list)
    for reference in found.references:
        name = canonical(reference.function)
        if objection := _objection(reference, spec.functions.get(name)):
            calls[name, objection].append(reference)
    return tuple(
        Missing(name, reason, _suggestion(name, references, spec), _places(references))
        for (name, reason), references in sorted(calls.items())
    )


def _objection(reference: Reference, function: Function | None) -> str:
    """Return why the reference cannot call the function, or "". What a client may call is the spec's to say."""
    if function is None:
        return "does not exist"
    if function.visibility == "internal" and not reference.may_be_internal:
        return "is internal, so no client can call it"
    called_as = _called_as(reference.form)
    if called_as and called_as != function.kind:
        return f"is {_a(function.kind)}, and called as {_a(called_as)}"
    return ""


def _called_as(form: str) -> str:
    """Return the kind of function that a form of calling is for, or "" if it does not tell."""
    kinds = [_KINDS[match[0].lower()] for match in _KIND.finditer(form)]
    return kinds[-1] if kinds else ""


def _suggestion(name: str, references: list[Reference], spec: Spec) -> str:
    # Without ":default", which would make all default exports alike.
    others = {
        path.removesuffix(":default"): path
        for path, function in sorted(spec.functions.items())
        if path != name and not any(_objection(reference, function) for reference in references)
    }
    close = difflib.get_close_matches(name.removesuffix(":default"), others, n=1)
    moved = [short for short in others if ":" in short and short.partition(":")[2] == name.partition(":")[2]]
    return next((others[short] for short in [*close, *moved]), "")


def _places(references: list[Reference]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted({(reference.path, reference.line) for reference in references}))


def _a(kind: str) -> str:
    return f"an {kind}" if kind == "action" else f"a {kind}"
