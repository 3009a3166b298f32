"""A step may be asked for with flags that make it a command of its own: it needs nothing, and nothing rests on it."""

from __future__ import annotations

from tests.engine.project import Project

TASKS = """
@step(timeout_s=5)
def push(c): ...
@step(timeout_s=5, pre=[push], alone=("only_list",))
def look(c, only_list: bool = False, how: str = "text"): print(f"{only_list} {how}")
@step(timeout_s=5, pre=[look])
def ship(c): ...
"""


def began(stderr: str) -> list[str]:
    return [line.removeprefix("── ") for line in stderr.splitlines() if line.startswith("── ")]


def test_without_the_flag_it_is_a_step_like_any_other(project: Project) -> None:
    project.tasks(TASKS)
    said = project.inv("ship", "--how", "json")
    assert (said.code, said.stdout, began(said.stderr)) == (0, "", ["push", "look", "ship", "summary"])


def test_with_the_flag_nothing_runs_before_it(project: Project) -> None:
    project.tasks(TASKS)
    said = project.inv("look", "--only-list")
    assert (said.code, said.stdout, began(said.stderr)) == (0, "True text\n", ["look", "summary"])


def test_with_the_flag_it_is_nobodys_prerequisite(project: Project) -> None:
    project.tasks(TASKS)
    refused = "error: ship needs look as it is, without --only-list\n  hint: leave it out, or ask for look alone\n"
    for argv in (("ship", "--only-list"), ("look", "ship", "--only-list")):
        said = project.inv(*argv)
        assert (said.code, said.stdout, said.stderr) == (2, "", refused)
