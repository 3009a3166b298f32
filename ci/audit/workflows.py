"""The workflows of a repository, as GitHub would run them: local actions and reusable workflows in their place."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from ci.audit import steps, yaml
from ci.audit.files import Files
from ci.audit.model import Concurrency, Job, Text, Trigger, Workflow
from ci.audit.steps import Around, Values
from ci.audit.yaml import Node

FOLDER = ".github/workflows"
DEEPEST = 10  # GitHub's limit for reusable workflows in reusable workflows
MOST_JOBS = 100

_TRIGGERS_LISTS = ("branches", "tags", "paths", "types", "workflows")


def read(files: Files) -> tuple[Workflow, ...]:
    """Return the workflows that something in the repository starts; `files.skipped` tells of those left out."""
    roots = {path: root for path in _paths(files) if (root := _load(path, files)) is not None}
    reader = _Reader(files, roots)
    found = [reader.workflow(path, root) for path, root in roots.items()]
    for path in roots.keys() - reader.called:
        if {trigger.event for trigger in _triggers(roots[path])} == {"workflow_call"}:
            files.skip(path, "a reusable workflow that no workflow here calls")
    return tuple(workflow for workflow in found if workflow.triggers)


def _paths(files: Files) -> list[str]:
    return [
        path
        for path in files.under(FOLDER)
        if path.endswith((".yml", ".yaml")) and path.count("/") == FOLDER.count("/") + 1
    ]


def _load(path: str, files: Files) -> Node | None:
    text = files.text(path)
    if text is None:
        return None
    try:
        root = yaml.load(text, path)
    except yaml.Broken as broken:
        files.skip(path, str(broken))
        return None
    if not root.get("jobs").mapping:
        files.skip(path, "has no jobs")
        return None
    return root


def _triggers(root: Node) -> tuple[Trigger, ...]:
    on = root.get("on")
    if not on.mapping:
        return tuple(Trigger(text.value, text.at) for text in on.texts)
    return tuple(_trigger(event, node) for event, node in on.items())


def _trigger(event: Text, node: Node) -> Trigger:
    ignored = {f"{name}_ignore": node.get(f"{name}-ignore").strings for name in ("branches", "tags", "paths")}
    return Trigger(event.value, event.at, **{name: node.get(name).strings for name in _TRIGGERS_LISTS}, **ignored)


def _concurrency(node: Node, around: Around) -> Concurrency | None:
    group = around.put_in((node.get("group") if node.mapping else node).text)
    cancel = around.put_in(node.get("cancel-in-progress").text)
    return Concurrency(group.value, cancel.value if cancel else "", cancel.at if cancel else node.at) if group else None


@dataclass(frozen=True)
class _Call:
    """The job that calls a reusable workflow, seen from its jobs; without one, the workflow itself."""

    prefix: str = ""
    concurrency: tuple[Concurrency, ...] = ()
    matrix: dict[str, tuple[str, ...]] = field(default_factory=dict)
    around: Around = field(default_factory=Around)
    secrets: Values | None = None  # what is handed over; None: all of them
    paths: tuple[str, ...] = ()


class _Reader:
    def __init__(self, files: Files, roots: dict[str, Node]) -> None:
        self.files = files
        self.roots = roots
        self.called: set[str] = set()

    def workflow(self, path: str, root: Node) -> Workflow:
        jobs = self.jobs(path, root, _Call(paths=(path,)))
        return Workflow(
            path=path,
            name=root.get("name").string or path,
            triggers=tuple(trigger for trigger in _triggers(root) if trigger.event != "workflow_call"),
            jobs=tuple(jobs),
            concurrency=_concurrency(root.get("concurrency"), Around()),
        )

    def jobs(self, path: str, root: Node, call: _Call) -> list[Job]:
        found: dict[str, list[Job]] = {}
        for id, node in root.get("jobs").items():
            uses = node.get("uses").text
            called = steps.files_of(uses) if uses and uses.value.startswith("./") else ""
            if called in self.roots and called not in call.paths and len(call.paths) < DEEPEST:
                found[id.value] = self.reused(id, node, root, call)
            else:
                if called:
                    self.files.skip(path, f"line {node.at.line}: {called} is not there, or calls itself")
                found[id.value] = [self.job(id, node, root, call)]
            if sum(map(len, found.values())) > MOST_JOBS:
                self.files.skip(path, f"has more than {MOST_JOBS} jobs: the rest was not read")
                break
        return [job for id, jobs in found.items() for job in _with_needs(jobs, root.get("jobs").get(id), found)]

    def job(self, id: Text, node: Node, root: Node, call: _Call) -> Job:
        around = _around_job(node, root, call)
        environment = node.get("environment")
        own = _concurrency(node.get("concurrency"), around)
        uses = node.get("uses").text
        return Job(
            id=call.prefix + id.value,
            at=id.at,
            conditions=around.condition(node.get("if")),
            steps=steps.read(node.get("steps"), replace(around, conditions=()), self.files),
            environment=around.put_in((environment.get("name") if environment.mapping else environment).text),
            concurrency=(*call.concurrency, own) if own else call.concurrency,
            matrix={**call.matrix, **_matrix(node)},
            continue_on_error=node.get("continue-on-error").string,
            timeout_minutes=node.get("timeout-minutes").string,
            remote=uses,
            given={**node.get("with").texts_by_key(), **_secrets_given(node)} if uses else {},
        )

    def reused(self, id: Text, node: Node, root: Node, call: _Call) -> list[Job]:
        """Return the jobs of the reusable workflow that a job calls."""
        uses = node.get("uses").text
        assert uses is not None
        path = steps.files_of(uses)
        self.called.add(path)
        around = _around_job(node, root, call)
        own = _concurrency(node.get("concurrency"), around)
        called = self.roots[path]
        concurrencies = (own, _concurrency(called.get("concurrency"), around))
        inner = _Call(
            prefix=f"{call.prefix}{id.value} / ",
            concurrency=(*call.concurrency, *(one for one in concurrencies if one)),
            matrix={**call.matrix, **_matrix(node)},
            around=Around(conditions=around.condition(node.get("if")), inputs=_inputs(node, called, around)),
            secrets=_secrets(node, around, call),
            paths=(*call.paths, path),
        )
        return self.jobs(path, called, inner)


def _with_needs(jobs: list[Job], node: Node, found: dict[str, list[Job]]) -> list[Job]:
    """Return jobs with the ids of what the job they stand for needs; of a job that calls a workflow, all its jobs."""
    needed = tuple(other.id for name in node.get("needs").strings for other in found.get(name, []))
    return [replace(job, needs=(*needed, *job.needs)) for job in jobs] if needed else jobs


def _around_job(node: Node, root: Node, call: _Call) -> Around:
    inputs = dict(call.around.inputs or {})
    if call.secrets is not None and node.get("environment").is_empty:  # an environment brings secrets of its own
        inputs.update(call.secrets)
    around = replace(call.around, inputs=inputs)
    defaults = [place.get("defaults").get("run") for place in (node, root)]
    folder = next((text for one in defaults if (text := one.get("working-directory").text)), None)
    shell = next((text for one in defaults if (text := one.get("shell").text)), None)
    folder, shell = around.put_in(folder), around.put_in(shell)
    env = {
        **steps.env_of(root),
        **steps.env_of(node.get("container")),
        **steps.env_of(node),
    }
    return replace(
        around,
        env=around.put_in_all(env),
        folder=steps.folder_of(folder.value) if folder else "",
        shell=shell.value if shell else "",
    )


def _matrix(node: Node) -> dict[str, tuple[str, ...]]:
    values: dict[str, list[str]] = {}
    matrix = node.get("strategy").get("matrix")
    rows = [(key.value, value) for key, value in matrix.items() if key.value not in ("include", "exclude")]
    rows += [(key.value, value) for row in matrix.get("include").sequence for key, value in row.items()]
    for name, value in rows:
        known = values.setdefault(name, [])
        known += [string for string in value.strings if string not in known]
    return {name: tuple(strings) for name, strings in values.items()}


def _inputs(node: Node, called: Node, around: Around) -> dict[str, Text]:
    """Return what a called workflow's `inputs.x` stands for."""
    found: dict[str, Text] = {}
    for name, declared in called.get("on").get("workflow_call").get("inputs").items():
        text = around.put_in(node.get("with").get(name.value).text or declared.get("default").text)
        text = text or Text("", name.at)
        if declared.get("type").string in ("boolean", "number") and "${{" not in text.value:
            text = replace(text, value=f"${{{{ {text.value or 'false'} }}}}")  # not a string: `'false'` would hold
        found[f"inputs.{name.value.lower()}"] = text
    return found


def _secrets(node: Node, around: Around, call: _Call) -> Values | None:
    """Return what a called workflow's `secrets.x` stands for: what is not handed over is empty there."""
    handed = node.get("secrets")
    if handed.string == "inherit":
        return call.secrets
    given = around.put_in_all(handed.texts_by_key())
    return {
        "secrets.github_token": Text("${{ secrets.GITHUB_TOKEN }}", node.at),
        "secrets.*": Text("", node.at),
        **{f"secrets.{name.lower()}": text for name, text in given.items()},
    }


def _secrets_given(node: Node) -> dict[str, Text]:
    handed = node.get("secrets")
    return {"secrets": handed.text} if handed.text else handed.texts_by_key()
