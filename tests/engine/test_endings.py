"""Every failure is told in one form, with an exit code that says what kind it is."""

from __future__ import annotations

import pytest

from tests.engine.project import Project, Said


def failed(text: str, code: int) -> Said:
    return Said(code, "", f"── go\n{text}── summary\n  go     0.0 s  failed\n")


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        ('InputError("no key")', 2, "error: no key\n"),
        ('InputError("no key", hint="make one")', 2, "error: no key\n  hint: make one\n"),
        ('Unfinished("no answer")', 3, "error: no answer\n"),
        ('CheckFailed("3 functions are missing")', 4, "error: 3 functions are missing\n"),
        (
            'Problems([InputError("a", "b"), Unfinished("c")])',
            2,
            "error: a\n  hint: b\nerror: c\n",
        ),
    ],
)
def test_our_errors_have_a_text_and_an_exit_code(project: Project, error: str, code: int, text: str) -> None:
    project.tasks(f"""
@step(timeout_s=5)
def go(c: Context) -> None:
    raise {error}
""")
    assert project.inv("go") == failed(text, code)


def test_our_errors_are_told_from_a_plain_task_too(project: Project) -> None:
    project.tasks("""
@task
def go(c):
    raise CheckFailed("3 functions are missing", "deploy the backend")
""")
    assert project.inv("go") == Said(4, "", "error: 3 functions are missing\n  hint: deploy the backend\n")


@pytest.mark.parametrize(
    ("command", "text"),
    [
        ("sh -c 'exit 9'", "sh exited with 9"),
        ("/bin/sh -c 'exit 9'", "sh exited with 9"),
        ("TOKEN=1 sh -c 'exit 9'", "sh exited with 9"),
        ("sh -c 'kill -9 $$'", "sh was ended by signal 9"),
        ("exit $(echo 9 # it's", "exit exited with 2"),
    ],
)
def test_a_failed_command_is_named_by_its_program(project: Project, command: str, text: str) -> None:
    project.tasks(f"""
@step(timeout_s=5)
def go(c: Context) -> None:
    c.run({command!r}, hide="stderr")
""")
    said = project.inv("go")
    assert (said.code, said.stderr.splitlines()[1]) == (3, f"error: go: {text}")


def test_the_folder_that_a_command_runs_in_is_not_its_program(project: Project) -> None:
    (project.root / "a folder").mkdir()
    project.tasks("""
@step(timeout_s=5)
def go(c: Context) -> None:
    with c.cd("a folder"):
        c.run("sh -c 'exit 9'")
""")
    assert project.inv("go") == failed("error: go: sh exited with 9\n", 3)


def test_a_failed_command_of_a_check_is_a_failed_check(project: Project) -> None:
    project.tasks("""
@step(timeout_s=5, checks=True)
def go(c: Context) -> None:
    c.run("sh -c 'exit 9'")
""")
    assert project.inv("go") == failed("error: go: sh exited with 9\n", 4)


def test_a_check_whose_tool_is_missing_has_found_nothing(project: Project) -> None:
    project.tasks("""
@step(timeout_s=5, checks=True)
def go(c: Context) -> None:
    c.run("no-such-tool --check", hide=True)
""")
    said = project.inv("go")
    assert (said.code, said.stderr.splitlines()[1]) == (3, "error: go: no-such-tool exited with 127")
    assert "  hint: see that it is installed: a step's PATH is the project's tools, then yours\n" in said.stderr


def test_a_hidden_command_that_fails_shows_the_end_of_its_output(project: Project) -> None:
    project.tasks("""
@step(timeout_s=5)
def go(c: Context) -> None:
    c.run("seq 1 30; echo why >&2; exit 1", hide=True)
""")
    lines = "".join(f"    {number}\n" for number in range(21, 31))
    assert project.inv("go") == failed(f"error: go: seq exited with 1\n{lines}    why\n", 3)


def test_arguments_of_a_failed_command_are_not_shown(project: Project) -> None:
    project.tasks("""
@step(timeout_s=5)
def go(c: Context) -> None:
    c.run("sh -c 'exit 9' https://user:word@host")
""")
    assert project.inv("go") == failed("error: go: sh exited with 9\n", 3)


def test_a_shell_that_cannot_start_is_told(project: Project) -> None:
    project.tasks("""
@step(timeout_s=5)
def go(c: Context) -> None:
    c.run("true", shell="/no/shell")
""")
    assert project.inv("go") == failed(
        f"error: cannot start /no/shell in {project.root}: No such file or directory\n", 3
    )


def test_a_step_may_catch_what_invoke_raises(project: Project) -> None:
    project.tasks("""
@step(timeout_s=5)
def go(c: Context) -> str:
    try:
        c.run("sh -c 'exit 9'")
    except UnexpectedExit as error:
        return f"tried, got {error.result.exited}"
""")
    assert project.inv("go") == Said(0, "", "── go\n── summary\n  go     0.0 s  tried, got 9\n")


def test_a_bug_is_a_traceback_after_the_last_words(project: Project) -> None:
    project.tasks("""
@step(timeout_s=5, always=True)
def live(c): print("live")
@step(timeout_s=5)
def start(c): ...
@step(timeout_s=5, pre=[start], post=[live])
def go(c): raise KeyError("bug")
""")
    said = project.inv("go")
    rows = "── summary\n  start     0.0 s  done\n  go        0.0 s  failed\n"
    expected = f"── start\n── go\n{rows}── live\nlive\nTraceback (most"
    assert (said.code, said.stdout, said.stderr[: len(expected)]) == (1, "", expected)
    assert said.stderr.endswith("KeyError: 'bug'\n")


def test_a_bug_in_the_last_words_is_told_without_hiding_the_failure(project: Project) -> None:
    project.tasks("""
@step(timeout_s=5, always=True)
def live(c): raise KeyError("bug")
@step(timeout_s=5)
def start(c): ...
@step(timeout_s=5, pre=[start], post=[live])
def go(c): raise InputError("no key")
""")
    said = project.inv("go")
    assert (said.code, said.stderr.count("error: no key"), said.stderr.count("KeyError: 'bug'")) == (2, 1, 1)


def test_exit_of_invoke_keeps_its_code(project: Project) -> None:
    project.tasks("""
@step(timeout_s=5)
def go(c): raise Exit("enough", code=9)
""")
    assert project.inv("go") == Said(9, "", "── go\n── summary\n  go     0.0 s  failed\nenough\n")


def test_a_checkout_that_cannot_be_written_is_told(project: Project) -> None:
    project.write(".lockstep", "in the way")
    project.tasks("""
@step(timeout_s=5)
def go(c): print("MUST NOT RUN")
""")
    assert project.inv("go") == Said(
        3,
        "",
        f"error: cannot make {project.root}/.lockstep/home: Not a directory\n"
        "  hint: make the folder of tasks.py writable\n",
    )


def test_a_step_runs_again_from_the_start_after_a_failure(project: Project) -> None:
    project.tasks("""
@step(timeout_s=5)
def go(c): c.run("test -e ready || { touch ready; exit 1; }")
""")
    assert [project.inv("go").code, project.inv("go").code] == [3, 0]
