"""A step that reaches the Convex CLI and has no key for it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from ci.audit import credentials, queries, scenarios
from ci.audit.model import Finding, Question, Reached, Repository, Scenario
from ci.audit.rule import Rule

RULE = Rule(
    id="convex-without-key",
    severity="error",
    title="A step reaches the Convex CLI without a deploy key",
    happens="""On developers' machines `~/.convex` holds a login, so nobody notices. In CI the step fails with
`No CONVEX_DEPLOYMENT set` or `401 Unauthorized: MissingAccessToken`, however far from the step the call is: behind a
script, a hook, or a turbo task that another task depends on. `convex codegen` needs a key from version 1.28 on, and
from 1.14 on where there is a `convex.config.ts`. A name in `CONVEX_DEPLOYMENT` opens nothing.""",
    fix="""Give `CONVEX_DEPLOY_KEY` to this very step: what stands in `env` of a step, others do not see. For code
generation, take the key of a development deployment, or commit `_generated` and do not generate in CI.""",
    bad="""# .github/workflows/ci.yml
steps:
  - run: bunx convex codegen""",
    good="""# .github/workflows/ci.yml
steps:
  - run: bunx convex codegen
    env:
      CONVEX_DEPLOY_KEY: ${{ secrets.CONVEX_DEV_DEPLOY_KEY }}""",
)

Status = Literal["gap", "unclear", "latent"]
_EMPTY = re.compile(
    r"""^\[+ -z "?\$\{?(\w+)[^ ]* \]+$|^! \(\[+ -n "?\$\{?(\w+)[^ ]* \]+\)$"""
)  # `[ -z "$A" ]`, and not `[ -n "$A" ]`
_WORST: tuple[Status, ...] = ("gap", "unclear", "latent")


@dataclass(frozen=True)
class _Missing:
    reached: Reached
    status: Status
    scenario: Scenario
    question: Question | None = None


def check(repository: Repository) -> Iterator[Finding]:
    """Yield one finding for each step that fails for want of a key, and one for each question that a job leaves."""
    worst: dict[tuple[object, ...], _Missing] = {}
    for reached in repository.reached:
        missing = _missing(reached, repository)
        if missing is None or reached.workflow is None or reached.job is None:
            continue
        key = (reached.workflow.path, reached.job.id, reached.step and reached.step.index)
        if key not in worst or _WORST.index(missing.status) < _WORST.index(worst[key].status):
            worst[key] = missing
    asked: dict[object, list[_Missing]] = {}
    for step, missing in worst.items():
        same = (*step[:2], missing.question, missing.reached.argv)
        asked.setdefault(same if missing.status == "unclear" else step, []).append(missing)
    yield from (_finding(first, others, repository) for first, *others in asked.values())


def _missing(reached: Reached, repository: Repository) -> _Missing | None:
    if queries.is_trusted_elsewhere(reached) and repository.backends and queries.whens(reached):
        return _Missing(reached, "unclear", queries.whens(reached)[0], reached.questions[0])
    needs = credentials.needs(reached, repository)
    if needs == "never" or reached.host or credentials.is_asked_for(reached) or credentials.is_anonymous(reached):
        return None
    if credentials.is_elsewhere(reached) or credentials.decides_itself(reached, repository):
        return None
    if reached.confidence == "low" and reached.kind == "convex":
        return None
    if any(name in reached.env.dropped and _is_given_to_step(name, reached) for name in credentials.KEYS):
        return None  # the step has it: turbo-drops-key tells who takes it away
    for scenario in queries.whens(reached):
        if scenario.is_fork:
            continue
        given = credentials.given(reached, scenario)
        if _is_for_want(reached, scenario):
            continue
        if given == "no":
            return _Missing(reached, _status(reached, repository, scenario, needs=needs), scenario)
        if given == "maybe" and needs == "now":
            return _Missing(reached, "unclear", scenario, next(iter(reached.env.questions), None))
    return None


def _status(reached: Reached, repository: Repository, scenario: Scenario, *, needs: str) -> Status:
    if needs == "later":
        return "latent"
    if reached.swallowed and (reached.kind == "convex" or _is_committed_codegen(reached, repository)):
        return "latent"  # what is committed stays, until it is not what the functions are
    assert reached.workflow
    assert reached.job
    is_sure = scenarios.runs(reached.workflow, reached.job, reached.step, scenario) == "yes"
    return "gap" if is_sure or not _is_by_setting(reached) else "unclear"


def _is_by_setting(reached: Reached) -> bool:
    """Tell whether a command runs only where somebody has set a variable of the repository."""
    return any("vars." in guard.text for guard in reached.guards)


def _is_for_want(reached: Reached, scenario: Scenario) -> bool:
    """Tell whether a command runs only where a variable is empty that the step is given."""
    empty = {name for guard in reached.guards for found in _EMPTY.findall(guard.text) for name in found if name}
    given = (reached.env.values[name] for name in empty if name in reached.env.values)
    return any(credentials.is_set(text, reached, scenario) == "yes" for text in given)


def _is_given_to_step(name: str, reached: Reached) -> bool:
    text = reached.step.env.get(name) if reached.step else None
    return text is not None and bool(text.value.strip())


def _is_committed_codegen(reached: Reached, repository: Repository) -> bool:
    backend = credentials.backend_of(reached, repository)
    return reached.kind == "codegen" and backend is not None and backend.is_generated_committed


def _finding(missing: _Missing, others: list[_Missing], repository: Repository) -> Finding:
    reached = missing.reached
    step, said = queries.step_of(reached), queries.said(reached)
    message = f"{step} reaches {said} without CONVEX_DEPLOY_KEY: {_why(missing, repository)}"
    if reached.kind == "unknown":
        message = f"does {said} reach the Convex CLI, and has it CONVEX_DEPLOY_KEY there?"
    elif missing.status == "unclear":
        asked = missing.question.text if missing.question else _asked(missing)
        labels = [f'"{other.reached.step.label}"' for other in others if other.reached.step]
        also = f", or step {', '.join(labels)}," if labels else ""
        message = f"does {step}{also} have CONVEX_DEPLOY_KEY when it reaches {said}? {asked}"
    return RULE.found(
        queries.place(reached),
        message,
        _hint(reached),
        status=missing.status,
        confidence=reached.confidence,
        reached=reached,
    )


def _asked(missing: _Missing) -> str:
    settings = [guard.text for guard in missing.reached.guards if "vars." in guard.text]
    return f"is `{settings[0]}` so here?" if settings else f"is there a key on {missing.scenario.event}?"


def _why(missing: _Missing, repository: Repository) -> str:
    reached = missing.reached
    backend = credentials.backend_of(reached, repository)
    version = f"convex {backend.convex_version}" if backend and backend.convex_version else "the Convex CLI"
    if credentials.needs(reached, repository) == "later":
        return f"{version} works without, from 1.28 on it fails"
    if reached.swallowed:
        return f"{version} fails for it, and {reached.swallowed[0].how} hides that"
    if "CONVEX_DEPLOYMENT" in reached.env.values:
        return f"{version} fails for it: CONVEX_DEPLOYMENT names a deployment, but opens none"
    return f"{version} fails for it"


def _hint(reached: Reached) -> str:
    secret = "CONVEX_DEPLOY_KEY" if reached.kind == "deploy" else "CONVEX_DEV_DEPLOY_KEY"
    step = f'step "{reached.step.label}"' if reached.step else "it"
    return f"give {step} `env: {{CONVEX_DEPLOY_KEY: ${{{{ secrets.{secret} }}}}}}`"
