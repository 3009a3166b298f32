"""`inv status` tells both halves beside the code at hand, reads only, and fails when asked to be strict."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ci import convex
from tests.release import clouds
from tests.release.production import DEPLOYMENT, Production

SAME = "production is what this commit is"


@pytest.fixture(scope="module")
def shipped(production: Production) -> Production:
    """Production, once this commit was released to it."""
    ended = production.inv("deploy", "--no-browser", "--yes")
    assert ended.status == 0, ended.stderr
    return production


@pytest.fixture
def shop(shipped: Production) -> Production:
    shipped.checkout.sandbox.calm()
    return shipped


def expect_document(production: Production, *flags: str, status: int = 0, **env: str) -> dict[str, Any]:
    """Ask for JSON, which must be one document, and leave the clouds as they are."""
    ended = production.inv("status", "--format", "json", *flags, **env)
    assert ended.status == status, ended.stderr
    assert clouds.changes(production.checkout.sandbox) == []
    return dict(json.loads(ended.stdout))


def without_keys(production: Production) -> Production:
    return Production(production.checkout, production.backend, production.site, production.hosts, {})


def test_what_was_just_released_is_what_this_commit_is(shop: Production) -> None:
    ended = shop.inv("status", "--strict")
    assert (ended.status, ended.errors) == (0, [])
    run = ended.stdout.splitlines()[5]
    assert ended.stdout.splitlines() == [
        "status of target production, beside commit COMMIT (Add production)",
        f"  backend   {DEPLOYMENT} http://127.0.0.1:PORT: 7 functions, the code at hand",
        "  data      migrations: seed:demo done (commit COMMIT), migrations:backfillIncidentSites done (commit COMMIT)",
        "  frontend  http://127.0.0.1:PORT: release RELEASE of commit COMMIT, built for this backend",
        "  together  the backend has all that the site calls",
        run,
        SAME,
    ]
    assert run.startswith("  last run  inv deploy --no-browser --yes --target production: done, begun 20")


def test_it_is_told_as_data(shop: Production) -> None:
    commit = shop.checkout.git("rev-parse", "HEAD")
    found = expect_document(shop, "--strict")
    assert (found["current"], found["differences"], found["unread"], found["commit"]) == (True, [], [], "COMMIT")
    assert len(commit) == 40
    assert (found["backend"]["current"], found["backend"]["code_compared"], len(found["backend"]["functions"])) == (
        True,
        True,
        7,
    )
    assert (found["frontend"]["behind"], found["frontend"]["unserved"], found["migrations"]["pending"]) == (0, [], [])


def test_a_key_that_may_only_read_is_enough(shop: Production) -> None:
    key = shop.key(DEPLOYMENT, *convex.READING)
    found = expect_document(shop, "--strict", CONVEX_DEPLOY_KEY=key, CLOUDFLARE_API_TOKEN="", CLOUDFLARE_ACCOUNT_ID="")
    assert (found["current"], found["backend"]["code_compared"]) == (True, False)
    said = shop.inv("status", CONVEX_DEPLOY_KEY=key).stdout
    assert "            functions and schema only: CONVEX_DEPLOY_KEY may not read the code\n" in said


def test_a_commit_that_was_not_released_is_told(shop: Production) -> None:
    shop.checkout.commit("Go on")
    try:
        found = expect_document(shop, "--strict", status=4)
        assert (found["differences"], found["frontend"]["behind"]) == (["the site is not this commit"], 1)
        ended = shop.inv("status", "--strict")
        assert ended.errors == [
            "error: production is not what commit COMMIT is: the site is not this commit\n"
            "  hint: release it: ./inv deploy --target production"
        ]
        assert ended.stdout.splitlines()[3].endswith(", built for this backend, 1 commit behind")
    finally:
        shop.checkout.git("reset", "--quiet", "--hard", "HEAD~1")


def test_functions_that_are_not_live_are_named(shop: Production) -> None:
    query = 'import { query } from "./_generated/server";\nexport const ask = query(async () => "yes");\n'
    with shop.checkout.changed({"example/apps/convex/added.ts": query, "example/apps/convex/companies.ts": None}):
        assert shop.checkout.inv("codegen").status == 0
        found = expect_document(shop, "--strict", status=4)
    assert (found["backend"]["missing"], found["backend"]["extra"], found["differences"]) == (
        ["added:ask (public query)"],
        ["companies:list (public query)"],
        ["the backend does not run the code at hand"],
    )
    assert shop.checkout.inv("codegen").status == 0


def test_without_a_key_the_rest_is_told_and_strict_names_the_secret_and_the_job(shop: Production) -> None:
    keyless = without_keys(shop)
    found = expect_document(keyless)
    assert (found["current"], found["frontend"]["current"], found["backend"]["functions"]) == (None, True, None)
    assert found["unread"][0].startswith(f"{DEPLOYMENT} could not be reached: ")
    ended = keyless.inv("status", "--strict", LOCKSTEP_JOB="drift")
    assert (ended.status, ended.stdout) == (2, "")
    assert ended.errors == [
        "error: CONVEX_DEPLOY_KEY is not set for job drift: it pushes the functions to the target's Convex deployment\n"
        "  hint: get it from the Convex dashboard: the deployment's Settings, Deploy Keys, and put it in the "
        "environment: gh secret set CONVEX_DEPLOY_KEY --env production-drift, or export CONVEX_DEPLOY_KEY here"
    ]


@pytest.mark.parametrize("status", [503, 401])
def test_a_site_that_cannot_be_read_is_not_called_current(shop: Production, status: int) -> None:
    shop.checkout.sandbox.plant(server="site:sandbox", match="GET /.well-known/lockstep.json", status=status, times=-1)
    found = expect_document(shop, "--strict", status=3)
    assert (found["current"], found["differences"], found["frontend"]["current"]) == (None, [], False)
    assert found["unread"] == [f"http://127.0.0.1:PORT the site answers {status}"]


def test_a_site_that_calls_what_its_backend_does_not_have_is_told(shop: Production) -> None:
    """The sandbox's own target: nobody has released to its backend, and its site is production's."""
    ended = shop.checkout.inv("status", "--strict")
    assert (ended.status, ended.stdout.splitlines()[-3]) == (
        4,
        "  together  the site calls what the backend does not have: "
        "companies:list, incidents:list, incidents:report, participants:listBySite, sites/list:listCompanySites",
    )
    assert ended.stdout.splitlines()[-1].endswith("; the site calls functions that the backend does not have")
