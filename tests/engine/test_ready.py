"""A step that yields gets ready before its turn, and does the rest in it."""

from __future__ import annotations

import signal

from tests.engine.project import LIFELINE, Lifeline, Project
from tests.engine.test_parallel import MEET, journal

# What gets ready can only do so while `first` runs, which in its turn waits for that.
READY = f"""
@step(timeout_s=20)
def first(c):
    c.run({MEET.format("ready")!r})
    open("done", "w").close()
@step(timeout_s=20, pre=[first])
def second(c):
    c.run("touch ready; test ! -e done")
    yield
    c.run("test -e done")
    return "in its turn"
"""


def test_a_step_gets_ready_beside_what_it_waits_for(project: Project) -> None:
    project.tasks(READY)
    said = project.inv("second")
    assert said.code == 0
    assert "  second     0.0 s  done" not in said.stderr
    assert "  second     0.0 s  in its turn\n" in said.stderr
    order = [(line["event"], line.get("task")) for line in journal(project)]
    assert order.index(("command", "second")) < order.index(("ended", "first")) < order.index(("started", "second"))


def test_what_gets_ready_speaks_into_its_log_alone(project: Project) -> None:
    project.tasks(f"""
@step(timeout_s=20)
def first(c): c.run({MEET.format("ready")!r})
@step(timeout_s=20, pre=[first])
def second(c):
    print("early")
    c.run("touch ready")
    yield
    print("late")
""")
    said = project.inv("second")
    assert (said.code, said.stdout, "early" in said.stderr) == (0, "late\n", False)
    (log,) = (project.root / ".lockstep/runs").glob("*/second.log")
    assert log.read_text() == "early\nlate\n"


def test_with_one_place_it_gets_ready_in_its_turn(project: Project) -> None:
    project.tasks("""
@step(timeout_s=20)
def first(c): print("first")
@step(timeout_s=20, pre=[first])
def second(c):
    print("ready")
    yield
    print("second")
""")
    said = project.inv("first", "second", INVOKE_TASKS_JOBS="1")
    assert (said.code, said.stdout) == (0, "first\nready\nsecond\n")


def test_nothing_gets_ready_before_a_step_that_is_alone(project: Project) -> None:
    project.tasks("""
@step(timeout_s=20)
def check(c): c.run("sleep 0.1")
@step(timeout_s=20, pre=[check], terminal=True)
def approve(c):
    assert not os.path.exists("ready")
    raise InputError("not approved")
@step(timeout_s=20, pre=[approve])
def push(c): ...
@step(timeout_s=20, pre=[push])
def look(c):
    c.run("touch ready")
    yield
""")
    assert project.inv("look").code == 2
    assert not (project.root / "ready").exists()


def test_what_got_ready_in_vain_ends_and_is_not_run(project: Project, lifeline: Lifeline) -> None:
    project.tasks(f"""
@step(timeout_s=20)
def first(c):
    c.run({MEET.format("ready")!r})
    raise CheckFailed("bad")
@step(timeout_s=20, pre=[first])
def second(c):
    c.run({f"{LIFELINE}touch ready; sleep 60"!r}, asynchronous=True)
    try:
        yield
        print("MUST NOT RUN")
    finally:
        open("tidied", "w").close()
""")
    said = project.inv("second")
    assert (said.code, said.stdout) == (4, "")
    assert said.stderr.endswith("  first     0.0 s  failed\n  not run: second\n")
    assert (project.root / "tidied").exists()
    lifeline.await_up()
    assert lifeline.is_cut()


def test_a_failure_ends_what_still_gets_ready(project: Project, lifeline: Lifeline) -> None:
    project.tasks(f"""
@step(timeout_s=20)
def first(c): c.run({MEET.format("begun") + "; exit 1"!r})
@step(timeout_s=20, pre=[first])
def second(c):
    c.run({f"{LIFELINE}touch begun; sleep 60"!r})
    yield
""")
    said = project.inv("second")
    assert (said.code, "not run: second" in said.stderr) == (3, True)
    assert lifeline.is_cut() or lifeline.is_cut()


def test_what_could_not_get_ready_is_tried_again_in_its_turn(project: Project) -> None:
    project.tasks(f"""
@step(timeout_s=20)
def first(c): c.run({MEET.format("tried")!r})
@step(timeout_s=20, pre=[first])
def second(c):
    c.run("test -e tried || {{ touch tried; exit 1; }}", hide=True)
    yield
    print("second")
""")
    said = project.inv("second")
    assert (said.code, said.stdout, "error" in said.stderr) == (0, "second\n", False)


def test_what_cannot_get_ready_in_its_turn_either_fails(project: Project) -> None:
    project.tasks("""
@step(timeout_s=20)
def first(c): ...
@step(timeout_s=20, pre=[first])
def second(c):
    c.run("echo no browser; exit 1", hide=True)
    yield
    print("MUST NOT RUN")
""")
    said = project.inv("second")
    assert (said.code, said.stdout) == (3, "")
    assert "error: second: echo exited with 1\n    no browser\n" in said.stderr


def test_a_signal_ends_what_waits_for_its_turn(project: Project, lifeline: Lifeline) -> None:
    project.tasks(f"""
@step(timeout_s=20)
def first(c): c.run("sleep 60")
@step(timeout_s=20, pre=[first])
def second(c):
    c.run({f"{LIFELINE}sleep 60"!r}, asynchronous=True)
    yield
""")
    inv = project.start("second")
    lifeline.await_up()
    inv.send_signal(signal.SIGTERM)
    assert project.said(inv).code == 143
    assert lifeline.is_cut()


def test_it_keeps_its_deadline_for_its_turn(project: Project) -> None:
    project.tasks("""
@step(timeout_s=20)
def first(c): c.run("sleep 0.7")
@step(timeout_s=0.6, pre=[first])
def second(c):
    yield
    c.run("true")
""")
    assert project.inv("second").code == 0


def test_a_promise_is_kept_across_the_yield_and_told_to_the_journal(project: Project) -> None:
    project.tasks("""
@step(timeout_s=20)
def first(c): ...
@step(timeout_s=20, pre=[first])
def second(c):
    read_fd, write_fd = os.pipe()
    promise = c.run("cat && exit 7", asynchronous=True, warn=True, hide=True, in_stream=os.fdopen(read_fd))
    yield
    os.write(write_fd, b"now")
    os.close(write_fd)
    result = promise.join()
    return f"{result.stdout} {result.exited}"
""")
    assert "  second     0.0 s  now 7\n" in project.inv("second").stderr
    (command,) = [line for line in journal(project) if line["event"] == "command"]
    assert (command["task"], command["program"], command["exited"]) == ("second", "cat", 7)


def test_a_step_yields_once(project: Project) -> None:
    project.tasks("""
@step(timeout_s=20)
def never(c):
    if not c: yield
@step(timeout_s=20)
def twice(c):
    yield
    yield
""")
    hint = "  hint: one yield parts what gets ready from what waits for its turn\n"
    assert f"error: never yields never\n{hint}" in project.inv("never").stderr
    assert f"error: twice yields more than once\n{hint}" in project.inv("twice").stderr
