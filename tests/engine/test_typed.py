"""Annotations say what the flags of a step take; a wrong value is one line before anything runs."""

from __future__ import annotations

import pytest

from tests.engine.project import Project, Said

TYPED = """
from pathlib import Path
from typing import Annotated, Any, Literal, Optional, Union
from ci.engine.typed import Choices

def names():
    open("asked", "w").close()
    return ["sandbox", "staging", "production"]

@step(timeout_s=5, help={"mode": "how"})
def show(
    c: Context,
    number: Optional[int] = None,
    ratio: float | None = 1,
    where: Path | None = None,
    fast: bool | None = False,
    sure: Union[bool, None] = None,
    mode: Literal["quick", "slow"] = "quick",
    level: Literal[1, 2] = 1,
    only: list[str] = [],
    counts: list[int] | None = None,
    target: Annotated[str, Choices(names)] = "",
    free: Any = "x",
    bare="y",
) -> None:
    print(number, ratio, where, fast, sure, mode, level, only, counts, repr(target), free, bare)
"""
DEFAULTS = "None 1 None False None quick 1 [] None '' x y\n"
LATE = "from __future__ import annotations\n"


@pytest.fixture
def typed(project: Project) -> Project:
    project.tasks(TYPED)
    return project


def test_defaults_stay_as_they_are(typed: Project) -> None:
    said = typed.inv("show")
    assert (said.code, said.stdout, (typed.root / "asked").exists()) == (0, DEFAULTS, False)


@pytest.mark.parametrize(
    ("argv", "place", "value"),
    [
        ("--number 5", 0, "5"),
        ("--number=-5", 0, "-5"),
        ("--ratio 0.5", 1, "0.5"),
        ("--ratio 2", 1, "2.0"),
        ("--fast", 3, "True"),
        ("--sure=true", 4, "True"),
        ("--sure=false", 4, "False"),
        ("--mode slow", 5, "slow"),
        ("--level 2", 6, "2"),
        ("--only a", 7, "['a']"),
        ("--counts 7", 8, "[7]"),
        ("--target staging", 9, "'staging'"),
        ("--free 5", 10, "5"),
        ("--bare 5", 11, "5"),
    ],
)
@pytest.mark.parametrize("head", ["", LATE])
def test_a_value_has_the_type_of_its_annotation(project: Project, head: str, argv: str, place: int, value: str) -> None:
    project.write("tasks.py", f"{head}from invoke import Context\nfrom ci.engine.step import step\n{TYPED}")
    expected = DEFAULTS.split()
    expected[place] = value
    assert project.inv("show", *argv.split()).stdout.split() == expected


def test_a_list_takes_each_value_with_its_type(typed: Project) -> None:
    said = typed.inv("show", "--counts", "1", "--counts=2", "--only", "show", "--only=b")
    assert said.stdout == DEFAULTS.replace("[] None", "['show', 'b'] [1, 2]")


def test_a_path_is_meant_from_where_inv_was_called(typed: Project) -> None:
    (typed.root / "apps").mkdir()
    said = typed.inv("show", "--where", "a/b", cwd="apps")
    assert said.stdout == DEFAULTS.replace("1 None", f"1 {typed.root}/apps/a/b")


@pytest.mark.parametrize(
    ("argv", "error"),
    [
        ("--number abc", "--number takes int, not 'abc'"),
        ("--ratio much", "--ratio takes float, not 'much'"),
        ("--sure maybe", "--sure takes bool, not 'maybe'"),
        ("--mode slwo", "--mode takes one of quick, slow, not 'slwo'\n  hint: did you mean slow?"),
        ("--mode x", "--mode takes one of quick, slow, not 'x'"),
        ("--level 3", "--level takes one of 1, 2, not '3'"),
        ("--counts 1 --counts b", "--counts takes int, not 'b'"),
        (
            "--target prduction",
            "--target takes one of sandbox, staging, production, not 'prduction'\n  hint: did you mean production?",
        ),
    ],
)
def test_a_wrong_value_is_refused_before_anything_runs(typed: Project, argv: str, error: str) -> None:
    assert typed.inv("show", *argv.split()) == Said(2, "", f"error: {error}\n")


