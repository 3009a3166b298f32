"""Components from npm, deployed and run by the unmodified CLI: rate limiter, migrations, workpool."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests import sandbox_fixture
from tests.sandbox import convex_app
from tests.sandbox.convex_app import App
from tests.sandbox_fixture import Sandbox


@pytest.fixture(scope="module")
def app(shared_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> App:
    folder = tmp_path_factory.mktemp("packaged") / "app"
    app = convex_app.copied(shared_sandbox, folder, "prod:packaged-heron-100", app="packaged")
    said = app.deploy()
    assert "Installed component mailPool/batchWorker." in said
    return app


def test_the_rate_limiter_limits(app: App) -> None:
    assert [app.value("mutation", "letters:write", {"to": "Ada"}) for _ in range(3)] == [True, True, False]
    assert app.value("mutation", "letters:write", {"to": "Grace"}) is True


def test_a_migration_runs_in_batches_in_the_background(app: App) -> None:
    for name in ("one", "two", "three", "four", "five"):
        app.value("mutation", "letters:write", {"to": name})
    done = app.cli("run", "migrations:run", '{"fn": "migrations:setState"}')
    assert done.returncode == 0, done.stderr
    assert app.client("await_value.mjs", "letters:states", '{"to": "five"}', '["old"]') == ["old"]
    status = app.cli("run", "--component", "migrations", "lib:getStatus", '{"names": ["migrations:setState"]}')
    assert json.loads(status.stdout)[0]["isDone"] is True


def test_the_workpool_runs_an_action_and_says_what_became_of_it(app: App) -> None:
    app.value("mutation", "letters:post", {"to": "Alan"})
    states = app.client("await_value.mjs", "letters:states", '{"to": "Alan"}', '["brought to Alan"]')
    assert states == ["brought to Alan"]


def test_codegen_writes_the_types_of_packaged_components(app: App) -> None:
    codegen = app.sandbox.endpoints["convex"]["deployments"]["codegen"]
    done = app.cli("codegen", "--typecheck", "disable", CONVEX_DEPLOY_KEY=codegen["deploy_key"])
    assert done.returncode == 0, done.stderr
    generated = (app.folder / "convex/_generated/api.d.ts").read_text().replace("\n   ", "")
    package = 'import("@convex-dev/workpool/_generated/component.js").ComponentApi<"mailPool">'
    argv = ["node", str(convex_app.TSC), "-p", str(app.folder)]
    checked = subprocess.run(argv, env=sandbox_fixture.BASE, capture_output=True, text=True, timeout=60)
    assert f"mailPool: {package};" in generated
    assert (checked.returncode, checked.stdout) == (0, "")


def test_codegen_writes_what_the_makers_of_a_component_wrote(shared_sandbox: Sandbox, tmp_path: Path) -> None:
    # The package ships its source with the files that its makers generated against the real service.
    app = convex_app.copied(shared_sandbox, tmp_path / "app", "dev:packaged-ibex-100", app="packaged")
    shipped, own = app.folder / "node_modules/@convex-dev/workpool/src/component", app.folder / "convex/pool"
    shutil.copytree(shipped, own, ignore=shutil.ignore_patterns("*.test.ts", "_generated"))
    config = app.folder / "convex/convex.config.ts"
    config.write_text(config.read_text().replace("@convex-dev/workpool/convex.config.js", "./pool/convex.config.js"))
    done = app.cli("codegen", "--typecheck", "disable")
    assert done.returncode == 0, done.stderr
    for name in ("api.ts", "component.ts", "dataModel.ts"):
        assert (own / "_generated" / name).read_text() == (shipped / "_generated" / name).read_text()
