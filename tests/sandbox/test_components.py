"""Apps with components: a local one with a child, mounted twice, deployed and run by the unmodified CLI."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests import sandbox_fixture
from tests.sandbox import convex_app
from tests.sandbox.convex_app import App
from tests.sandbox_fixture import Sandbox

TSC = sandbox_fixture.EXAMPLE / "node_modules/typescript/bin/tsc"


@pytest.fixture(scope="module")
def app(shared_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> App:
    folder = tmp_path_factory.mktemp("components") / "app"
    app = convex_app.copied(shared_sandbox, folder, "prod:counting-otter-100", app="counting")
    app.variables(STEP="2", SECRET="of the app")
    said = app.deploy()
    assert "Installed component counter." in said
    assert "Installed component counter/history." in said
    return app


def test_a_component_runs_and_keeps_its_tables(app: App) -> None:
    counted = [app.value("mutation", "visits:count", {"name": "page"}) for _ in range(2)]
    seen = [app.value("query", f"visits:{name}", {"name": "page"}) for name in ("read", "readAnother", "history")]
    assert (counted, seen) == ([2, 4], [4, 0, ["2 visits", "4 visits"]])
    assert app.value("query", "visits:told") == []
