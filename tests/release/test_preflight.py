"""Preflight refuses what cannot succeed: all of it together, each with its hint, before anything has run."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.release import clouds
from tests.release.production import DEPLOYMENT, Production

NEW_KEY = (
    "create a production deploy key in the Convex dashboard (Settings, Deploy Keys) "
    "and put it in .env.lockstep.production"
)
FROM = {
    "CONVEX_DEPLOY_KEY": "the Convex dashboard: the deployment's Settings, Deploy Keys",
    "CLOUDFLARE_API_TOKEN": (
        "the Cloudflare dashboard: My Profile, API Tokens, a token with Account > Cloudflare Pages > Edit"
    ),
    "CLOUDFLARE_ACCOUNT_ID": "the Cloudflare dashboard: Workers & Pages, Account details",
}
FOR = {
    "CONVEX_DEPLOY_KEY": "pushes the functions to the target's Convex deployment",
    "CLOUDFLARE_API_TOKEN": "publishes the site to Cloudflare Pages",
    "CLOUDFLARE_ACCOUNT_ID": "names the Cloudflare account that owns the Pages project",
}
NOT_RUN = (
    "install, lint, lockfile, audit, workflow-check, codegen, typecheck, test, contract, check, build, plan, approve, "
    "deploy-backend, verify-backend, migrate, deploy-frontend, smoke, deploy"
)


@pytest.fixture
def shop(production: Production) -> Production:
    """Production before its first release, with an empty request log and a clean working tree."""
    production.checkout.sandbox.calm()
    return production


def expect_refusal(production: Production, *errors: str, **env: str) -> None:
    """Try a release, which must be refused with these errors and nothing more, nothing else having run."""
    began = production.checkout.sandbox.requests()
    ended = production.inv("deploy", "--no-browser", **env)
    words = "".join(f"{error}\n" for error in errors)
    assert (ended.status, ended.stdout) == (2, "")
    assert ended.stderr == f"── preflight\n{words}── summary\n  preflight  failed\n  not run: {NOT_RUN}\n"
    made = production.checkout.sandbox.requests()[len(began) :]
    assert {one["user_agent"] for one in made} <= {"lockstep"}
    assert clouds.changes(production.checkout.sandbox) == []


def error(what: str, hint: str) -> str:
    return f"error: {what}\n  hint: {hint}"


def get(name: str) -> str:
    return f"get it from {FROM[name]}, and put it in .env.lockstep.production or the environment"


def test_keys_that_are_nowhere_are_all_named_and_no_login_stands_in_for_them(shop: Production) -> None:
    """The second incident: every developer's machine happened to have a key, and CI had none."""
    login = Path(shop.checkout.env["HOME"], ".convex/config.json")
    login.parent.mkdir(exist_ok=True)
    login.write_text('{"accessToken": "a-login-of-this-user"}')
    files: dict[str, str | None] = {"example/apps/convex/.env.local": f"CONVEX_DEPLOY_KEY={shop.backend.key}\n"}
    with shop.checkout.changed(files):
        ended = shop.checkout.inv("deploy", "--target", "production", **shop.hosts)
    assert (ended.status, ended.stdout) == (2, "")
    assert ended.errors == [error(f"{name} is not set: it {FOR[name]}", get(name)) for name in FROM]
    assert ended.began == ["preflight"]
    assert clouds.asked(shop.checkout.sandbox) == {"site:sandbox"}


@pytest.mark.parametrize("name", list(FROM))
@pytest.mark.parametrize(
    ("change", "what", "hint"),
    [
        (lambda _value: "", "is set but empty: it {purpose}", "{get}"),
        (lambda value: f'"{value}"', "contains its quotes", "store it again without quotes"),
        (
            lambda value: f"{value}\n",
            "begins or ends with white space or an end of line",
            "store it again without: printf %s, not echo",
        ),
        (lambda _value: "what is\tthis", "does not look like one ({example})", "{get}"),
    ],
    ids=["empty", "quoted", "newline", "malformed"],
)
def test_a_variable_in_a_wrong_form_is_refused(
    shop: Production, name: str, change: Callable[[str], str], what: str, hint: str
) -> None:
    examples = {
        "CONVEX_DEPLOY_KEY": "prod:graceful-shrimp-355|...",
        "CLOUDFLARE_API_TOKEN": "40 letters and digits",
        "CLOUDFLARE_ACCOUNT_ID": "32 hexadecimal digits",
    }
    known = {"purpose": FOR[name], "get": get(name), "example": examples[name]}
    expect_refusal(
        shop, error(f"{name} {what.format(**known)}", hint.format(**known)), **{name: change(shop.keys[name])}
    )


