"""However a run ends, nothing that it started is left; only what was started to stay is spared."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.project import Lifeline, Project

HOLD = "exec 3>lifeline; "
UP = "echo up >&3; exec sleep 60"
NODE = Path(sys.prefix, "bin/node")
# Each says that it is up, and ends only when it is made to.
FOREST = {
    "stubborn": f"""trap "" INT TERM HUP; {HOLD} echo up >&3; while :; do sleep 60 & wait; done""",
    "session": f"""{HOLD} setsid bash -c "{UP}" & wait""",
    "daemon": f"""{HOLD} (setsid bash -c "{UP}" >/dev/null 2>&1 &); sleep 60""",
    "detached": f"""{HOLD} {NODE} -e 'require("child_process").spawn("bash", ["-c", "{UP}"],"""
    """ {detached: true, stdio: ["ignore", "ignore", "ignore", 3]}).unref(); setTimeout(() => 0, 60000)'""",
    "job": f"""set -m; {HOLD} bash -c "{UP}" & wait""",
    "forgetful": f"""{HOLD} env -i bash -c 'set -m; (trap "" TERM; {UP}) & wait'""",
}
# It leaves the session, and does not take the mark along.
SERVICE = """env -u LOCKSTEP_RUN setsid bash -c 'echo $$ >service.pid; exec 4>service; echo up >&4; exec sleep 60' \
>/dev/null 2>&1 & until test -s service.pid; do sleep 0.02; done"""


def forest(timeout_s: float) -> str:
    """Return tasks: a service, then all of the forest at once."""
    steps = "".join(
        f"@step(timeout_s={timeout_s}, pre=[service])\ndef {name}(c): c.run({command!r})\n"
        for name, command in FOREST.items()
    )
    return f"""
@step(timeout_s=20)
def service(c): c.run({SERVICE!r})
{steps}
@step(timeout_s=5, pre=[{", ".join(FOREST)}])
def deploy(c): print("MUST NOT RUN")
"""


@pytest.fixture
def service(project: Project) -> Iterator[Lifeline]:
    line = Lifeline(project, "service")
    yield line
    os.kill(int((project.root / "service.pid").read_text()), signal.SIGKILL)
    line.close()


@pytest.mark.parametrize(
    ("signum", "code"),
    [(signal.SIGHUP, 129), (signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -signal.SIGKILL)],
)
def test_a_signal_ends_every_descendant_but_a_service(
    project: Project, lifeline: Lifeline, service: Lifeline, signum: signal.Signals, code: int
) -> None:
    project.tasks(forest(timeout_s=60))
    inv = project.start("deploy", INVOKE_TASKS_JOBS="6", INVOKE_TASKS_GRACE_S="0.3")
    service.await_up()
    for _ in FOREST:
        lifeline.await_up()
    inv.send_signal(signum)
    assert (inv.wait(timeout=20), lifeline.is_cut(), service.is_held()) == (code, True, True)
    project.said(inv)


def test_a_deadline_ends_every_descendant_but_a_service(
    project: Project, lifeline: Lifeline, service: Lifeline
) -> None:
    project.tasks(forest(timeout_s=5))
    inv = project.start("deploy", INVOKE_TASKS_JOBS="6", INVOKE_TASKS_GRACE_S="0.3")
    service.await_up()
    for _ in FOREST:
        lifeline.await_up()
    said = project.said(inv)
    assert (said.code, lifeline.is_cut(), service.is_held()) == (3, True, True)
    assert sorted(line for line in said.stderr.splitlines() if line.startswith("error")) == sorted(
        f"error: {name} did not finish within 5 s" for name in FOREST
    )


def test_the_failure_of_a_sibling_ends_every_descendant_where_that_is_asked_for(
    project: Project, lifeline: Lifeline, service: Lifeline
) -> None:
    project.tasks(
        forest(timeout_s=60)
        + """
@step(timeout_s=60, pre=[service])
def fails(c): c.run("until test -e on; do sleep 0.02; done; exit 9")
deploy.pre.append(fails)
"""
    )
    inv = project.start("deploy", INVOKE_TASKS_JOBS="7", INVOKE_TASKS_GRACE_S="0.3", INVOKE_TASKS_ON_FAILURE="kill")
    service.await_up()
    for _ in FOREST:
        lifeline.await_up()
    project.write("on", "")
    said = project.said(inv)
    assert (said.code, lifeline.is_cut(), service.is_held()) == (3, True, True)
    rows = [f"  {name:<9}     0.0 s  interrupted" for name in FOREST]
    assert set(rows) < set(said.stderr.splitlines())


def test_the_end_of_a_command_ends_what_it_left_behind(project: Project, lifeline: Lifeline, service: Lifeline) -> None:
    project.tasks(f"""
@step(timeout_s=30)
def go(c):
    c.run({SERVICE!r})
    c.run("{HOLD} (setsid bash -c '{UP}' >/dev/null 2>&1 &) ; until test -e on; do sleep 0.02; done")
    c.run("until test -e off; do sleep 0.02; done")
""")
    inv = project.start("go")
    service.await_up()
    lifeline.await_up()
    project.write("on", "")
    is_cut = lifeline.is_cut()
    project.write("off", "")
    assert (project.said(inv).code, is_cut, service.is_held()) == (0, True, True)


def test_what_another_command_runs_is_left_alone(project: Project, lifeline: Lifeline) -> None:
    project.tasks(f"""
@step(timeout_s=30)
def long(c): c.run("{HOLD} (setsid bash -c '{UP}' >/dev/null 2>&1 &) ; until test -e on; do sleep 0.02; done")
@step(timeout_s=30)
def short(c):
    c.run("until test -p lifeline; do :; done; (setsid true &)")
    open("off", "w").close()
@step(timeout_s=30, pre=[long, short])
def both(c): ...
""")
    inv = project.start("both")
    lifeline.await_up()
    while not (project.root / "off").exists():
        os.sched_yield()
    is_held = lifeline.is_held()
    project.write("on", "")
    assert (project.said(inv).code, is_held, lifeline.is_cut()) == (0, True, True)


def test_a_run_inside_a_run_ends_with_it(project: Project, lifeline: Lifeline) -> None:
    project.tasks(
        f"""
@step(timeout_s=30)
def inner(c): c.run("trap '' TERM; {HOLD} setsid bash -c '{UP}' & wait")
@step(timeout_s=30)
def outer(c): c.run(f"{{sys.executable}} -m invoke inner", env={{"PYTHONPATH": os.environ["PYTHONPATH"]}})
"""
    )
    inv = project.start("outer")
    lifeline.await_up()
    inv.kill()
    assert (inv.wait(timeout=20), lifeline.is_cut()) == (-signal.SIGKILL, True)
    project.said(inv)


def test_an_orphan_that_ends_is_let_go(project: Project) -> None:
    project.tasks("""
@step(timeout_s=30)
def go(c): c.run("(sleep 0.3 & echo $! >pid); while kill -0 $(cat pid); do sleep 0.05; done", hide=True)
""")
    assert project.inv("go").code == 0


def test_what_a_call_disowns_outlives_the_run(project: Project, service: Lifeline) -> None:
    project.tasks("""
@step(timeout_s=30)
def go(c):
    c.run("exec setsid bash -c 'echo $$ >service.pid; exec 4>service; echo up >&4; exec sleep 60'", disown=True)
    while not os.path.exists("service.pid"): time.sleep(0.01)
""")
    inv = project.start("go")
    service.await_up()
    assert (project.said(inv).code, service.is_held()) == (0, True)
