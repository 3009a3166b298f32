"""What was found is printed for people, for programs, for GitHub, and for code scanning."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from ci.audit import printing, registry
from ci.audit.model import Finding, Link, Place, Skipped
from ci.audit.result import LookedAt, Result

WORKFLOW = ".github/workflows/ci.yml"
FINDING = Finding(
    rule="convex-without-key",
    severity="error",
    status="gap",
    confidence="high",
    at=Place(WORKFLOW, 9, 7),
    message="no key, 100%",
    hint="write\n  env: {}",
    job="test",
    step="Types",
    chain=(
        Link("bun run typecheck", Place(WORKFLOW, 9, 14)),
        Link('script "build"', Place("my app/package.json", 4, 5)),
    ),
)
LESS = Finding(
    rule="pages-without-branch",
    severity="note",
    status="unclear",
    confidence="low",
    at=Place("a:b.sh"),
    message="which branch?",
    hint="add --branch main",
    job="ship",
    step="3",
)
RESULT = Result(
    root=Path("/app"),
    looked_at=LookedAt(workflows=1, jobs=2, steps=3, scripts=0),
    findings=(FINDING, LESS),
    skipped=(Skipped("turbo.json", "invalid JSON"),),
    ignored=1,
)
NOTHING = replace(RESULT, findings=(), skipped=(), ignored=0)


def test_text_says_what_where_how_and_what_to_write() -> None:
    assert printing.shown(RESULT, "text").splitlines() == [
        ".github/workflows/ci.yml:9:7: error[convex-without-key] no key, 100%",
        "    via  .github/workflows/ci.yml:9 bun run typecheck",
        '         my app/package.json:4 script "build"',
        "    hint: write",
        "            env: {}",
        "",
        "a:b.sh:1:1: note[pages-without-branch, unclear, read from a program] which branch?",
        "    in   job ship, step 3",
        "    hint: add --branch main",
        "",
        "not read: turbo.json: invalid JSON",
        "1 error, 1 note, 1 ignored; looked at 1 workflow, 2 jobs, 3 steps, 0 scripts",
    ]


def test_text_says_what_was_looked_at_where_nothing_is_wrong() -> None:
    assert printing.shown(NOTHING, "text") == "nothing found; looked at 1 workflow, 2 jobs, 3 steps, 0 scripts"


def test_json_has_every_field() -> None:
    assert json.loads(printing.shown(RESULT, "json")) == {
        "root": "/app",
        "looked_at": {"workflows": 1, "jobs": 2, "steps": 3, "scripts": 0},
        "findings": [
            {
                "rule": "convex-without-key",
                "severity": "error",
                "confidence": "high",
                "status": "gap",
                "path": ".github/workflows/ci.yml",
                "line": 9,
                "column": 7,
                "job": "test",
                "step": "Types",
                "chain": [".github/workflows/ci.yml:9 bun run typecheck", 'my app/package.json:4 script "build"'],
                "message": "no key, 100%",
                "hint": "write\n  env: {}",
            },
            {
                "rule": "pages-without-branch",
                "severity": "note",
                "confidence": "low",
                "status": "unclear",
                "path": "a:b.sh",
                "line": 1,
                "column": 1,
                "job": "ship",
                "step": "3",
                "chain": [],
                "message": "which branch?",
                "hint": "add --branch main",
            },
        ],
        "skipped": [{"path": "turbo.json", "why": "invalid JSON"}],
    }


def test_annotations_point_at_files_of_the_repository_that_holds_the_folder() -> None:
    assert printing.shown(RESULT, "github", where="apps/x").splitlines() == [
        "::error file=apps/x/.github/workflows/ci.yml,line=9,col=7,title=convex-without-key::no key, 100%25"
        '%0A.github/workflows/ci.yml:9 bun run typecheck%0Amy app/package.json:4 script "build"%0Awrite%0A  env: {}',
        "::notice file=apps/x/a%3Ab.sh,line=1,col=1,title=pages-without-branch (unclear)"
        "::which branch?%0Aadd --branch main",
        "::notice file=apps/x/turbo.json,title=audit::not read: invalid JSON",
        "1 error, 1 note, 1 ignored; looked at 1 workflow, 2 jobs, 3 steps, 0 scripts",
    ]


@pytest.mark.parametrize("result", [RESULT, NOTHING], ids=["findings", "nothing"])
def test_sarif_passes_the_published_schema(result: Result, tmp_path: Path) -> None:
    written = tmp_path / "audit.sarif"
    written.write_text(printing.shown(result, "sarif"))
    schema = Path(__file__).parent / "sarif-schema-2.1.0.json"
    command = [sys.executable, "-m", "check_jsonschema", "--schemafile", str(schema), str(written)]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "ok -- validation done\n", "")


def test_sarif_says_where_how_it_was_reached_and_what_was_not_read() -> None:
    run = json.loads(printing.shown(RESULT, "sarif"))["runs"][0]
    found, less = run["results"]
    way = [place["location"] for place in found["codeFlows"][0]["threadFlows"][0]["locations"]]
    assert (found["ruleId"], found["level"], found["message"]["text"]) == (
        "convex-without-key",
        "error",
        "no key, 100%\nwrite\n  env: {}",
    )
    assert [place["physicalLocation"]["artifactLocation"]["uri"] for place in way] == [
        WORKFLOW,
        "my%20app/package.json",
    ]
    assert (less["level"], less["properties"]["status"], "codeFlows" in less) == ("note", "unclear", False)
    assert [one["message"]["text"] for one in run["invocations"][0]["toolExecutionNotifications"]] == [
        "not read: invalid JSON"
    ]
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == list(registry.ids())


def test_a_fingerprint_outlives_a_move() -> None:
    moved = replace(FINDING, at=Place(WORKFLOW, 20, 7))
    document = json.loads(printing.shown(replace(RESULT, findings=(FINDING, moved, LESS)), "sarif"))
    first, second, other = (one["partialFingerprints"]["lockstep/v1"] for one in document["runs"][0]["results"])
    assert (first == second, first == other) == (True, False)
