"""A signal ends the run and what it started; what comes after does not run."""

from __future__ import annotations

import fcntl
import os
import signal
import termios

import pytest

from tests.engine.project import LIFELINE, Lifeline, Project, Said

NEARLY_FULL = 60_000  # bytes in a pipe that holds 65,536, whose parts need not be full
ENDINGS = [(signal.SIGHUP, 129), (signal.SIGINT, 130), (signal.SIGTERM, 143)]
AFTER = """
@step(timeout_s=5, always=True)
def live(c): print("MUST NOT RUN")
@step(timeout_s=5, pre=[go], post=[live])
def deploy(c): print("MUST NOT RUN")
"""


def ended(signum: signal.Signals, code: int, before: str = "") -> Said:
    summary = "── summary\n  go     0.0 s  interrupted\n  not run: deploy\n"
    return Said(
        code, "", f"── go\n{before}{summary}error: ended by {signum.name}\n  hint: to see what was done: inv live\n"
    )


@pytest.mark.parametrize(("signum", "code"), ENDINGS)
def test_a_signal_ends_a_child_and_its_group(
    project: Project, lifeline: Lifeline, signum: signal.Signals, code: int
) -> None:
    project.tasks(f"""
@step(timeout_s=30)
def go(c):
    c.run("{LIFELINE} sleep 60 & wait")
{AFTER}""")
    inv = project.start("deploy")
    lifeline.await_up()
    inv.send_signal(signum)
    assert project.said(inv) == ended(signum, code)
    assert lifeline.is_cut()


@pytest.mark.parametrize("body", ["time.sleep(60)", "while True: time.sleep(0.01)"])
@pytest.mark.parametrize(("signum", "code"), ENDINGS)
def test_a_signal_ends_python_code(
    project: Project, lifeline: Lifeline, signum: signal.Signals, code: int, body: str
) -> None:
    project.tasks(f"""
@step(timeout_s=30)
def go(c):
    with open("lifeline", "w") as line:
        print("up", file=line, flush=True)
        {body}
{AFTER}""")
    inv = project.start("deploy", INVOKE_TASKS_GRACE_S="0.2")
    lifeline.await_up()
    inv.send_signal(signum)
    assert project.said(inv) == ended(signum, code)


@pytest.mark.parametrize("body", ["time.sleep(60)", 'c.run("sleep 60")', 'c.run("sleep 60", pty=True)'])
@pytest.mark.parametrize(("signum", "code"), ENDINGS)
def test_a_signal_ends_a_step_that_has_the_terminal(
    project: Project, lifeline: Lifeline, signum: signal.Signals, code: int, body: str
) -> None:
    project.tasks(f"""
@step(timeout_s=30, terminal=True)
def go(c):
    with open("lifeline", "w") as line:
        print("up", file=line, flush=True)
        {body}
{AFTER}""")
    inv = project.start("deploy", INVOKE_TASKS_GRACE_S="0.2")
    lifeline.await_up()
    inv.send_signal(signum)
    assert project.said(inv) == ended(signum, code)


@pytest.mark.parametrize(("signum", "code"), ENDINGS)
def test_a_signal_is_heard_though_python_drops_what_it_raises(
    project: Project, lifeline: Lifeline, signum: signal.Signals, code: int
) -> None:
    project.tasks(f"""
class Finalized:
    def __del__(self):
        with open("lifeline", "w") as line:
            print("up", file=line, flush=True)
            time.sleep(60)
@step(timeout_s=30, terminal=True)
def go(c):
    Finalized()
    time.sleep(60)
{AFTER}""")
    inv = project.start("deploy", INVOKE_TASKS_GRACE_S="0.2")
    lifeline.await_up()
    inv.send_signal(signum)
    assert project.said(inv) == ended(signum, code)


@pytest.mark.parametrize("terminal", [True, False])
def test_clean_up_that_fails_on_the_way_out_tells_nothing(project: Project, lifeline: Lifeline, terminal: bool) -> None:
    project.tasks(f"""
@step(timeout_s=30, terminal={terminal})
def go(c):
    try:
        c.run("{LIFELINE} sleep 60")
    finally:
        raise KeyError("clean-up")
{AFTER}""")
    inv = project.start("deploy", INVOKE_TASKS_GRACE_S="0.2")
    lifeline.await_up()
    inv.send_signal(signal.SIGTERM)
    assert project.said(inv) == ended(signal.SIGTERM, 143)


