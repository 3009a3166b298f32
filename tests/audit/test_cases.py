"""
Each rule finds what its cases mark, and nothing else.

`tests/audit/<rule>/<case>/` is a small repository. A line that must be found ends in `# NOT OK: why`, or
`# NOT OK (latent): why`, or `# NOT OK (unclear): why` (`//` where `#` is no comment; once for each finding). What looks
wrong and is not carries `# OK`. `expected.json` marks files that take no comments: {"turbo.json:7": "NOT OK: why"}.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from ci.audit import registry, result

HERE = Path(__file__).parent
MARK = re.compile(r"(?:#|//) (NOT OK\b.*|OK\b.*)")
NOT_OK = re.compile(r"NOT OK(?: \((latent|unclear)\))?: \S")
EXPECTED = "expected.json"


def cases(rule: str) -> list[Path]:
    return sorted(path for path in (HERE / rule).glob("*") if path.is_dir())


def marks(case: Path) -> Iterator[tuple[str, str]]:
    """Yield each place, as path:line, with what a case says of it."""
    yield from json.loads((case / EXPECTED).read_text()).items() if (case / EXPECTED).exists() else ()
    for path in sorted(case.rglob("*")):
        for number, line in enumerate(path.read_text().split("\n") if path.is_file() else (), 1):
            if marked := MARK.search(line):
                yield f"{path.relative_to(case).as_posix()}:{number}", marked[1]


def wanted(case: Path) -> list[str]:
    return sorted(f"{at} {status or 'gap'}" for at, said in marks(case) for status in NOT_OK.findall(said))


def found(case: Path, rule: str) -> list[str]:
    findings = result.check(case, only=[rule]).findings
    return sorted(f"{one.at.path}:{one.at.line} {one.status}" for one in findings)


CASES = [pytest.param(case, id=f"{rule}/{case.name}") for rule in registry.ids() for case in cases(rule)]


@pytest.mark.parametrize("case", CASES)
def test_a_case_has_the_marked_findings_and_no_others(case: Path) -> None:
    assert found(case, case.parent.name) == wanted(case)


@pytest.mark.parametrize("case", CASES)
def test_every_finding_says_what_happens_and_what_to_write(case: Path) -> None:
    findings = result.check(case, only=[case.parent.name]).findings
    assert [one for one in findings if not one.message or not one.hint] == []


@pytest.mark.parametrize("case", CASES)
def test_every_mark_is_understood(case: Path) -> None:
    assert [said for _, said in marks(case) if said.startswith("NOT") and not NOT_OK.match(said)] == []


@pytest.mark.parametrize("rule", registry.ids())
def test_a_rule_has_at_least_two_bad_and_two_good_cases(rule: str) -> None:
    bad = [case for case in cases(rule) if wanted(case)]
    assert (len(bad) >= 2, len(cases(rule)) - len(bad) >= 2) == (True, True)


@pytest.mark.parametrize("rule", registry.ids())
def test_a_rule_is_named_for_its_file(rule: str) -> None:
    assert registry.load(rule).RULE.id == rule
