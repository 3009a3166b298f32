"""The order of a run is the one that pre and post declare; what always runs comes last."""

from __future__ import annotations

import pytest

from tests.engine.project import Project, Said


def summary(*rows: str, left: str = "") -> str:
    """Return a summary of `rows`, each "title: what became of it"."""
    parts = [row.split(": ", 1) for row in rows]
    width = max(len(title) for title, _ in parts)
    lines = "".join(f"  {title:<{width}}     0.0 s  {what}\n" for title, what in parts)
    return f"── summary\n{lines}{f'  not run: {left}' + chr(10) if left else ''}"


def names(kind: str) -> str:
    """Return tasks with an order worth keeping; each prints its name to stderr."""
    return f"""
def tell(name: str) -> None: print(name, file=sys.stderr)

@{kind}()
def root(c): tell("root")
@{kind}()
def tidy(c): tell("tidy")
@{kind}(pre=[root], post=[tidy])
def left(c): tell("left")
@{kind}(pre=[root])
def right(c): tell("right")
@{kind}()
def bell(c): tell("bell")
@{kind}(pre=[left, right], post=[bell])
def top(c): tell("top")
@{kind}(pre=[right])
def other(c): tell("other")
"""


STEP = "\nfrom functools import partial\nquick = partial(step, timeout_s=5)\n"


def test_one_at_a_time_steps_run_in_the_order_of_stock_invoke(project: Project) -> None:
    project.write("tasks.py", "import sys\nfrom invoke import task\n" + names("task"))
    project.write("invoke.yaml", "{}")
    stock = project.inv("top", "other").stderr.split()
    project.tasks(STEP + names("quick"))
    project.write("invoke.yaml", "tasks: {executor_class: ci.engine.executor.Executor}")
    ours = project.inv("top", "other", INVOKE_TASKS_JOBS="1").stderr.partition("── summary")[0].splitlines()
    assert stock == ["root", "left", "tidy", "right", "top", "bell", "other"]
    assert ours == [line for name in stock for line in (f"── {name}", f"{name} │ {name}")]


def test_a_post_task_that_is_a_prerequisite_elsewhere_runs_once_after_both(project: Project) -> None:
    project.tasks("""
@step(timeout_s=5)
def report(c): ...
@step(timeout_s=5, post=[report])
def build(c): ...
@step(timeout_s=5, pre=[report, build])
def all(c): ...
""")
    expected = "── build\n── report\n── all\n" + summary("build: done", "report: done", "all: done")
    assert project.inv("all") == Said(0, "", expected)


def test_a_circle_of_prerequisites_is_one_line(project: Project) -> None:
    project.tasks("""
@step(timeout_s=5)
def first_thing(c): ...
@step(timeout_s=5, pre=[first_thing])
def second(c): ...
@step(timeout_s=5, pre=[second])
def third(c): ...
first_thing.pre.append(second)
""")
    expected = "error: task cycle: second -> first-thing -> second\n  hint: take one of them out of pre\n"
    assert project.inv("third") == Said(2, "", expected)
    assert project.inv("--list").code == 0


def test_a_circle_of_plain_tasks_that_may_repeat_is_one_line(project: Project) -> None:
    project.tasks("""
@task
def first(c): ...
@task(pre=[first])
def second(c): ...
first.pre.append(second)
""")
    expected = "error: task cycle: second -> first -> second\n  hint: take one of them out of pre\n"
    assert project.inv("second", "--no-dedupe") == Said(2, "", expected)


def test_plain_tasks_may_repeat_as_in_stock_invoke(project: Project) -> None:
    project.tasks("""
@task
def clean(c): print("clean")
@task(pre=[clean])
def build(c): print("build")
""")
    assert project.inv("clean", "build") == Said(0, "clean\nbuild\n", "")
    assert project.inv("--no-dedupe", "clean", "build") == Said(0, "clean\nclean\nbuild\n", "")


def test_plain_tasks_run_beside_steps(project: Project) -> None:
    project.tasks("""
@task
def clean(c, hard=False): print("clean", hard)
@step(timeout_s=5, pre=[clean])
def build(c): print("build")
@task(pre=[build], autoprint=True)
def size(c): return 42
""")
    expected = "── build\nbuild │ build\n" + summary("clean: done", "build: done", "size: done")
    assert project.inv("size", "clean", "--hard") == Said(0, "clean True\n42\n", expected)