def test_what_a_flag_has_anyway_may_be_said(typed: Project) -> None:
    said = typed.inv("show", "--target=", "--mode", "quick")
    assert (said.code, said.stdout) == (0, DEFAULTS)


def test_help_tells_types_and_choices(typed: Project) -> None:
    lines = typed.inv("--help", "show").stdout.partition("Options:\n")[2]
    assert [" ".join(line.split()) for line in lines.strip().splitlines()] == [
        "--bare=STRING",
        "--counts=INT (may be repeated)",
        "--fast",
        "--free=STRING",
        "--level=INT (one of 1, 2)",
        "--mode=STRING how (one of quick, slow)",
        "--number=INT",
        "--only=STRING (may be repeated)",
        "--ratio=STRING (a number)",
        "--sure=STRING (true or false)",
        "--target=STRING (one of sandbox, staging, production)",
        "--where=STRING (a path)",
    ]


def test_a_required_value_is_typed_and_help_is_still_help(project: Project) -> None:
    project.tasks("""
@step(timeout_s=5)
def tag(c: Context, number: int) -> None: print(number + 1)
""")
    assert project.inv("tag", "5").stdout == "6\n"
    assert project.inv("tag", "abc") == Said(2, "", "error: --number takes int, not 'abc'\n")
    assert project.inv("tag", "--help").stdout.startswith("Usage: inv[oke] [--core-opts] tag ")


BROKEN = """
from typing import Annotated
from ci.engine.typed import Choices
def names(): raise InputError("lockstep.toml has no targets", "add one")
@step(timeout_s=5)
def show(c: Context, target: Annotated[str, Choices(names)] = "") -> None: print("MUST NOT RUN")
"""


def test_choices_that_cannot_be_told_are_an_error_and_help_says_so(project: Project) -> None:
    project.tasks(BROKEN)
    refused = Said(2, "", "error: lockstep.toml has no targets\n  hint: add one\n")
    assert project.inv("show", "--target", "x") == refused
    said = project.inv("--help", "show")
    assert (said.code, " ".join(said.stdout.split()[-9:])) == (
        0,
        "(which ones cannot be told: lockstep.toml has no targets)",
    )


@pytest.mark.parametrize(
    ("annotation", "error"),
    [
        ("dict", "no flag can take <class 'dict'>, as odd wants it to"),
        ("int | str", "no flag can take int | str, as odd wants it to"),
        ("'Mode'", "the annotation of odd means nothing: name 'Mode' is not defined"),
    ],
)
def test_an_annotation_that_no_flag_can_have_is_refused_at_load(project: Project, annotation: str, error: str) -> None:
    project.tasks(f"""
@step(timeout_s=5)
def show(c: Context, odd: {annotation} = None) -> None: ...
""")
    said = project.inv("--list")
    assert (said.code, said.stdout, said.stderr.splitlines()[0]) == (2, "", f"error: {error}")


def test_a_prerequisite_that_knows_the_choices_refuses_for_all(project: Project) -> None:
    project.tasks("""
from typing import Literal
@step(timeout_s=5)
def preflight(c: Context, mode: Literal["quick", "slow"] = "quick") -> None: print("MUST NOT RUN")
@step(timeout_s=5, pre=[preflight])
def go(c: Context, mode: str = "quick") -> None: print("MUST NOT RUN")
""")
    assert project.inv("go", "--mode", "x") == Said(2, "", "error: --mode takes one of quick, slow, not 'x'\n")


def test_tasks_that_disagree_about_the_type_are_refused(project: Project) -> None:
    project.tasks("""
@step(timeout_s=5)
def preflight(c: Context, limit: int | None = None) -> None: ...
@step(timeout_s=5, pre=[preflight])
def go(c: Context, limit: float | None = None) -> None: ...
""")
    said = project.inv("go")
    expected = "error: go and preflight disagree about --limit: float without a default and int without a default"
    assert (said.code, said.stderr.splitlines()[0]) == (2, expected)


def test_a_plain_task_keeps_what_invoke_makes_of_it(project: Project) -> None:
    project.tasks("""
@task
def show(c, number: int = None, mode: "Mode" = "quick") -> None: print(repr(number), mode)
""")
    assert project.inv("show", "--number", "5", "--mode", "x") == Said(0, "'5' x\n", "")