@pytest.mark.parametrize("body", ["time.sleep(60)", 'c.run("sleep 60")'])
def test_the_deadline_ends_a_step_that_has_the_terminal(project: Project, body: str) -> None:
    project.tasks(f"""
@step(timeout_s=0.5, terminal=True)
def go(c): {body}
""")
    expected = "── go\nerror: go did not finish within 0.5 s\n── summary\n  go     0.0 s  failed\n"
    assert project.inv("go") == Said(3, "", expected)


def test_a_third_signal_ends_a_run_that_nobody_reads(project: Project, lifeline: Lifeline) -> None:
    project.tasks(f"""
@step(timeout_s=60)
def go(c): c.run("{LIFELINE} yes")
""")
    inv = project.start("go")
    lifeline.await_up()
    assert inv.stderr
    while int.from_bytes(fcntl.ioctl(inv.stderr, termios.FIONREAD, b"1234"), "little") < NEARLY_FULL:
        os.sched_yield()
    for signum, _ in ENDINGS:
        inv.send_signal(signum)
    assert (inv.wait(timeout=20), lifeline.is_cut()) == (143, True)
    inv.communicate()


def test_a_child_that_ignores_the_request_to_end_is_killed(project: Project, lifeline: Lifeline) -> None:
    project.tasks(f"""
@step(timeout_s=30)
def go(c):
    c.run("trap '' TERM INT HUP; {LIFELINE} sleep 60 & while :; do wait; done")
{AFTER}""")
    inv = project.start("deploy")
    lifeline.await_up()
    inv.send_signal(signal.SIGTERM)
    assert project.said(inv) == ended(signal.SIGTERM, 143)
    assert lifeline.is_cut()


def test_a_second_signal_does_not_wait(project: Project, lifeline: Lifeline) -> None:
    project.tasks(f"""
@step(timeout_s=30)
def go(c):
    c.run("trap 'echo asked; echo up >&3' TERM; {LIFELINE} while :; do sleep 1 & wait; done")
{AFTER}""")
    inv = project.start("deploy")
    lifeline.await_up()
    inv.send_signal(signal.SIGINT)
    lifeline.await_up()
    inv.send_signal(signal.SIGINT)
    assert project.said(inv) == ended(signal.SIGINT, 130, "go │ asked\n")
    assert lifeline.is_cut()


def test_a_signal_that_was_ignored_stays_ignored(project: Project, lifeline: Lifeline) -> None:
    project.tasks(f"""
signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
@step(timeout_s=30)
def go(c):
    c.run("{LIFELINE} until test -e on; do :; done")
""")
    inv = project.start("go")
    lifeline.await_up()
    inv.send_signal(signal.SIGHUP)
    project.write("on", "")
    assert project.said(inv) == Said(0, "", "── go\n── summary\n  go     0.0 s  done\n")


def test_a_plain_task_leaves_signals_to_invoke(project: Project, lifeline: Lifeline) -> None:
    project.tasks("""
@task
def go(c):
    with open("lifeline", "w") as line:
        print("up", file=line, flush=True)
        time.sleep(60)
""")
    inv = project.start("go")
    lifeline.await_up()
    inv.send_signal(signal.SIGTERM)
    assert project.said(inv) == Said(-signal.SIGTERM, "", "")


def test_a_lost_terminal_does_not_change_how_the_run_ends(project: Project, lifeline: Lifeline) -> None:
    project.tasks(f"""
@step(timeout_s=30)
def go(c):
    c.run("{LIFELINE} sleep 60 & wait")
""")
    inv = project.start("go")
    lifeline.await_up()
    assert inv.stderr
    inv.stderr.close()
    inv.send_signal(signal.SIGHUP)
    assert (inv.communicate(timeout=20)[0], inv.returncode) == ("", 129)
    assert lifeline.is_cut()
