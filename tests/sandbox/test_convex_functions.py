"""Functions over HTTP: who may run them, what they answer, what they cannot do."""

from __future__ import annotations

import struct
from base64 import b64encode
from typing import Any

import pytest

from tests import sandbox_fixture
from tests.sandbox import convex_app
from tests.sandbox.convex_app import App
from tests.sandbox_fixture import Sandbox


@pytest.fixture(scope="module")
def app(shared_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> App:
    app = convex_app.copied(shared_sandbox, tmp_path_factory.mktemp("functions") / "app", "dev:patient-heron-1")
    app.deploy()
    return app


def error_of(answer: dict[str, Any]) -> str:
    """Return what went wrong, without the number of the request."""
    first, _, rest = str(answer["errorMessage"]).partition("\n")
    assert first.startswith("[Request ID: ")
    assert first.endswith("] Server Error")
    return rest


def test_a_mutation_that_throws_changes_nothing(app: App) -> None:
    answer = app.call("mutation", "messages:sendAndThrow", {"room": "thrown"})
    assert error_of(answer).startswith("Uncaught Error: no room left\n    at handler (../convex/messages.ts:43:")
    assert app.texts("thrown") == []


def test_a_mutation_that_returns_what_it_may_not_changes_nothing(app: App) -> None:
    answer = app.call("mutation", "messages:sendAndReturnNonsense", {"room": "nonsense"})
    assert "Expected `null`" in error_of(answer)
    assert app.texts("nonsense") == []


def test_the_data_of_a_convex_error_is_told(app: App) -> None:
    answer = app.call("query", "messages:refuse")
    assert answer["errorData"] == {"code": "7", "reason": "closed"}


def test_values_are_encoded_or_clean_as_asked(app: App) -> None:
    encoded = app.ask("/api/query", {"path": "messages:values", "args": {}, "format": "convex_encoded_json"}).json()
    assert app.value("query", "messages:values") == {"big": "12345678901", "bytes": "AQI=", "infinite": "Infinity"}
    assert encoded["value"] == {
        "big": {"$integer": b64encode(struct.pack("<q", 12345678901)).decode()},
        "bytes": {"$bytes": "AQI="},
        "infinite": {"$float": b64encode(struct.pack("<d", float("inf"))).decode()},
    }


def test_wrong_arguments_and_kinds_are_refused(app: App) -> None:
    missing = app.call("mutation", "messages:send", {"room": "r"})
    kind = app.call("query", "messages:send", {"room": "r", "text": "t"})
    assert "Missing required field `text`" in error_of(missing)
    assert error_of(kind) == "Trying to execute messages.js:send as Query, but it is defined as Mutation."


def test_production_does_not_tell_strangers_what_was_thrown(sandbox: Sandbox, app: App, shared_production: App) -> None:
    hidden = shared_production.call("mutation", "messages:sendAndThrow", {"room": "hidden"})
    told = shared_production.call("mutation", "messages:sendAndThrow", {"room": "hidden"}, key=shared_production.key)
    data = shared_production.call("query", "messages:refuse")
    assert error_of(hidden) == ""
    assert error_of(told).startswith("Uncaught Error: no room left")
    assert data["errorData"] == {"code": "7", "reason": "closed"}


@pytest.fixture(scope="module")
def shared_production(shared_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> App:
    app = convex_app.copied(shared_sandbox, tmp_path_factory.mktemp("production") / "app")
    app.deploy()
    return app


def test_an_internal_function_needs_a_key_that_allows_it(app: App) -> None:
    stranger = app.call("mutation", "work:count")
    owner = app.call("mutation", "work:count", key=app.key)
    limited = app.ask("/api/function", {"path": "work:count", "args": {}}, key=app.limited_key("RunInternalQueries"))
    assert error_of(stranger) == "Could not find public function for 'work:count'."
    assert owner["status"] == "success"
    assert (limited.status, limited.json()) == (
        403,
        {
            "code": "OperationNotPermitted",
            "message": "You do not have permission to perform this operation "
            "(deployment:functions:runInternalMutations).",
        },
    )


def test_the_key_of_another_deployment_is_refused(app: App, shared_production: App) -> None:
    answer = app.ask("/api/get_config_hashes", {"adminKey": shared_production.key}, key="")
    assert (answer.status, answer.json()["code"]) == (403, "BadDeployKey")
    assert f"invalid for deployment '{app.deployment.partition(':')[2]}'" in answer.json()["message"]


def test_what_is_no_token_is_refused(app: App) -> None:
    answer = app.ask("/api/query", {"path": "messages:list", "args": {"room": "r"}}, key="")
    bearer = sandbox_fixture.http(
        "POST", f"{app.url}/api/query", body={"path": "x", "args": {}}, headers={"Authorization": "Bearer a.b.c"}
    )
    assert (answer.status, bearer.status, bearer.json()["code"]) == (200, 401, "InvalidAuthHeader")


def test_what_a_key_may_do_is_told(app: App) -> None:
    full = app.ask("/api/check_admin_key", method="GET").json()
    limited = app.ask("/api/check_admin_key", method="GET", key=app.limited_key("ViewData", "Deploy")).json()
    assert full == {"success": True, "allowedOps": [], "isReadOnly": False}
    assert limited["allowedOps"] == ["ViewData", "Deploy"]
    assert app.ask("/api/check_admin_key", method="GET", key="").status == 403


def test_system_queries_answer_over_http(app: App) -> None:
    key = app.limited_key("ViewEnvironmentVariables")
    spec = app.value("query", "_system/cli/modules:apiSpec", key=app.key)
    refused = app.call("query", "_system/cli/modules:apiSpec", key=key)
    schemas = app.value("query", "_system/frontend/getSchemas", key=app.key)
    assert "messages.js:send" in {entry.get("identifier") for entry in spec}
    assert error_of(refused) == (
        "Uncaught Error: OperationNotPermitted: "
        "You do not have permission to perform this operation (deployment:data:view)."
    )
    assert '"indexDescriptor": "by_room"' in schemas["active"]
    assert app.value("query", "_system/cli/queryEnvironmentVariables:get", {"name": "NONE"}, key=key) is None
    assert "Could not find public function" in error_of(app.call("query", "_system/cli/modules:apiSpec"))


def test_what_is_lacking_is_refused_by_name(app: App) -> None:
    query = app.ask("/api/query", {"path": "_system/frontend/backendState:default", "args": {}})
    route = app.ask("/api/run_test_function", {})
    assert (query.status, query.json()) == (
        501,
        {
            "code": "NotImplemented",
            "message": "the sandbox does not implement the system function _system/frontend/backendState:default",
        },
    )
    assert (route.status, route.json()["message"]) == (
        501,
        "the sandbox does not implement POST /api/run_test_function",
    )


@pytest.mark.parametrize(("name", "said"), [("read", "--allow-fs-read"), ("write", "--allow-fs-write")])
def test_pushed_code_cannot_use_files(app: App, name: str, said: str) -> None:
    assert said in error_of(app.call("action", f"escape:{name}"))


def test_pushed_code_cannot_start_or_end_a_process(app: App) -> None:
    assert "--allow-child-process" in error_of(app.call("action", "escape:spawn"))
    assert "process.exit is not available" in error_of(app.call("action", "escape:exit"))
    assert app.value("action", "escape:hash") == "ca978112"


def test_a_forgotten_promise_ends_nothing(app: App) -> None:
    assert app.value("action", "work:forgetAPromise") == "done"
    assert app.texts("nobody") == []


def test_an_endless_loop_ends_in_a_timeout(app: App) -> None:
    app.send("loop", "before")
    answer = app.call("query", "work:computeForEver")
    assert error_of(answer) == "Function execution timed out (maximum duration: 5s)"
    assert app.texts("loop") == ["before"]


def test_scheduled_functions_run(app: App) -> None:
    app.value("mutation", "work:schedule", {"room": "later", "text": "on time", "delayMs": 0})
    seen = app.client("await_texts.mjs", "later", "1")
    assert seen == ["on time"]
