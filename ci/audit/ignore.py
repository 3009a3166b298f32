"""What somebody wants left out, and why: a finding by a comment beside it, or by lockstep.toml; a folder by that."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ci.audit import registry
from ci.audit.model import Finding, Place, Skipped

SETTINGS = "lockstep.toml"
EXAMPLE = 'ignore = [{ rule = "sleep-as-readiness", path = "package.json", reason = "..." }], exclude = ["tests"]'
_COMMENT = re.compile(r"(?P<before>.*?)(?:#|//)\s*lockstep:\s*ignore\[(?P<rules>[^\]]*)\](?P<reason>.*)")
_ONLY_COMMENT = re.compile(r"\s*(?:#|//)")


@dataclass(frozen=True)
class Ignore:
    """One wish to have the findings of a rule left out, on a line, or in a whole file (0)."""

    rule: str
    path: str
    line: int
    reason: str
    at: Place

    def covers(self, finding: Finding) -> bool:
        """Return whether this is about a finding."""
        return (self.rule, self.path) == (finding.rule, finding.at.path) and self.line in (0, finding.at.line)


@dataclass(frozen=True)
class Settings:
    """What lockstep.toml asks for: findings to leave out, folders not to read; and what of it cannot be understood."""

    ignores: tuple[Ignore, ...] = ()
    exclude: tuple[str, ...] = ()
    remarks: tuple[Skipped, ...] = ()


def heed(
    findings: Sequence[Finding], ignores: Sequence[Ignore], checked: Collection[str]
) -> tuple[list[Finding], list[Skipped]]:
    """
    Return the findings that nobody wants left out, and what is to be said of each ignore that does nothing.

    Args:
        checked: the rules that were run: of the others, no ignore can do anything.
    """
    heeded = [one for one in ignores if one.reason]
    kept = [finding for finding in findings if not any(one.covers(finding) for one in heeded)]
    useless = [_useless(one, findings, checked) for one in ignores]
    return kept, [_said(one, why) for one, why in zip(ignores, useless, strict=True) if why]


def of(texts: Mapping[str, str]) -> tuple[Ignore, ...]:
    """Return what the comments of all files ask for, each on its own line, or alone above the line that it is about."""
    return tuple(one for path in sorted(texts) if "lockstep:" in texts[path] for one in _comments(path, texts[path]))


def settings(text: str) -> Settings:
    """Return what the [audit] table of a lockstep.toml asks for."""
    import tomllib

    try:
        table = tomllib.loads(text).get("audit", {})
        ignores = tuple(_wish(one) for one in table.get("ignore", []))
        return Settings(ignores, tuple(one.strip("/") for one in table.get("exclude", [])))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        return Settings(remarks=(Skipped(SETTINGS, f"invalid TOML: {error}"),))
    except (AttributeError, KeyError, TypeError):
        return Settings(remarks=(Skipped(SETTINGS, f"its [audit] is not understood: write {EXAMPLE}"),))


def _wish(table: Any) -> Ignore:
    rule, path, reason = (str(table[key]) for key in ("rule", "path", "reason"))
    return Ignore(rule, path, 0, reason.strip(), Place(SETTINGS))


def _comments(path: str, text: str) -> Iterator[Ignore]:
    lines = text.split("\n")
    for number, line in enumerate(lines, 1):
        if not (found := _COMMENT.match(line)):
            continue
        about = number if found["before"].strip() else _below(lines, number)
        for rule in found["rules"].split(","):
            place = Place(path, number, len(found["before"]) + 1)
            yield Ignore(rule.strip(), path, about, found["reason"].strip(), place)


def _below(lines: Sequence[str], number: int) -> int:
    """Return the number of the first line below `number` that is more than a comment."""
    while number < len(lines) and _ONLY_COMMENT.match(lines[number]):
        number += 1
    return number + 1


def _useless(one: Ignore, findings: Iterable[Finding], checked: Collection[str]) -> str:
    if one.rule not in registry.ids():
        return "there is no such rule"
    if not one.reason:
        return "it gives no reason, so it was not heeded"
    if one.rule in checked and not any(one.covers(finding) for finding in findings):
        return "it leaves nothing out: take it away"
    return ""


def _said(one: Ignore, why: str) -> Skipped:
    where = f"of {one.path}" if one.at.path == SETTINGS else f"in line {one.at.line}"
    return Skipped(one.at.path, f"ignore[{one.rule}] {where}: {why}")
