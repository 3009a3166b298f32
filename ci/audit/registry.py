"""The rules: each file of ci/audit/rules is one, and there is no other list of them."""

from __future__ import annotations

import importlib
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Protocol, cast

from ci.audit.model import Finding, Repository
from ci.audit.rule import Rule
from ci.errors import InputError

FOLDER = Path(__file__).parent / "rules"


class Check(Protocol):
    """The file of a rule."""

    RULE: Rule

    def check(self, repository: Repository) -> Iterator[Finding]:
        """Yield what is wrong in a repository, in any order."""


def ids() -> tuple[str, ...]:
    """Return the id of every rule, without loading any."""
    return tuple(sorted(path.stem.replace("_", "-") for path in FOLDER.glob("[a-z]*.py")))


def load(id: str) -> Check:
    """Return the rule of that id."""
    return cast(Check, importlib.import_module(f"ci.audit.rules.{id.replace('-', '_')}"))


def chosen(only: Collection[str] = (), skip: Collection[str] = ()) -> tuple[Check, ...]:
    """
    Return the rules that are in `only`, else all of them, without those in `skip`.

    Raises:
        InputError: none is left.
    """
    left = [id for id in ids() if id in (only or ids()) and id not in skip]
    if not left:
        raise InputError("--only and --skip leave no rule", hint=f"the rules are {', '.join(ids())}")
    return tuple(map(load, left))
