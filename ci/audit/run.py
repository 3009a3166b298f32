"""One run of a workflow, thought through: which jobs and steps run in one scenario and one world."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ci.audit import expressions, worlds
from ci.audit.model import Job, Scenario, Step, Text, Workflow
from ci.audit.worlds import Fitting, Unknown, Value, World

MOST_STEPS_ASKED = 30  # each of which asks how the one before it ended

SUCCESS, FAILURE, SKIPPED = "success", "failure", "skipped"

_HERE: Mapping[str, Value] = {
    "github.repository": Fitting("repository"),
    "github.event.repository.full_name": Fitting("repository"),
    "github.repository_owner": Fitting("owner"),
    "github.event.repository.owner.login": Fitting("owner"),
    "github.event.repository.fork": False,
    "github.event.deleted": False,
    "github.event.workflow_run.event": "push",
    "github.event.workflow_run.head_repository.full_name": Fitting("repository"),
    "github.event.deployment_status.state": SUCCESS,
    "github.token": Fitting("token"),
    "secrets.github_token": Fitting("token"),
    "always()": True,
    "cancelled()": False,
}
_MAIN = ("main", "master", "trunk", "production")


@dataclass
class Run:
    """
    A run in which nothing fails, but one step if `failing` names it.

    Raises from every method:
        Undecided: the world does not say enough.
    """

    workflow: Workflow
    scenario: Scenario
    world: World
    failing: tuple[str, int] | None = None  # job's id, step's index
    has_secrets: bool = False  # whether secrets are taken to be set where GitHub hands them out
    conclusion: str = SUCCESS  # of the workflow that this one follows, by workflow_run
    results: dict[str, str] = field(default_factory=dict)
    asking: list[int] = field(default_factory=list)  # steps, one of which asks for the next
    steps: dict[object, bool] = field(default_factory=dict)  # which run, by job, index and what must hold

    def __post_init__(self) -> None:
        self.jobs = {job.id: job for job in self.workflow.jobs}

    def result(self, job: Job) -> str:
        """Return how a job ends: "success", "failure" or "skipped"."""
        if job.id not in self.results:
            before = sorted(self.before(job).values(), key=lambda one: len(self.before(one)))
            for one in (*before, job):  # the first ones first, so that no chain of jobs is too long to follow
                if one.id not in self.results:
                    self._settle(one)
        return self.results[job.id]

    def _settle(self, job: Job) -> None:
        self.results[job.id] = SKIPPED  # what it is in a cycle of needs, which GitHub refuses
        try:
            self.results[job.id] = self._result(job)
        except worlds.Undecided:
            del self.results[job.id]
            raise

    def runs(self, job: Job, step: Step) -> bool:
        """Return whether a step runs."""
        return self.result(job) != SKIPPED and self._step_runs(job, step)

    def before(self, job: Job) -> dict[str, Job]:
        """Return the jobs that end before a job starts, those that they need included."""
        found: dict[str, Job] = {}
        open_ids = list(job.needs)
        while open_ids:
            id = open_ids.pop()
            if id in self.jobs and id not in found:
                found[id] = self.jobs[id]
                open_ids += self.jobs[id].needs
        return found

    def _result(self, job: Job) -> str:
        before = self.before(job)
        inner = {id: other for id, other in before.items() if other.at.path == job.at.path}
        outer = {id: other for id, other in before.items() if other.at.path != job.at.path}
        own = [text for text in job.conditions if text.at.path == job.at.path]
        callers = [text for text in job.conditions if text.at.path != job.at.path]
        if not (self._holds(own, job, None, inner) and self._holds(callers, job, None, outer)):
            return SKIPPED
        if self.failing and self.failing[0] == job.id and job.continue_on_error != "true":
            step = next((step for step in job.steps if step.index == self.failing[1]), None)
            if step and step.continue_on_error != "true" and self._step_runs(job, step):
                return FAILURE
        return SUCCESS

    def _holds(self, conditions: Iterable[Text], job: Job, step: Step | None, before: dict[str, Job]) -> bool:
        texts = list(conditions)
        results = {self.result(other) for other in before.values()}
        asked = {"success()": results <= {SUCCESS}, "failure()": FAILURE in results}
        return self._all_hold(texts, asked, job, step)

    def _step_runs(self, job: Job, step: Step) -> bool:
        key = (job.id, step.index, step.conditions)
        if key not in self.steps:
            self.steps[key] = self._does_step_run(job, step)
        return self.steps[key]

    def _does_step_run(self, job: Job, step: Step) -> bool:
        failed = self._failed_before(job, step)
        if failed is None:
            return self._all_hold(step.conditions, {"success()": True, "failure()": False}, job, step)
        asked = {"success()": False, "failure()": True}
        path = step.at.path if failed.via and failed.via == step.via else job.at.path
        seeing = [text for text in step.conditions if text.at.path == path]
        return any(expressions.asks_status(text.value) for text in seeing) and self._all_hold(
            step.conditions, asked, job, step
        )

    def _failed_before(self, job: Job, step: Step) -> Step | None:
        if not self.failing or self.failing[0] != job.id or self.failing[1] >= step.index:
            return None
        failed = next((other for other in job.steps if other.index == self.failing[1]), None)
        return failed if failed and failed.continue_on_error != "true" and self._step_runs(job, failed) else None

    def _all_hold(self, texts: Iterable[Text], asked: dict[str, bool], job: Job, step: Step | None) -> bool:
        texts = list(texts)
        if step is None and not asked["success()"] and not any(expressions.asks_status(text.value) for text in texts):
            return False
        return all(self._one_holds(text, asked, job, step) for text in texts)

    def _one_holds(self, text: Text, asked: dict[str, bool], job: Job, step: Step | None) -> bool:
        def resolve(name: str) -> Value:
            return asked[name] if name in asked else self.resolve(name, job, step)

        try:
            expression = expressions.condition(text.value)
        except expressions.Malformed:
            return worlds.truth(Unknown(text.value), self.world)
        return worlds.truth(worlds.value(expression, resolve, self.world), self.world)

    # --- names ------------------------------------------------------------------------------------------------------

    def resolve(self, name: str, job: Job, step: Step | None) -> Value:
        """Return what a name stands for in a job, `name` in small letters."""
        if name in _HERE:
            return _HERE[name]
        context = name.partition(".")[0]
        if context == "secrets":
            return self._secret(name)
        if context == "env":
            return self._env(name, job, step)
        if context == "needs":
            return self._need(name, job)
        if context == "steps":
            return self._other_step(name, job, step)
        if context == "matrix":
            values = {key.lower(): values for key, values in job.matrix.items()}.get(name[len("matrix.") :], ())
            return values[0] if len(values) == 1 and "${{" not in values[0] else Unknown(f"{job.id}: {name}")
        if name.startswith(("inputs.", "github.event.inputs.")):
            is_asked = self.scenario.event == "workflow_dispatch"
            return Unknown(f"inputs.{name.rpartition('inputs.')[2]}") if is_asked else None
        return self._github(name)

    def _github(self, name: str) -> Value:
        scenario = self.scenario
        ref = scenario.ref
        of_pull_request = scenario.event.startswith("pull_request")
        head = Fitting("fork") if scenario.is_fork else Fitting("repository")
        known: dict[str, Value] = {
            "github.event_name": scenario.event,
            "github.base_ref": scenario.base or "",
            "github.head_ref": "topic" if of_pull_request else "",
            "github.event.pull_request.head.repo.fork": scenario.is_fork,
            "github.event.pull_request.head.repo.full_name": head,
            "github.event.pull_request.base.repo.full_name": Fitting("repository"),
            "github.event.pull_request.merged": scenario.is_merged,
            "github.event.pull_request.base.ref": scenario.base or "",
            "github.event.workflow_run.conclusion": self.conclusion,
            "github.event.repository.default_branch": self._default_branch(),
        }
        if name.startswith("github.event.pull_request") and not of_pull_request:
            return None
        if name in known:
            return known[name]
        if ref is None:
            return Unknown(name)
        kind, _, short = ref.removeprefix("refs/").partition("/")
        of_ref: dict[str, Value] = {
            "github.ref": ref,
            "github.ref_name": short,
            "github.ref_type": "tag" if kind == "tags" else "branch",
        }
        return of_ref.get(name, Unknown(name))

    def _default_branch(self) -> str:
        short = (self.scenario.ref or "").rpartition("refs/heads/")[2]
        return short if short in _MAIN else "main"

    def _secret(self, name: str) -> Value:
        if self.scenario.is_fork and self.scenario.event == "pull_request":
            return ""
        return Fitting(name) if self.has_secrets else Unknown(name)

    def _env(self, name: str, job: Job, step: Step | None) -> Value:
        env = {key.lower(): text for key, text in step.env.items()} if step else {}
        text = env.get(name[len("env.") :])
        if text is None:
            return Unknown(f"{job.id}: {name}")
        if "${{" not in text.value:
            return text.value
        names = expressions.names(text.value)
        if any(inner.startswith("env.") for inner in names):
            return Unknown(f"{job.id}: {name}")
        try:
            expression = expressions.condition(text.value)
            return worlds.value(expression, lambda inner: self.resolve(inner, job, step), self.world)
        except expressions.Malformed:
            return Unknown(text.value)

    def _need(self, name: str, job: Job) -> Value:
        _, id, *rest = name.split(".")
        asked = [other for other in self.before(job).values() if _is_named(other.id.lower(), id)]
        if not asked:
            return Unknown(f"{job.id}: {name}")
        results = {self.result(other) for other in asked}
        if rest == ["result"]:
            return next(result for result in (FAILURE, SUCCESS, SKIPPED) if result in results)
        return Unknown(f"{asked[0].id}: {'.'.join(rest)}") if results != {SKIPPED} else ""

    def _other_step(self, name: str, job: Job, asking: Step | None) -> Value:
        _, id, *rest = name.split(".")
        other = next((step for step in job.steps if step.id.lower() == id), None)
        if other is None or asking is None or len(self.asking) > MOST_STEPS_ASKED:
            return Unknown(f"{job.id}: {name}")
        if other.index >= asking.index:
            return ""  # it has not run yet
        self.asking.append(other.index)
        try:
            return self._of_step(name, job, other, rest=rest)
        finally:
            self.asking.pop()

    def _of_step(self, name: str, job: Job, other: Step, *, rest: list[str]) -> Value:
        ran = self._step_runs(job, other)
        if rest in (["outcome"], ["conclusion"]):
            is_failing = self.failing == (job.id, other.index) and not (
                rest == ["conclusion"] and other.continue_on_error == "true"
            )
            return (FAILURE if is_failing else SUCCESS) if ran else SKIPPED
        return Unknown(f"{job.id}: {name}") if ran else ""


def _is_named(id: str, wanted: str) -> bool:
    """Tell whether a job is the one of that name, or one of those that stand for it."""
    return wanted in id.split(" / ")
