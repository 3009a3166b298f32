"""A step has a deadline, and what it started ends with it."""

from __future__ import annotations

import pytest

from tests.engine.project import LIFELINE, Lifeline, Project, Said


def late(error: str) -> Said:
    return Said(3, "", f"── go\nerror: {error}\n── summary\n  go     0.0 s  failed\n")


def test_the_deadline_of_a_step_ends_its_whole_group(project: Project, lifeline: Lifeline) -> None:
    project.tasks(f"""
@step(timeout_s=0.5)
def go(c):
    c.run("{LIFELINE} sleep 60 & wait")
""")
    assert project.inv("go") == late("go did not finish within 0.5 s")
    lifeline.await_up()
    assert lifeline.is_cut()


def test_a_child_that_ignores_the_request_to_end_is_killed(project: Project, lifeline: Lifeline) -> None:
    project.tasks(f"""
@step(timeout_s=0.5)
def go(c):
    c.run("trap '' TERM; {LIFELINE} sleep 60 & while :; do wait; done")
""")
    assert project.inv("go") == late("go did not finish within 0.5 s")
    lifeline.await_up()
    assert lifeline.is_cut()


def test_a_child_may_tidy_up_before_it_ends(project: Project) -> None:
    project.tasks("""
@step(timeout_s=0.5)
def go(c):
    c.run("(trap 'sleep 0.5; touch tidy; exit' TERM; while :; do sleep 0.1; done) 2>/dev/null & wait")
""")
    assert project.inv("go") == late("go did not finish within 0.5 s")
    assert (project.root / "tidy").exists()


def test_the_time_of_a_call_is_its_own(project: Project, lifeline: Lifeline) -> None:
    project.tasks(f"""
@step(timeout_s=30)
def go(c):
    c.run("{LIFELINE} sleep 60 & wait", timeout=0.5, warn=True)
""")
    assert project.inv("go") == late("go: exec did not finish within 0.5 s")
    lifeline.await_up()
    assert lifeline.is_cut()


def test_all_calls_of_a_step_share_its_time(project: Project) -> None:
    project.tasks("""
@step(timeout_s=0.6)
def go(c):
    c.run("sleep 0.4")
    c.run("sleep 0.4", timeout=20)
    print("MUST NOT RUN")
""")
    assert project.inv("go") == late("go did not finish within 0.6 s")


def test_the_deadline_ends_python_code_too(project: Project) -> None:
    project.tasks("""
@step(timeout_s=0.5)
def go(c):
    while True: time.sleep(0.05)
""")
    assert project.inv("go") == late("go did not finish within 0.5 s")


def test_python_code_that_does_not_return_is_given_up(project: Project) -> None:
    project.tasks("""
@step(timeout_s=0.5)
def go(c):
    time.sleep(60)
""")
    hint = "\n  hint: its Python code does not return: inv ended without it"
    assert project.inv("go", INVOKE_TASKS_GRACE_S="0.2") == late(f"go did not finish within 0.5 s{hint}")


def test_the_deadline_ends_what_invokes_own_runner_started(project: Project) -> None:
    project.tasks("""
@step(timeout_s=0.5)
def go(c):
    c.run("sleep 60", pty=True)
""")
    assert project.inv("go") == late("go did not finish within 0.5 s")


def test_the_last_words_have_a_time_of_their_own(project: Project) -> None:
    project.tasks("""
@step(timeout_s=5, always=True)
def live(c): c.run("sleep 0.2; echo words")
@step(timeout_s=5)
def start(c): ...
@step(timeout_s=0.5, pre=[start], post=[live])
def go(c): c.run("sleep 60")
""")
    assert project.inv("go") == Said(
        3,
        "",
        "── start\n── go\nerror: go did not finish within 0.5 s\n── summary\n"
        "  start     0.0 s  done\n  go        0.0 s  failed\n── live\nwords\n",
    )


def test_what_a_finished_child_left_in_its_group_is_killed(project: Project, lifeline: Lifeline) -> None:
    project.tasks(f"""
@step(timeout_s=20)
def go(c):
    c.run("{LIFELINE} sleep 60 & echo started")
""")
    assert project.inv("go") == Said(0, "", "── go\nstarted\n── summary\n  go     0.0 s  done\n")
    lifeline.await_up()
    assert lifeline.is_cut()


@pytest.mark.parametrize("output", ["", ">log 2>&1"])
def test_what_moved_to_a_session_of_its_own_is_killed_too(project: Project, lifeline: Lifeline, output: str) -> None:
    project.tasks(f"""
@step(timeout_s=20)
def go(c):
    c.run("setsid bash -c 'echo $$ >pid; {LIFELINE} exec sleep 60' {output} & until test -s pid; do :; done; echo up")
""")
    assert project.inv("go") == Said(0, "", "── go\nup\n── summary\n  go     0.0 s  done\n")
    lifeline.await_up()
    assert lifeline.is_cut()


def test_without_a_pidfd_children_are_watched_and_ended_the_same(project: Project, lifeline: Lifeline) -> None:
    project.tasks(f"""
if hasattr(os, "pidfd_open"): del os.pidfd_open  # as on macOS

@step(timeout_s=5)
def quick(c): c.run("echo quick; sleep 60 & exit 9", warn=True)
@step(timeout_s=0.5, pre=[quick])
def go(c): c.run("{LIFELINE} sleep 60 & wait")
""")
    assert project.inv("go") == Said(
        3,
        "",
        "── quick\nquick │ quick\n── go\nerror: go did not finish within 0.5 s\n── summary\n"
        "  quick     0.0 s  done\n  go        0.0 s  failed\n",
    )
    lifeline.await_up()
    assert lifeline.is_cut()