def test_an_unknown_target_is_refused(shop: Production) -> None:
    typed = shop.checkout.inv("deploy", "--target", "produktion")
    said = error("--target takes one of sandbox, production, not 'produktion'", "did you mean production?")
    assert (typed.status, typed.stdout, typed.stderr) == (2, "", f"{said}\n")
    ended = shop.checkout.inv("deploy", LOCKSTEP_TARGET="produktion")
    assert (ended.status, ended.stdout) == (2, "")
    hint = "the targets of lockstep.toml are: sandbox, production"
    assert ended.errors == [error("unknown target produktion (did you mean production?)", hint)]
    assert ended.began == ["preflight"]


def test_a_key_of_another_deployment_is_refused(shop: Production) -> None:
    for other in ("prod:happy-otter-123", "dev:quiet-gannet-77"):
        key = clouds.new_backend(shop.checkout.sandbox, other).key
        what = f"CONVEX_DEPLOY_KEY opens {other}, but target production is {DEPLOYMENT}"
        expect_refusal(shop, error(what, NEW_KEY), CONVEX_DEPLOY_KEY=key)


def test_a_key_of_another_type_is_refused(shop: Production) -> None:
    what = f"CONVEX_DEPLOY_KEY is a preview key, but target production is {DEPLOYMENT}"
    expect_refusal(shop, error(what, NEW_KEY), CONVEX_DEPLOY_KEY="preview:team:project|0123456789abcdef")


def test_a_key_that_says_the_right_name_but_opens_another_deployment_is_refused(shop: Production) -> None:
    sandbox = shop.checkout.sandbox
    other = clouds.new_backend(sandbox, "prod:happy-otter-123")
    sandbox.plant(match="POST /api/deployment/url_for_key", status=200, body=f'"{other.url}"')
    what = f"CONVEX_DEPLOY_KEY opens happy-otter-123 of team/project, not {DEPLOYMENT}"
    hint = "create a deploy key of that deployment in the Convex dashboard (Settings, Deploy Keys)"
    expect_refusal(shop, error(what, hint))


def test_a_production_key_is_refused_for_a_development_target(shop: Production) -> None:
    with shop.checkout.changed({"lockstep.toml": _text(shop).replace(DEPLOYMENT, "dev:graceful-shrimp-355")}):
        what = f"CONVEX_DEPLOY_KEY opens {DEPLOYMENT}, but target production is dev:graceful-shrimp-355"
        hint = NEW_KEY.replace("production deploy key", "deploy key")
        ended = shop.inv("deploy", "--no-browser", "--allow-dirty")
    assert (ended.status, ended.errors, ended.began) == (2, [error(what, hint)], ["preflight"])


def test_a_key_that_is_no_longer_valid_is_refused(shop: Production) -> None:
    host = "POST http://127.0.0.1:PORT/api/deployment/url_for_key"
    what = f"{host} answered 401 AuthenticationFailed: Invalid Convex deploy key"
    hint = "create a new deploy key in the Convex dashboard (Settings, Deploy Keys)"
    expect_refusal(shop, error(what, hint), CONVEX_DEPLOY_KEY=f"{DEPLOYMENT}|0123456789abcdef")


@pytest.mark.parametrize(
    ("operations", "lacking", "what"),
    [
        (
            ["Deploy"],
            "ViewData, RunInternalQueries, RunInternalMutations, RunInternalActions, "
            "ViewEnvironmentVariables, WriteEnvironmentVariables",
            "read the function spec, run functions, read variables, write variables",
        ),
        (
            ["Deploy", "ViewData", "RunInternalQueries", "RunInternalMutations", "RunInternalActions"],
            "ViewEnvironmentVariables, WriteEnvironmentVariables",
            "read variables, write variables",
        ),
    ],
)
def test_a_key_that_may_not_do_all_is_refused(shop: Production, operations: list[str], lacking: str, what: str) -> None:
    words = f"CONVEX_DEPLOY_KEY may not {what} on {DEPLOYMENT} ({lacking})"
    expect_refusal(shop, error(words, NEW_KEY), CONVEX_DEPLOY_KEY=shop.key(DEPLOYMENT, *operations))


