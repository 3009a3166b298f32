"""The sandbox's life: started once, stopped, reset, killed, crowded out of a port, left alone."""

from __future__ import annotations

import json
import re
import shutil
import socket
import stat
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from ci.sandbox import lock
from tests.sandbox_fixture import BASE, ROOT, Project, Sandbox, http

STOPPED = (3, "sandbox: stopped\n", "")


def outcome(done: subprocess.CompletedProcess[str]) -> tuple[int, str, str]:
    return done.returncode, done.stdout, done.stderr


def test_a_second_start_finds_the_first(fresh_sandbox: Sandbox) -> None:
    before = fresh_sandbox.endpoints
    again = fresh_sandbox.command("start", "--format", "json")
    assert (again.returncode, again.stderr) == (0, "")
    assert json.loads(again.stdout)["pid"] == before["pid"]
    assert fresh_sandbox.endpoints == before


def test_a_start_after_an_update_replaces_the_old_server_and_keeps_its_state(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "ci", tmp_path / "ci", ignore=shutil.ignore_patterns("node_modules"))
    (tmp_path / "ci/node_modules").symlink_to(ROOT / "ci/node_modules")

    def run(command: str) -> subprocess.CompletedProcess[str]:
        argv = [sys.executable, "-m", "ci.sandbox", command, "--root", str(tmp_path / "state")]
        return subprocess.run(argv, cwd=tmp_path, env=BASE, capture_output=True, text=True, timeout=90)

    assert run("start").returncode == 0
    try:
        before = Sandbox(tmp_path / "state").endpoints
        with (tmp_path / "ci/sandbox/world.py").open("a") as source:
            source.write("# a newer version\n")
        assert run("start").returncode == 0
        after = Sandbox(tmp_path / "state").endpoints
        assert before["pid"] != after["pid"]
        assert (before["convex"], before["pages"]) == (after["convex"], after["pages"])
    finally:
        run("stop")


