"""The backend's steps wait for what takes its time: late functions, migrations that work on by themselves."""

from __future__ import annotations

import signal
import subprocess

import pytest

from ci import rest
from ci.config import Backend
from ci.convex import Function
from ci.errors import Unfinished
from ci.release import calls
from ci.secret import Secret
from tests.release import clouds
from tests.release.checkout import Checkout

ASK = 'import { query } from "./_generated/server";\nexport const ask = query(async () => 1);\n'
BACKGROUND = """
import { internalMutation, internalQuery } from "./_generated/server";
const put = (name: string) => internalMutation(async (ctx) => { await ctx.db.insert("companies", { name }); });
export const start = put("started");
export const end = put("ended");
export const done = internalQuery(async (ctx) =>
  (await ctx.db.query("companies").collect()).some(({ name }) => name === "ended"));
"""
MIGRATION = '\n[[migrations]]\nfunction = "background:start"\ndone = "background:done"\n'


def test_verify_backend_waits_until_the_live_spec_has_what_was_pushed(checkout: Checkout) -> None:
    checkout.write({"example/apps/convex/late.ts": ASK})
    checkout.commit()
    backend = clouds.backend(checkout.sandbox)
    # plan and approve read spec, schema, components and schedule, deploy-backend all but the last twice: then
    # verify-backend asks.
    late = {"status": 200, "body": '{"status": "success", "value": []}', "nth": 15, "times": 3}
    checkout.sandbox.plant(server=f"convex:{backend.name}", match="POST /api/query", **late)
    ended = checkout.inv("verify-backend", "--no-browser")
    assert (ended.status, ended.errors) == (0, [])
    assert ended.summary["verify-backend"] == f"{len(backend.functions())} functions are live"
    assert "late:ask" in backend.functions()
    assert len([one for one in checkout.sandbox.requests() if one["fault"]]) == 3
    assert clouds.changes(checkout.sandbox) == ["push"]


def test_verify_backend_names_the_function_that_stays_missing_or_is_another(checkout: Checkout) -> None:
    found = clouds.backend(checkout.sandbox)
    wanted = frozenset(
        {
            Function("companies:list", "query", "internal"),
            Function("never:pushed", "query", "public"),
            Function("seed:demo", "mutation", "internal"),
        }
    )
    backend = Backend(f"prod:{found.name}", Secret(found.key))
    with pytest.raises(Unfinished) as raised:
        calls.wait_for_functions(backend, found.url, wanted, within_s=0.5)
    assert raised.value.message == (
        f"prod:{found.name} does not serve what was pushed:\n"
        "  companies:list is public query, not internal query\n"
        "  never:pushed is missing"
    )


def test_a_migration_in_the_background_is_waited_for_and_not_run_twice(checkout: Checkout) -> None:
    checkout.write({"example/apps/convex/background.ts": BACKGROUND})
    with (checkout.root / "lockstep.toml").open("a") as settings:
        settings.write(MIGRATION)
    checkout.commit()
    backend = clouds.backend(checkout.sandbox)
    argv = Checkout.inv_argv("deploy", "--no-browser")
    with subprocess.Popen(argv, cwd=checkout.root, env=checkout.env, stdin=subprocess.DEVNULL) as inv:
        begun = rest.settled(lambda: is_asked_for(checkout, backend.name), bool, within_s=60)
        inv.send_signal(signal.SIGKILL)
    assert begun
    assert inv.returncode == -signal.SIGKILL
    assert backend.migrations()["background:start"] == "running"
    backend.ask("background:end")
    ended = checkout.inv("deploy", "--no-browser")
    assert (ended.status, ended.errors) == (0, [])
    assert ended.summary["migrate"] == "ran background:start"
    assert backend.migrations()["background:start"] == "done"
    assert [one["name"] for one in backend.documents("companies")].count("started") == 1


def is_asked_for(checkout: Checkout, deployment: str) -> bool:
    """Tell whether Lockstep has asked twice whether the migration has ended."""
    asked = [one for one in checkout.sandbox.requests() if one["path"] == "/api/function"]
    return (
        len([one for one in asked if one["server"] == f"convex:{deployment}" and one["user_agent"] == "lockstep"]) > 1
    )
