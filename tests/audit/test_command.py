"""`inv audit`: what it prints where, and how it ends."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from ci.audit import manual

ROOT = Path(__file__).parents[2]
BAD = {
    ".github/workflows/ci.yml": """
on: push
jobs:
  test:
    runs-on: ubuntu-latest
    steps:
      - run: bun run types  # MARK
""",
    "package.json": '{ "scripts": { "types": "convex codegen" }, "dependencies": { "convex": "1.48.0" } }',
    "convex/a.ts": "",
}


@dataclass(frozen=True)
class Ended:
    code: int
    stdout: str
    errors: list[str]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with the tasks of this repository, and nothing of its own."""
    for name in ("tasks.py", "invoke.yaml"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / "ci").symlink_to(ROOT / "ci")
    (tmp_path / ".venv").symlink_to(sys.prefix)
    return tmp_path


def audit(project: Path, *arguments: str) -> Ended:
    env = {"PATH": os.environ["PATH"], "HOME": str(project), "COLUMNS": "200"}
    argv = [sys.executable, "-m", "invoke", "audit", *arguments]
    ended = subprocess.run(argv, cwd=project, env=env, capture_output=True, text=True, check=False)
    told = ended.stderr.splitlines()
    return Ended(ended.returncode, ended.stdout, [line for line in told if line.startswith(("error: ", "  hint: "))])


def repository(folder: Path, files: dict[str, str]) -> Path:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return folder


def test_an_error_is_exit_code_4(project: Path, tmp_path: Path) -> None:
    said = audit(project, "--root", str(repository(tmp_path / "bad", BAD)), "--only", "convex-without-key")
    assert (said.code, said.errors) == (
        4,
        [
            "error: the audit found 1 error (convex-without-key)",
            "  hint: to read more: ./inv audit --explain convex-without-key",
        ],
    )
    assert said.stdout.startswith(".github/workflows/ci.yml:7:")
    assert said.stdout.endswith("\n1 error; looked at 1 workflow, 1 job, 1 step, 1 script\n")


def test_json_is_all_that_is_on_stdout(project: Path, tmp_path: Path) -> None:
    root = repository(tmp_path / "bad", BAD)
    said = audit(project, "--root", str(root), "--format", "json", "--only", "convex-without-key")
    document = json.loads(said.stdout)
    (found,) = document["findings"]
    assert (said.code, document["root"], document["skipped"]) == (4, str(root), [])
    assert (found["rule"], found["job"], found["step"], found["line"]) == ("convex-without-key", "test", "0", 7)


def test_without_an_error_it_is_exit_code_0(project: Path, tmp_path: Path) -> None:
    said = audit(project, "--root", str(repository(tmp_path / "bad", BAD)), "--skip", "convex-without-key")
    assert (said.code, said.errors) == (0, [])
    assert said.stdout.endswith("looked at 1 workflow, 1 job, 1 step, 1 script\n")


def test_an_ignore_with_a_reason_is_heeded(project: Path, tmp_path: Path) -> None:
    workflow = ".github/workflows/ci.yml"
    text = BAD[workflow].replace("# MARK", "# lockstep: ignore[convex-without-key] the runner is logged in")
    root = repository(tmp_path / "bad", BAD | {workflow: text})
    said = audit(project, "--root", str(root), "--only", "convex-without-key")
    assert (said.code, said.stdout) == (
        0,
        "nothing found, 1 ignored; looked at 1 workflow, 1 job, 1 step, 1 script\n",
    )


def test_what_lockstep_toml_excludes_is_not_read_and_that_is_said(project: Path, tmp_path: Path) -> None:
    files = {f"fixtures/bad/{path}": text for path, text in BAD.items()} | {
        "lockstep.toml": '[audit]\nexclude = ["fixtures/"]\n',
        "package.json": "{}",
    }
    said = audit(project, "--root", str(repository(tmp_path / "good", files)))
    assert (said.code, said.stdout) == (
        0,
        "not read: fixtures: lockstep.toml excludes it\n"
        "nothing found; looked at 0 workflows, 0 jobs, 0 steps, 0 scripts\n",
    )


@pytest.mark.parametrize("root", ["empty", "absent"])
def test_nothing_to_audit_is_exit_code_2(project: Path, tmp_path: Path, root: str) -> None:
    (tmp_path / "empty").mkdir()
    said = audit(project, "--root", str(tmp_path / root))
    assert (said.code, said.stdout, said.errors) == (
        2,
        "",
        [
            f"error: nothing to audit: {tmp_path / root} has no workflow and no package.json",
            "  hint: --root takes the folder that holds .github/workflows or package.json",
        ],
    )


def test_a_format_that_there_is_not_is_refused(project: Path, tmp_path: Path) -> None:
    said = audit(project, "--root", str(repository(tmp_path / "bad", BAD)), "--format", "xml")
    assert (said.code, said.stdout, said.errors) == (
        2,
        "",
        [
            "error: the audit cannot be printed as xml",
            "  hint: --format takes one of text, json, github, sarif",
        ],
    )


def test_a_rule_that_there_is_not_is_refused(project: Path) -> None:
    said = audit(project, "--only", "convex-without-keys")
    assert (said.code, said.stdout) == (2, "")
    assert said.errors[1] == "  hint: did you mean convex-without-key?"


def test_a_choice_that_leaves_no_rule_is_refused(project: Path) -> None:
    said = audit(project, "--only", "two-deployers", "--skip", "two-deployers")
    assert (said.code, said.errors[0]) == (2, "error: --only and --skip leave no rule")


@pytest.mark.parametrize("rule", ["convex-without-key", "all"])
def test_a_rule_is_explained_in_the_words_of_the_docs(project: Path, rule: str) -> None:
    said = audit(project, "--explain", rule)
    assert (said.code, said.stdout, said.errors) == (0, manual.explain(rule) + "\n", [])