COMPARE = (
    "compare pages_project, CLOUDFLARE_ACCOUNT_ID and CLOUDFLARE_API_TOKEN with "
    "the Cloudflare dashboard (Workers & Pages)"
)


def test_a_cloudflare_token_that_nobody_knows_is_refused(shop: Production) -> None:
    what = "Cloudflare answered 403 for Pages project sandbox: Authentication error [10000]"
    expect_refusal(shop, error(what, COMPARE), CLOUDFLARE_API_TOKEN="0123456789" * 4)


def test_a_cloudflare_token_that_may_only_read_is_refused(shop: Production) -> None:
    what = "CLOUDFLARE_API_TOKEN may read Pages project sandbox, not publish to it"
    hint = "give the token the permission Account > Cloudflare Pages > Edit in the Cloudflare dashboard"
    expect_refusal(shop, error(what, hint), CLOUDFLARE_API_TOKEN=shop.token(permission="read"))


def test_a_site_that_sends_visitors_elsewhere_is_refused(shop: Production) -> None:
    login = "https://example.cloudflareaccess.com/login"
    shop.checkout.sandbox.plant(
        server="site:sandbox",
        match="GET /.well-known/lockstep.json",
        status=302,
        headers={"Location": f"{login}?kid=1"},
    )
    what = f"http://127.0.0.1:PORT sends visitors to {login}, so the smoke test could not open it"
    table = "targets.production of lockstep.toml"
    hint = f"in {table}, set site to where it ends up, or smoke_headers to what lets a service in"
    expect_refusal(shop, error(what, hint))


def test_a_cloudflare_account_that_the_token_does_not_open_is_refused(shop: Production) -> None:
    what = "Cloudflare answered 403 for Pages project sandbox: Authentication error [10000]"
    expect_refusal(shop, error(what, COMPARE), CLOUDFLARE_ACCOUNT_ID="0123456789abcdef" * 2)


def test_a_pages_project_that_does_not_exist_is_refused(shop: Production) -> None:
    with shop.checkout.changed({"lockstep.toml": _text(shop).replace('"sandbox"', '"supportsignal"')}):
        ended = shop.inv("deploy", "--no-browser", "--allow-dirty")
    what = (
        "Cloudflare answered 404 for Pages project supportsignal: Project not found. The specified project name "
        "does not match any of your existing projects. [8000007]"
    )
    assert (ended.status, ended.errors, ended.began) == (2, [error(what, COMPARE)], ["preflight"])


def test_another_production_branch_and_deployments_from_git_are_refused(shop: Production) -> None:
    project = shop.checkout.sandbox.new_project("from-git")
    git = {"type": "github", "config": {"deployments_enabled": True, "production_deployments_enabled": True}}
    project.api("PATCH", "", {"production_branch": "stable", "source": git})
    with shop.checkout.changed({"lockstep.toml": _text(shop).replace('"sandbox"', '"from-git"')}):
        ended = shop.inv("deploy", "--no-browser", "--allow-dirty")
    assert (ended.status, ended.began) == (2, ["preflight"])
    assert ended.errors == [
        error(
            "Pages project from-git has production branch stable, and target production ships main",
            "set targets.production.pages_branch in lockstep.toml, or the project's in "
            "the Cloudflare dashboard (Workers & Pages)",
        ),
        error(
            "Pages project from-git also deploys from Git by itself, without waiting for the backend",
            "turn off automatic deployments in the Cloudflare dashboard (Workers & Pages): "
            "Settings, Builds, Branch control",
        ),
    ]


def test_a_cloud_that_does_not_answer_is_not_the_users_fault(shop: Production) -> None:
    shop.checkout.sandbox.plant(match="GET /client/v4/accounts", status=503, times=-1)
    ended = shop.inv("deploy", "--no-browser")
    what = "Cloudflare answered 503 for Pages project sandbox: no reason given [0]"
    hint = "the service has a problem: look at its status page, then run the same command again"
    assert (ended.status, ended.errors, ended.began) == (3, [error(what, hint)], ["preflight"])


