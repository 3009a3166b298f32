"""The Pages API as a release calls it: who may, projects, deployments, results, rolling back."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests import sandbox_fixture
from tests.sandbox_fixture import Answer, Project, Sandbox

PAGE = {"/index.html": "<h1>one</h1>"}


def refusal(answer: Answer) -> tuple[int, int, str]:
    body = answer.json()
    assert (body["success"], body["result"], body["messages"]) == (False, None, [])
    return answer.status, body["errors"][0]["code"], body["errors"][0]["message"]


def call(sandbox: Sandbox, path: str, authorization: str, method: str = "GET", body: object = None) -> Answer:
    headers = {"Authorization": authorization} if authorization else {}
    return sandbox_fixture.http(method, sandbox.pages["api_base_url"] + path, body=body, headers=headers)


def token(sandbox: Sandbox, **rights: object) -> str:
    return str(sandbox.control("POST", "pages/tokens", rights)["token"])


def stage(deployment: dict[str, Any]) -> tuple[str, str]:
    return deployment["latest_stage"]["name"], deployment["latest_stage"]["status"]


UNKNOWN = "x" * 40


@pytest.mark.parametrize(
    ("path", "authorization", "refused"),
    [
        ("/accounts", "", (400, 9106, "Missing X-Auth-Key, X-Auth-Email or Authorization headers")),
        ("/accounts", 'Bearer "quoted"', (400, 6003, "Invalid request headers")),
        ("/accounts", f"Bearer {UNKNOWN}", (403, 10000, "Authentication error")),
        ("/user", f"Bearer {UNKNOWN}", (403, 9109, "Invalid access token")),
        ("/user/tokens/verify", f"Bearer {UNKNOWN}", (401, 1000, "Invalid API Token")),
    ],
)
def test_a_wrong_token_is_refused(
    sandbox: Sandbox, path: str, authorization: str, refused: tuple[int, int, str]
) -> None:
    assert refusal(call(sandbox, path, authorization)) == refused


def test_a_token_tells_its_state_and_its_accounts(sandbox: Sandbox) -> None:
    bearer, account = f"Bearer {sandbox.pages['api_token']}", sandbox.pages["account_id"]
    shown = {"id": account, "name": f"Sandbox {account[:6]}", "type": "standard"}
    assert call(sandbox, "/user/tokens/verify", bearer).json()["result"]["status"] == "active"
    assert call(sandbox, "/user", bearer).json()["result"]["email"] == "sandbox@example.invalid"
    assert call(sandbox, "/accounts", bearer).json()["result"] == [shown]
    assert call(sandbox, f"/accounts/{account}", bearer).json()["result"] == shown
    assert call(sandbox, "/memberships", bearer).json()["result"][0]["account"] == shown


def test_a_reading_token_may_not_change_anything(sandbox: Sandbox, project: Project) -> None:
    reader = token(sandbox, permission="read")
    assert sandbox.api("GET", f"/{project.name}", token=reader).status == 200
    refused = sandbox.api("DELETE", f"/{project.name}", token=reader)
    uploading = sandbox.api("GET", f"/{project.name}/upload-token", token=reader)
    assert [refusal(refused), refusal(uploading)] == [(403, 10000, "Authentication error")] * 2
    assert project.api("GET")["name"] == project.name


def test_a_token_of_another_account_sees_nothing(sandbox: Sandbox) -> None:
    stranger = token(sandbox, accounts=["0" * 32])
    assert refusal(sandbox.api("GET", "/sandbox", token=stranger)) == (403, 10000, "Authentication error")
    other = call(sandbox, f"/accounts/{'0' * 32}/pages/projects", f"Bearer {stranger}").json()
    assert (other["result"], other["result_info"]["total_count"]) == ([], 0)


def test_an_account_that_is_no_identifier_is_not_routed(sandbox: Sandbox) -> None:
    path = "/accounts/mine/pages/projects/sandbox"
    refused = refusal(call(sandbox, path, f"Bearer {sandbox.pages['api_token']}"))
    expected = f"Could not route to /client/v4{path}, perhaps your object identifier is invalid?"
    assert refused == (404, 7003, expected)


def test_a_call_that_it_lacks_is_a_501_by_name_in_cloudflares_form(sandbox: Sandbox) -> None:
    refused = refusal(call(sandbox, "/zones", f"Bearer {sandbox.pages['api_token']}", "POST", {}))
    assert refused == (501, 7000, "the sandbox does not implement POST /client/v4/zones")


def test_the_first_project_is_there_from_the_start(sandbox: Sandbox) -> None:
    found = Project(sandbox, "sandbox").api("GET")
    assert (found["production_branch"], found["subdomain"], found["source"]) == ("main", "sandbox.pages.dev", None)
    assert set(found["deployment_configs"]) == {"preview", "production"}


def test_a_project_that_is_not_there(sandbox: Sandbox) -> None:
    message = "Project not found. The specified project name does not match any of your existing projects."
    assert refusal(sandbox.api("GET", "/nope")) == (404, 8000007, message)


def test_a_name_is_given_once(sandbox: Sandbox, project: Project) -> None:
    message = "A project with this name already exists. Choose a different project name."
    assert refusal(sandbox.api("POST", "", {"name": project.name})) == (409, 8000002, message)


@pytest.mark.parametrize("name", ["", "Upper", "-dash", "a" * 59, "a.b"])
def test_a_name_that_is_no_host_name_is_refused(sandbox: Sandbox, name: str) -> None:
    assert sandbox.api("POST", "", {"name": name}).status == 400


def test_a_name_of_another_account_gets_an_address_of_its_own(sandbox: Sandbox) -> None:
    stranger = token(sandbox, accounts=["1" * 32])
    path, body = f"/accounts/{'1' * 32}/pages/projects", {"name": "sandbox"}
    created = call(sandbox, path, f"Bearer {stranger}", "POST", body).json()["result"]
    assert created["name"] == "sandbox"
    assert created["subdomain"].startswith("sandbox-")


def test_a_project_changes_what_it_is_told_and_keeps_the_rest(project: Project) -> None:
    before = project.api("GET")
    source = {"type": "github", "config": {"owner": "me", "repo_name": "app", "deployments_enabled": True}}
    changed = project.api("PATCH", body={"production_branch": "release", "source": source, "name": "no"})
    assert changed == {**before, "production_branch": "release", "source": source}
    assert project.api("GET") == changed


def test_a_deleted_project_is_gone_with_its_site(sandbox: Sandbox, project: Project) -> None:
    url = project.deploy(PAGE)["url"]
    assert project.api("DELETE") is None
    assert sandbox.api("GET", f"/{project.name}").status == 404
    with pytest.raises(OSError, match="refused"):
        sandbox_fixture.http("GET", url)


def test_lists_come_in_pages(project: Project) -> None:
    made = [project.deploy(PAGE)["id"] for _ in range(3)]
    listed = project.sandbox.api("GET", f"/{project.name}/deployments?per_page=2&page=2").json()
    assert [item["id"] for item in listed["result"]] == [made[0]]
    numbers = {"page": 2, "per_page": 2, "count": 1, "total_count": 3, "total_pages": 2}
    assert listed["result_info"] == numbers
    assert project.sandbox.api("GET", "?page=zero").status == 400


def test_the_branch_decides_between_production_and_preview(project: Project) -> None:
    first = project.deploy(PAGE, commit_hash="a" * 40, commit_message="first", commit_dirty="true")
    preview = project.deploy(PAGE, branch="Feature/Übung")
    assert (first["environment"], first["aliases"], stage(first)) == ("production", None, ("deploy", "success"))
    metadata = {"branch": "main", "commit_hash": "a" * 40, "commit_message": "first", "commit_dirty": True}
    assert first["deployment_trigger"] == {"type": "ad_hoc", "metadata": metadata}
    assert preview["environment"] == "preview"
    assert preview["aliases"][0].startswith(f"http://feature-bung.{project.name}.pages.localhost:")
    shown = project.api("GET")
    assert (shown["canonical_deployment"], shown["latest_deployment"]) == (first, preview)
    assert project.api("GET", "/deployments?env=preview") == [preview]
    assert project.api("GET", "/deployments") == [preview, first]
    assert project.api("GET", f"/deployments/{first['id']}") == first


def test_rolling_back_changes_what_is_live_and_nothing_else(project: Project) -> None:
    first, second = project.deploy(PAGE), project.deploy({"/index.html": "<h1>two</h1>"})
    assert project.api("POST", f"/deployments/{first['id']}/rollback") == first
    shown = project.api("GET")
    assert (shown["canonical_deployment"], shown["latest_deployment"]) == (first, second)


def test_what_cannot_be_rolled_back_to(project: Project) -> None:
    live, preview = project.deploy(PAGE), project.deploy(PAGE, branch="other")
    project.sandbox.control("POST", "pages/results", {"fail": "no"})
    failed = project.deploy(PAGE)
    answers = [
        project.sandbox.api("POST", f"/{project.name}/deployments/{deployment}/rollback")
        for deployment in (live["id"], preview["id"], failed["id"], "nope")
    ]
    assert [(answer.status, answer.json()["errors"][0]["code"]) for answer in answers] == [
        (400, 8000039),
        (400, 8000036),
        (400, 8000037),
        (404, 8000009),
    ]


def test_a_failed_deployment_says_why_and_changes_nothing_live(project: Project) -> None:
    live = project.deploy(PAGE)
    project.sandbox.control("POST", "pages/results", {"fail": "the disk is full"})
    failed = project.deploy({"/index.html": "never seen"})
    assert stage(failed) == ("deploy", "failure")
    log = project.api("GET", f"/deployments/{failed['id']}/history/logs")
    assert (log["total"], log["data"][-1]["line"]) == (len(log["data"]), "Error: the disk is full")
    assert project.api("GET")["canonical_deployment"] == live
    assert sandbox_fixture.http("GET", failed["url"] + "/").status == 404


def test_a_stalled_deployment_is_never_done(project: Project) -> None:
    project.sandbox.control("POST", "pages/results", {"stall": True, "times": 1})
    stalled = project.deploy(PAGE)
    assert stage(stalled) == ("deploy", "active")
    assert project.api("GET")["canonical_deployment"] is None
    assert stage(project.deploy(PAGE)) == ("deploy", "success")


def test_a_delayed_deployment_is_live_later(project: Project) -> None:
    project.sandbox.control("POST", "pages/results", {"delay_s": 0.4})
    delayed = project.deploy(PAGE)
    assert stage(delayed) == ("build", "active")
    assert project.api("GET")["canonical_deployment"] is None
    deadline = time.monotonic() + 30
    while project.api("GET")["canonical_deployment"] is None:
        assert time.monotonic() < deadline
    assert stage(project.api("GET", f"/deployments/{delayed['id']}")) == ("deploy", "success")


def test_a_result_that_makes_no_sense_is_refused(sandbox: Sandbox) -> None:
    url = sandbox.endpoints["control_url"] + "/__sandbox/pages/results"
    assert sandbox_fixture.http("POST", url, body={"explode": True}).status == 400


def test_deleting_deployments(project: Project) -> None:
    old, live, preview = project.deploy(PAGE), project.deploy(PAGE), project.deploy(PAGE, branch="other")
    path = f"/{project.name}/deployments"
    assert project.sandbox.api("DELETE", f"{path}/{live['id']}").json()["errors"][0]["code"] == 8000034
    assert project.sandbox.api("DELETE", f"{path}/{preview['id']}").json()["errors"][0]["code"] == 8000035
    assert project.sandbox.api("DELETE", f"{path}/{preview['id']}?force=true").status == 200
    assert project.sandbox.api("DELETE", f"{path}/{old['id']}").status == 200
    assert project.api("GET", "/deployments") == [live]


def test_a_manifest_of_files_that_were_never_uploaded_is_refused(project: Project) -> None:
    form = b'--b\r\nContent-Disposition: form-data; name="manifest"\r\n\r\n{"/x": "' + b"0" * 32 + b'"}\r\n--b--\r\n'
    pages = project.sandbox.pages
    url = f"{pages['api_base_url']}/accounts/{pages['account_id']}/pages/projects/{project.name}/deployments"
    headers = {"Authorization": f"Bearer {pages['api_token']}", "Content-Type": "multipart/form-data; boundary=b"}
    refused = refusal(sandbox_fixture.http("POST", url, body=form, headers=headers))
    assert refused == (400, 8000019, f"The manifest names files that were never uploaded: ['{'0' * 32}']")
    without = sandbox_fixture.http("POST", url, body=form.replace(b"manifest", b"branch"), headers=headers)
    assert refusal(without)[:2] == (400, 8000096)
    assert refusal(sandbox_fixture.http("POST", url, body=b"", headers=headers))[:2] == (400, 8000001)


@pytest.mark.parametrize("credential", ["", "Bearer a.b.c", "Bearer \xe4.b.c"])
def test_uploads_need_the_projects_own_token(sandbox: Sandbox, credential: str) -> None:
    refused = call(sandbox, "/pages/assets/check-missing", credential, "POST", {"hashes": []})
    assert refusal(refused) == (403, 8000013, "Authorization failed")


def test_uploads_refuse_what_is_no_file(project: Project) -> None:
    bearer = f"Bearer {project.api('GET', '/upload-token')['jwt']}"
    bodies: list[object] = [[{"key": "../../x", "value": ""}], [{"key": "0" * 32, "value": "%"}], b"{", {}, ["x"]]
    answers = [call(project.sandbox, "/pages/assets/upload", bearer, "POST", body) for body in bodies]
    assert [refusal(answer)[:2] for answer in answers] == [(400, 8000023), (400, 8000023), *[(400, 8000001)] * 3]
