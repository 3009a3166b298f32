"""How workflows are started, and what of them runs then."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from ci.audit import run, scenarios, workflows
from ci.audit.files import Files
from ci.audit.model import Scenario, Truth, Workflow

PUSH = Scenario("push", "refs/heads/main")


def read(root: Path, text: str, **others: str) -> Workflow:
    folder = root / ".github/workflows"
    folder.mkdir(parents=True)
    for name, one in {"ci": text, **others}.items():
        (folder / f"{name}.yml").write_text(dedent(one))
    return next(one for one in workflows.read(Files(root)) if one.path.endswith("ci.yml"))


JOBS = "\njobs: {a: {if: IF, steps: [{run: x}]}}"


@pytest.mark.parametrize(
    ("on", "started"),
    [
        ("push: {branches: [main, 'release/**']}", ["push refs/heads/main", "push refs/heads/release/1"]),
        ("push: {branches: [main], tags: ['v*']}", ["push refs/heads/main", "push refs/tags/v1"]),
        ("push: {tags: ['v*']}", ["push refs/tags/v1"]),
        ("push:", ["push refs/heads/main", "push refs/heads/staging", "push refs/heads/topic"]),
        ("push: {branches: ['**', '!main']}", ["push refs/heads/1", "push refs/heads/staging"]),
        ("push: {branches-ignore: [main]}", ["push refs/heads/staging", "push refs/heads/topic"]),
        ("pull_request:", ["pull_request refs/pull/1/merge", "pull_request refs/pull/1/merge fork"]),
        ("release: {types: [published]}", ["release refs/tags/v1"]),
        ("schedule: [{cron: '0 0 * * *'}]", ["schedule refs/heads/main"]),
        ("workflow_dispatch:", ["workflow_dispatch refs/heads/main", "workflow_dispatch refs/heads/staging"]),
    ],
)
def test_a_workflow_is_started_in_the_ways_that_make_a_difference(tmp_path: Path, on: str, started: list[str]) -> None:
    workflow = read(tmp_path, f"on:\n  {on}" + JOBS.replace("IF", "github.ref == 'refs/heads/staging'"))
    found = [f"{one.event} {one.ref}{' fork' if one.is_fork else ''}" for one in scenarios.of(workflow)]
    assert found == started


def test_a_pull_request_that_was_merged_is_no_strangers_code(tmp_path: Path) -> None:
    workflow = read(
        tmp_path,
        "on: {pull_request: {types: [closed]}}" + JOBS.replace("IF", "github.event.pull_request.merged == true"),
    )
    (job,) = workflow.jobs
    found = {one.is_merged: scenarios.runs(workflow, job, None, one) for one in scenarios.of(workflow)}
    assert found == {True: "yes", False: "no"}
    assert [one.is_pull_request for one in scenarios.of(workflow)] == [False, True, True]


CHAIN = """
on: push
jobs:
  skipped: {if: false, steps: [{run: a}]}
  needs-it: {needs: skipped, steps: [{run: b}]}
  always: {needs: skipped, if: always(), steps: [{run: c}]}
  after-always: {needs: always, steps: [{run: d}]}
  not-failed: {needs: [skipped, always], if: "!failure() && !cancelled()", steps: [{run: e}]}
  by-result: {needs: skipped, if: "!cancelled() && needs.skipped.result == 'skipped'", steps: [{run: f}]}
  by-output: {needs: always, if: "!cancelled() && needs.always.outputs.x == 'true'", steps: [{run: g}]}
  loop-a: {needs: loop-b, steps: [{run: h}]}
  loop-b: {needs: loop-a, steps: [{run: i}]}
"""


@pytest.mark.parametrize(
    ("job", "truth"),
    [
        ("skipped", "no"),
        ("needs-it", "no"),
        ("always", "yes"),
        ("after-always", "no"),  # a skipped job counts for all that come after it
        ("not-failed", "yes"),
        ("by-result", "yes"),
        ("by-output", "maybe"),
        ("loop-a", "no"),
    ],
)
def test_a_job_runs_by_what_it_needs(tmp_path: Path, job: str, truth: Truth) -> None:
    workflow = read(tmp_path, CHAIN)
    assert scenarios.runs(workflow, workflow.job(job), None, PUSH) == truth


STEPS = """
on: [push, pull_request]
jobs:
  j:
    env: {LEVEL: "${{ github.ref == 'refs/heads/main' && 'prod' || 'dev' }}"}
    steps:
      - {id: first, run: a}
      - {if: failure(), run: b}
      - {if: "env.LEVEL == 'prod'", run: c}
      - {if: "env.KEY != ''", env: {KEY: "${{ secrets.KEY }}"}, run: d}
      - {if: steps.first.outcome == 'success', run: e}
      - {if: steps.first.outputs.changed == 'true', run: f}
      - {if: "github.event.pull_request.head.repo.full_name == github.repository", run: g}
