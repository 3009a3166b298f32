"""The workflow is what lockstep.toml says: in which order, with which rights, and which step holds which secret."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from ci import config, errors
from ci.errors import Problems
from ci.release import secrets
from ci.workflow import render

ROOT = Path(__file__).parents[2]
APP = '[app]\nroot = "example"\n'
TARGET = """
[targets.{name}]
convex_deployment = "prod:graceful-shrimp-355"
pages_project = "{name}"
pages_branch = "{branch}"
site = "https://{name}.example.com"
"""
PRODUCTION = APP + TARGET.format(name="production", branch="main")
FLEET = (
    '[workflow]\nsessions = ["lint", "tests"]\nmax_parallel = 3\ndrift = "0 6 * * 1"\n'
    + PRODUCTION
    + TARGET.format(name="eu", branch="main")
    + TARGET.format(name="inner", branch="main")
    + 'smoke_headers = { CF-Access-Client-Id = "ACCESS_ID" }\n'
    + TARGET.format(name="staging", branch="next")
)
RELEASING = {"CONVEX_DEPLOY_KEY", "CLOUDFLARE_API_TOKEN", "CLOUDFLARE_ACCOUNT_ID"}


def written(folder: Path, settings: str, *, below: str = "") -> str:
    """Return the workflow for these settings, left in a repository of its own with what else is written."""
    (folder / "lockstep.toml").write_text(settings)
    loaded = config.load(folder / "lockstep.toml")
    for path, text in render.files(loaded, secrets.by_job(loaded), folder, folder=below).items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return (folder / render.WORKFLOW).read_text()


def parsed(text: str) -> dict[Any, Any]:
    return dict(yaml.safe_load(text))


def holders(workflow: Mapping[Any, Any]) -> dict[tuple[str, str], set[str]]:
    """Return which step of which job names which secrets; anything outside of the steps counts as the step ""."""
    found: dict[tuple[str, str], set[str]] = {}
    for job, said in workflow["jobs"].items():
        outside = {key: value for key, value in said.items() if key != "steps"}
        for step in [{"name": "", "outside": outside}, *said["steps"]]:
            if names := set(re.findall(r"secrets\.(\w+)", str(step))):
                found[job, step["name"]] = names
    return found


def expect_sound(folder: Path) -> None:
    """Hold what was written against what GitHub takes, and what is known to be risky there."""
    for command in (
        ["zizmor", "--persona=pedantic", "--offline", "--quiet", "--no-config", ".github"],
        ["check-jsonschema", "--builtin-schema=vendor.github-workflows", render.WORKFLOW],
        ["check-jsonschema", "--builtin-schema=vendor.dependabot", render.DEPENDABOT],
    ):
        argv = [str(Path(sys.prefix, "bin", command[0])), *command[1:]]
        done = subprocess.run(argv, cwd=folder, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, f"{command[0]}\n{done.stdout}{done.stderr}"


@pytest.mark.parametrize("settings", [APP, PRODUCTION, FLEET], ids=["no target", "one", "a fleet"])
def test_what_is_written_passes_the_schemas_and_an_audit_that_is_pedantic(tmp_path: Path, settings: str) -> None:
    written(tmp_path, settings)
    expect_sound(tmp_path)


def test_only_the_steps_that_need_a_secret_hold_it(tmp_path: Path) -> None:
    assert holders(parsed(written(tmp_path, PRODUCTION))) == {
        ("deploy", "Deploy, backend first"): RELEASING,
        ("drift", "Compare"): {"CONVEX_DEPLOY_KEY"},
    }


def test_without_a_target_no_job_holds_any(tmp_path: Path) -> None:
    workflow = parsed(written(tmp_path, APP))
    assert (list(workflow["jobs"]), holders(workflow)) == (["check"], {})


def test_targets_share_a_job_only_with_the_same_branch_and_the_same_secrets(tmp_path: Path) -> None:
    workflow = parsed(written(tmp_path, FLEET))
    jobs = workflow["jobs"]
    assert {name: [one["target"] for one in job["strategy"]["matrix"].get("include", [])] for name, job in jobs.items()
            if "strategy" in job} == {
        "sessions": [],
        "deploy-production-eu": ["production", "eu"],
        "deploy-inner": ["inner"],
        "deploy-staging": ["staging"],
        "drift-production-eu-staging": ["production", "eu", "staging"],
        "drift-inner": ["inner"],
    }  # fmt: skip
    held = holders(workflow)
    assert held["deploy-inner", "Deploy, backend first"] == {*RELEASING, "ACCESS_ID"}
    assert held["deploy-production-eu", "Deploy, backend first"] == RELEASING
    assert held["drift-inner", "Compare"] == {"CONVEX_DEPLOY_KEY", "ACCESS_ID"}
    pushed = workflow[True]["push"]  # "on", as YAML 1.1 reads it
    assert pushed == {"branches": ["main", "next"]}
    assert jobs["deploy-staging"]["if"] == "${{ github.event_name == 'push' && github.ref == 'refs/heads/next' }}"


def test_a_release_waits_for_the_checks_and_is_never_cancelled_by_the_next(tmp_path: Path) -> None:
    job = parsed(written(tmp_path, FLEET))["jobs"]["deploy-production-eu"]
    assert (job["needs"], job["concurrency"], job["environment"]["name"], job["timeout-minutes"]) == (
        ["check", "sessions"],
        {"group": "deploy-${{ matrix.target }}", "cancel-in-progress": False},
        "${{ matrix.target }}",
        90,
    )
    assert (job["strategy"]["max-parallel"], job["strategy"]["fail-fast"]) == (3, False)


def test_one_command_releases_both_halves(tmp_path: Path) -> None:
    jobs = parsed(written(tmp_path, PRODUCTION))["jobs"]
    assert {job: [step["run"] for step in said["steps"] if "run" in step] for job, said in jobs.items()} == {
        "check": ["./nox -s check", SUM_UP],
        "deploy": ['./nox -s deploy -- --target "$TARGET" --yes', SUM_UP],
        "drift": ['./nox -s drift -- --target "$TARGET"', SUM_UP, "ci/workflow/tell-drift"],
    }


SUM_UP = './inv runs --show last --format markdown >> "$GITHUB_STEP_SUMMARY"'


def test_each_job_may_do_what_it_must_and_nothing_more(tmp_path: Path) -> None:
    workflow = parsed(written(tmp_path, FLEET))
    reads, tells = {"contents": "read"}, {"contents": "read", "issues": "write"}
    assert workflow["permissions"] == {}
    for name, job in workflow["jobs"].items():
        assert job["permissions"] == (tells if name.startswith("drift") else reads), name
        assert job["steps"][0]["with"]["persist-credentials"] is False, name


def test_actions_are_pinned_to_commits_and_a_raised_pin_stays(tmp_path: Path) -> None:
    text = written(tmp_path, PRODUCTION)
    uses = re.findall(r"uses: (.*)", text)
    assert uses, "no action is used"
    assert [one for one in uses if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", one)] == []
    raised = re.sub(r"actions/cache@\w+ # \S+", f"actions/cache@{'1' * 40} # v9.9.9", text)
    (tmp_path / render.WORKFLOW).write_text(raised)
    assert written(tmp_path, PRODUCTION) == raised != text


def test_in_a_folder_of_the_app_it_works_from_there(tmp_path: Path) -> None:
    text = written(tmp_path, PRODUCTION.replace('"example"', '".."'), below="tools/lockstep")
    workflow = parsed(text)
    assert workflow["defaults"]["run"] == {"shell": "bash", "working-directory": "tools/lockstep"}
    locks = "'tools/lockstep/requirements*.lock', 'tools/lockstep/ci/package-lock.json', 'tools/bun.lock'"
    assert text.count(f"hashFiles({locks})") == len(workflow["jobs"])
    expect_sound(tmp_path)


def test_what_cannot_stand_in_a_workflow_is_refused_all_together(tmp_path: Path) -> None:
    bad = (
        '[workflow]\nsessions = ["a b"]\nmax_parallel = 0\ndrift = "daily"\n'
        + APP
        + TARGET.format(name="production", branch="release/**").replace("https://production", "https://${{ x }}")
        + 'smoke_headers = { X-Key = "A-B C" }\n'
        + TARGET.format(name="odd", branch="main").replace("[targets.odd]", '[targets."$(id)"]')
    )
    with pytest.raises(Problems) as caught:
        written(tmp_path, bad)
    said = errors.text(caught.value).splitlines()
    assert [line.removeprefix("error: lockstep.toml: ") for line in said if line.startswith("error: ")] == [
        "workflow.sessions has 'a b', which cannot stand in a workflow",
        "workflow.drift is 'daily', which cannot stand in a workflow",
        "workflow.max_parallel is 0",
        "targets.production.pages_branch is 'release/**', which cannot stand in a workflow",
        "targets.production.site is 'https://${{ x }}.example.com', which cannot stand in a workflow",
        "targets.production.smoke_headers names the variable 'A-B C', which cannot stand in a workflow",
        "a target is called '$(id)', which cannot stand in a workflow",
    ]
    assert all(line.startswith("  hint: ") for line in said[1::2])


def test_our_own_is_what_would_be_written(tmp_path: Path) -> None:
    loaded = config.load()
    files = render.files(loaded, secrets.by_job(loaded), ROOT)
    assert {path: path.read_text() for path in files} == files
