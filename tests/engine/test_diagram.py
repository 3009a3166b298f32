"""The graph is drawn from pre and post, in three forms."""

from __future__ import annotations

import json

import pytest

from tests.engine.project import Project, Said

TASKS = """
from invoke import Collection
from ci.engine import diagram

@task
def setup(c):
    \"\"\"Set up.\"\"\"
@step(timeout_s=5, pre=[setup])
def build_all(c): ...
@step(timeout_s=5, always=True)
def live(c): ...
@step(timeout_s=5, pre=[build_all, call(build_all)], terminal=True)
def approve(c): ...
@step(timeout_s=9, pre=[approve, setup], post=[live], changes="backend")
def push(c):
    print("MUST NOT RUN")
@task
def graph(c, task="", format="text"):
    print(diagram.draw(task, format))
@step(timeout_s=5)
def page(c): ...
ns = Collection(setup, push, live, graph, Collection("docs", page))
"""
TEXT = """\
setup
build-all  after setup
approve    after build-all; alone, at the terminal
push       after approve, setup; then live; changes backend
live       last of all, also after a failure
"""


@pytest.fixture
def drawn(project: Project) -> Project:
    project.tasks(TASKS)
    return project


def test_the_graph_of_all_tasks_is_drawn(drawn: Project) -> None:
    expected = "".join(f"{line}\n" for line in [*TEXT.splitlines(), "graph", "docs.page"])
    assert drawn.inv("graph") == Said(0, expected, "")


def test_the_graph_of_one_task_is_what_runs_with_it(drawn: Project) -> None:
    assert drawn.inv("graph", "--task", "push") == Said(0, TEXT, "")
    assert drawn.inv("graph", "--task", "docs.page") == Said(0, "docs.page\n", "")


def test_the_graph_is_drawn_for_mermaid(drawn: Project) -> None:
    expected = """\
graph LR
  t1["setup"]
  t2["build-all"]
  t3["approve"]
  t4["push"]
  t5["live"]
  t1 --> t2
  t2 --> t3
  t3 --> t4
  t1 --> t4
  t4 -.-> t5
"""
    assert drawn.inv("graph", "--task=push", "--format=mermaid") == Said(0, expected, "")


def test_the_graph_is_one_json_document(drawn: Project) -> None:
    said = json.loads(drawn.inv("graph", "--task=push", "--format=json").stdout)
    assert (said["version"], [one["task"] for one in said["tasks"]]) == (
        1,
        [line.split()[0] for line in TEXT.splitlines()],
    )
    assert said["tasks"][0] == {"task": "setup", "help": "Set up.", "pre": [], "post": [], "promise": None}
    assert said["tasks"][3].items() >= {"pre": ["approve", "setup"], "post": ["live"]}.items()
    assert said["tasks"][3]["promise"].items() >= {"changes": "backend", "timeout_s": 9, "terminal": False}.items()


def test_a_circle_is_drawn_too(project: Project) -> None:
    project.tasks("""
from ci.engine import diagram
@step(timeout_s=5)
def first(c): ...
@step(timeout_s=5, pre=[first])
def second(c): ...
first.pre.append(second)
@task
def graph(c): print(diagram.draw("first"))
""")
    assert project.inv("graph") == Said(0, "second  after first\nfirst   after second\n", "")


@pytest.mark.parametrize(
    ("argv", "error"),
    [
        (["--task", "psh"], "error: no task is called 'psh'\n  hint: did you mean push?\n"),
        (["--task", "x"], "error: no task is called 'x'\n  hint: inv --list\n"),
        (["--format", "svg"], "error: --format takes text, mermaid or json, not 'svg'\n"),
    ],
)
def test_what_cannot_be_drawn_is_refused(drawn: Project, argv: list[str], error: str) -> None:
    assert drawn.inv("graph", *argv) == Said(2, "", error)


def test_a_task_named_after_graph_is_not_run_for_a_diagram(drawn: Project) -> None:
    said = drawn.inv("graph", "push")
    error = "error: push is named as a task to run, after graph\n  hint: inv graph --task push\n"
    assert (said.code, said.stdout, said.stderr[: len(error)]) == (2, "", error)
