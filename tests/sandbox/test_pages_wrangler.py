"""The real wrangler against the sandbox: what it does right, and where its exit code says nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests import sandbox_fixture
from tests.sandbox_fixture import Project, Sandbox, Wrangler

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    files = {
        "index.html": "<h1>built</h1>",
        "assets/app.js": "run()",
        "_headers": "/*\n  X-Own: 1\n",
        "_redirects": "/old /",
    }
    for name, text in files.items():
        path = tmp_path / "dist" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "dist"


def deploy_argv(project: str, branch: str = "main") -> list[str]:
    named = ["--project-name", project, "--branch", branch, "--commit-hash", COMMIT, "--commit-message", "a message"]
    return ["pages", "deploy", "dist", *named, "--commit-dirty=false"]


def output(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "output.ndjson").read_text().splitlines()]


def test_it_deploys_what_is_then_served(project: Project, wrangler: Wrangler, dist: Path) -> None:
    done = wrangler(*deploy_argv(project.name))
    live = project.api("GET")["canonical_deployment"]
    assert (done.returncode, done.stderr) == (0, "")
    detailed = output(dist.parent)[-1]
    assert (detailed["type"], detailed["deployment_id"], detailed["url"]) == (
        "pages-deploy-detailed",
        live["id"],
        live["url"],
    )
    metadata = {"branch": "main", "commit_hash": COMMIT, "commit_message": "a message", "commit_dirty": False}
    assert live["deployment_trigger"]["metadata"] == metadata
    page = sandbox_fixture.http("GET", live["url"] + "/")
    assert (page.text, page.headers["X-Own"]) == ("<h1>built</h1>", "1")
    script = sandbox_fixture.http("GET", live["url"] + "/assets/app.js")
    assert (script.text, script.headers["Content-Type"]) == ("run()", "application/javascript; charset=utf-8")
    assert sandbox_fixture.http("GET", live["url"] + "/old").headers["Location"] == "/"


def test_another_branch_is_a_preview(project: Project, wrangler: Wrangler, dist: Path) -> None:
    done = wrangler(*deploy_argv(project.name, "feature/x"))
    shown = project.api("GET")
    assert done.returncode == 0
    assert output(dist.parent)[-1]["environment"] == "preview"
    assert (shown["canonical_deployment"], shown["latest_deployment"]["environment"]) == (None, "preview")


def test_an_upload_that_fails_for_good_exits_0_without_a_deployment(
    sandbox: Sandbox, project: Project, wrangler: Wrangler, dist: Path
) -> None:
    # Files are told apart by their hash, whatever the project: these must be new to the sandbox. wrangler sends them
    # in three bundles at once, whose tries add up: with one bundle it would take 34 s to give up instead of 9 s.
    for name in ("index.html", "second.html", "third.html"):
        (dist / name).write_text(f"never uploaded: {name}")
    error = {"success": False, "result": None, "messages": [], "errors": [{"code": 8000000, "message": "unknown"}]}
    sandbox.plant(match="POST .*/assets/upload$", times=-1, status=500, body=json.dumps(error))
    done = wrangler(*deploy_argv(project.name))
    assert done.returncode == 0
    assert "Failed to upload files" in done.stderr
    assert output(dist.parent)[-1]["type"] == "command-failed"
    assert project.api("GET", "/deployments") == []


def test_an_empty_folder_becomes_an_empty_site(project: Project, wrangler: Wrangler, tmp_path: Path) -> None:
    (tmp_path / "dist").mkdir()
    done = wrangler(*deploy_argv(project.name))
    live = project.api("GET")["canonical_deployment"]
    assert (done.returncode, sandbox_fixture.http("GET", live["url"] + "/").status) == (0, 404)


def test_a_wrong_token_deploys_nothing(project: Project, wrangler: Wrangler, dist: Path) -> None:
    done = wrangler(*deploy_argv(project.name), CLOUDFLARE_API_TOKEN="x" * 40)
    assert done.returncode == 1
    assert "Authentication error [code: 10000]" in done.stderr
    assert project.api("GET", "/deployments") == []


def test_a_deployment_that_fails_shows_the_last_line_of_its_log(
    sandbox: Sandbox, project: Project, wrangler: Wrangler, dist: Path
) -> None:
    sandbox.control("POST", "pages/results", {"fail": "no room left"})
    done = wrangler(*deploy_argv(project.name))
    assert done.returncode == 1
    assert "no room left" in done.stderr
    assert project.api("GET")["canonical_deployment"] is None


def test_a_connection_that_breaks_after_the_deployment_was_made(
    sandbox: Sandbox, project: Project, wrangler: Wrangler, dist: Path
) -> None:
    sandbox.plant(match="POST .*/deployments$", half=True)
    done = wrangler(*deploy_argv(project.name))
    assert done.returncode == 1
    made = project.api("GET", "/deployments")
    assert [item["deployment_trigger"]["metadata"]["commit_hash"] for item in made] == [COMMIT]


def test_a_second_deploy_uploads_nothing_even_after_a_kill(
    fresh_sandbox: Sandbox, wrangler_program: Path, dist: Path
) -> None:
    run = sandbox_fixture.wrangler_in(fresh_sandbox, dist.parent, wrangler_program)
    assert run(*deploy_argv("sandbox")).returncode == 0
    fresh_sandbox.kill()
    fresh_sandbox.start()
    done = run(*deploy_argv("sandbox"))
    assert done.returncode == 0
    assert "Uploaded 0 files (2 already uploaded)" in done.stdout
    assert len(Project(fresh_sandbox, "sandbox").api("GET", "/deployments")) == 2


def test_its_lists_and_its_new_project(sandbox: Sandbox, wrangler: Wrangler) -> None:
    made = wrangler("pages", "project", "create", "made-by-wrangler", "--production-branch", "release", "--force")
    assert (made.returncode, made.stderr) == (0, "")
    assert Project(sandbox, "made-by-wrangler").api("GET")["production_branch"] == "release"
    Project(sandbox, "made-by-wrangler").deploy({"/index.html": "x"}, branch="release", commit_hash=COMMIT)
    listed = wrangler("pages", "project", "list", "--json")
    assert "made-by-wrangler" in {item["Project Name"] for item in json.loads(listed.stdout)}
    deployed = json.loads(
        wrangler("pages", "deployment", "list", "--project-name", "made-by-wrangler", "--json").stdout
    )
    assert [(item["Environment"], item["Branch"], item["Source"]) for item in deployed] == [
        ("Production", "release", COMMIT[:7])
    ]
