"""The steps of a job, local composite actions put in their place."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from ci.audit import substitution, yaml
from ci.audit.files import Files
from ci.audit.model import Step, Text
from ci.audit.yaml import Node

DEEPEST = 10  # of actions in actions: GitHub's own limit
MOST = 1_000  # steps in a job

Values = Mapping[str, Text]

_ROOT = "${{ github.workspace }}"
_MATRIX = re.compile(r"\$\{\{\s*matrix\.[\w-]+\s*\}\}")


@dataclass(frozen=True)
class Around:
    """What a list of steps inherits from what it stands in."""

    env: Values = field(default_factory=dict)
    folder: str | None = ""
    shell: str = ""
    conditions: tuple[Text, ...] = ()
    continue_on_error: str = ""
    via: tuple[Text, ...] = ()
    inputs: Values | None = None  # of an action or a reusable workflow: context path -> text; None: nothing to put in

    def put_in(self, text: Text | None) -> Text | None:
        """Return a text with the inputs of the action or reusable workflow in their place."""
        if text is None or not self.inputs:
            return text
        given = {name: value.value for name, value in self.inputs.items()}
        return replace(text, value=substitution.fill(text.value, given))

    def put_in_all(self, texts: Values) -> dict[str, Text]:
        """Return texts by name, with the inputs in their place."""
        return {name: self.put_in(text) or text for name, text in texts.items()}

    def condition(self, node: Node) -> tuple[Text, ...]:
        """Return what must hold here, and what must hold besides by an `if`."""
        text = node.text
        if text and self.inputs:
            given = {name: value.value for name, value in self.inputs.items()}
            text = replace(text, value=substitution.fill_condition(text.value, given))
        return (*self.conditions, text) if text else self.conditions


def read(nodes: Node, around: Around, files: Files) -> tuple[Step, ...]:
    """Return the steps of a job."""
    found: list[Step] = []
    for step in _read(nodes, around, files):
        if len(found) == MOST:
            files.skip(nodes.at.path, f"line {nodes.at.line}: a job of more than {MOST} steps: the rest was not read")
            break
        found.append(replace(step, index=len(found), label=step.label or str(len(found))))
    return tuple(found)


def _read(nodes: Node, around: Around, files: Files) -> Iterator[Step]:
    for node in nodes.sequence:
        step = _step(node, around)
        action = _local_action(step.uses, files)
        if step.uses is None or action is None:
            yield step
        elif len(around.via) == DEEPEST or files_of(step.uses) in map(files_of, around.via):
            files.skip(node.at.path, f"line {node.at.line}: an action that stands in itself, or too deep in others")
        else:
            yield from _read(action.get("runs").get("steps"), _inside(step, action, around), files)


def _step(node: Node, around: Around) -> Step:
    name, uses = around.put_in(node.get("name").text), around.put_in(node.get("uses").text)
    shell = around.put_in(node.get("shell").text)
    own_folder = around.put_in(node.get("working-directory").text)
    return Step(
        index=0,
        label=name.value if name else "",
        at=node.at,
        id=node.get("id").string,
        run=around.put_in(node.get("run").text),
        uses=uses,
        given=around.put_in_all(node.get("with").texts_by_key()),
        env={**around.env, **_own_env(node, around)},
        folder=folder_of(own_folder.value) if own_folder else around.folder,
        shell=shell.value if shell else around.shell,
        conditions=around.condition(node.get("if")),
        continue_on_error=around.continue_on_error or node.get("continue-on-error").string,
        via=around.via,
    )


def _own_env(node: Node, around: Around) -> dict[str, Text]:
    """Return a step's own variables, those of workflow and job put in where it names them."""
    outer = {f"env.{name.lower()}": text.value for name, text in around.env.items()}
    own = around.put_in_all(env_of(node))
    return {name: replace(text, value=substitution.fill(text.value, outer)) for name, text in own.items()}


def env_of(node: Node) -> dict[str, Text]:
    """Return the variables that a workflow, a job or a step sets; "*" are those that an expression in `env` sets."""
    env = node.get("env")
    return {"*": env.text} if env.text else env.texts_by_key()


def _inside(step: Step, action: Node, around: Around) -> Around:
    """
    Return what the steps of a composite action inherit: the variables of the step that uses it, not a job's `defaults`.

    Source: src/Runner.Worker/Handlers/CompositeActionHandler.cs of actions/runner ("Merge composite-step env"); read
    2026-11-22.
    """
    assert step.uses is not None
    given = {name.lower(): text for name, text in step.given.items()}
    inputs: dict[str, Text] = {
        "github.action_path": Text(f"{_ROOT}/{files_of(step.uses)}", step.uses.at),
    }
    for name, declared in action.get("inputs").items():
        default = declared.get("default").text or Text("", name.at)
        inputs[f"inputs.{name.value.lower()}"] = given.get(name.value.lower(), default)
    return Around(
        env=step.env,
        conditions=step.conditions,
        continue_on_error=step.continue_on_error,
        via=(*around.via, step.uses),
        inputs=inputs,
    )


def _local_action(uses: Text | None, files: Files) -> Node | None:
    """Return the local composite action that a step uses; None: it is another kind, or elsewhere."""
    if uses is None or not uses.value.startswith(("./", ".\\")):
        return None
    folder = files_of(uses)
    for name in ("action.yml", "action.yaml"):
        path = posixpath.join(folder, name)
        text = files.text(path)
        if text is None:
            continue
        try:
            action = yaml.load(text, path)
        except yaml.Broken as broken:
            files.skip(path, str(broken))
            return None
        return action if action.get("runs").get("using").string == "composite" else None
    files.skip(uses.at.path, f"line {uses.at.line}: {uses.value} is not in the repository, so it was not followed")
    return None


def files_of(uses: Text) -> str:
    """Return the folder of a local action, or the path of a local reusable workflow, from the root."""
    return posixpath.normpath(uses.value.replace("\\", "/")).removeprefix("./")


def folder_of(written: str) -> str | None:
    """
    Return a working directory from the root, "" being the root; None when it is not known, or outside.

    One that asks the matrix stays as written: who walks the job puts its values in.
    """
    for prefix in (_ROOT, "${{github.workspace}}", "$GITHUB_WORKSPACE", "${GITHUB_WORKSPACE}"):
        if written.startswith(prefix):
            written = written.removeprefix(prefix).lstrip("/") or "."
            break
    if "$" in _MATRIX.sub("", written) or written.startswith(("/", "~")):
        return None
    folder = posixpath.normpath(written or ".")
    if folder.startswith(".."):
        return None
    return "" if folder == "." else folder
