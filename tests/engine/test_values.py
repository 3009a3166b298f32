"""One run has one target and one set of values."""

from __future__ import annotations

import pytest

from tests.engine.project import Project, Said

RELEASE = """
@step(timeout_s=5, help={"target": "where to"})
def preflight(c: Context, target: str = "sandbox") -> None:
    print(f"preflight {target}")

@step(timeout_s=5, pre=[preflight], changes="backend")
def push(c: Context, target: str = "sandbox", dry_limit: int = 3, loud: bool = True) -> None:
    print(f"push {target} {dry_limit} {loud}")

@step(timeout_s=5, pre=[push])
def deploy(c: Context) -> None:
    print("deploy")
"""
ONE = """
@step(timeout_s=5)
def one(c: Context, target: str = "sandbox", only: list = [], count: int = 1) -> None:
    print(f"one {target} {only} {count}")

@step(timeout_s=5)
def b(c: Context, target: str = "sandbox") -> None:
    print(f"b {target}")
"""


def release(preflight: str, push: str) -> str:
    rows = "".join(f"  {title:<9}     0.0 s  done\n" for title in ("preflight", "push", "deploy"))
    return (
        f"── preflight\npreflight │ preflight {preflight}\n── push\npush │ push {push}\n── deploy\n── summary\n{rows}"
    )


def test_a_value_reaches_every_prerequisite_that_has_the_parameter(project: Project) -> None:
    project.tasks(RELEASE)
    expected = release("production", "production 3 True")
    assert project.inv("deploy", "--target", "production") == Said(0, "deploy\n", expected)


def test_without_a_value_all_have_their_default(project: Project) -> None:
    project.tasks(RELEASE)
    assert project.inv("deploy") == Said(0, "deploy\n", release("sandbox", "sandbox 3 True"))


def test_flags_of_prerequisites_are_accepted_with_their_type(project: Project) -> None:
    project.tasks(RELEASE)
    expected = release("sandbox", "sandbox 7 False")
    assert project.inv("deploy", "--dry-limit=7", "--no-loud") == Said(0, "deploy\n", expected)


def test_an_empty_value_is_a_value(project: Project) -> None:
    project.tasks(RELEASE)
    assert project.inv("deploy", "--target", "") == Said(0, "deploy\n", release("", " 3 True"))


def test_help_lists_the_flags_of_prerequisites(project: Project) -> None:
    project.tasks(RELEASE)
    help_text = """Usage: inv[oke] [--core-opts] deploy [--options] [other tasks here ...]

Docstring:
  none

Options:
  --dry-limit=INT
  --[no-]loud
  --target=STRING   where to

"""
    assert project.inv("--help", "deploy") == Said(0, help_text, "")
    assert project.inv("deploy", "--help") == Said(0, help_text, "")


def test_a_value_given_for_one_named_task_holds_for_the_others(project: Project) -> None:
    project.tasks(ONE)
    said = project.inv("one", "--target", "x", "b")
    assert (said.code, said.stdout) == (0, "one x [] 1\nb x\n")


def test_the_same_value_may_be_given_to_two_tasks(project: Project) -> None:
    project.tasks(ONE)
    said = project.inv("one", "--target", "x", "b", "--target", "x")
    assert (said.code, said.stdout) == (0, "one x [] 1\nb x\n")


def test_two_values_for_one_name_are_refused(project: Project) -> None:
    project.tasks(ONE)
    assert project.inv("one", "--target", "x", "b", "--target", "y") == Said(
        2,
        "",
        "error: --target has two values, 'x' and 'y'\n"
        "  hint: one run has one value for it: give it once, or run inv twice\n",
    )


@pytest.mark.parametrize("second", ["--target=b", "--target=nothing-like-a-task", "--target b", "--target=a"])
def test_a_repeated_flag_is_refused_and_its_value_is_never_a_task(project: Project, second: str) -> None:
    project.tasks(ONE)
    assert project.inv("one", "--target=a", *second.split()) == Said(
        2, "", "error: --target is given twice\n  hint: give it once: one run has one value for it\n"
    )


def test_a_task_after_a_value_is_a_task(project: Project) -> None:
    project.tasks(ONE)
    said = project.inv("one", "--target", "b", "b")
    assert (said.code, said.stdout) == (0, "one b [] 1\nb b\n")


def test_a_list_may_be_given_in_parts(project: Project) -> None:
    project.tasks(ONE)
    said = project.inv("one", "--only", "x", "--only", "y")
    assert (said.code, said.stdout) == (0, "one sandbox ['x', 'y'] 1\n")


def test_a_value_of_the_wrong_type_is_one_line(project: Project) -> None:
    project.tasks(ONE)
    assert project.inv("one", "--count", "abc") == Said(2, "", "error: --count takes int, not 'abc'\n")


def test_tasks_that_disagree_about_a_flag_are_refused_at_load(project: Project) -> None:
    project.tasks("""
@step(timeout_s=5)
def lint(c: Context, level: str = "all") -> None: ...

@step(timeout_s=5, pre=[lint])
def check_all(c: Context, level: int = 3) -> None: ...
""")
    expected = Said(
        2,
        "",
        "error: check-all and lint disagree about --level: 3 and 'all'\n"
        "  hint: give both the same type and default in tasks.py\n",
    )
    assert project.inv("--list") == expected
    assert project.inv("check-all") == expected