"""


@pytest.mark.parametrize(
    ("scenario", "truths"),
    [
        (PUSH, ["yes", "no", "yes", "maybe", "yes", "maybe", "no"]),
        (Scenario("pull_request", "refs/pull/1/merge"), ["yes", "no", "no", "maybe", "yes", "maybe", "yes"]),
        (Scenario("pull_request", "refs/pull/1/merge", is_fork=True), ["yes", "no", "no", "no", "yes", "maybe", "no"]),
    ],
)
def test_a_step_runs_by_its_if(tmp_path: Path, scenario: Scenario, truths: list[Truth]) -> None:
    workflow = read(tmp_path, STEPS)
    (job,) = workflow.jobs
    assert [scenarios.runs(workflow, job, step, scenario) for step in job.steps] == truths


FAILING = """
on: push
jobs:
  deploy: {steps: [{run: deploy}, {run: after}, {if: always(), run: always}, {if: failure(), run: tell}]}
  plain: {needs: deploy, steps: [{run: a}]}
  always: {needs: deploy, if: always(), steps: [{run: b}]}
  unless: {needs: deploy, if: "always() && needs.deploy.result != 'failure'", steps: [{run: c}]}
  lenient: {needs: deploy, if: "!cancelled()", steps: [{run: d}]}
  aside: {steps: [{run: e}]}
"""


def test_a_failed_step_stops_what_does_not_say_otherwise(tmp_path: Path) -> None:
    workflow = read(tmp_path, FAILING)
    started = run.Run(workflow, PUSH, {}, failing=("deploy", 0))
    assert {job.id: started.result(job) for job in workflow.jobs} == {
        "deploy": "failure",
        "plain": "skipped",
        "always": "success",
        "unless": "skipped",
        "lenient": "success",
        "aside": "success",
    }
    deploy = workflow.job("deploy")
    assert [started.runs(deploy, step) for step in deploy.steps] == [True, False, True, True]


@pytest.mark.parametrize(("condition", "result"), [("", "skipped"), ("if: always()", "success")])
def test_the_if_of_a_job_that_calls_a_workflow_holds_for_its_jobs(tmp_path: Path, condition: str, result: str) -> None:
    called = "on: workflow_call\njobs: {x: {steps: [{run: x}]}, y: {needs: x, steps: [{run: y}]}}"
    text = "on: push\njobs:\n  no: {if: false}\n  call:\n    needs: no\n    uses: ./.github/workflows/called.yml\n    "
    workflow = read(tmp_path, text + condition, called=called)
    started = run.Run(workflow, PUSH, {})
    assert [started.result(workflow.job(f"call / {name}")) for name in "xy"] == [result, result]


def test_long_chains_are_followed_and_circles_end(tmp_path: Path) -> None:
    jobs = ["  j0: {steps: [{run: a}]}"]
    jobs += [f"  j{n}: {{needs: [j{n - 1}, j{n // 2}], steps: [{{run: a}}]}}" for n in range(1, 90)]
    steps = [f"{{id: s{n}, if: steps.s{n - 1}.outcome == steps.s{n - 1}.conclusion, run: a}}" for n in range(300)]
    circle = "{id: a, if: steps.b.outcome == '', run: a}, {id: b, if: steps.a.outcome == 'success', run: b}"
    wide = " && ".join(["true"] * 190)
    more = [
        "  long: {steps: [" + ", ".join(steps) + "]}",
        f"  circle: {{steps: [{circle}]}}",
        f"  wide: {{if: {wide}}}",
    ]
    workflow = read(tmp_path, "on: push\njobs:\n" + "\n".join(reversed([*jobs, *more])))
    found = {
        id: scenarios.runs(workflow, workflow.job(id), step, PUSH)
        for id, step in {
            "j89": None,
            "long": workflow.job("long").steps[-1],
            "circle": workflow.job("circle").steps[1],
            "wide": None,
        }.items()
    }
    assert found == {"j89": "yes", "long": "yes", "circle": "yes", "wide": "yes"}
