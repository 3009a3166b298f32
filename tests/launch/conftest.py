"""Fixtures of the launchers' tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.launch import machine as machines
from tests.launch.machine import Machine


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return machines.new(tmp_path.resolve())


@pytest.fixture
def ready(machine: Machine) -> Machine:
    """A machine whose checkout is set up."""
    assert machine.run("inv")[0] == 0
    machine.calls()
    return machine
