"""Faults: every kind, on the request that was meant and on no other; and the request log that shows them."""

from __future__ import annotations

import http.client
import json
import time

import pytest

from tests import sandbox_fixture
from tests.sandbox_fixture import Answer, Project, Sandbox

PLAIN = (501, b'{"code": "NotImplemented", "message": "the sandbox does not implement GET /probe"}')


def probe(sandbox: Sandbox, path: str = "/probe") -> Answer:
    return sandbox_fixture.http("GET", sandbox.endpoints["control_url"] + path)


def until_open_requests(sandbox: Sandbox, count: int) -> None:
    deadline = time.monotonic() + 30
    while sandbox.control("GET", "health")["open_requests"] != count:
        assert time.monotonic() < deadline


def seen(answer: Answer) -> tuple[int, bytes]:
    return answer.status, answer.body


def test_a_status_with_body_and_headers(sandbox: Sandbox) -> None:
    sandbox.plant(match="GET /probe", status=429, body="<html>slow down", headers={"Retry-After": "3"})
    struck = probe(sandbox)
    assert (seen(struck), struck.headers["Retry-After"]) == ((429, b"<html>slow down"), "3")
    assert seen(probe(sandbox)) == PLAIN


def test_a_delay_goes_on_afterwards(sandbox: Sandbox) -> None:
    sandbox.plant(match="/probe", delay_s=0.2)
    assert seen(probe(sandbox)) == PLAIN
    assert sandbox.requests()[-1]["duration_ms"] >= 200


def test_a_dropped_connection_is_reset_without_one_byte(sandbox: Sandbox) -> None:
    sandbox.plant(match="/probe", drop=True)
    with pytest.raises(ConnectionResetError) as caught:
        probe(sandbox)
    # Its subclass RemoteDisconnected would mean that the connection was closed in order.
    assert caught.type is ConnectionResetError
    assert seen(probe(sandbox)) == PLAIN


