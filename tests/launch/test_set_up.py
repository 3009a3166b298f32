"""When the launchers set a checkout up, and what interrupts, repeats or doubles it."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.launch.machine import INSTALLERS, Machine, finish

SETTING_UP = "setting up .venv and ci/node_modules, once\n"
SET_UP = SETTING_UP + "set up in N s\n"
WAITING = "waiting for the set-up that is already running here\n"


def invoked(machine: Machine, *arguments: str) -> str:
    """Return what the fake Python of .venv prints: how Invoke was run."""
    return " ".join(["-I -m invoke --search-root", str(machine.checkout), "--write-pyc", *arguments]) + "\n"


def test_the_first_use_sets_up_and_then_runs_invoke(machine: Machine) -> None:
    assert machine.run("inv", "deploy", "--target", "a b") == (0, invoked(machine, "deploy", "--target", "a b"), SET_UP)
    assert machine.calls() == INSTALLERS


def test_nox_sets_up_in_the_same_way(machine: Machine) -> None:
    noxfile = machine.checkout / "noxfile.py"
    assert machine.run("nox", "--list") == (0, f"-I -m nox --noxfile {noxfile} --list\n", SET_UP)
    assert machine.calls() == INSTALLERS


def test_later_uses_install_nothing_and_say_nothing(ready: Machine) -> None:
    assert ready.run("inv", "--list") == (0, invoked(ready, "--list"), "")
    assert ready.calls() == []


def test_a_launcher_works_from_a_subfolder_and_through_a_link_to_the_checkout(ready: Machine) -> None:
    (ready.folder / "link").symlink_to(ready.checkout)
    assert ready.run(ready.folder / "link/ci/../inv") == (0, invoked(ready), "")
    assert ready.calls() == []


@pytest.mark.parametrize("name", ["requirements.lock", "ci/package-lock.json", "ci/bootstrap.py"])
def test_a_changed_lock_file_sets_up_again_once(ready: Machine, name: str) -> None:
    with (ready.checkout / name).open("a") as file:
        file.write("\n")
    assert ready.run("inv") == (0, invoked(ready), SET_UP)
    assert ready.run("inv") == (0, invoked(ready), "")
    assert ready.calls() == INSTALLERS


@pytest.mark.parametrize("name", [".venv", ".venv/bin/python", ".venv/.lockstep-stamp", "ci/node_modules"])
def test_what_was_removed_is_made_again(ready: Machine, name: str) -> None:
    (ready.checkout / name).rename(ready.folder / "removed")
    assert ready.run("inv") == (0, invoked(ready), SET_UP)
    assert ready.calls() == INSTALLERS


def test_a_moved_checkout_is_set_up_again(ready: Machine) -> None:
    ready.checkout.rename(ready.folder / "old")
    ready.checkout.mkdir()
    (ready.folder / "old").rename(ready.checkout / "moved")
    assert ready.run("moved/inv")[2] == SET_UP
    assert ready.calls() == INSTALLERS


@pytest.mark.parametrize("call", INSTALLERS)
def test_a_set_up_killed_anywhere_is_started_again_from_nothing(ready: Machine, call: str) -> None:
    (ready.checkout / ".venv/.lockstep-stamp").write_text("older")
    planted = ready.plant(call, "kill -9 $PPID")
    assert ready.run("inv")[0] == 128 + signal.SIGKILL
    planted.unlink()
    ready.calls()
    code, stdout, stderr = ready.run("inv")
    assert (code, stdout, stderr.removeprefix(WAITING)) == (0, invoked(ready), SET_UP)  # the installer may live a while
    assert ready.calls() == INSTALLERS


def test_a_second_launcher_waits_for_the_set_up_of_the_first(machine: Machine) -> None:
    gate = closed_gate(machine, "node npm-cli.js")
    first, second = machine.start("inv", "first"), machine.start("nox")
    stderrs = sorted([str(process.stderr and process.stderr.readline()) for process in (first, second)])
    open_gate(gate)
    outcomes = [finish(first), finish(second)]
    assert stderrs == [SETTING_UP, WAITING]
    assert [code for code, _, _ in outcomes] == [0, 0]
    assert outcomes[0][1] == invoked(machine, "first")
    assert machine.calls() == INSTALLERS


def test_an_installer_that_outlives_a_killed_set_up_is_waited_for(machine: Machine) -> None:
    gate = closed_gate(machine, "uv pip", first="kill -9 $PPID")
    assert machine.run("inv")[0] == 128 + signal.SIGKILL
    again = machine.start("inv")
    assert again.stderr
    assert again.stderr.readline() == WAITING
    (machine.folder / "uv pip").unlink()
    open_gate(gate)
    assert finish(again) == (0, invoked(machine), SET_UP)


def test_a_signal_ends_the_set_up_and_its_installer_without_a_traceback(machine: Machine) -> None:
    closed_gate(machine, "uv pip", first="kill -TERM $PPID")
    assert machine.run("inv") == (128 + signal.SIGTERM, "", SETTING_UP)
    assert machine.calls() == ["uv venv", "uv pip"]


def closed_gate(machine: Machine, call: str, first: str = ":") -> Path:
    """Have `call` do `first` and then wait for `open_gate`."""
    gate = machine.folder / "gate"
    os.mkfifo(gate)
    machine.plant(call, f'{first}\nread opened <"{gate}"')
    return gate


def open_gate(gate: Path) -> None:
    gate.write_text("open\n")
