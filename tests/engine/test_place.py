"""inv works from any folder of the project, and in the project's own environment only."""

from __future__ import annotations

import sys

from tests.engine.project import Project, Said

WHERE = """
from pathlib import Path
@step(timeout_s=5)
def where(c):
    c.run("pwd", out_stream=sys.stdout)
    with c.cd("apps"):
        c.run("pwd", out_stream=sys.stdout)
    print(Path("apps").resolve())
"""
CONFIG = "tasks:\n  executor_class: ci.engine.executor.Executor\n  environment: .venv\n"


def test_from_a_subfolder_all_is_relative_to_the_folder_of_tasks_py(project: Project) -> None:
    (project.root / "apps/web").mkdir(parents=True)
    project.tasks(WHERE)
    root = project.root
    assert project.inv("where", cwd="apps/web").stdout == f"{root}\n{root}/apps\n{root}/apps\n"
    assert project.inv("where") == project.inv("where", cwd="apps/web")


def test_a_plain_task_stays_where_inv_was_called(project: Project) -> None:
    (project.root / "apps").mkdir()
    project.tasks("""
@task
def where(c): c.run("pwd")
""")
    assert project.inv("where", cwd="apps").stdout == f"{project.root}/apps\n"


def test_the_inv_of_another_environment_is_refused(project: Project) -> None:
    project.tasks(WHERE)
    project.write("invoke.yaml", CONFIG)
    expected = f"error: this inv belongs to another environment ({sys.prefix})\n  hint: run ./inv\n"
    assert project.inv("where") == Said(2, "", expected)
    assert project.inv("where", "--dry") == Said(2, "", expected)


def test_the_inv_of_the_projects_environment_is_accepted(project: Project) -> None:
    (project.root / "apps").mkdir()
    project.tasks(WHERE)
    project.write("invoke.yaml", CONFIG)
    (project.root / ".venv").symlink_to(sys.prefix)
    assert project.inv("where").code == 0


def test_the_environments_of_nox_are_accepted(project: Project) -> None:
    (project.root / "apps").mkdir()
    project.tasks(WHERE)
    project.write("invoke.yaml", CONFIG)
    assert project.inv("where", NOX_CURRENT_SESSION="tests").code == 0
