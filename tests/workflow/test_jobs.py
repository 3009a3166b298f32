"""The workflow's jobs, run as GitHub runs them, and the sessions that they are, as a developer does; no real cloud."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from ci import convex
from tests.release import checkout as checkouts
from tests.release import clouds
from tests.release import production as productions
from tests.release.production import DEPLOYMENT, Production
from tests.workflow import github
from tests.workflow.github import Done, Runner

SECRETS = ("CONVEX_DEPLOY_KEY", "CLOUDFLARE_API_TOKEN", "CLOUDFLARE_ACCOUNT_ID")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Production]:
    """A checkout whose lockstep.toml has a production, and whose workflow was written from that."""
    with checkouts.made(tmp_path_factory.mktemp("shop").resolve()) as checkout:
        yield productions.added(checkout)


@pytest.fixture(scope="module")
def runner(shop: Production, tmp_path_factory: pytest.TempPathFactory) -> Runner:
    return github.runner(shop.checkout, tmp_path_factory.mktemp("runner").resolve(), shop.hosts)


@dataclass(frozen=True)
class Released:
    """What the first run of the deploy job did."""

    done: list[Done]
    summary: str
    changes: list[str]


@pytest.fixture(scope="module")
def released(runner: Runner, shop: Production) -> Released:
    shop.checkout.sandbox.calm()
    done = runner.run("deploy", shop.keys, target="production")
    return Released(done, runner.summary, clouds.changes(shop.checkout.sandbox))


@pytest.fixture
def new_commit(released: Released, shop: Production) -> Iterator[None]:
    """One that changes the site, and was not released; it is gone after the test."""
    shop.checkout.write({"example/apps/web/public/new.txt": "new"})
    shop.checkout.commit("Change the site")
    yield
    shop.checkout.git("reset", "--quiet", "--hard", "HEAD~1")


def ended(done: list[Done]) -> list[tuple[str, int]]:
    return [(one.step, one.status) for one in done]


def expect_refusal(done: Done, job: str) -> None:
    """A run must have named every secret and the job, before anything ran."""
    for name in SECRETS:
        assert re.search(rf"{name} is (not set|set but empty) for job {re.escape(job)}: ", done.said), done.said
    assert re.search(r"not run: install, .*, deploy-backend|not run: install, .*, plan$", done.said, re.MULTILINE)


def test_check_runs_without_any_secret(runner: Runner, shop: Production) -> None:
    shop.checkout.sandbox.calm()
    done = runner.run("check", shop.keys)
    assert ended(done) == [("Check", 0), ("Sum up", 0)], done[0].said
    assert runner.summary.startswith("## `inv check`: done, ")
    assert clouds.changes(shop.checkout.sandbox) == []


def test_deploy_without_its_secrets_is_refused_before_anything_runs(runner: Runner, shop: Production) -> None:
    shop.checkout.sandbox.calm()
    done = runner.run("deploy", {}, target="production")
    assert ended(done) == [("Deploy, backend first", 1), ("Sum up", 0)]
    expect_refusal(done[0], "deploy")
    annotation = "::error title=preflight::CONVEX_DEPLOY_KEY is set but empty for job deploy: "
    assert annotation in done[0].said
    assert "gh secret set CONVEX_DEPLOY_KEY --env production" in runner.summary
    assert clouds.changes(shop.checkout.sandbox) == []


def test_deploy_releases_backend_first(released: Released, shop: Production) -> None:
    assert ended(released.done) == [("Deploy, backend first", 0), ("Sum up", 0)], released.done[0].said
    assert released.changes == ["push", "run", "record", "run", "record", "publish"]
    assert shop.site.stamp()["backend"]["deployment"] == DEPLOYMENT
    for words in ("## `inv deploy --target production --yes`: done, ", "plan for target production", "```mermaid\n"):
        assert words in released.summary
    assert f"open {shop.site.url}\n" in released.summary


def test_a_deploy_that_fails_says_what_is_live(new_commit: None, runner: Runner, shop: Production) -> None:
    sandbox, before = shop.checkout.sandbox, shop.site.stamp()
    sandbox.plant(match=r"POST .*/pages/projects/\w+/deployments$", status=500, times=-1)
    done = runner.run("deploy", shop.keys, target="production")
    sandbox.calm()
    assert ended(done) == [("Deploy, backend first", 1), ("Sum up", 0)]
    assert "live now on target production\n" in runner.summary
    assert f"release {before['release']} of commit {before['commit'][:12]}" in runner.summary
    assert shop.site.stamp() == before


def test_drift_opens_one_issue_and_then_updates_it(new_commit: None, runner: Runner, shop: Production) -> None:
    reading = {"CONVEX_DEPLOY_KEY": shop.key(DEPLOYMENT, *convex.READING)}
    log, body = runner.folder / "gh", runner.folder / "gh.body"
    for opened, expected in (("", "issue create --title"), ("12\n", "issue edit 12 --body-file")):
        (runner.folder / "gh.open").write_text(opened)
        log.unlink(missing_ok=True)
        done = runner.run("drift", reading, target="production", branch="main")
        assert ended(done) == [("Compare", 1), ("Sum up", 0), ("Open or update the issue", 0)], done[0].said
        asked, told = log.read_text().splitlines()
        assert (asked.startswith("issue list --state open "), told.startswith(expected)) == (True, True)
        assert "error: production is not what commit " in body.read_text()
        assert body.read_text().startswith("Found by https://github.com/example/shop/actions/runs/7\n")


def test_drift_is_silent_when_there_is_none(released: Released, runner: Runner, shop: Production) -> None:
    reading = {"CONVEX_DEPLOY_KEY": shop.key(DEPLOYMENT, *convex.READING)}
    shop.checkout.sandbox.calm()
    done = runner.run("drift", reading, target="production", branch="main")
    assert ended(done) == [("Compare", 0), ("Sum up", 0)], done[0].said
    assert "production is what this commit is" in runner.summary
    assert clouds.changes(shop.checkout.sandbox) == []


# A login, keys and files of a developer, each with a word that no session may see.
PLANTED = "planted-by-a-developer"
FILES: dict[str, str | None] = {
    ".env": f"CONVEX_DEPLOY_KEY=prod:graceful-shrimp-355|{PLANTED}\nCLOUDFLARE_API_TOKEN={PLANTED}\n",
    ".env.lockstep.sandbox": f"CONVEX_DEPLOY_KEY={PLANTED}\n",
    "example/apps/convex/.env.local": f"CONVEX_DEPLOYMENT=dev:{PLANTED}\nCONVEX_DEPLOY_KEY={PLANTED}\n",
    "example/apps/convex/probe.sh": 'env; find "$HOME" | head -50; cat "$HOME"/.convex/* 2>/dev/null; exit 1\n',
}


def test_no_session_sees_what_a_developer_has(runner: Runner, shop: Production) -> None:
    login = runner.folder / "home/.convex/config.json"
    login.parent.mkdir(exist_ok=True)
    login.write_text(f'{{"accessToken": "{PLANTED}"}}')
    package = shop.checkout.root / "example/apps/convex/package.json"
    probing = re.sub(r'"lint": "[^"]*"', '"lint": "sh probe.sh"', package.read_text())
    settings = (shop.checkout.root / "lockstep.toml").read_text().replace('lint = ""', 'lint = "lint"')
    files = {**FILES, "example/apps/convex/package.json": probing, "lockstep.toml": settings}
    shell = {"CONVEX_DEPLOY_KEY": PLANTED, "CLOUDFLARE_API_TOKEN": PLANTED, "LOCKSTEP_TARGET": "production"}
    with shop.checkout.changed(files):
        for session in ("check", "secrets(without)", "secrets(with)"):
            done = runner.shell(f"./nox -s '{session}'", **shell)
            assert (done.status, "HOME=ROOT/.lockstep/home" in done.said) == (1, True), done.said
            assert PLANTED not in done.said
    login.unlink()


def test_secrets_with_sees_those_of_this_machine_and_secrets_without_sees_none(
    runner: Runner, shop: Production
) -> None:
    text = "".join(f"{name}={value}\n" for name, value in shop.keys.items())
    shop.checkout.sandbox.calm()
    with shop.checkout.changed({".env.lockstep.production": text}):
        seen = runner.shell("./nox -s 'secrets(with)' -- --target production")
        unseen = runner.shell("./nox -s 'secrets(without)' -- --target production", **shop.keys)
    assert seen.status == 0, seen.said
    assert unseen.status == 1
    expect_refusal(unseen, "secrets(without)")
    assert clouds.changes(shop.checkout.sandbox) == []


def test_a_session_fails_here_as_its_job_does_there(runner: Runner, shop: Production) -> None:
    here = runner.shell("./nox -s deploy -- --target production --yes")
    assert here.status == 1
    expect_refusal(here, "deploy")


def test_the_hook_refuses_a_commit_with_a_stale_workflow(runner: Runner, shop: Production) -> None:
    author = "-c user.name=Lockstep -c user.email=tests@localhost"
    commit = f"git -c core.hooksPath=ci/hooks {author} commit --quiet --allow-empty --message=Try"
    head = shop.checkout.git("rev-parse", "HEAD")
    workflow = (shop.checkout.root / ".github/workflows/ci.yml").read_text()
    with shop.checkout.changed({".github/workflows/ci.yml": workflow + "# mine\n"}):
        refused = runner.shell(commit)
    assert (refused.status, shop.checkout.git("rev-parse", "HEAD")) == (1, head)
    assert refused.said.startswith("error: .github/workflows/ci.yml: not as ./inv workflow would write them\n")
    taken = runner.shell(commit)
    assert (taken.status, shop.checkout.git("rev-parse", "HEAD~1")) == (0, head), taken.said
    shop.checkout.git("reset", "--quiet", "--hard", "HEAD~1")
