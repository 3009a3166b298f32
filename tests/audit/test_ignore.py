"""What somebody wants left out is left out, if there is a reason; an ignore that does nothing is said."""

from __future__ import annotations

from ci.audit import ignore, registry
from ci.audit.ignore import Settings
from ci.audit.model import Finding, Place, Skipped

CI = ".github/workflows/ci.yml"
RULE, OTHER = "convex-without-key", "unfrozen-install"


def finding(rule: str, line: int, path: str = CI) -> Finding:
    return Finding(rule, "error", "gap", "high", Place(path, line), "it breaks", "mend it")


def left(text: str, *findings: Finding, path: str = CI) -> tuple[list[tuple[str, int]], list[str]]:
    """Return the rule and line of each finding that stays, and the remarks."""
    kept, remarks = ignore.heed(findings, ignore.of({path: text}), registry.ids())
    return [(one.rule, one.at.line) for one in kept], [one.why for one in remarks]


def test_a_comment_holds_for_its_own_line() -> None:
    text = f"a\nrun: x  # lockstep: ignore[{RULE}] it is a fork\nc"
    assert left(text, finding(RULE, 1), finding(RULE, 2), finding(RULE, 3)) == ([(RULE, 1), (RULE, 3)], [])


def test_a_comment_of_its_own_holds_for_the_first_line_below_that_is_no_comment() -> None:
    text = f"a\n  # lockstep: ignore[{RULE}] it is a fork\n  # more words\nrun: x\nc"
    assert left(text, finding(RULE, 2), finding(RULE, 4), finding(RULE, 5)) == ([(RULE, 2), (RULE, 5)], [])


def test_one_comment_names_several_rules() -> None:
    text = f"run: x  # lockstep: ignore[{RULE}, {OTHER}] it is a fork"
    assert left(text, finding(RULE, 1), finding(OTHER, 1), finding("stale-lockfile", 1)) == (
        [("stale-lockfile", 1)],
        [],
    )


def test_another_file_and_another_rule_stay() -> None:
    text = f"run: x  # lockstep: ignore[{RULE}] it is a fork"
    findings = finding(RULE, 1), finding(OTHER, 1), finding(RULE, 1, "b.yml")
    assert left(text, *findings) == ([(OTHER, 1), (RULE, 1)], [])


def test_the_comments_of_typescript_count_too() -> None:
    text = f"// lockstep: ignore[{RULE}] it is a fork\nx()\r\n"
    assert left(text, finding(RULE, 2, "a.ts"), path="a.ts") == ([], [])


def test_without_a_reason_it_is_not_heeded_and_said() -> None:
    text = f"run: x  # lockstep: ignore[{RULE}]  "
    said = f"ignore[{RULE}] in line 1: it gives no reason, so it was not heeded"
    assert left(text, finding(RULE, 1)) == ([(RULE, 1)], [said])


def test_one_that_leaves_nothing_out_is_said() -> None:
    said = f"ignore[{RULE}] in line 1: it leaves nothing out: take it away"
    assert left(f"# lockstep: ignore[{RULE}] it is a fork") == ([], [said])


def test_one_of_a_rule_that_did_not_run_is_not_said() -> None:
    wishes = ignore.of({CI: f"# lockstep: ignore[{RULE}] it is a fork"})
    assert ignore.heed([], wishes, [OTHER]) == ([], [])


def test_a_rule_that_there_is_not_is_said() -> None:
    said = "ignore[convex-key] in line 1: there is no such rule"
    assert left("# lockstep: ignore[convex-key] it is a fork") == ([], [said])


def test_lockstep_toml_speaks_for_files_without_comments() -> None:
    text = f'[audit]\nignore = [{{ rule = "{RULE}", path = "package.json", reason = "a fork" }}]'
    said = ignore.settings(text)
    kept, remarks = ignore.heed([finding(RULE, 3, "package.json"), finding(RULE, 3)], said.ignores, registry.ids())
    assert ([(one.at.path, one.at.line) for one in kept], remarks, said.remarks) == ([(CI, 3)], [], ())


def test_a_lockstep_toml_says_which_of_its_ignores_does_nothing() -> None:
    wishes = ignore.settings(f'[audit]\nignore = [{{ rule = "{RULE}", path = "x.json", reason = "a fork" }}]').ignores
    said = Skipped("lockstep.toml", f"ignore[{RULE}] of x.json: it leaves nothing out: take it away")
    assert ignore.heed([], wishes, registry.ids()) == ([], [said])


def test_a_lockstep_toml_that_is_not_understood_is_said() -> None:
    said = Settings(remarks=(Skipped("lockstep.toml", "its [audit] is not understood: write " + ignore.EXAMPLE),))
    for text in (
        "audit = 3",
        "[audit]\nexclude = [3]",
        "[audit]\nignore = 3",
        '[audit]\nignore = ["x"]',
        '[[audit.ignore]]\nrule = "x"',
    ):
        assert ignore.settings(text) == said


def test_a_broken_lockstep_toml_is_said() -> None:
    (said,) = ignore.settings("[audit\n").remarks
    assert (said.path, said.why.partition(":")[0]) == ("lockstep.toml", "invalid TOML")
