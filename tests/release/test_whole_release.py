"""A whole release with everything on: what it prints, what it leaves on both clouds, and the page that people open."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from ci import toolchain
from ci.release import page as pages
from tests.release import checkout as checkouts
from tests.release import clouds
from tests.release.checkout import Checkout, Ended

FUNCTIONS = {
    "companies:list",
    "incidents:list",
    "incidents:report",
    "migrations:backfillIncidentSites",
    "participants:listBySite",
    "seed:demo",
    "sites/list:listCompanySites",
}
CALLED = sorted(FUNCTIONS - {"migrations:backfillIncidentSites", "seed:demo"})
CHECKS = ["lint", "lockfile", "audit", "workflow-check", "typecheck", "test", "contract", "check"]
SIDE_BY_SIDE = [*CHECKS, "codegen", "build", "plan"]
STEPS = [
    *("preflight", "install"),
    *sorted(SIDE_BY_SIDE),
    *("approve", "deploy-backend", "verify-backend", "migrate", "deploy-frontend", "smoke", "deploy", "live"),
]
REPORTED = "A chair broke."
IS_LIVE = (
    "live now on target sandbox\n"
    "  backend   prod:SANDBOX http://127.0.0.1:PORT: 7 functions, the code at hand\n"
    "  frontend  http://127.0.0.1:PORT: release RELEASE of commit COMMIT, built for this backend\n"
    "open http://127.0.0.1:PORT\n"
)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    """A checkout just as it is in the repository."""
    with checkouts.made(tmp_path_factory.mktemp("release").resolve(), settings="[app]\n") as made:
        yield made


@pytest.fixture(scope="module")
def first(checkout: Checkout) -> Ended:
    """The first release, which starts the sandbox too."""
    return checkout.inv("deploy")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    assert pages.browser(), "these tests need a Chromium or Chrome"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PLAYWRIGHT_NODEJS_PATH", toolchain.node())  # its own lacks a library on a bare Debian
        with sync_playwright() as playwright:
            yield playwright.chromium.launch(executable_path=pages.browser(), args=["--no-sandbox"])


def settled(ended: Ended) -> list[str]:
    """Return the steps that were begun, in their order but for those that run side by side."""
    return [*ended.began[:2], *sorted(ended.began[2:13]), *ended.began[13:]]


def test_a_first_release_does_each_step_once_and_says_what_is_live(first: Ended) -> None:
    assert (first.status, first.stdout, first.errors, settled(first)) == (0, "", [], STEPS)
    assert first.last_words == IS_LIVE
    assert {name: note for name, note in first.summary.items() if note != "done"} == {
        "install": first.summary["install"],
        "contract": first.summary["contract"],
        "audit": first.summary["audit"],
        "workflow-check": "4 files are up to date",
        "build": "built for http://127.0.0.1:PORT",
        "approve": "not asked: the sandbox holds nothing of value",
        "deploy-backend": "pushed 7 functions to prod:SANDBOX",
        "verify-backend": "7 functions are live",
        "migrate": "ran seed:demo, migrations:backfillIncidentSites",
        "deploy-frontend": "published release RELEASE at http://127.0.0.1:PORT",
        "smoke": "'Incidents' opened without an error, screenshot in .lockstep/smoke/sandbox.png",
        "deploy": "released to http://127.0.0.1:PORT",
    }


def test_the_audit_is_silent_on_this_repository(first: Ended) -> None:
    assert first.summary["audit"].startswith("nothing found; looked at ")


def test_a_release_leaves_functions_data_and_a_stamped_site(first: Ended, checkout: Checkout) -> None:
    backend, site = clouds.backend(checkout.sandbox), clouds.site(checkout.sandbox)
    assert backend.functions() == FUNCTIONS
    assert backend.migrations() == {"seed:demo": "done", "migrations:backfillIncidentSites": "done"}
    incidents = [one for one in backend.documents("incidents") if one["description"] != REPORTED]
    assert (len(incidents), [one for one in incidents if "site_id" not in one]) == (10, [])
    commit, stamp = checkout.git("rev-parse", "HEAD"), site.stamp()
    assert stamp.pop("release").startswith(f"{commit[:12]}-")
    named = {"deployment": f"prod:{backend.name}", "url": backend.url}
    assert stamp == {"version": 1, "commit": commit, "dirty": False, "backend": named, "functions": CALLED}
    assert (checkout.root / ".lockstep/smoke/sandbox.png").read_bytes().startswith(b"\x89PNG")


def test_a_release_again_changes_nothing(first: Ended, checkout: Checkout) -> None:
    checkout.sandbox.calm()
    before = clouds.site(checkout.sandbox).served()
    again = checkout.inv("deploy", "--no-browser")
    assert (again.status, again.errors, settled(again), again.last_words) == (0, [], STEPS, IS_LIVE)
    assert {name: again.summary[name] for name in ("deploy-backend", "migrate", "deploy-frontend")} == {
        "deploy-backend": "already so: prod:SANDBOX runs this code",
        "migrate": "already so: nothing to run",
        "deploy-frontend": "already so: http://127.0.0.1:PORT serves release RELEASE",
    }
    assert clouds.changes(checkout.sandbox) == []
    assert clouds.site(checkout.sandbox).served() == before


def test_the_page_shows_sites_and_incidents_and_a_report_appears_in_a_second_page(
    first: Ended, checkout: Checkout, browser: Browser
) -> None:
    one, other = (opened(browser, checkout) for _ in range(2))
    for page in (one, other):
        expect(page.get_by_role("combobox", name="Company")).to_contain_text("Harbour Care")
        expect(page.get_by_label("Banksia House", exact=True)).to_be_visible()
        expect(page.get_by_text("Slipped on the wet kitchen floor; no injury.")).to_be_visible()
    report(one, REPORTED)
    for page in (other, one):
        expect(page.get_by_text(REPORTED)).to_be_visible()


def opened(browser: Browser, checkout: Checkout) -> Page:
    page = browser.new_context().new_page()
    page.goto(clouds.site(checkout.sandbox).url)
    return page


def report(page: Page, words: str) -> None:
    """Fill the form in, as a person does."""
    form = page.get_by_role("form", name="Report an incident")
    form.get_by_role("combobox", name="Site").select_option("Banksia House")
    form.get_by_role("combobox", name="Participant").select_option("Tom Baker")
    form.get_by_role("combobox", name="Severity").select_option("Low")
    form.get_by_label("Description").fill(words)
    form.get_by_role("button", name="Report").click()
