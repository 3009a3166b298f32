"""The official clients over the websocket: queries that stay live, pages without gaps, connections that come back."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import psutil
import pytest

from tests import sandbox_fixture
from tests.sandbox import convex_app
from tests.sandbox.convex_app import App
from tests.sandbox_fixture import Sandbox


@pytest.fixture(scope="module")
def app(shared_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> App:
    app = convex_app.copied(shared_sandbox, tmp_path_factory.mktemp("clients") / "app", "dev:busy-otter-1")
    app.deploy()
    return app


def test_a_query_stays_live_whoever_writes(app: App) -> None:
    told = app.client("live.mjs", "live")
    assert (told["seen"][0], told["seen"][-1]) == ("", "one,two")
    assert told["relayed"] == told["asked"] == ["one", "two", "from an action"]
    assert told["refused"] == {"reason": "closed", "code": "7"}
    assert told["failed"] is True


def test_an_optimistic_update_gives_way_to_the_truth(app: App) -> None:
    assert app.client("optimistic.mjs", "optimistic") == {"seen": ["", "guess", "true"]}


def test_pages_stay_without_a_gap_while_documents_arrive(app: App) -> None:
    app.send("paged", "a", "b", "c", "d")
    told = app.client("pages.mjs", "paged")
    assert told == {"before": ["d,c", "b,a"], "after": ["new,d,c", "b,a"]}


def node_of(sandbox: Sandbox) -> psutil.Process:
    """Return the runtime that a sandbox's server has started; there must be one."""
    (found,) = psutil.Process(sandbox.endpoints["pid"]).children()
    return found


def test_a_killed_runtime_loses_nothing(fresh_sandbox: Sandbox, tmp_path: Path) -> None:
    app = convex_app.copied(fresh_sandbox, tmp_path / "app")
    app.deploy()
    app.send("room", "before")
    node_of(fresh_sandbox).kill()
    app.send("room", "after")
    assert app.texts("room") == ["before", "after"]


@contextlib.contextmanager
def watching(app: App, room: str) -> Iterator[subprocess.Popen[str]]:
    """Run the client that watches a room and says what it reads on its stdin; it ends by itself after a while."""
    argv, pipe = app.client_argv("reconnect.mjs", room), subprocess.PIPE
    with subprocess.Popen(argv, env=sandbox_fixture.BASE, stdin=pipe, stdout=pipe, text=True) as client:
        try:
            yield client
        finally:
            client.kill()


def test_a_killed_server_loses_nothing_and_clients_come_back(tmp_path: Path) -> None:
    with sandbox_fixture.running(tmp_path / "sandbox") as sandbox:
        app = convex_app.copied(sandbox, tmp_path / "app")
        app.deploy()
        assert app.cli("env", "set", "GREETING", "hello").returncode == 0
        with watching(app, "room") as client:
            lines = iter(lambda: str(client.stdout and client.stdout.readline()), "")
            assert next(lines) == "nothing\n"
            app.send("room", "before")
            assert next(lines) == "before\n"
            app.value("mutation", "work:schedule", {"room": "room", "text": "scheduled", "delayMs": 1500})
            os.kill(sandbox.endpoints["pid"], signal.SIGKILL)
            print("meanwhile", file=client.stdin, flush=True)
            sandbox.start()
            last = next(line for line in lines if line.count(",") == 2)
        assert sorted(last.strip().split(",")) == ["before", "meanwhile", "scheduled"]
        assert (app.url, app.value("query", "messages:greeting")) == (
            sandbox.endpoints["convex"]["deployments"]["production"]["url"],
            "hello",
        )


def test_readers_of_the_spec_may_have_to_wait_for_a_push(app: App, sandbox: Sandbox) -> None:
    extra = app.folder / "convex/extra.ts"
    extra.write_text("export { list } from './messages';\n")
    sandbox.control("POST", "convex/behind", {"deployment": app.deployment, "seconds": 3600})
    app.deploy()
    behind = app.value("query", "_system/cli/modules:apiSpec", key=app.key)
    called = app.value("query", "extra:list", {"room": "empty"})
    extra.unlink()
    app.deploy()
    names = {entry.get("identifier") for entry in behind}
    assert ("messages.js:list" in names, "extra.js:list" in names, called) == (True, False, [])


def test_a_mutation_sent_twice_runs_once(app: App) -> None:
    async def send() -> dict[str, Any]:
        async with aiohttp.ClientSession() as session, session.ws_connect(f"{app.url}/api/1.48.0/sync") as socket:
            await socket.send_json({"type": "Connect", "sessionId": "a-session", "connectionCount": 0})
            sent = {"type": "Mutation", "requestId": 0, "udfPath": "messages:send"}
            await socket.send_json({**sent, "args": [{"room": "once", "text": "once"}]})
            while (message := await socket.receive_json())["type"] != "MutationResponse":
                pass
            return dict(message)

    answers = [asyncio.run(send()), asyncio.run(send())]
    assert [answer["success"] for answer in answers] == [True, True]
    assert app.texts("once") == ["once"]


def test_the_key_of_another_deployment_opens_no_websocket(app: App, sandbox: Sandbox) -> None:
    key = sandbox.endpoints["convex"]["deployments"]["production"]["deploy_key"]

    async def authenticate() -> dict[str, Any]:
        async with aiohttp.ClientSession() as session, session.ws_connect(f"{app.url}/api/1.48.0/sync") as socket:
            await socket.send_json({"type": "Authenticate", "tokenType": "Admin", "value": key, "baseVersion": 0})
            return dict(await socket.receive_json())

    answer = asyncio.run(authenticate())
    assert (answer["type"], answer["error"].partition(":")[0]) == ("AuthError", "BadDeployKey")
