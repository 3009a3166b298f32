"""Workflows as GitHub runs them: env levels, local actions and reusable workflows put in their place."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

from ci.audit import workflows
from ci.audit.files import Files
from ci.audit.model import Skipped, Workflow


def read(root: Path, **texts: str) -> tuple[tuple[Workflow, ...], list[Skipped]]:
    """Write workflows (`name=text`) and actions (`name_action=text`) and read them."""
    for name, text in texts.items():
        folder = f".github/actions/{name.removesuffix('_action')}" if name.endswith("_action") else ".github/workflows"
        path = root / folder / ("action.yml" if name.endswith("_action") else f"{name}.yml")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text))
    files = Files(root)
    return workflows.read(files), files.skipped


def test_a_step_sees_the_env_of_workflow_job_and_step_the_innermost_winning(tmp_path: Path) -> None:
    (workflow,), skipped = read(
        tmp_path,
        ci="""
        on: push
        env: {A: workflow, B: workflow, C: workflow}
        defaults: {run: {working-directory: apps/web}}
        jobs:
          test:
            env: {B: job, C: job}
            steps:
              - run: one
              - name: two
                env: {C: step}
                working-directory: ./apps/api/
                run: |
                  first
                  second
        """,
    )
    one, two = workflow.jobs[0].steps
    assert {name: text.value for name, text in one.env.items()} == {"A": "workflow", "B": "job", "C": "job"}
    assert {name: text.value for name, text in two.env.items()} == {"A": "workflow", "B": "job", "C": "step"}
    assert (one.label, one.folder, two.label, two.folder) == ("0", "apps/web", "two", "apps/api")
    assert two.run is not None
    assert (two.run.value, two.run.at.line, two.run.at.column) == ("first\nsecond\n", 14, 11)
    assert skipped == []


def test_triggers_are_read_in_all_three_shapes(tmp_path: Path) -> None:
    found, _ = read(
        tmp_path,
        a="on: push\njobs: {j: {steps: []}}",
        b="on: [push, pull_request]\njobs: {j: {steps: []}}",
        c="on:\n  push: {branches: [main], paths-ignore: ['docs/**']}\n  workflow_dispatch:\njobs: {j: {steps: []}}",
    )
    assert [[trigger.event for trigger in workflow.triggers] for workflow in found] == [
        ["push"],
        ["push", "pull_request"],
        ["push", "workflow_dispatch"],
    ]
    assert (found[2].triggers[0].branches, found[2].triggers[0].paths_ignore) == (("main",), ("docs/**",))


def test_a_local_action_stands_where_it_is_used_with_its_inputs(tmp_path: Path) -> None:
    (workflow,), skipped = read(
        tmp_path,
        ci="""
        on: push
        defaults: {run: {working-directory: apps/web, shell: sh}}
        jobs:
          ship:
            env: {KEY: a}
            steps:
              - run: before
              - uses: ./.github/actions/ship
                if: github.ref == 'refs/heads/main'
                with: {key: "${{ secrets.CONVEX_DEPLOY_KEY }}", Project: web}
              - run: after
        """,
        ship_action="""
        inputs:
          key: {required: true}
          project: {default: none}
          folder: {default: packages/backend}
        runs:
          using: composite
          steps:
            - name: Deploy ${{ inputs.project }}
              if: inputs.key != ''
              shell: bash
              working-directory: ${{ inputs.folder }}
              env: {CONVEX_DEPLOY_KEY: "${{ inputs.key }}"}
              run: npx convex deploy ${{ github.action_path }}/x
        """,
    )
    before, inside, after = workflow.jobs[0].steps
    assert (before.folder, inside.folder, inside.shell, after.folder) == (
        "apps/web",
        "packages/backend",
        "bash",
        "apps/web",
    )
    assert {name: text.value for name, text in inside.env.items()} == {
        "KEY": "a",
        "CONVEX_DEPLOY_KEY": "${{ secrets.CONVEX_DEPLOY_KEY }}",
    }
    assert [text.value for text in inside.conditions] == [
        "github.ref == 'refs/heads/main'",
        "(secrets.CONVEX_DEPLOY_KEY != '')",
    ]
    assert (inside.label, [text.value for text in inside.via]) == ("Deploy web", ["./.github/actions/ship"])
    assert inside.run is not None
    assert inside.run.value == "npx convex deploy ${{ github.workspace }}/.github/actions/ship/x"
    assert [step.index for step in workflow.jobs[0].steps] == [0, 1, 2]
    assert skipped == []


def test_an_action_that_uses_itself_is_said_and_left(tmp_path: Path) -> None:
    action = "runs: {using: composite, steps: [{run: a, shell: bash}, {uses: ./.github/actions/again}]}"
    ci = "on: push\njobs: {j: {steps: [{uses: ./.github/actions/again}]}}"
    (workflow,), skipped = read(tmp_path, ci=ci, again_action=action)
    assert [step.run.value for step in workflow.jobs[0].steps if step.run] == ["a"]
    assert [one.why for one in skipped] == ["line 1: an action that stands in itself, or too deep in others"]


CALLER = """
on: push
env: {ONLY_HERE: a}
jobs:
  build: {steps: [{run: build}]}
  ship:
    needs: build
    if: github.ref == 'refs/heads/main'
    uses: ./.github/workflows/deploy.yml
    with: {target: production}
    SECRETS
  after: {needs: [ship], steps: [{run: after}]}