def test_all_problems_are_told_at_once(shop: Production) -> None:
    files: dict[str, str | None] = {
        "example/apps/convex/convex.json": '{"functions": "nowhere"}',
        "example/apps/web/src/address.ts": "export const at = import.meta.env.VITE_APP_URL;\n",
        "lockstep.toml": _text(shop).replace(
            "pages_branch", 'public_variables = { VITE_HELP_URL = "http://localhost:3000" }\npages_branch'
        ),
    }
    with shop.checkout.changed(files):
        expect_refusal(
            shop,
            error(
                "the functions folder apps/convex/nowhere does not exist",
                'set "functions" in example/apps/convex/convex.json',
            ),
            error(
                "VITE_APP_URL (apps/web/src/address.ts:1) is built into the site, "
                "and target production does not set it",
                'give it a value under targets.production: public_variables = { VITE_APP_URL = "..." } '
                '("" if it may be empty)',
            ),
            error(
                "VITE_HELP_URL is http://localhost:3000, an address of this machine, and target production is public",
                "set the public address under targets.production.public_variables in lockstep.toml",
            ),
            error(f"CONVEX_DEPLOY_KEY is not set: it {FOR['CONVEX_DEPLOY_KEY']}", get("CONVEX_DEPLOY_KEY")).replace(
                "is not set", "is set but empty"
            ),
            error(
                "the working tree has uncommitted changes: "
                "apps/convex/convex.json, ../lockstep.toml, apps/web/src/address.ts",
                "commit or stash them, or ship them with --allow-dirty",
            ),
            CONVEX_DEPLOY_KEY="",
        )


QUERY = 'import { query } from "./_generated/server";\nexport const ask = query(async () => 1);\n'


@pytest.mark.parametrize(
    ("files", "what", "hint"),
    [
        (
            {"convex.json": '{"functions": "functions"}', "functions/README.md": "none yet"},
            "the functions folder apps/convex/functions is empty: pushing it would delete every function",
            'set "functions" in example/apps/convex/convex.json',
        ),
        (
            {"apps/convex/ask.ts": QUERY},
            "apps/convex/apps/convex doubles the backend's path",
            "something ran in the wrong folder; remove it: rm -r apps/convex/apps/convex",
        ),
        (
            {"../../convex.json": '{"functions": "convex"}'},
            "convex.json and example/apps/convex/convex.json disagree on where the functions are",
            "keep one: rm convex.json",
        ),
    ],
    ids=["empty", "doubled", "two-convex-json"],
)
@pytest.mark.parametrize("target", ["sandbox", "production"])
def test_a_functions_folder_in_the_wrong_place_is_refused(
    shop: Production, target: str, files: dict[str, str | None], what: str, hint: str
) -> None:
    with shop.checkout.changed({f"example/apps/convex/{name}": text for name, text in files.items()}):
        ended = shop.checkout.inv("deploy", "--allow-dirty", "--target", target, **shop.hosts, **shop.keys)
    assert (ended.status, ended.stdout, ended.errors, ended.began) == (2, "", [error(what, hint)], ["preflight"])
    assert clouds.changes(shop.checkout.sandbox) == []


def test_a_running_convex_dev_is_named_and_left_running(shop: Production) -> None:
    folder = shop.checkout.app / "apps/convex"
    waiting = [sys.executable, "-c", "import sys; sys.stdin.read()", "convex", "dev"]
    with subprocess.Popen(waiting, cwd=folder, stdin=subprocess.PIPE) as server:
        what = "convex dev is running in ROOT/example/apps/convex (process PID) and would push over this release"
        expect_refusal(shop, error(what, "stop it first: kill PID"))
        assert server.poll() is None


