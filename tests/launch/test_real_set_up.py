"""One set-up with the real installers, and what it leaves behind."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

import noxfile
from tests.launch import machine as machines


def run(checkout: Path, *command: str, **env: str) -> tuple[int, str, str]:
    scrubbed = noxfile.environment(checkout.parent) | env
    done = subprocess.run(command, cwd=checkout, env=scrubbed, capture_output=True, text=True, timeout=300)
    return done.returncode, done.stdout, done.stderr


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout that its first `./inv` has set up."""
    checkout = tmp_path_factory.mktemp("real") / "checkout"
    machines.copy_launchers(checkout)
    code, stdout, stderr = run(checkout, "./inv", "hello")
    assert (code, stdout) == (0, "hello\n"), stderr
    return checkout


def test_its_tools_run(checkout: Path) -> None:
    path = os.pathsep.join([str(checkout / ".venv/bin"), str(checkout / "ci/node_modules/.bin"), os.defpath])
    outcomes = [run(checkout, "/usr/bin/env", tool, "--version", PATH=path) for tool in ("node", "bun", "convex")]
    assert [(code, stderr) for code, _, stderr in outcomes] == [(0, "")] * 3


def test_everything_python_is_compiled(checkout: Path) -> None:
    assert list(checkout.glob("__pycache__/tasks.*.pyc"))
    assert list(checkout.glob(".venv/lib/python3*/site-packages/aiohttp/__pycache__/web.*.pyc"))


def test_it_needs_no_installer_and_no_network_again(checkout: Path) -> None:
    nowhere = "http://127.0.0.1:9"
    offline = {"PIP_INDEX_URL": nowhere, "UV_INDEX_URL": nowhere, "npm_config_registry": nowhere}
    assert run(checkout, "./inv", "hello", **offline, PATH=os.defpath) == (0, "hello\n", "")
    code, stdout, stderr = run(checkout, "./nox", "--list", **offline, PATH=os.defpath)
    assert (code, stderr) == (0, "")
    assert "* rehearse -> " in stdout
