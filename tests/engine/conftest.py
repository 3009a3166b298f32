"""Fixtures of the engine's tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.project import Lifeline, Project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path.resolve())


@pytest.fixture
def lifeline(project: Project) -> Iterator[Lifeline]:
    line = Lifeline(project)
    yield line
    line.close()