def test_named_tasks_that_disagree_about_a_flag_are_refused(project: Project) -> None:
    project.tasks("""
@step(timeout_s=5)
def one(c: Context, level: str = "all") -> None: ...

@task
def two(c: Context, level: int = 3) -> None: ...
""")
    assert project.inv("one", "two") == Said(
        2,
        "",
        "error: one and two disagree about --level: 'all' and 3\n"
        "  hint: give both the same type and default in tasks.py\n",
    )


def test_calls_that_bind_to_the_same_values_run_once(project: Project) -> None:
    project.tasks("""
@step(timeout_s=5)
def build(c: Context, mode: str = "fast", level: int = 1) -> None:
    print(f"build {mode} {level}")

@step(timeout_s=5, pre=[build, call(build, "fast"), call(build, mode="fast"), call(build, level=1)])
def all(c: Context) -> None: ...
""")
    rows = "".join(f"  {title:<5}     0.0 s  done\n" for title in ("build", "all"))
    assert project.inv("all") == Said(0, "", f"── build\nbuild │ build fast 1\n── all\n── summary\n{rows}")


def test_calls_that_bind_to_other_values_run_each(project: Project) -> None:
    project.tasks("""
@step(timeout_s=5)
def build(c: Context, mode: str = "fast") -> str:
    return f"build {mode}"

@step(timeout_s=5, pre=[build, call(build, mode="slow")])
def all(c: Context) -> None: ...
""")
    said = project.inv("all")
    rows = sorted(line.split("0.0 s  ") for line in said.stderr.splitlines() if "0.0 s  " in line)
    assert [[title.strip(), note] for title, note in rows] == [
        ["all", "done"],
        ["build", "build fast"],
        ["build #2", "build slow"],
    ]


def test_a_call_in_tasks_py_and_the_command_line_must_agree(project: Project) -> None:
    project.tasks("""
@step(timeout_s=5)
def build(c: Context, dist_mode: str = "fast") -> None: ...

@step(timeout_s=5, pre=[call(build, dist_mode="slow")])
def all(c: Context) -> None: ...
""")
    assert project.inv("all", "--dist-mode", "fast") == Said(
        2,
        "",
        "error: build is called with dist_mode='slow', but the command line says dist_mode='fast'\n"
        "  hint: leave out --dist-mode\n",
    )
    assert project.inv("all", "--dist-mode", "slow").code == 0


def test_a_call_that_the_task_does_not_take_is_refused(project: Project) -> None:
    project.tasks("""
@step(timeout_s=5)
def build(c: Context) -> None: ...

@step(timeout_s=5, pre=[call(build, mode="slow")])
def all(c: Context) -> None: ...
""")
    expected = "error: build is called wrongly in tasks.py: got an unexpected keyword argument 'mode'\n"
    assert project.inv("all") == Said(2, "", expected)


def test_a_prerequisite_without_a_value_that_it_needs_is_refused(project: Project) -> None:
    project.tasks("""
@step(timeout_s=5)
def tag(c: Context, version: str) -> None:
    print(f"tag {version}", file=sys.stderr)

@step(timeout_s=5, pre=[tag])
def publish(c: Context) -> None: ...
""")
    assert project.inv("publish") == Said(2, "", "error: tag needs a value for version\n  hint: add --version=...\n")


@pytest.mark.parametrize("kind", ["step(timeout_s=5)", "task"])
@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_asking_for_help_never_runs_a_task_that_needs_a_value(project: Project, kind: str, flag: str) -> None:
    project.tasks(f"""
@{kind}
def publish(c: Context, where: str) -> None:
    "Publish."
    print("ran")
""")
    said = project.inv("publish", flag)
    assert (said.code, said.stderr, said.stdout.partition("Options:")[0]) == (
        0,
        "",
        "Usage: inv[oke] [--core-opts] publish [--options] [other tasks here ...]\n\nDocstring:\n  Publish.\n\n",
    )


def test_a_core_flag_is_never_the_value_of_a_step(project: Project) -> None:
    project.tasks("""
@step(timeout_s=5)
def publish(c: Context, where: str) -> None:
    print("ran")
""")
    assert project.inv("publish", "--dry") == Said(
        2, "", "error: publish needs a value for where, not the flag --dry\n  hint: put --dry before publish\n"
    )


def test_a_help_text_for_nothing_is_refused(project: Project) -> None:
    project.tasks("""
@step(timeout_s=5, help={"traget": "where to"})
def publish(c: Context, target: str = "") -> None: ...
""")
    assert project.inv("--list") == Said(2, "", "error: publish has a help text for traget, which it does not take\n")


def test_a_plain_task_keeps_its_short_flags_and_help_beside_steps(project: Project) -> None:
    project.tasks("""
@task(help={"target": "where to"})
def look(c: Context, target: str = "sandbox") -> None:
    print(f"look {target}")

@step(timeout_s=5, pre=[look])
def deploy(c: Context) -> None: ...
""")
    assert project.inv("look", "-t", "x") == Said(0, "look x\n", "")
    assert "-t STRING, --target=STRING   where to" in project.inv("--help", "look").stdout
    assert project.inv("deploy", "--target", "x").stdout == "look x\n"
