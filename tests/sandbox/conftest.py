"""Sandboxes for the tests of this folder: one shared by a test process, and fresh ones for what changes its life."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import sandbox_fixture
from tests.sandbox_fixture import Project, Sandbox, Wrangler


@pytest.fixture(scope="session")
def shared_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with sandbox_fixture.running(tmp_path_factory.mktemp("sandbox")) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(shared_sandbox: Sandbox) -> Iterator[Sandbox]:
    """The running sandbox of this test process, free of faults. Tests share its state: name your own projects."""
    shared_sandbox.calm()
    yield shared_sandbox
    shared_sandbox.calm()


@pytest.fixture
def fresh_sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    """A sandbox of this test alone, to kill, reset and stop."""
    with sandbox_fixture.running(tmp_path / "sandbox") as sandbox:
        yield sandbox


@pytest.fixture
def project(sandbox: Sandbox, request: pytest.FixtureRequest) -> Project:
    """A new Pages project of this test alone, of the production branch main."""
    name = request.node.name.replace("_", "-").partition("[")[0][:40].strip("-")
    return sandbox.new_project(f"{name}-{len(sandbox.api('GET', '?per_page=1000').json()['result'])}")


@pytest.fixture(scope="session")
def wrangler_program() -> Path:
    return sandbox_fixture.installed_wrangler()


@pytest.fixture
def wrangler(sandbox: Sandbox, wrangler_program: Path, tmp_path: Path) -> Wrangler:
    """Runs the real wrangler in `tmp_path` against the sandbox."""
    return sandbox_fixture.wrangler_in(sandbox, tmp_path, wrangler_program)