def test_without_a_name_the_default_task_runs(project: Project) -> None:
    project.tasks("""
from invoke import Collection
@step(timeout_s=5)
def build(c, target="sandbox"): print("build", target)
ns = Collection()
ns.add_task(build, default=True)
""")
    assert project.inv() == Said(0, "build sandbox\n", "── build\n" + summary("build: done"))


ALWAYS = """
@step(timeout_s=5)
def preflight(c, broken=False):
    if broken: raise InputError("no key")
@step(timeout_s=5, always=True, pre=[preflight])
def live(c, mute=False):
    print("live: both halves")
    if mute: raise Unfinished("no answer", "ask again")
@step(timeout_s=5, pre=[preflight], post=[live])
def push(c, fail=False):
    if fail: c.run("exit 7")
@step(timeout_s=5, pre=[push], post=[live])
def deploy(c): ...
"""


def test_a_step_that_always_runs_is_the_last_of_all(project: Project) -> None:
    project.tasks(ALWAYS)
    rows = summary("preflight: done", "push: done", "deploy: done")
    expected = f"── preflight\n── push\n── deploy\n{rows}── live\nlive: both halves\n"
    assert project.inv("deploy") == Said(0, "", expected)


def test_a_step_that_always_runs_does_so_after_a_failure(project: Project) -> None:
    project.tasks(ALWAYS)
    rows = summary("preflight: done", "push: failed", left="deploy")
    expected = f"── preflight\n── push\nerror: push: exit exited with 7\n{rows}── live\nlive: both halves\n"
    assert project.inv("deploy", "--fail") == Said(3, "", expected)


def test_a_step_that_always_runs_has_nothing_to_tell_when_nothing_was_done(project: Project) -> None:
    project.tasks(ALWAYS.replace("always=True, pre=[preflight]", "always=True"))
    expected = "── preflight\nerror: no key\n" + summary("preflight: failed", left="push, deploy")
    assert project.inv("deploy", "--broken") == Said(2, "", expected)


def test_a_step_that_always_runs_needs_its_own_prerequisites(project: Project) -> None:
    project.tasks(ALWAYS)
    expected = "── preflight\nerror: no key\n" + summary("preflight: failed", left="push, deploy")
    assert project.inv("deploy", "--broken") == Said(2, "", expected)


def test_the_failure_of_the_last_words_is_said_but_hides_nothing(project: Project) -> None:
    project.tasks(ALWAYS)
    first = "── preflight\n── push\nerror: push: exit exited with 7\n"
    last = "── live\nlive: both halves\nerror: no answer\n  hint: ask again\n"
    rows = summary("preflight: done", "push: failed", left="deploy")
    assert project.inv("deploy", "--fail", "--mute") == Said(3, "", first + rows + last)


def test_the_failure_of_the_last_words_alone_is_a_failure(project: Project) -> None:
    project.tasks(ALWAYS)
    said = project.inv("deploy", "--mute")
    assert (said.code, said.stderr.count("error: no answer")) == (3, 1)


def test_the_last_words_named_on_the_command_line_are_results(project: Project) -> None:
    project.tasks(ALWAYS)
    expected = "── preflight\n" + summary("preflight: done") + "── live\n"
    assert project.inv("live") == Said(0, "live: both halves\n", expected)


@pytest.mark.parametrize("where", ["before", "after"])
def test_a_dry_run_prints_the_order_and_runs_no_step(project: Project, where: str) -> None:
    project.tasks("""
@task
def clean(c): print("MUST NOT RUN")
@step(timeout_s=5, pre=[clean])
def preflight(c, target="sandbox", limit=3): print("MUST NOT RUN")
@step(timeout_s=5, pre=[preflight], changes="backend")
def push(c, target="sandbox", yes=False): c.run("echo MUST NOT RUN")
""")
    argv = ["--dry", "push", "--target", "x"] if where == "before" else ["push", "--target", "x", "--dry"]
    expected = (
        "  1. clean      plain task\n"
        "  2. preflight  changes nothing  target='x' limit=3\n"
        "  3. push       changes backend  target='x' yes=False\n"
    )
    assert project.inv(*argv) == Said(0, expected, "")


def test_a_dry_run_of_plain_tasks_is_the_one_of_invoke(project: Project) -> None:
    project.tasks("""
@task
def clean(c):
    print("body")
    c.run("echo MUST NOT RUN")
""")
    assert project.inv("--dry", "clean") == Said(0, "body\n\x1b[1;37mecho MUST NOT RUN\x1b[0m\n", "")
