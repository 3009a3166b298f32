"""What the rules say of themselves is whole, and docs/audit.md says the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from ci.audit import manual, registry

DOCS = Path(__file__).parents[2] / "docs/audit.md"


def test_the_docs_are_what_the_rules_say() -> None:
    assert DOCS.read_text() == manual.explain(manual.ALL) + "\n", "./inv audit --explain all > docs/audit.md"


@pytest.mark.parametrize("id", registry.ids())
def test_a_rule_says_what_happens_and_shows_how_to_mend_it(id: str) -> None:
    rule = registry.load(id).RULE
    parts = (rule.title, rule.happens, rule.fix, rule.bad, rule.good)
    assert [part for part in parts if not part.strip()] == []
    assert rule.bad != rule.good
    assert manual.explain(id) in manual.explain(manual.ALL)


@pytest.mark.parametrize("id", registry.ids())
def test_an_example_names_its_file_first(id: str) -> None:
    assert [line for line in manual.section(registry.load(id).RULE).splitlines() if line == "```"] == ["```", "```"]
