"""A step that fails leaves the rest as it was: the first incident replayed, and what wrangler hides."""

from __future__ import annotations

import itertools
import re
import shutil

import pytest

from ci import pages
from ci.config import Frontend
from ci.errors import Unfinished
from ci.secret import Secret
from tests.release import clouds
from tests.release.checkout import Checkout
from tests.sandbox_fixture import Sandbox

NUMBERS = itertools.count(1)
REFUSED = (
    '{"success": false, "errors": [{"code": 8000000, "message": "no more today"}], "messages": [], "result": null}'
)


def change(checkout: Checkout) -> str:
    """Commit a change of both halves; return the name of the function that it adds."""
    number = next(NUMBERS)
    query = 'import { query } from "./_generated/server";\nexport const ask = query(async () => "yes");\n'
    checkout.write({f"example/apps/convex/added{number}.ts": query})
    checkout.write({"example/apps/web/public/added.txt": str(number)})
    checkout.commit(f"Change {number}")
    return f"added{number}:ask"


@pytest.mark.parametrize("call", ["start_push", "finish_push"])
def test_a_push_that_fails_leaves_the_old_release_live(checkout: Checkout, call: str) -> None:
    added, sandbox = change(checkout), checkout.sandbox
    before, backend = clouds.site(sandbox).served(), clouds.backend(sandbox)
    sandbox.plant(server=f"convex:{backend.name}", match=f"/api/deploy2/{call}", status=500, times=-1)
    ended = checkout.inv("deploy", "--no-browser")
    assert (ended.status, ended.stdout) == (3, "")
    assert ended.errors == ["error: deploy-backend: convex exited with 1"]
    assert ended.began[-2:] == ["deploy-backend", "live"]
    assert ended.summary["not run:"] == "verify-backend, migrate, deploy-frontend, smoke, deploy"
    functions = len(backend.functions())
    assert ended.last_words == (
        "live now on target sandbox\n"
        f"  backend   prod:SANDBOX http://127.0.0.1:PORT: {functions} functions, not the code at hand\n"
        "  frontend  http://127.0.0.1:PORT: release RELEASE of commit COMMIT, built for this backend\n"
        "to ship what is here: ./inv deploy\n"
    )
    assert clouds.site(sandbox).served() == before
    assert added not in backend.functions()
    assert clouds.changes(sandbox) == []


def test_a_push_that_was_made_and_not_confirmed_is_found_out_the_next_time(checkout: Checkout) -> None:
    added, sandbox = change(checkout), checkout.sandbox
    sandbox.plant(match="/api/deploy2/finish_push", status=500, times=-1, after=True)
    failed = checkout.inv("deploy-backend", "--no-browser")
    assert (failed.status, failed.errors) == (3, ["error: deploy-backend: convex exited with 1"])
    functions = clouds.backend(sandbox).functions()
    assert added in functions
    assert f"http://127.0.0.1:PORT: {len(functions)} functions, the code at hand\n" in failed.last_words
    sandbox.calm()
    again = checkout.inv("deploy-backend", "--no-browser")
    assert (again.status, again.summary["deploy-backend"]) == (0, "already so: prod:SANDBOX runs this code")
    assert clouds.changes(sandbox) == []


def test_a_push_after_which_the_deployment_runs_something_else_is_a_failure(checkout: Checkout) -> None:
    change(checkout)
    backend = clouds.backend(checkout.sandbox)
    # It is read by plan, approve and deploy-backend, by the CLI, and when the push is confirmed.
    other = {"status": 200, "body": '{"moduleHashes": [{"path": "other.js", "hash": "0"}]}', "nth": 5}
    checkout.sandbox.plant(server=f"convex:{backend.name}", match="/api/get_config_hashes", **other)
    ended = checkout.inv("deploy", "--no-browser")
    assert (ended.status, ended.began[-2:]) == (3, ["deploy-backend", "live"])
    assert re.fullmatch(
        r"error: prod:SANDBOX does not run the pushed code: "
        r"it differs in _deps/\w+.js, added\d+.js, \w+.js and \d+ more\n"
        "  hint: somebody else may be pushing too; run the same command again",
        "".join(ended.errors),
    )