def test_two_starts_at_once_end_with_one_server(tmp_path: Path) -> None:
    sandbox = Sandbox(tmp_path)
    argv = sandbox.argv("start", "--format", "json")
    starts = [subprocess.Popen(argv, cwd=ROOT, env=BASE, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    try:
        said = [json.loads(start.communicate(timeout=90)[0]) for start in starts]
        assert [start.returncode for start in starts] == [0, 0]
        assert {words["pid"] for words in said} == {sandbox.endpoints["pid"]} == {lock.holder(tmp_path)}
    finally:
        sandbox.command("stop")


def test_status_tells_addresses_and_what_is_lacking_but_no_keys(fresh_sandbox: Sandbox) -> None:
    shown = fresh_sandbox.command("status")
    document = json.loads(fresh_sandbox.command("status", "--format", "json").stdout)
    pages = fresh_sandbox.pages
    assert shown.returncode == 0
    assert pages["site"] in shown.stdout
    assert "a stand-in" in shown.stdout
    assert "pages lacks: functions and _worker.js" in shown.stdout
    assert (document["state"], document["site"]) == ("running", pages["site"])
    assert "builds from git" in document["lacks"]["pages"]
    assert pages["api_token"] not in shown.stdout + json.dumps(document)


def test_status_of_a_folder_without_a_sandbox(tmp_path: Path) -> None:
    assert outcome(Sandbox(tmp_path / "none").command("status")) == STOPPED
    assert not (tmp_path / "none").exists()


def test_its_settings_are_for_the_owner_alone(fresh_sandbox: Sandbox) -> None:
    assert stat.S_IMODE((fresh_sandbox.root / "endpoints.json").stat().st_mode) == 0o600


def test_the_starters_environment_does_not_reach_the_server(tmp_path: Path) -> None:
    sandbox = Sandbox(tmp_path)
    try:
        environment = {**BASE, "CONVEX_DEPLOY_KEY": "prod:x|y"}
        subprocess.run(sandbox.argv("start"), cwd=ROOT, env=environment, check=True, capture_output=True)
        assert set(psutil.Process(sandbox.endpoints["pid"]).environ()) <= {"PATH", "LANG", "HOME", "LC_CTYPE"}
    finally:
        sandbox.command("stop")


def test_stop_ends_it_and_a_second_stop_says_that_none_runs(fresh_sandbox: Sandbox) -> None:
    server = psutil.Process(fresh_sandbox.endpoints["pid"])
    assert outcome(fresh_sandbox.command("stop")) == (0, "", "stopped\n")
    server.wait(timeout=10)
    assert not (fresh_sandbox.root / "endpoints.json").exists()
    assert outcome(fresh_sandbox.command("status")) == STOPPED
    assert outcome(fresh_sandbox.command("stop")) == (0, "", f"no sandbox runs in {fresh_sandbox.root}\n")


def test_stop_terminates_a_server_that_cannot_be_asked(fresh_sandbox: Sandbox) -> None:
    file = fresh_sandbox.root / "endpoints.json"
    server = psutil.Process(fresh_sandbox.endpoints["pid"])
    file.write_text(json.dumps({**fresh_sandbox.endpoints, "control_url": "http://127.0.0.1:1"}))
    assert outcome(fresh_sandbox.command("status")) == (3, f"sandbox: not answering {server.pid}\n", "")
    assert outcome(fresh_sandbox.command("stop")) == (0, "", "stopped\n")
    server.wait(timeout=10)


def test_a_kill_loses_nothing_and_changes_no_address(fresh_sandbox: Sandbox) -> None:
    project = Project(fresh_sandbox, "sandbox")
    deployed = project.deploy({"/index.html": "<h1>before the kill</h1>"})
    before = fresh_sandbox.endpoints
    fresh_sandbox.kill()
    assert outcome(fresh_sandbox.command("status")) == STOPPED
    fresh_sandbox.start()
    after = fresh_sandbox.endpoints
    assert {**after, "pid": 0, "started_at": ""} == {**before, "pid": 0, "started_at": ""}
    assert project.api("GET")["canonical_deployment"] == deployed
    assert http("GET", after["pages"]["site"] + "/").text == "<h1>before the kill</h1>"
    assert http("GET", deployed["url"] + "/").text == "<h1>before the kill</h1>"


def test_reset_forgets_what_was_deployed_and_keeps_addresses_and_keys(fresh_sandbox: Sandbox) -> None:
    project = Project(fresh_sandbox, "sandbox")
    project.deploy({"/index.html": "<h1>gone soon</h1>"})
    before = fresh_sandbox.endpoints
    said = f"forgot what {fresh_sandbox.root} held, kept its ports and keys, started again\n"
    assert outcome(fresh_sandbox.command("reset")) == (0, "", said)
    after = fresh_sandbox.endpoints
    assert {**after, "pid": 0, "started_at": ""} == {**before, "pid": 0, "started_at": ""}
    assert after["pid"] != before["pid"]
    assert project.api("GET", "/deployments") == []
    assert list((fresh_sandbox.root / "assets").iterdir()) == []
    assert http("GET", after["pages"]["site"] + "/").status == 404


def test_reset_of_a_stopped_sandbox_starts_nothing(fresh_sandbox: Sandbox) -> None:
    fresh_sandbox.command("stop")
    said = f"forgot what {fresh_sandbox.root} held, kept its ports and keys\n"
    assert outcome(fresh_sandbox.command("reset")) == (0, "", said)
    assert outcome(fresh_sandbox.command("status")) == STOPPED


def test_a_port_that_somebody_else_has_is_one_clear_error(fresh_sandbox: Sandbox) -> None:
    port = int(fresh_sandbox.pages["site"].rpartition(":")[2])
    fresh_sandbox.command("stop")
    with socket.create_server(("127.0.0.1", port)):
        refused = fresh_sandbox.command("start")
    error = (
        f"error: port {port}, which the sandbox's site:sandbox had before, cannot be opened: Address already in use\n"
        f"  hint: end the program that has it (lsof -i :{port} names it), then start the sandbox again\n"
    )
    assert outcome(refused) == (3, "", error)
    assert outcome(fresh_sandbox.command("status")) == STOPPED
    assert int(fresh_sandbox.start().pages["site"].rpartition(":")[2]) == port


def test_a_second_server_on_the_same_folder_refuses_to_serve(fresh_sandbox: Sandbox) -> None:
    assert outcome(fresh_sandbox.command("serve")) == (3, '{"held": true}\n', "")


def test_it_ends_itself_when_nobody_uses_it(tmp_path: Path) -> None:
    done = Sandbox(tmp_path).command("serve", "--idle-hours", "0.0001")
    assert outcome(done) == (0, '{"ready": true}\n', "")
    assert not (tmp_path / "endpoints.json").exists()


def test_it_ends_itself_when_its_folder_is_gone(tmp_path: Path) -> None:
    sandbox = Sandbox(tmp_path / "state").start()
    server = psutil.Process(sandbox.endpoints["pid"])
    shutil.rmtree(sandbox.root)
    server.wait(timeout=30)
    assert not sandbox.root.exists()


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    refused = Sandbox(tmp_path / "file/state").command("start")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert re.fullmatch(r"error: .*/file/state cannot be used: Not a directory\n  hint: .*\n", refused.stderr)


def test_a_path_that_it_lacks_is_a_501_by_name(fresh_sandbox: Sandbox) -> None:
    lacking = http("POST", fresh_sandbox.endpoints["control_url"] + "/nowhere", body={})
    message = "the sandbox does not implement POST /nowhere"
    assert (lacking.status, lacking.json()) == (501, {"code": "NotImplemented", "message": message})
    assert lacking.headers["Server"] == "lockstep-sandbox"


@pytest.mark.parametrize("header", [{"Origin": "http://evil.example"}, {"Host": "evil.example:80"}])
def test_a_web_page_may_not_use_the_control_plane(fresh_sandbox: Sandbox, header: dict[str, str]) -> None:
    refused = http("POST", fresh_sandbox.endpoints["control_url"] + "/__sandbox/shutdown", body={}, headers=header)
    assert (refused.status, refused.json()) == (403, {"error": "the control plane does not answer web pages"})
    assert fresh_sandbox.command("status").returncode == 0