"""

CALLED = """
on:
  workflow_call:
    inputs:
      target: {type: string}
      dry: {type: boolean, default: false}
env: {OF_CALLED: b}
jobs:
  backend:
    if: ${{ !inputs.dry && inputs.target == 'production' }}
    steps:
      - run: npx convex deploy
        env: {KEY: "${{ secrets.CONVEX_DEPLOY_KEY }}", TARGET: "to ${{ inputs.target }}"}
  frontend: {needs: backend, steps: [{run: publish}]}
"""


def call(root: Path, secrets: str) -> Workflow:
    (workflow,), _ = read(root, ci=CALLER.replace("SECRETS", secrets), deploy=CALLED)
    return workflow


def test_the_jobs_of_a_reusable_workflow_stand_for_the_job_that_calls_it(tmp_path: Path) -> None:
    workflow = call(tmp_path, "secrets: inherit")
    assert {job.id: job.needs for job in workflow.jobs} == {
        "build": (),
        "ship / backend": ("build",),
        "ship / frontend": ("build", "ship / backend"),
        "after": ("ship / backend", "ship / frontend"),
    }
    backend = workflow.job("ship / backend")
    assert [text.value for text in backend.conditions] == [
        "github.ref == 'refs/heads/main'",
        "(!false && ('production' == 'production'))",
    ]
    assert {name: text.value for name, text in backend.steps[0].env.items()} == {
        "OF_CALLED": "b",
        "KEY": "${{ secrets.CONVEX_DEPLOY_KEY }}",
        "TARGET": "to production",
    }


def test_a_secret_that_is_not_handed_over_is_empty(tmp_path: Path) -> None:
    assert call(tmp_path, "").job("ship / backend").steps[0].env["KEY"].value == ""


def test_a_secret_that_is_handed_over_under_another_name_is_that_one(tmp_path: Path) -> None:
    workflow = call(tmp_path, 'secrets: {CONVEX_DEPLOY_KEY: "${{ secrets.PROD_KEY }}"}')
    assert workflow.job("ship / backend").steps[0].env["KEY"].value == "${{ secrets.PROD_KEY }}"


def test_a_workflow_that_calls_itself_or_is_called_by_nobody_is_said(tmp_path: Path) -> None:
    again = "on: [push, workflow_call]\njobs: {j: {uses: ./.github/workflows/again.yml}}"
    alone = "on: workflow_call\njobs: {j: {steps: [{run: a}]}}"
    (workflow,), skipped = read(tmp_path, again=again, alone=alone)
    assert [job.id for job in workflow.jobs] == ["j"]
    assert [(one.path, one.why) for one in skipped] == [
        (".github/workflows/again.yml", "line 2: .github/workflows/again.yml is not there, or calls itself"),
        (".github/workflows/alone.yml", "a reusable workflow that no workflow here calls"),
    ]


def test_a_broken_workflow_is_said_and_the_others_are_read(tmp_path: Path) -> None:
    (workflow,), skipped = read(tmp_path, bad="jobs: [", list="- a", good="on: push\njobs: {j: {steps: [{run: a}]}}")
    assert workflow.path == ".github/workflows/good.yml"
    assert [one.path for one in skipped] == [".github/workflows/bad.yml", ".github/workflows/list.yml"]