def test_a_failed_upload_after_which_wrangler_exits_with_0_is_a_failure(checkout: Checkout) -> None:
    added, sandbox = change(checkout), checkout.sandbox
    before = clouds.site(sandbox).served()
    # wrangler exits with Cloudflare's code modulo 256, which is 0 for 8000000.
    sandbox.plant(match=r"POST .*/pages/projects/\w+/deployments$", status=400, body=REFUSED, times=-1)
    ended = checkout.inv("deploy", "--no-browser")
    assert (ended.status, ended.stdout) == (3, "")
    assert ended.errors == [
        "error: wrangler published nothing: A request to the Cloudflare API "
        "(/accounts/ACCOUNT/pages/projects/sandbox/deployments) failed.\n"
        "  hint: the site is as it was; run the same command again"
    ]
    assert ended.began[-2:] == ["deploy-frontend", "live"]
    assert "the code at hand\n  frontend  http://127.0.0.1:PORT: release RELEASE of commit COMMIT" in ended.last_words
    assert clouds.site(sandbox).served() == before
    assert added in clouds.backend(sandbox).functions()
    assert clouds.changes(sandbox) == ["push"]


def test_a_deployment_whose_last_stage_fails_is_a_failure(checkout: Checkout) -> None:
    change(checkout)
    before = clouds.site(checkout.sandbox).served()
    checkout.sandbox.control("POST", "pages/results", {"fail": "the edge is full"})
    ended = checkout.inv("deploy", "--no-browser")
    assert (ended.status, ended.stdout) == (3, "")
    assert ended.errors == [
        "error: wrangler published nothing: Deployment failed!\n"
        "  hint: the site is as it was; run the same command again"
    ]
    assert clouds.site(checkout.sandbox).served() == before


def test_a_deployment_that_never_ends_is_a_failure(checkout: Checkout) -> None:
    project = checkout.sandbox.new_project("stalled")
    checkout.sandbox.control("POST", "pages/results", {"stall": True})
    made = project.deploy({"/index.html": "hello"}, commit_hash="c" * 40)
    with pytest.raises(Unfinished) as raised:
        pages.confirm_published(frontend(checkout.sandbox, "stalled"), made["id"], "c" * 40, within_s=0.5)
    assert raised.value.message == (
        f"deployment {made['id']} is not live: its stage deploy is active, the project serves another deployment"
    )


def frontend(sandbox: Sandbox, project: str) -> Frontend:
    at = sandbox.pages
    return Frontend(project, "main", at["site"], at["account_id"], Secret(at["api_token"]), at["api_base_url"])


def test_a_linter_that_asks_for_types_finds_the_generated_ones(checkout: Checkout) -> None:
    generated = checkout.root / "example/apps/convex/_generated"
    shutil.rmtree(generated)
    package = checkout.root / "example/apps/convex/package.json"
    asking = re.sub(r'"lint": "[^"]*"', '"lint": "test -f _generated/api.d.ts"', package.read_text())
    settings = (checkout.root / "lockstep.toml").read_text().replace('lint = ""', 'lint = "lint"')
    with checkout.changed({"example/apps/convex/package.json": asking, "lockstep.toml": settings}):
        ended = checkout.inv("lint", "--allow-dirty")
    assert (ended.status, ended.errors) == (0, [])


def test_a_frontend_without_a_script_that_builds_it_is_refused(checkout: Checkout) -> None:
    package = checkout.root / "example/apps/web/package.json"
    without = package.read_text().replace('"build":', '"bundle":')
    with checkout.changed({"example/apps/web/package.json": without}):
        ended = checkout.inv("build", "--allow-dirty")
    assert (ended.status, ended.errors) == (
        2,
        [
            "error: apps/web/package.json has no script called build\n"
            '  hint: write one, or set scripts = { build = "its-name" } under [app] in lockstep.toml'
        ],
    )
