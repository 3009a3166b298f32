"""`inv doctor` says what a machine has and lacks, secrets by name and place alone, and what to type next."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ci.release import doctor, secrets
from tests.release import checkout as checkouts
from tests.release.checkout import Checkout

PRODUCTION = """
[targets.production]
convex_deployment = "prod:graceful-shrimp-355"
pages_project = "shop"
site = "https://shop.example.com"
smoke_headers = { CF-Access-Client-Id = "ACCESS_ID" }
"""
KEY = "prod:graceful-shrimp-355|only-in-a-file"


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    """A checkout with a production, where nothing was installed yet."""
    with checkouts.made(tmp_path_factory.mktemp("doctor").resolve()) as checkout:
        settings = checkout.root / "lockstep.toml"
        settings.write_text(settings.read_text() + PRODUCTION)
        yield checkout


def findings(checkout: Checkout, *flags: str, **env: str) -> dict[tuple[str, str], dict[str, Any]]:
    ended = checkout.inv("doctor", "--format", "json", *flags, **env)
    assert (ended.status, ended.stderr) == (0, "")
    return {(one["part"], one["name"]): one for one in json.loads(ended.stdout)["findings"]}


def test_each_secret_is_told_by_name_and_place(checkout: Checkout) -> None:
    with checkout.changed({".env.lockstep.production": f"CONVEX_DEPLOY_KEY={KEY}\n", ".env": "ACCESS_ID=visitor\n"}):
        ended = checkout.inv("doctor", "--target", "production", CLOUDFLARE_ACCOUNT_ID="my-account")
        found = findings(checkout, "--target", "production", CLOUDFLARE_ACCOUNT_ID="my-account")
    assert (ended.status, ended.stderr, "only-in-a-file" in ended.stdout) == (0, "", False)
    told = {name: (one["lacks"], one["found"]) for (part, name), one in found.items() if part == "target production"}
    assert told == {
        "CONVEX_DEPLOY_KEY": (
            False,
            "set in .env.lockstep.production; it pushes the functions to the target's Convex deployment",
        ),
        "CLOUDFLARE_API_TOKEN": (True, "is not set: it publishes the site to Cloudflare Pages"),
        "CLOUDFLARE_ACCOUNT_ID": (
            True,
            "set in the environment: does not look like one (32 hexadecimal digits)",
        ),
        "ACCESS_ID": (
            False,
            "set in .env; it opens the protected site to the smoke test, as the header CF-Access-Client-Id",
        ),
    }
    assert found["target production", "CLOUDFLARE_API_TOKEN"]["next"] == (
        "get it from the Cloudflare dashboard: My Profile, API Tokens, a token with Account > Cloudflare Pages > Edit, "
        "and put it in .env.lockstep.production or the environment"
    )


def test_with_all_secrets_the_next_thing_is_to_ask_the_clouds(checkout: Checkout) -> None:
    env = {"CONVEX_DEPLOY_KEY": KEY, "CLOUDFLARE_API_TOKEN": "t" * 40, "CLOUDFLARE_ACCOUNT_ID": "0" * 32}
    found = findings(checkout, "--target", "production", ACCESS_ID="visitor", **env)
    clouds = found["target production", "clouds"]
    assert (clouds["lacks"], clouds["next"]) == (False, "./inv preflight --target production")


def test_what_is_missing_comes_with_what_to_type(checkout: Checkout, tmp_path: Path) -> None:
    for tool in ("bash", "git"):
        (tmp_path / tool).symlink_to(str(shutil.which(tool)))
    found = findings(checkout, PATH=str(tmp_path), LOCKSTEP_BROWSER="")
    lacking = {name: one["next"] for (_, name), one in found.items() if one["lacks"]}
    assert {name: re.sub(r"cd .* && ", "", text) for name, text in lacking.items()} == {
        "turbo": "./inv install",
        "convex": "./inv install",
        "wrangler": "./inv install",
        "browser": "apt install chromium",
        "remote": "git remote add origin git@github.com:OWNER/NAME.git",
    }


def test_a_tool_that_no_package_asks_for_is_to_be_added(checkout: Checkout) -> None:
    with checkout.changed({"example/apps/web/package.json": '{"name": "web"}'}):
        found = findings(checkout)
    assert found["tools", "wrangler"]["next"] == (
        "add it: cd ROOT/example/apps/web && bun add --dev wrangler, then ./inv install"
    )


def test_a_password_in_the_address_of_the_remote_is_not_told(checkout: Checkout) -> None:
    checkout.git("remote", "add", "origin", "https://me:open-sesame@github.com/example/shop.git")
    ended = checkout.inv("doctor")
    checkout.git("remote", "remove", "origin")
    assert ("open-sesame" in ended.stdout, "github.com/example/shop.git" in ended.stdout) == (False, True)


def test_an_unknown_target_is_refused(checkout: Checkout) -> None:
    ended = checkout.inv("doctor", "--target", "produktion")
    assert (ended.status, ended.stdout, ended.errors) == (
        2,
        "",
        [
            "error: unknown target produktion (did you mean production?)\n"
            "  hint: the targets of lockstep.toml are: sandbox, production"
        ],
    )


def test_only_the_commands_that_the_table_names_see_a_secret() -> None:
    seen = {
        step: names for steps, names in doctor.beyond_base().items() for step in steps.partition(" (")[0].split(", ")
    }
    of_target = ("deploy-backend", "migrate", "deploy-frontend", "smoke")
    for one in secrets.VARIABLES:
        assert tuple(step for step in of_target if one.name in seen[step]) == one.commands


def test_node_keeps_what_it_compiled_of_the_clis_and_not_of_the_apps_scripts() -> None:
    kept = {steps for steps, names in doctor.beyond_base().items() if "NODE_COMPILE_CACHE" in names}
    assert {steps.partition(" (")[0] for steps in kept} == {
        "codegen",
        "deploy-backend, migrate",
        "deploy-frontend",
        "smoke",
    }
