"""Apps with components: a local one with a child, mounted twice, deployed and run by the unmodified CLI."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from ci import convex
from ci.config import Backend
from ci.secret import Secret
from tests import sandbox_fixture
from tests.sandbox import convex_app
from tests.sandbox.convex_app import App
from tests.sandbox_fixture import Sandbox


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


def test_what_a_component_wrote_is_undone_with_its_caller(app: App) -> None:
    failed = app.call("mutation", "visits:count", {"name": "undone", "fail": True})
    assert failed["status"] == "error"
    assert app.value("query", "visits:read", {"name": "undone"}) == 0
    assert app.value("query", "visits:history", {"name": "undone"}) == []


def test_an_action_of_a_component_runs(app: App) -> None:
    assert app.value("action", "visits:countInAction", {"name": "action"}) == 2


def test_a_component_calls_back_by_a_function_handle(app: App) -> None:
    before = app.value("query", "visits:told")
    app.value("mutation", "visits:countAndBeTold", {"name": "handle"})
    assert app.value("query", "visits:told") == [*before, 2]


def test_functions_that_components_schedule_run(app: App) -> None:
    app.value("mutation", "visits:countLater", {"name": "later", "delayMs": 0})
    assert app.client("await_value.mjs", "visits:read", '{"name": "later"}', "2") == 2
    assert app.client("await_value.mjs", "visits:readAnother", '{"name": "later"}', "1") == 1


def test_what_is_scheduled_in_a_component_is_no_function_of_the_app(app: App) -> None:
    app.value("mutation", "visits:countLater", {"name": "tomorrow", "delayMs": 86_400_000})
    args = {"paginationOpts": {"cursor": None, "numItems": 10}}
    jobs = app.value("query", "_system/frontend/paginatedScheduledJobs", args, key=app.key)["page"]
    assert [(job["component"], job["udfPath"]) for job in jobs] == [("another", "counts:add")]
    assert convex.scheduled(Backend(app.deployment, Secret(app.key)), app.url) == frozenset()


def test_a_component_sees_only_the_environment_that_it_is_given(app: App) -> None:
    assert app.value("query", "visits:environments") == {
        "app": "2",
        "counter": {"step": "2", "unit": "visits", "secret": None},
        "another": {"step": None, "unit": None, "secret": None},
    }


def test_the_cli_reaches_into_components(app: App) -> None:
    app.value("mutation", "visits:count", {"name": "cli"})
    read = app.cli("run", "--component", "counter", "counts:read", '{"name": "cli"}')
    rows = app.cli("data", "--component", "counter/history", "entries")
    tables = app.cli("data")
    assert (read.returncode, read.stdout) == (0, "2\n")
    assert '"2 visits"' in rows.stdout
    assert tables.stdout == "counts\n"


def test_nobody_without_a_key_reaches_into_components(app: App) -> None:
    asked = {"path": "counts:read", "args": {"name": "page"}, "componentPath": "counter", "format": "json"}
    refused = app.ask("/api/query", asked, key="").json()
    assert "Could not find component 'counter'." in refused["errorMessage"]


def test_the_function_spec_has_the_functions_of_the_app_alone(app: App) -> None:
    spec = json.loads(app.cli("function-spec", "--prod").stdout)
    modules = {entry["identifier"].partition(":")[0] for entry in spec["functions"]}
    assert modules == {"visits.js"}


def test_codegen_writes_the_types_of_components(app: App) -> None:
    codegen = app.sandbox.endpoints["convex"]["deployments"]["codegen"]
    done = app.cli("codegen", "--typecheck", "disable", CONVEX_DEPLOY_KEY=codegen["deploy_key"])
    assert done.returncode == 0, done.stderr
    generated = (app.folder / "convex/_generated/api.d.ts").read_text()
    counter = (app.folder / "convex/counter/_generated/component.ts").read_text()
    assert 'counter: import("../counter/_generated/component.js").ComponentApi<"counter">;' in generated
    assert 'another: import("../counter/_generated/component.js").ComponentApi<"another">;' in generated
    assert "addAndTell: FunctionReference<" in counter
    assert "addNow" not in counter
    argv = ["node", str(convex_app.TSC), "-p", str(app.folder)]
    checked = subprocess.run(argv, env=sandbox_fixture.BASE, capture_output=True, text=True, timeout=60)
    assert (checked.returncode, checked.stdout) == (0, "")


def test_components_keep_their_documents_over_a_kill_and_a_push(fresh_sandbox: Sandbox, tmp_path: Path) -> None:
    app = convex_app.copied(fresh_sandbox, tmp_path / "app", app="counting")
    app.deploy()
    app.value("mutation", "visits:count", {"name": "kept"})
    fresh_sandbox.kill()
    fresh_sandbox.start()
    counted = app.value("mutation", "visits:count", {"name": "kept"})
    config = app.folder / "convex/convex.config.ts"
    config.write_text(config.read_text().replace('app.use(counter, { name: "another" });', ""))
    (app.folder / "convex/visits.ts").write_text("export {};\n")
    said = app.deploy()
    read = app.cli("run", "--component", "counter", "counts:read", '{"name": "kept"}')
    assert (counted, read.stdout) == (2, "2\n")
    assert "Unmounted component another." in said, said


def test_a_schema_that_a_component_s_documents_do_not_fit_is_refused(app: App) -> None:
    app.value("mutation", "visits:count", {"name": "schema"})
    schema = app.folder / "convex/counter/schema.ts"
    before = schema.read_text()
    schema.write_text(before.replace("value: v.number()", "value: v.string()"))
    done = app.cli("deploy", "--yes", "--typecheck", "disable")
    schema.write_text(before)
    assert done.returncode == 1
    assert 'in table "counts" does not match the schema' in done.stderr
