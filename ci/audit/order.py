"""Whether one command has surely run, and succeeded, when another one runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ci.audit import run, scenarios, worlds
from ci.audit.model import Job, Reached, Scenario, Step, Truth, Workflow
from ci.audit.worlds import Other, World

# What speaks against it, the worst first.
#   after     the first runs later
#   parallel  the second does not wait for the first
#   despite   the second runs although the first failed
#   absent    the first does not run at all
#   sometimes the first does not run in some cases in which the second does
#   idle      the second does not run
Kind = Literal["after", "parallel", "despite", "absent", "sometimes", "idle", ""]

_WORST: tuple[Kind, ...] = ("after", "parallel", "despite", "absent", "sometimes", "", "idle")


@dataclass(frozen=True)
class Order:
    """`kind` is "" if all is well; `names` are the values outside the repository that it depends on."""

    kind: Kind
    names: tuple[str, ...] = ()

    @property
    def truth(self) -> Truth:
        """Return whether the first has surely run and succeeded."""
        return "yes" if self.kind in ("", "idle") else "maybe" if self.kind == "sometimes" else "no"

    @property
    def badness(self) -> int:
        """Return a number that is greater the worse it is."""
        return len(_WORST) - _WORST.index(self.kind)


def before(firsts: Sequence[Reached], second: Reached, scenario: Scenario) -> Order:
    """Return how a command stands, in a run of its workflow, to that of some others that stands best to it."""
    here = [one for one in firsts if one.workflow == second.workflow]
    elsewhere = [_across(one, second) for one in firsts if one.workflow != second.workflow]
    best = min(elsewhere, key=lambda one: one.badness, default=Order("absent"))
    if best.kind == "" or not here:
        return best
    answers = worlds.explore(lambda world: _best_in_world(here, second, scenario, world))
    if answers is None:
        return Order("sometimes", ("what its conditions ask",))
    answers = [(world, kind) for world, kind in answers if kind != "absent" or not _is_far_fetched(world)]
    kinds = {kind for _, kind in answers} - {"idle"}
    if not kinds:
        return Order("idle")
    if kinds == {"absent"}:
        return best
    worst = min(kinds - {"absent"}, key=_WORST.index)
    if worst != "":
        return Order(worst)
    absent = [world for world, kind in answers if kind == "absent"]
    return Order("sometimes", _depends_on(absent)) if absent else Order("")


def _best_in_world(firsts: Sequence[Reached], second: Reached, scenario: Scenario, world: World) -> Kind:
    kinds = [_in_world(one, second, scenario, world) for one in firsts]
    there = [kind for kind in kinds if kind != "absent"]
    return max(there, key=_WORST.index, default="absent")


def _in_world(first: Reached, second: Reached, scenario: Scenario, world: World) -> Kind:
    workflow, job, step = _whole(second)
    _, first_job, first_step = _whole(first)
    started = run.Run(workflow, scenario, world, has_secrets=True)
    if not started.runs(job, step):
        return "idle"
    if not started.runs(first_job, first_step):
        return "absent"
    if kind := _placed(first, second, started):
        return kind
    if any(not swallow.how.startswith("`continue-on-error`") for swallow in first.swallowed):
        return "despite"
    failed = run.Run(workflow, scenario, world, failing=(first_job.id, first_step.index), has_secrets=True)
    is_same_step = (job.id, step.index) == (first_job.id, first_step.index)
    return "despite" if not is_same_step and failed.runs(job, step) else ""


def _placed(first: Reached, second: Reached, started: run.Run) -> Kind:
    _, job, _ = _whole(second)
    _, first_job, _ = _whole(first)
    if job.id == first_job.id:
        return within(first, second)
    if first_job.id in started.before(job):
        return ""
    return "after" if job.id in started.before(first_job) else "parallel"


def within(first: Reached, second: Reached) -> Kind:
    """Return how two commands of one job stand to each other."""
    depth = next((n for n, (a, b) in enumerate(zip(first.order, second.order, strict=False)) if a != b), None)
    if depth is None:  # one runs inside the other, which pushes when that is done
        return "after" if len(first.order) < len(second.order) else ""
    place = second.order[:depth]
    if place in second.together:
        return "" if first.order[depth] in second.together[place] else "parallel"
    return "" if first.order < second.order else "after"


def _across(first: Reached, second: Reached) -> Order:
    """Return how commands of two workflows stand to each other, when one follows the other by `workflow_run`."""
    if first.workflow is None or second.workflow is None:
        return Order("parallel")
    if follows(first.workflow, second.workflow):
        return Order("after")
    if not follows(second.workflow, first.workflow):
        return Order("parallel")
    workflow, job, step = _whole(second)

    def runs_despite(world: World) -> bool:
        scenario = next(one for one in scenarios.of(workflow) if one.event == "workflow_run")
        return run.Run(workflow, scenario, world, has_secrets=True, conclusion="failure").runs(job, step)

    return Order("despite") if first.swallowed or worlds.in_all(runs_despite) != "no" else Order("")


def follows(second: Workflow, first: Workflow) -> bool:
    """Tell whether one workflow is started when another one is done."""
    return any(
        trigger.event == "workflow_run" and {first.name, first.path} & set(trigger.workflows)
        for trigger in second.triggers
    )


def _whole(reached: Reached) -> tuple[Workflow, Job, Step]:
    assert reached.workflow
    assert reached.job
    step = reached.step or Step(index=0, label="0", at=reached.job.at)  # of a job that is one workflow elsewhere
    return reached.workflow, reached.job, step


def _is_far_fetched(world: World) -> bool:
    """Tell whether a setting has none of the values that the workflow tells apart."""
    return any(
        name.startswith(("vars.", "inputs.")) and isinstance(value, Other) and len({*value.than} - {""}) > 1
        for name, value in world.items()
    )


def _depends_on(found: list[World]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name.rpartition(": ")[2] for world in found for name in world))
