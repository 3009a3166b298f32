"""Shipping to a target that is not the sandbox: who approves it, what generates its code, and where its keys go."""

from __future__ import annotations

import contextlib
import os
import subprocess
from pathlib import Path

import psutil
import pytest

from tests.release import checkout as checkouts
from tests.release import clouds
from tests.release.checkout import Checkout, Ended
from tests.release.production import DEPLOYMENT, Production

RUN = ("deploy", "--no-browser", "--target", "production")


@pytest.fixture
def shop(production: Production) -> Production:
    production.checkout.sandbox.calm()
    return production


def answered(production: Production, answer: str) -> tuple[Ended, set[str]]:
    """Release at a terminal on which a person answers; return also the command lines of all that ran meanwhile."""
    checkout = production.checkout
    env = {**checkout.env, **production.hosts, **production.keys}
    folder = checkout.root.parent
    person, terminal = os.openpty()
    os.write(person, f"{answer}\n".encode())
    with (folder / "stdout").open("w") as stdout, (folder / "stderr").open("w") as stderr:
        argv = Checkout.inv_argv(*RUN)
        with subprocess.Popen(argv, cwd=checkout.root, env=env, stdin=terminal, stdout=stdout, stderr=stderr) as inv:
            seen = watched(inv)
    os.close(person)
    os.close(terminal)
    stdout_text, stderr_text = ((folder / name).read_text() for name in ("stdout", "stderr"))
    return checkout.ended(inv.returncode, stdout_text, stderr_text, production.keys), seen


def watched(process: subprocess.Popen[bytes]) -> set[str]:
    """Wait for the end of a process, and return the command lines that it and its descendants had."""
    seen: set[str] = set()
    root = psutil.Process(process.pid)
    while process.poll() is None:
        for one in [root, *root.children(recursive=True)]:
            with contextlib.suppress(psutil.Error):  # it has just ended
                seen.add(" ".join(one.cmdline()))
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.02)
    return seen


def test_without_a_terminal_and_without_yes_nothing_is_shipped(shop: Production) -> None:
    ended = shop.inv("deploy", "--no-browser")
    assert (ended.status, ended.stdout, ended.began[-2:]) == (2, "", ["approve", "live"])
    assert ended.errors == [
        "error: releasing to production needs an approval, and there is no terminal to ask on\n"
        "  hint: approve it with --yes"
    ]
    assert clouds.changes(shop.checkout.sandbox) == []


@pytest.mark.parametrize("answer", ["n", "", "yy"])
def test_any_answer_but_yes_ships_nothing(shop: Production, answer: str) -> None:
    ended, _ = answered(shop, answer)
    assert (ended.status, ended.stdout, ended.began[-2:]) == (2, "", ["approve", "live"])
    words = "release to production? [y/N] error: not approved, nothing was changed\n  hint: answer y, or pass --yes\n"
    assert words in ended.stderr
    assert clouds.changes(shop.checkout.sandbox) == []


def test_yes_ships_to_this_target_alone_and_no_command_line_holds_a_secret(shop: Production) -> None:
    ended, commands = answered(shop, "y")
    assert (ended.status, ended.errors) == (0, [])
    assert ended.summary["approve"] == "approved"
    assert ended.summary["deploy-backend"].endswith(f"to {DEPLOYMENT}")
    assert shop.site.stamp()["backend"] == {"deployment": DEPLOYMENT, "url": shop.backend.url}
    assert set(shop.backend.migrations().values()) == {"done"}
    assert clouds.backend(shop.checkout.sandbox).functions() == set()
    tools = ("convex/bin/main.js deploy", "convex/bin/main.js run", "wrangler")
    assert [tool for tool in tools if not any(tool in command for command in commands)] == []
    assert checkouts.leaked("\n".join(commands), shop.checkout.secrets) == []


def test_code_for_production_is_generated_without_production(shop: Production) -> None:
    ended = shop.inv("codegen", "--no-browser")
    assert (ended.status, ended.errors) == (0, [])
    generation = clouds.backend(shop.checkout.sandbox, "codegen").name
    assert clouds.asked(shop.checkout.sandbox, user_agent="node") == {"provision", f"convex:{generation}"}


def test_code_is_generated_without_any_key_whatever_lies_about(shop: Production) -> None:
    """A login of the user and a file beside the functions would both lead the CLI to production."""
    login = Path(shop.checkout.env["HOME"], ".convex/config.json")
    login.parent.mkdir()
    login.write_text('{"accessToken": "a-login-of-this-user"}')
    left = f"CONVEX_DEPLOYMENT={DEPLOYMENT}\nCONVEX_DEPLOY_KEY={shop.backend.key}\n"
    with shop.checkout.changed({"example/apps/convex/.env.local": left, "example/.env.local": left}):
        ended = shop.checkout.inv("codegen")
    assert (ended.status, ended.errors) == (0, [])
    generation = clouds.backend(shop.checkout.sandbox, "codegen").name
    assert clouds.asked(shop.checkout.sandbox, user_agent="node") == {"provision", f"convex:{generation}"}
    assert (shop.checkout.app / "apps/convex/_generated/api.d.ts").read_text().startswith("/* eslint-disable */")
