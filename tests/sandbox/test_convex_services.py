"""What an app has beside functions: users, HTTP actions, cron jobs, Node actions, a folder of its own choice."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests import sandbox_fixture
from tests.sandbox import convex_app
from tests.sandbox.convex_app import App
from tests.sandbox_fixture import Answer, Sandbox

WEB_MODULES = sandbox_fixture.EXAMPLE / "apps/web/node_modules"


@dataclass(frozen=True)
class Issuer:
    """An issuer of JWTs on loopback."""

    url: str

    def token(self, alg: str = "RS256", *, forged: bool = False, **claims: object) -> str:
        """Return a token for an hour, of the app "desk" unless the claims say otherwise."""
        usual = {"iss": self.url, "aud": "desk", "sub": "ada", "iat": int(time.time()), "exp": int(time.time()) + 3600}
        body = {"alg": alg, "forged": forged, "claims": usual | claims}
        return str(sandbox_fixture.http("POST", f"{self.url}/token", body=body).json())


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Issuer]:
    folder = tmp_path_factory.mktemp("issuer")
    shutil.copy(convex_app.APPS / "clients/issuer.mjs", folder)
    (folder / "node_modules").symlink_to(convex_app.NODE_MODULES)
    argv = ["node", str(folder / "issuer.mjs")]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(argv, env=sandbox_fixture.BASE, text=True, **pipes) as process:  # type: ignore[call-overload]
        yield Issuer(process.stdout.readline().strip())
        process.stdin.close()


@pytest.fixture(scope="module")
def app(shared_sandbox: Sandbox, issuer: Issuer, tmp_path_factory: pytest.TempPathFactory) -> App:
    folder = tmp_path_factory.mktemp("desk") / "app"
    app = convex_app.copied(shared_sandbox, folder, "dev:desk-plover-100", app="desk")
    app.variables(ISSUER=issuer.url)
    app.deploy()
    return app


def site(app: App, method: str, path: str, *, body: bytes | None = None, **headers: str) -> Answer:
    url = app.ask("/api/v1/get_canonical_urls", method="GET").json()["convexSiteUrl"]
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return sandbox_fixture.http(method, f"{url}{path}", body=body, headers=named)


def me(app: App, token: str, function: str = "people:me") -> Answer:
    """Ask who the holder of a token is."""
    body = {"path": function, "args": {}, "format": "json"}
    kind = "action" if function.endswith("InAction") else "query"
    headers = {"Authorization": f"Bearer {token}"}
    return sandbox_fixture.http("POST", f"{app.url}/api/{kind}", body=body, headers=headers)


def test_a_token_of_an_oidc_provider_is_a_user(app: App, issuer: Issuer) -> None:
    token = issuer.token(name="Ada", email="ada@example.com", email_verified=True, role="clerk", jti="1")
    assert me(app, token).json()["value"] == {
        "tokenIdentifier": f"{issuer.url}|ada",
        "issuer": issuer.url,
        "subject": "ada",
        "name": "Ada",
        "email": "ada@example.com",
        "emailVerified": True,
        "role": "clerk",
    }
    assert me(app, token, "people:subjectInAction").json()["value"] == "ada"


def test_a_token_of_a_custom_provider_is_a_user(app: App, issuer: Issuer) -> None:
    token = issuer.token("ES256", iss=f"{issuer.url}/custom", sub="grace", name="Grace", desk={"floor": 3})
    assert me(app, token).json()["value"] == {
        "tokenIdentifier": f"{issuer.url}/custom|grace",
        "issuer": f"{issuer.url}/custom",
        "subject": "grace",
        "name": "Grace",
        "desk.floor": 3,
    }


@pytest.mark.parametrize(
    ("alg", "claims", "code"),
    [
        ("RS256", {"forged": True}, "Unauthenticated"),
        ("RS256", {"exp": 1_700_000_000}, "Unauthenticated"),
        ("ES256", {}, "Unauthenticated"),
        ("RS256", {"aud": "another"}, "NoAuthProvider"),
        ("RS256", {"iss": "https://elsewhere.example"}, "NoAuthProvider"),
        ("RS256", {"iss": "CUSTOM"}, "InvalidAuthHeader"),
    ],
    ids=["forged", "expired", "algorithm", "audience", "issuer", "custom"],
)
def test_a_token_that_proves_nothing_is_refused(
    app: App, issuer: Issuer, alg: str, claims: Mapping[str, object], code: str
) -> None:
    given = {name: f"{issuer.url}/custom" if value == "CUSTOM" else value for name, value in claims.items()}
    refused = me(app, issuer.token(alg, **given))  # type: ignore[arg-type]  # claims may be anything
    assert (refused.status, refused.json()["code"]) == (401, code)


def test_a_provider_that_is_not_there_is_named(app: App, issuer: Issuer) -> None:
    refused = me(app, issuer.token(iss=f"{issuer.url}/gone"))
    assert (refused.status, refused.json()) == (
        400,
        {
            "code": "AuthProviderDiscoveryFailed",
            "message": f"Auth provider discovery of {issuer.url}/gone failed: 404 null",
        },
    )


def test_a_react_client_signs_in_and_out(app: App, issuer: Issuer, tmp_path: Path) -> None:
    shutil.copy(convex_app.APPS / "clients/signed_in.mjs", tmp_path)
    (tmp_path / "node_modules").symlink_to(WEB_MODULES)

    def signed_in(token: str) -> object:
        argv = ["node", str(tmp_path / "signed_in.mjs"), app.url, token]
        done = subprocess.run(argv, env=sandbox_fixture.BASE, capture_output=True, text=True, timeout=30)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    assert signed_in(issuer.token()) == {"accepted": True, "seen": [None, "ada", None]}
    assert signed_in(issuer.token(forged=True)) == {"accepted": False, "seen": [None]}


def test_an_http_action_answers_on_the_site(app: App) -> None:
    answer = site(app, "POST", "/notes?draft=1", body=b"buy ink", X_Note="7")
    assert (answer.status, answer.text) == (201, "/notes,buy ink")
    assert (answer.headers["content-type"], answer.headers["x-note"]) == ("text/csv", "7")
    assert "buy ink" in app.value("query", "notes:list")


def test_an_http_action_sees_the_whole_address(app: App) -> None:
    answer = site(app, "GET", "/files/a%20b/c?d=e")
    assert answer.text.endswith("/files/a%20b/c?d=e")


def test_an_http_action_knows_its_user(app: App, issuer: Issuer) -> None:
    known = site(app, "GET", "/who", Authorization=f"Bearer {issuer.token()}")
    strange = site(app, "GET", "/who", Authorization="Basic abc")
    assert (known.json(), strange.json()) == ("ada", None)


def test_an_http_action_that_throws_is_a_500(app: App) -> None:
    failed = site(app, "GET", "/fail")
    said = failed.json()
    assert (failed.status, said["code"].endswith("Server Error: Uncaught Error: out of paper")) == (500, True)
    assert "(../src/backend/http.ts:" in said["trace"], said


def test_a_path_without_a_route_is_a_404(app: App) -> None:
    lost = site(app, "GET", "/lost")
    assert (lost.status, lost.text) == (404, "No matching routes found")
    assert site(app, "DELETE", "/notes").status == 404


def test_a_component_answers_where_it_is_mounted(app: App) -> None:
    answer = site(app, "POST", "/pinger/ping")
    assert answer.text.startswith("1 at http://127.0.0.1:")
    assert answer.text.endswith("/pinger")


def test_the_function_spec_lists_the_routes_of_the_app(app: App) -> None:
    spec = json.loads(app.cli("function-spec", "--prod").stdout)["functions"]
    routes = {(entry["method"], entry["path"]) for entry in spec if entry["functionType"] == "HttpAction"}
    assert routes == {("POST", "/notes"), ("GET", "/who"), ("GET", "/files/*"), ("GET", "/fail")}
    assert "machine.js:sign" in {entry.get("identifier") for entry in spec}


def test_a_cron_job_runs_when_due(app: App) -> None:
    notes = app.client("await_includes.mjs", "notes:list", "by the hour")
    assert notes.count("by the hour") == 1
    assert "by night" not in notes


def test_cron_jobs_are_listed_and_keep_their_time_over_a_push(app: App) -> None:
    app.client("await_includes.mjs", "notes:list", "by the hour")
    before = due(app)
    app.deploy()
    assert due(app) == before
    assert [time.strftime("%H:%M", time.gmtime(before[name])) for name in ("every night", "now and then")] == [
        "02:30",
        "03:15",
    ]
    assert 3500 < before["every hour"] - time.time() <= 3600


def due(app: App) -> dict[str, int]:
    """Return the Unix times when the app's cron jobs are due next."""
    listed = app.value("query", "_system/frontend/listCronJobs", key=app.key)
    return {job["name"]: int(job["nextRun"]["nextTs"]) // 10**9 for job in listed}


def test_a_schedule_that_is_none_is_refused(app: App) -> None:
    crons = app.folder / "src/backend/crons.ts"
    before = crons.read_text()
    crons.write_text(before.replace("15 3 1 */2 MON", "15 3 1 */2 MOON"))
    done = app.cli("deploy", "--yes", "--typecheck", "disable")
    crons.write_text(before)
    assert done.returncode == 1
    assert "cron job 'now and then' has no valid schedule" in done.stderr


def test_an_action_runs_in_node(app: App, issuer: Issuer) -> None:
    signed = app.value("action", "machine:sign", {"text": "letter"})
    assert len(bytes.fromhex(signed)) == 32
    assert signed[:8] in app.value("query", "notes:list")
