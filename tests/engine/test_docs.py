"""What docs/engine.md shows is what the example answers."""

from __future__ import annotations

import re
import shutil

import pytest

from tests.engine.project import REPOSITORY, Project

DOCS = REPOSITORY / "docs"


@pytest.fixture
def example(project: Project) -> Project:
    shutil.copytree(DOCS / "engine-example", project.root, dirs_exist_ok=True)
    return project


SHOWN = re.findall(r"```\n\$ inv (.*)\n((?:.*\n)*?)```", (DOCS / "engine.md").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("argv", "expected"), SHOWN)
def test_the_commands_of_the_docs_answer_as_shown(example: Project, argv: str, expected: str) -> None:
    said = example.inv(*argv.split())
    assert (said.code, said.stdout, said.stderr) == (0, expected, "")


def test_two_commands_are_shown() -> None:
    assert [argv.split()[0] for argv, _ in SHOWN] == ["--dry", "graph"]


def test_the_error_of_the_docs_is_the_one_of_the_example(example: Project) -> None:
    said = example.inv("release", "--target", "stagin")
    assert f"```\n{said.stderr}```\n" in (DOCS / "engine.md").read_text(encoding="utf-8")


def test_the_example_releases_and_is_recorded(example: Project) -> None:
    said = example.inv("release", "--target", "production", "--only", "api")
    assert (said.code, said.stdout, "not-for-your-eyes" in said.stderr) == (0, "", False)
    assert "live │" not in said.stderr
    assert said.stderr.endswith("── live\nproduction is up\n")
    told = example.inv("runs", "--show", "last").stdout
    assert ("what     release --target production --only api\n" in told, "released to production" in told) == (
        True,
        True,
    )
    assert "not-for-your-eyes" not in "".join(
        path.read_text() for path in (example.root / ".lockstep/runs").rglob("*.*l*")
    )