def test_half_a_response_is_the_first_half_of_the_real_one(sandbox: Sandbox) -> None:
    sandbox.plant(match="/probe", half=True)
    connection = http.client.HTTPConnection(sandbox.endpoints["control_url"].removeprefix("http://"), timeout=30)
    connection.request("GET", "/probe")
    answer = connection.getresponse()
    assert (answer.status, int(answer.headers["Content-Length"])) == (PLAIN[0], len(PLAIN[1]))
    assert answer.read(len(PLAIN[1]) // 2) == PLAIN[1][: len(PLAIN[1]) // 2]
    with pytest.raises(ConnectionResetError):
        answer.read()
    connection.close()


def test_a_hang_ends_when_the_client_leaves(sandbox: Sandbox) -> None:
    sandbox.plant(match="/probe", hang=True)
    connection = http.client.HTTPConnection(sandbox.endpoints["control_url"].removeprefix("http://"), timeout=0.3)
    connection.request("GET", "/probe")
    with pytest.raises(TimeoutError):
        connection.getresponse()
    connection.close()
    until_open_requests(sandbox, 0)
    assert [(entry["fault"], entry["status"]) for entry in sandbox.requests()] == [("hang", 0)]


def test_a_hang_ends_when_the_server_stops(fresh_sandbox: Sandbox) -> None:
    fresh_sandbox.plant(match="/probe", hang=True)
    address = fresh_sandbox.endpoints["control_url"].removeprefix("http://")
    connection = http.client.HTTPConnection(address, timeout=30)
    connection.request("GET", "/probe")
    until_open_requests(fresh_sandbox, 1)
    assert fresh_sandbox.command("stop").stderr == "stopped\n"
    with pytest.raises(ConnectionError):
        connection.getresponse()
    connection.close()


def test_the_nth_request_counts_from_the_moment_of_planting(sandbox: Sandbox) -> None:
    probe(sandbox)
    sandbox.plant(match="/probe", nth=2, times=2, status=500)
    assert [probe(sandbox).status for _ in range(5)] == [501, 500, 500, 501, 501]


def test_minus_one_is_for_ever_until_cleared(sandbox: Sandbox) -> None:
    sandbox.plant(match="/probe", times=-1, status=502)
    assert [probe(sandbox).status for _ in range(3)] == [502, 502, 502]
    assert sandbox.control("GET", "faults")[0]["seen"] == 3
    assert sandbox.control("DELETE", "faults") == []
    assert seen(probe(sandbox)) == PLAIN


def test_of_two_faults_the_first_strikes_and_both_count(sandbox: Sandbox) -> None:
    sandbox.plant(match="/probe", status=500)
    sandbox.plant(match="GET", nth=2, status=502)
    assert [probe(sandbox).status for _ in range(3)] == [500, 502, 501]


def test_a_fault_strikes_the_named_server_alone(sandbox: Sandbox, project: Project) -> None:
    deployed = project.deploy({"/index.html": "here"})
    sandbox.plant(server=f"site:{project.name}:.*", times=-1, status=503)
    assert sandbox_fixture.http("GET", deployed["url"] + "/").status == 503
    assert project.api("GET")["canonical_deployment"]["id"] == deployed["id"]


def test_after_lets_the_request_take_effect_first(sandbox: Sandbox) -> None:
    sandbox.plant(match="POST .*/pages/projects$", drop=True, after=True)
    with pytest.raises(ConnectionResetError):
        sandbox.api("POST", "", {"name": "made-but-not-told"})
    assert sandbox.api("GET", "/made-but-not-told").status == 200


def test_a_delay_after_the_effect_asks_once(sandbox: Sandbox) -> None:
    sandbox.plant(match="POST .*/pages/projects$", delay_s=0.01, after=True)
    assert sandbox.api("POST", "", {"name": "asked-once"}).status == 200


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"match": "/"}, "a fault is exactly one of status, delay_s, hang, drop, half, this is none"),
        (
            {"hang": True, "drop": True},
            "a fault is exactly one of status, delay_s, hang, drop, half, this is hang, drop",
        ),
        ({"matches": "/", "hang": True}, "a fault has no field matches"),
        ({"hang": True, "nth": 0}, "nth counts from 1, and times is 1 or more, or -1 for ever"),
        (
            {"hang": True, "match": "("},
            "not a regular expression: '(': missing ), unterminated subpattern at position 0",
        ),
        ({"status": "500"}, "status must be a number, not '500'"),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(sandbox: Sandbox, fault: dict[str, object], error: str) -> None:
    url = sandbox.endpoints["control_url"] + "/__sandbox/faults"
    refused = sandbox_fixture.http("POST", url, body=fault)
    assert (refused.status, refused.json()["error"]) == (400, error)
    assert sandbox.control("GET", "faults") == []


@pytest.mark.parametrize("body", [b"{", b"[]"])
def test_a_fault_that_is_no_json_object_is_refused(sandbox: Sandbox, body: bytes) -> None:
    assert sandbox_fixture.http("POST", sandbox.endpoints["control_url"] + "/__sandbox/faults", body=body).status == 400


def test_the_log_tells_everything_but_secrets(sandbox: Sandbox) -> None:
    headers = {"Authorization": "Convex prod:x|secret", "User-Agent": "probe/1"}
    url = sandbox.endpoints["control_url"] + "/probe?key=secret"
    sandbox_fixture.http("POST", url, body=b"12345", headers=headers)
    sandbox_fixture.http("GET", url, headers={**headers, "Authorization": "secret"})
    told = [{key: entry[key] for key in entry if key not in ("at", "duration_ms")} for entry in sandbox.requests()]
    common = {"server": "provision", "path": "/probe", "status": 501, "fault": None, "user_agent": "probe/1"}
    assert told == [
        {**common, "method": "POST", "request_bytes": 5, "authorization": "Convex"},
        {**common, "method": "GET", "request_bytes": 0, "authorization": ""},
    ]
    assert "secret" not in (sandbox.root / "requests.jsonl").read_text()
    assert json.loads((sandbox.root / "requests.jsonl").read_text().splitlines()[-1]) == sandbox.requests()[-1]