def test_a_public_variable_that_only_a_file_beside_the_frontend_sets_is_refused(shop: Production) -> None:
    files: dict[str, str | None] = {
        "example/apps/web/.env": "VITE_APP_URL=https://app.example.com\n",
        "example/apps/web/src/address.ts": "export const at = import.meta.env.VITE_APP_URL;\n",
    }
    with shop.checkout.changed(files):
        ended = shop.inv("deploy", "--no-browser", "--allow-dirty")
    what = (
        "VITE_APP_URL (apps/web/src/address.ts:1) is set only by a .env file beside the frontend, "
        "which CI does not have"
    )
    hint = (
        'give it a value under targets.production: public_variables = { VITE_APP_URL = "..." } ("" if it may be empty)'
    )
    assert (ended.status, ended.errors, ended.began) == (2, [error(what, hint)], ["preflight"])


def test_another_branch_is_refused_and_the_targets_own_from_a_detached_checkout_is_not(shop: Production) -> None:
    checkout = shop.checkout
    try:
        checkout.git("switch", "--quiet", "--create", "feature")
        what = "the working tree is on feature, and target production ships main"
        expect_refusal(shop, error(what, "git switch main"))
        checkout.git("switch", "--quiet", "--detach")
        expect_refusal(shop, error(what.replace("feature", "no branch"), "git switch main"))
        checkout.git("update-ref", "refs/remotes/origin/main", "HEAD")
        assert shop.inv("preflight", "--no-browser").status == 0
    finally:
        checkout.git("switch", "--quiet", "main")


def test_no_browser_is_refused_unless_that_is_accepted(shop: Production) -> None:
    # A PATH with what preflight needs on it, and no browser.
    folder = shop.checkout.root.parent / "bin"
    folder.mkdir()
    for tool in ("bash", "git"):
        (folder / tool).symlink_to(str(shutil.which(tool)))
    env = {"PATH": str(folder), "LOCKSTEP_BROWSER": ""}
    refused = shop.inv("preflight", **env)
    what = "no Chromium or Chrome on this machine to open the page with"
    hint = "install one (apt install chromium), or accept the risk with --no-browser"
    assert (refused.status, refused.errors) == (2, [error(what, hint)])
    assert shop.inv("preflight", "--no-browser", **env).status == 0


def test_a_bun_that_is_not_at_hand_is_refused(shop: Production) -> None:
    pinned = (shop.checkout.app / "package.json").read_text()
    with shop.checkout.changed({"example/package.json": pinned.replace("bun@1.4.5", "bun@0.9.9")}):
        ended = shop.inv("preflight", "--no-browser", "--allow-dirty")
    what = "example/package.json asks for bun 0.9.9, and this machine has 1.4.5 only"
    hint = "install bun 0.9.9, or change packageManager to bun@1.4.5"
    assert (ended.status, ended.errors) == (2, [error(what, hint)])


def test_uncommitted_changes_are_refused_unless_they_are_accepted(shop: Production) -> None:
    with shop.checkout.changed({"example/apps/web/src/new.ts": "export {};\n"}):
        what = "the working tree has uncommitted changes: apps/web/src/new.ts"
        expect_refusal(shop, error(what, "commit or stash them, or ship them with --allow-dirty"))
        assert shop.inv("preflight", "--no-browser", "--allow-dirty").status == 0


def test_variables_are_read_from_the_targets_file_and_the_environment_wins(shop: Production) -> None:
    file = "".join(f"{name}={value}\n" for name, value in {**shop.keys, **shop.hosts}.items())
    with shop.checkout.changed({".env.lockstep.production": file, ".env": "CONVEX_DEPLOY_KEY=of-no-use\n"}):
        run = ("preflight", "--no-browser", "--target", "production")
        assert shop.checkout.inv(*run).status == 0
        assert shop.checkout.inv(*run[:2], LOCKSTEP_TARGET="production").status == 0
        refused = shop.checkout.inv(*run, CONVEX_DEPLOY_KEY="prod:happy-otter-123|0123456789abcdef")
        what = f"CONVEX_DEPLOY_KEY opens prod:happy-otter-123, but target production is {DEPLOYMENT}"
        assert (refused.status, refused.errors) == (2, [error(what, NEW_KEY)])
        without = shop.checkout.inv(*run, LOCKSTEP_ENV_FILES="")
        assert without.errors == [error(f"{name} is not set: it {FOR[name]}", get(name)) for name in FROM]


def _text(shop: Production) -> str:
    return (shop.checkout.root / "lockstep.toml").read_text()
