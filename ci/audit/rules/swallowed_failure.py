"""A check or a deploy whose failure stops nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from ci.audit import expressions, queries, run, worlds
from ci.audit.model import Finding, Reached, Repository, Scenario, Step, Text, Truth
from ci.audit.rule import Rule
from ci.audit.worlds import World

RULE = Rule(
    id="swallowed-failure",
    severity="warning",
    title="The failure of a check, or of a deploy, stops nothing",
    happens="""`|| true`, `|| echo`, `continue-on-error`, a pipe without `pipefail`, and `if: always()` on what comes
behind turn a failure into a green run. A check that cannot fail is no check, and after a deploy that failed the
frontend goes live all the same.""",
    fix="""Let it fail. What may fail for a known reason, ask for that reason.""",
    bad="""# .github/workflows/ci.yml
steps:
  - run: bun run typecheck || true
  - run: bunx convex deploy --yes""",
    good="""# .github/workflows/ci.yml
steps:
  - run: bun run typecheck
  - run: bunx convex deploy --yes""",
)

_REPORTS = re.compile(
    r"report[ -]only|best[ -]effort|(?:non|not)[ -]blocking|informational|advisory|\boptional|warn[ -]only|::warning::",
    re.IGNORECASE,
)
_OTHERS = ("go", "cargo")  # build what is not the app
_KINDS = ("gate", "codegen", "deploy", "publish")


def check(repository: Repository) -> Iterator[Finding]:
    """Yield one finding for each step in which something hides failures, and for each deploy that overrules them."""
    told: set[object] = set()
    shipping = {one.workflow.path for one in queries.ships(repository) if one.workflow}
    for one in repository.reached:
        if not one.swallowed or one.confidence == "low" or _is_asked_later(one):
            continue
        if one.argv[1:2] == ("dev",) or one.tool in _OTHERS or _only_prepares(one):
            continue
        path = one.workflow.path if one.workflow else ""
        if one.kind not in _KINDS and not ((one.host or path in shipping) and _is_of_a_deploy(one)):
            continue
        swallow = one.swallowed[0]
        step = (path, one.job and one.job.id, one.step and one.step.index) if path else swallow.at
        if not {swallow.at, step} & told:
            told |= {swallow.at, step}
            found = RULE.found(
                swallow.at,
                f"{queries.step_of(one)} goes on when {queries.said(one)} fails: {swallow.how}",
                f"let {queries.said(one)} fail: take {swallow.how} away",
                reached=one,
            )
            yield replace(found, severity="note") if _is_declared(one) else found
    yield from _overruling(repository)


def _is_declared(one: Reached) -> bool:
    """Tell whether a step says of itself that it only reports."""
    said = f"{one.step.label}\n{one.step.run.value if one.step.run else ''}" if one.step else ""
    return one.kind == "gate" and bool(_REPORTS.search(said))


def _only_prepares(one: Reached) -> bool:
    """Tell whether a command is there for developers' machines: what frameworks write into `prepare`."""
    return one.tool == "svelte-kit" or any('script "prepare"' in link.text for link in one.chain)


def _is_of_a_deploy(one: Reached) -> bool:
    """Tell whether a command changes the deployment, or looks at the live app, but for what waits until it answers."""
    if one.swallowed[0].how.startswith(("`| ", "inside `$( )`")):
        return False  # what reads it judges it
    if one.kind == "convex":
        return True
    is_waiting = any(word.startswith(("-w", "--write-out", "-o", "--retry")) for word in one.argv)
    return one.kind == "verify" and not is_waiting


def _is_asked_later(one: Reached) -> bool:
    """Tell whether another step asks how the step of a command ended."""
    if one.step is None or one.job is None or not one.step.id:
        return False
    hows = ("outcome", "conclusion", *(("outputs",) if "||" in one.swallowed[0].how else ()))
    asked = tuple(f"steps.{one.step.id}.{how}" for how in hows)
    return any(name in text for step in one.job.steps for text in _texts(step) for name in asked)


def _texts(step: Step) -> Iterator[str]:
    yield from (text.value for text in (*step.conditions, *step.env.values(), *step.given.values()))
    if step.run:
        yield step.run.value


def _overruling(repository: Repository) -> Iterator[Finding]:
    """Yield what ships although a check before it failed, by an `if` of its own."""
    told: set[object] = set()
    gates = [one for one in repository.reached if one.kind == "gate" and one.step and not one.swallowed]
    for one in queries.ships(repository):
        condition = _overrules(one)
        if condition is None or condition.at in told:
            continue
        gate = next((gate for gate in gates if gate.workflow == one.workflow and _goes_on(gate, one)), None)
        if gate:
            told.add(condition.at)
            yield RULE.found(
                condition.at,
                f"{queries.step_of(one)} runs {queries.said(one)} even when {queries.said(gate)} has failed"
                f" ({queries.step_of(gate)}), by `if: {condition.value}`",
                "ask for success: `if: success() && ...`, or for the results of the jobs that it needs",
                confidence=one.confidence,
                reached=one,
            )


def _overrules(one: Reached) -> Text | None:
    conditions = (*(one.step.conditions if one.step else ()), *(one.job.conditions if one.job else ()))
    return next((text for text in conditions if expressions.asks_status(text.value)), None)


def _goes_on(gate: Reached, one: Reached) -> bool:
    """Tell whether a command surely runs in some case in which a check before it failed."""
    if not (gate.workflow and gate.job and gate.step and one.job and one.step):
        return False
    if gate.job.id == one.job.id and gate.step.index >= one.step.index:
        return False
    return any(_goes_on_in(gate, one, scenario) == "yes" for scenario in queries.releases(one))


def _goes_on_in(gate: Reached, one: Reached, scenario: Scenario) -> Truth:
    assert gate.workflow
    assert gate.job
    assert gate.step
    assert one.job
    assert one.step
    workflow, failing, job, step = gate.workflow, gate.job, one.job, one.step
    where = (failing.id, gate.step.index)

    def goes_on(world: World) -> bool:
        started = run.Run(workflow, scenario, world, failing=where, has_secrets=True)
        is_before = failing.id == job.id or failing.id in started.before(job)
        return is_before and started.result(failing) == run.FAILURE and started.runs(job, step)

    return worlds.in_all(goes_on)
