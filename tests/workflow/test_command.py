"""`inv workflow` writes what is stale, and `--check` fails with the difference; each bad input has its one error."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.release import checkout as checkouts
from tests.release.checkout import Checkout

FILES = {".github/workflows/ci.yml", ".github/dependabot.yml", ".env.example", "docs/secrets.md"}
PRODUCTION = """
[targets.production]
convex_deployment = "prod:graceful-shrimp-355"
pages_project = "shop"
site = "https://shop.example.com"
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[Checkout]:
    with checkouts.made(tmp_path) as checkout:
        checkout.git("remote", "add", "origin", "git@github.com:example/shop.git")
        yield checkout


def append(path: Path, text: str) -> None:
    path.write_text(path.read_text() + text)


def test_the_repository_holds_what_is_written(checkout: Checkout) -> None:
    ended = checkout.inv("workflow", "--check")
    assert (ended.status, ended.stdout, ended.stderr) == (0, "4 files are up to date\n", "")


def test_a_new_target_makes_them_stale_until_they_are_written(checkout: Checkout) -> None:
    append(checkout.root / "lockstep.toml", PRODUCTION)
    stale = checkout.inv("workflow", "--check")
    first, *difference, hint = stale.stderr.splitlines()
    assert (stale.status, stale.stdout) == (4, "")
    assert first == "error: .github/workflows/ci.yml, docs/secrets.md: not as ./inv workflow would write them"
    assert ("  +  schedule:" in difference, hint) == (True, "  hint: run ./inv workflow")
    written = checkout.inv("workflow")
    assert (written.status, written.stdout, written.stderr) == (
        0,
        "wrote .github/workflows/ci.yml\nwrote docs/secrets.md\n",
        "",
    )
    assert set(checkout.git("status", "--porcelain").split()[1::2]) == {
        *{".github/workflows/ci.yml", "docs/secrets.md"},
        "lockstep.toml",
    }
    assert checkout.inv("workflow", "--check").status == 0
    assert "gh secret set CONVEX_DEPLOY_KEY --env production\n" in (checkout.root / "docs/secrets.md").read_text()


@pytest.mark.parametrize("name", sorted(FILES))
def test_an_edit_by_hand_is_shown(checkout: Checkout, name: str) -> None:
    append(checkout.root / name, "# mine\n")
    stale = checkout.inv("workflow", "--check")
    assert (stale.status, stale.stdout, len(stale.errors)) == (4, "", 1)
    assert stale.errors[0].startswith(f"error: {name}: not as ./inv workflow would write them\n")
    assert "\n  -# mine\n" in stale.errors[0]


def test_without_a_remote_there_is_no_ci(checkout: Checkout) -> None:
    checkout.git("remote", "remove", "origin")
    ended = checkout.inv("workflow")
    assert (ended.status, ended.stdout, ended.stderr) == (
        2,
        "",
        "error: this repository has no git remote, so GitHub will never see its workflow\n"
        "  hint: git remote add origin git@github.com:OWNER/NAME.git\n",
    )


def test_an_app_in_another_repository_has_a_workflow_of_its_own(checkout: Checkout) -> None:
    other = checkout.root.parent / "other"
    other.mkdir()
    checkout.git("init", "--quiet", str(other))
    checkout.replace("lockstep.toml", 'root = "example"', 'root = "../other"')
    ended = checkout.inv("workflow")
    assert (ended.status, ended.errors) == (
        2,
        [
            f"error: the app is in another repository ({other}) than Lockstep, which no push starts\n"
            '  hint: put Lockstep into a folder of that one, and set app.root = ".."'
        ],
    )


def test_malformed_settings_are_told_once(checkout: Checkout) -> None:
    (checkout.root / "lockstep.toml").write_text("[app\n")
    ended = checkout.inv("workflow", "--check")
    assert (ended.status, ended.stdout, len(ended.errors)) == (2, "", 1)
    assert ended.errors[0].startswith("error: lockstep.toml is not valid TOML: ")
