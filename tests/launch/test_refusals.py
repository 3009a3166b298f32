"""What a launcher says where it cannot set up: one error, one hint, and an exit code; never a traceback."""

from __future__ import annotations

import os
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.launch import machine as machines
from tests.launch.machine import INSTALLERS, Machine

PYTHON_HINT = (
    "  hint: install it (Debian, Ubuntu: apt install python3 python3-venv; macOS: brew install python)"
    " or name it: PYTHON=/path/to/python3 {}\n"
)
OLD_PYTHON = '#!/bin/sh\n[ "$1" = -V ] && echo "Python 3.9.18" || exit 1\n'
SETTING_UP = "setting up .venv and ci/node_modules, once\n"
NOBODY = 65534


def executable(path: Path, script: str) -> Path:
    path.write_text(script)
    path.chmod(0o755)
    return path


def test_no_python(machine: Machine) -> None:
    (machine.folder / "bin/uv").unlink()
    said = "error: Python 3.11 or newer is needed, and python3 is missing\n"
    hint = PYTHON_HINT.format(machine.checkout / "inv")
    assert machine.run("inv", "--list", PYTHON="") == (2, "", said + hint)


def test_too_old_a_python(machine: Machine) -> None:
    (machine.folder / "bin/uv").unlink()
    executable(machine.folder / "bin/python3", OLD_PYTHON)
    said = "error: Python 3.11 or newer is needed, and python3 is Python 3.9.18\n"
    hint = PYTHON_HINT.format(machine.checkout / "nox")
    assert machine.run("nox", PYTHON="") == (2, "", said + hint)


def test_a_python_named_by_hand_is_not_replaced_by_another(machine: Machine) -> None:
    executable(machine.folder / "bin/python3", f'#!/bin/sh\nexec "{machine.env["PYTHON"]}" "$@"\n')
    said = "error: Python 3.11 or newer is needed, and /no/python is missing\n"
    hint = PYTHON_HINT.format(machine.checkout / "inv")
    assert machine.run("inv", PYTHON="/no/python") == (2, "", said + hint)


def test_a_newer_python_beside_an_old_one_is_found(machine: Machine) -> None:
    executable(machine.folder / "bin/python3", OLD_PYTHON)
    executable(machine.folder / "bin/python3.12", f'#!/bin/sh\nexec "{machine.env["PYTHON"]}" "$@"\n')
    assert machine.run("inv", PYTHON="")[0] == 0
    assert machine.calls() == INSTALLERS


def test_a_python_that_only_uv_knows_is_found(machine: Machine) -> None:
    machine.plant("uv python", f'echo "{machine.env["PYTHON"]}"')
    assert machine.run("inv", PYTHON="")[0] == 0
    assert machine.calls() == ["uv python", *INSTALLERS]


def test_a_python_without_its_venv_module(machine: Machine) -> None:
    (machine.folder / "bin/uv").unlink()
    real = machine.env["PYTHON"]
    start = "import sys, runpy; sys.modules['ensurepip'] = None; runpy.run_path(sys.argv[1], run_name='__main__')"
    python = executable(
        machine.folder / "bin/python3",
        f'#!/bin/sh\n[ "$2" = -c ] && echo "$0" || exec "{real}" -I -c "{start}" "$2"\n',
    )
    code, stdout, stderr = machine.run("inv", PYTHON=str(python))
    first, error, hint = stderr.splitlines()
    assert (code, stdout, first) == (2, "", SETTING_UP.strip())
    assert error.startswith("error: ")
    assert error.endswith(" has no venv module")
    assert hint.startswith("  hint: install it (Debian, Ubuntu: apt install python3.")
    assert not (machine.checkout / ".venv").exists()


@pytest.fixture
def read_only_checkout() -> Iterator[Path]:
    """A checkout that `NOBODY` can read and not write: the superuser, as in a container, would write anywhere."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        checkout = Path(folder, "checkout")
        machines.copy_launchers(checkout)
        checkout.chmod(0o555)
        yield checkout
        checkout.chmod(stat.S_IRWXU)


def test_a_read_only_folder(read_only_checkout: Path) -> None:
    done = subprocess.run(
        [read_only_checkout / "inv", "--list"],
        env={"PATH": os.defpath},
        user=NOBODY if os.geteuid() == 0 else None,
        capture_output=True,
        text=True,
    )
    said = f"error: {read_only_checkout} cannot be written, and .venv has to be made there\n"
    hint = f"  hint: use a checkout of your own: git clone {read_only_checkout}\n"
    assert (done.returncode, done.stdout, done.stderr) == (2, "", said + hint)


def test_a_folder_in_the_way(machine: Machine) -> None:
    (machine.checkout / ".lockstep").write_text("not a folder")
    code, stdout, stderr = machine.run("inv")
    said = "error: the set-up failed: [Errno 17] File exists: '.lockstep'\n"
    assert (code, stdout, stderr) == (2, "", said + "  hint: the checkout has to be yours, with room on its disk\n")


@pytest.mark.parametrize("call", INSTALLERS)
def test_an_installer_that_fails_is_told_with_the_end_of_what_it_said(machine: Machine, call: str) -> None:
    lines = "".join(f"line {number}\n" for number in range(20))
    planted = machine.plant(call, f"echo '{lines}'; exit 7")
    code, stdout, stderr = machine.run("inv")
    first, *tail, error, hint = stderr.splitlines()
    assert (code, stdout, first) == (3, "", SETTING_UP.strip())
    assert [line.strip() for line in tail[-3:]] == ["| line 18", "| line 19", "|"]
    assert len(tail) == 15
    assert error.startswith("error: the set-up failed: ")
    assert error.endswith(" ended with 7")
    assert hint == "  hint: check the connection, and the settings of proxy and registries, then run this again"
    planted.unlink()
    assert machine.run("inv")[0] == 0


def test_no_network_for_pip(machine: Machine) -> None:
    (machine.folder / "bin/uv").unlink()
    nowhere = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_CONFIG_FILE": os.devnull, "PIP_RETRIES": "0"}
    code, stdout, stderr = machine.run("inv", **nowhere, HOME=str(machine.folder))
    *_, error, hint = stderr.splitlines()
    assert (code, stdout) == (3, "")
    assert error.startswith("error: the set-up failed: .venv/bin/python -I -m pip install ")
    assert hint == "  hint: check the connection, and the settings of proxy and registries, then run this again"
    assert "Traceback" not in stderr
