"""The unmodified `convex` CLI against the sandbox: what a release and a developer type."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.sandbox import convex_app
from tests.sandbox.convex_app import App
from tests.sandbox_fixture import Sandbox


@pytest.fixture(scope="module")
def app(shared_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> App:
    return convex_app.copied(shared_sandbox, tmp_path_factory.mktemp("cli") / "app", "prod:graceful-shrimp-355")


@pytest.fixture(scope="module")
def deployed(app: App) -> App:
    app.deploy("--message", "a first release")
    return app


def test_deploy_says_what_it_added(deployed: App) -> None:
    changed = deployed.folder / "convex/schema.ts"
    before = changed.read_text()
    changed.write_text(
        before.replace('.index("by_room", ["room"])', '.index("by_room", ["room"]).index("by_text", ["text"])')
    )
    added = deployed.deploy()
    changed.write_text(before)
    removed = deployed.deploy()
    assert "[+] messages.by_text   text, _creationTime" in added
    assert "[-] messages.by_text   text, _creationTime" in removed
    assert f"Deployed Convex functions to {deployed.url}" in removed


def test_a_second_deploy_sends_only_hashes_and_changes_nothing(deployed: App) -> None:
    before = deployed.ask("/api/get_config_hashes", {"adminKey": deployed.key}).json()
    said = deployed.deploy()
    after = deployed.ask("/api/get_config_hashes", {"adminKey": deployed.key}).json()
    assert before == after
    assert "indexes:" not in said.replace("No indexes", "")


def test_a_dry_run_changes_nothing(deployed: App) -> None:
    extra = deployed.folder / "convex/extra.ts"
    extra.write_text("export { list } from './messages';\n")
    done = deployed.cli("deploy", "--dry-run", "--typecheck", "disable")
    extra.unlink()
    assert (done.returncode, f"Would have deployed Convex functions to {deployed.url}" in done.stderr) == (0, True)
    assert "extra.js" not in json.dumps(deployed.ask("/api/get_config_hashes", {"adminKey": deployed.key}).json())


def test_function_spec_lists_functions_and_routes(deployed: App) -> None:
    done = deployed.cli("function-spec", "--prod")
    spec = json.loads(done.stdout)
    functions = {entry["identifier"]: entry for entry in spec["functions"] if "identifier" in entry}
    assert spec["url"] == deployed.url
    assert functions["messages.js:send"] == {
        "identifier": "messages.js:send",
        "functionType": "Mutation",
        "visibility": {"kind": "public"},
        "args": {
            "type": "object",
            "value": {
                "room": {"fieldType": {"type": "string"}, "optional": False},
                "text": {"fieldType": {"type": "string"}, "optional": False},
            },
        },
        "returns": {"type": "null"},
    }
    assert functions["work.js:count"]["visibility"] == {"kind": "internal"}
    assert functions["messages.js:refuse"]["returns"] is None
    assert {"functionType": "HttpAction", "method": "POST", "path": "/hook"} in spec["functions"]


def test_run_prints_the_value_and_the_logs(deployed: App) -> None:
    done = deployed.cli("run", "messages:send", '{"room": "run", "text": "it\'s\\nhere"}')
    listed = deployed.cli("run", "messages:list", '{"room": "run"}')
    assert (done.returncode, listed.stdout) == (0, '[\n  "it\'s\\nhere"\n]\n')
    assert "[LOG] 'sending' 'it\\'s\\nhere' { room: 'run' }" in done.stderr


def test_run_of_an_unknown_function_lists_those_that_exist(deployed: App) -> None:
    done = deployed.cli("run", "messages:lost")
    assert done.returncode == 1
    assert "Could not find function for 'messages:lost'. Did you forget to run `npx convex dev`?" in done.stderr
    assert "• work:schedule" in done.stderr


def test_run_shows_where_a_function_threw(deployed: App) -> None:
    done = deployed.cli("run", "messages:sendAndThrow", '{"room": "run"}')
    assert done.returncode == 1
    assert "Uncaught Error: no room left\n    at handler (../convex/messages.ts:43:" in done.stderr


def test_environment_variables_are_set_listed_and_removed(deployed: App) -> None:
    def env(*arguments: str) -> str:
        done = deployed.cli("env", *arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    env("set", "GREETING", "hello")
    seen = (env("get", "GREETING"), env("list", "--include-values"), deployed.value("query", "messages:greeting"))
    env("remove", "GREETING")
    assert seen == ("hello\n", "GREETING=hello\n", "hello")
    assert deployed.value("query", "messages:greeting") is None


def test_data_shows_tables_and_documents(deployed: App) -> None:
    deployed.send("data", "first", "second")
    tables, rows = deployed.cli("data"), deployed.cli("data", "messages", "--limit", "1")
    assert tables.stdout == "messages\n"
    assert '"second"' in rows.stdout
    assert '"first"' not in rows.stdout


def test_logs_show_what_ran(deployed: App) -> None:
    deployed.send("logs", "for the log")
    argv = ["node", str(convex_app.CLI), "logs", "--history", "5", "--success"]
    logs = subprocess.Popen(
        argv,
        cwd=deployed.folder,
        env=deployed.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert logs.stdout
    with logs:
        lines = iter(logs.stdout.readline, "")
        assert "[CONVEX M(messages:send)]" in next(line for line in lines if "for the log" in line)
        logs.kill()


def test_codegen_writes_files_and_leaves_what_is_released(deployed: App, shared_sandbox: Sandbox) -> None:
    codegen = shared_sandbox.endpoints["convex"]["deployments"]["codegen"]
    done = deployed.cli("codegen", "--typecheck", "disable", CONVEX_DEPLOY_KEY=codegen["deploy_key"])
    generated = (deployed.folder / "convex/_generated/api.d.ts").read_text()
    received = shared_sandbox.control("GET", f"convex/code?deployment={codegen['deployment']}")
    live = deployed.ask("/api/get_config_hashes", {"adminKey": deployed.key}).json()
    assert (done.returncode, done.stderr.count("✖")) == (0, 0)
    assert 'import type * as messages from "../messages.js"' in generated
    assert {module["path"]: module["hash"] for module in received["modules"]} == {
        module["path"]: module["hash"] for module in live["moduleHashes"]
    }
    assert [table["tableName"] for table in received["schema"]["tables"]] == ["messages"]
    assert "messages.js:send" in {function.get("identifier") for function in received["functions"]}


def test_a_schema_that_stored_documents_do_not_fit_is_refused(deployed: App) -> None:
    deployed.send("schema", "old")
    schema = deployed.folder / "convex/schema.ts"
    before = schema.read_text()
    schema.write_text(before.replace("text: v.string()", "text: v.number()"))
    done = deployed.cli("deploy", "--yes", "--typecheck", "disable")
    schema.write_text(before)
    assert done.returncode == 1
    assert "Schema validation failed." in done.stderr
    assert 'in table "messages" does not match the schema' in done.stderr
    assert deployed.texts("schema") == ["old"]


def test_code_that_does_not_load_is_refused(deployed: App) -> None:
    broken = deployed.folder / "convex/broken.ts"
    broken.write_text("throw new Error('not today');\nexport const nothing = 1;\n")
    done = deployed.cli("deploy", "--yes", "--typecheck", "disable")
    broken.unlink()
    assert done.returncode == 1
    assert "400 Bad Request: InvalidModules" in done.stderr
    assert "Uncaught Error: not today\n    at <anonymous> (../convex/broken.ts:1:7)" in done.stderr


def test_auth_config_that_reads_an_unset_variable_is_refused(deployed: App) -> None:
    config = deployed.folder / "convex/auth.config.ts"
    config.write_text("export default { providers: [{ domain: process.env.DOMAIN, applicationID: 'app' }] };\n")
    done = deployed.cli("deploy", "--yes", "--typecheck", "disable")
    config.unlink()
    assert done.returncode == 1
    assert "Environment variable DOMAIN is used in auth config file but its value was not set" in done.stderr


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("prod:nobody|secret", "401 Unauthorized: AuthenticationFailed: Invalid Convex deploy key"),
        ("secret", "Please set CONVEX_DEPLOY_KEY to a new key"),
    ],
)
def test_an_unknown_key_is_refused(app: App, key: str, said: str) -> None:
    done = app.cli("deploy", "--yes", CONVEX_DEPLOY_KEY=key)
    assert done.returncode == 1
    assert said in done.stderr


def test_a_key_that_may_not_deploy_is_refused(deployed: App) -> None:
    done = deployed.cli("deploy", "--yes", CONVEX_DEPLOY_KEY=deployed.limited_key("ViewData"))
    assert done.returncode == 1
    assert "You do not have permission to perform this operation (deployment:deploy)." in done.stderr


def test_an_unknown_cli_request_is_refused_by_name(deployed: App, tmp_path: Path) -> None:
    done = deployed.cli("export", "--path", str(tmp_path / "out.zip"))
    assert done.returncode == 1
    assert "the sandbox does not implement POST /api/export/request/zip" in done.stderr
