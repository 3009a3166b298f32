"""Whether one command has surely run when another one does: what cases with files do not show."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ci.audit import order
from ci.audit.model import Env, Job, Link, Place, Reached, Scenario, Step, Swallow, Text, Trigger, Workflow
from ci.audit.order import Kind, Order

AT = Place("w.yml")
PUSH = Scenario("push", "refs/heads/main")


def reached(*place: int, together: dict[tuple[int, ...], frozenset[int]] | None = None) -> Reached:
    """Return a command at a place of the order in a job."""
    return Reached("deploy", "convex", (), "", (Link("", AT),), Env(), order=place, together=together or {})


@pytest.mark.parametrize(
    ("first", "second", "kind"),
    [
        (reached(1, 0), reached(2, 0), ""),
        (reached(1, 3), reached(1, 2), "after"),
        (reached(1, 0, 5), reached(1, 1), ""),
        (reached(1, 0), reached(1, 0, 0), "after"),  # by `convex deploy --cmd`: the push comes last
        (reached(1, 0, 0), reached(1, 0, 1, together={(1, 0): frozenset()}), "parallel"),
        (reached(1, 0, 0), reached(1, 0, 1, together={(1, 0): frozenset({0})}), ""),
        (reached(0, 9), reached(1, 0, 1, together={(1, 0): frozenset()}), ""),
    ],
)
def test_within_a_job_the_order_is_that_of_the_commands(first: Reached, second: Reached, kind: Kind) -> None:
    assert order.within(first, second) == kind


def workflow(condition: str) -> tuple[Workflow, Reached, Reached]:
    """Return a workflow with a deploy, and a publish behind it in another job with an `if`, and both commands."""
    steps = (Step(0, "0", AT),)
    deploy = Job("deploy", AT, steps=steps, conditions=(Text("inputs.what != 'site'", AT),))
    publish = Job("publish", AT, needs=("deploy",), steps=steps, conditions=(Text(condition, AT),) if condition else ())
    whole = Workflow("w.yml", "w", (Trigger("push", AT),), (deploy, publish))
    first, second = (
        Reached("deploy", "convex", (), "", (Link("", AT),), Env(), workflow=whole, job=job, step=steps[0])
        for job in (deploy, publish)
    )
    return whole, first, second


@pytest.mark.parametrize(
    ("event", "condition", "expected"),
    [
        ("push", "", Order("")),
        ("push", "always()", Order("despite")),
        ("push", "failure()", Order("idle")),
        ("push", "always() && needs.deploy.result == 'success'", Order("")),
        ("workflow_dispatch", "", Order("")),
        ("workflow_dispatch", "!failure()", Order("sometimes", ("inputs.what",))),
        ("workflow_dispatch", "!failure() && inputs.what != 'site'", Order("")),
    ],
)
def test_between_jobs_what_one_asks_is_held_against_what_the_other_asks(
    event: str, condition: str, expected: Order
) -> None:
    _, first, second = workflow(condition)
    assert order.before([first], second, Scenario(event, "refs/heads/main")) == expected


def test_the_deploy_that_stands_best_counts() -> None:
    _, first, second = workflow("")
    swallowed = replace(first, swallowed=(Swallow("`|| true`", AT),))
    elsewhere = reached(0)
    assert order.before([elsewhere], second, PUSH) == Order("parallel")
    assert order.before([elsewhere, swallowed], second, PUSH) == Order("despite")
    assert order.before([elsewhere, swallowed, first], second, PUSH) == Order("")
