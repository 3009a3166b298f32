"""inv is killed between any two steps: the next release goes on from there, and each migration runs once."""

from __future__ import annotations

import signal
import subprocess
import threading
from collections.abc import Iterator

import pytest

from tests.release import checkout as checkouts
from tests.release import clouds
from tests.release.checkout import Checkout

LIMIT_S = 120
# The steps that ask where the backend is, which is the first thing that they ask a cloud: they are killed while they
# wait for the answer, so that nothing of them has happened.
ASKING = ["preflight", "build", "plan", "approve", "deploy-backend", "verify-backend", "migrate", "deploy-frontend"]
HARMLESS = [
    "install",
    "lint",
    "lockfile",
    "audit",
    "workflow-check",
    "codegen",
    "typecheck",
    "test",
    "check",
    "build",
    "plan",
    "approve",
]
CHANGING = ["deploy-backend", "verify-backend", "migrate", "deploy-frontend", "smoke"]
COUNT = """
import { internalMutation } from "./_generated/server";
export const first = internalMutation(async (ctx) => { await ctx.db.insert("companies", { name: "first" }); });
export const second = internalMutation(async (ctx) => { await ctx.db.insert("companies", { name: "second" }); });
"""
MIGRATIONS = '\n[[migrations]]\nfunction = "count:first"\n\n[[migrations]]\nfunction = "count:second"\n'


@pytest.fixture(scope="module")
def counting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    """A checkout with two migrations that leave a company each time they run."""
    with checkouts.made(tmp_path_factory.mktemp("killed").resolve()) as checkout:
        checkout.write({"example/apps/convex/count.ts": COUNT})
        with (checkout.root / "lockstep.toml").open("a") as settings:
            settings.write(MIGRATIONS)
        checkout.commit()
        yield checkout


def kill_at(checkout: Checkout, step: str) -> None:
    """Start a release, and kill -9 it as soon as it says that it begins this step."""
    if step in ASKING:
        checkout.sandbox.plant(match="GET /instance_name", nth=ASKING.index(step) + 1, hang=True)
    argv = Checkout.inv_argv("deploy", "--no-browser")
    with subprocess.Popen(
        argv, cwd=checkout.root, env=checkout.env, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as inv:
        limit = threading.Timer(LIMIT_S, inv.kill)
        limit.start()
        assert inv.stderr
        said = []
        for line in inv.stderr:
            said.append(line)
            if line == f"── {step}\n":
                inv.kill()
        limit.cancel()
    assert f"── {step}\n" in said, "".join(said)
    assert inv.returncode == -signal.SIGKILL
    checkout.sandbox.control("DELETE", "faults")


def test_killed_before_anything_changes(counting: Checkout) -> None:
    counting.sandbox.start().calm()
    for step in HARMLESS:
        kill_at(counting, step)
    assert clouds.changes(counting.sandbox) == []


def test_killed_before_each_changing_step(counting: Checkout) -> None:
    counting.sandbox.start().calm()
    for step in CHANGING:
        kill_at(counting, step)
    ended = counting.inv("deploy", "--no-browser")
    assert (ended.status, ended.errors) == (0, [])
    assert clouds.changes(counting.sandbox) == ["push", *["run", "record"] * 4, "publish"]
    backend = clouds.backend(counting.sandbox)
    names = [company["name"] for company in backend.documents("companies")]
    assert (names.count("first"), names.count("second")) == (1, 1)
    assert set(backend.migrations().values()) == {"done"}
    assert clouds.site(counting.sandbox).stamp()["commit"] == counting.git("rev-parse", "HEAD")
