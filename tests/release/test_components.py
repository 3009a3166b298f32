"""An app with a component, variables and packages of Node actions: released, told apart, and what cannot be pushed."""

from __future__ import annotations

import pytest

from tests.release import clouds
from tests.release.checkout import Checkout

BACKEND = "example/apps/convex"
COUNTS = f"{BACKEND}/counter/counts.ts"
COMPONENT = {
    f"{BACKEND}/convex.config.ts": """
import { defineApp } from "convex/server";
import counter from "./counter/convex.config.js";
const app = defineApp();
app.use(counter);
export default app;
""",
    f"{BACKEND}/auth.config.ts": """
export default { providers: [{ domain: process.env.ISSUER, applicationID: "app" }] };
""",
    f"{BACKEND}/visits.ts": """
import { components } from "./_generated/api";
import { internalMutation } from "./_generated/server";
const { add } = components.counter.counts;
export const count = internalMutation(async (ctx): Promise<string> => await ctx.runMutation(add, {}));
""",
    f"{BACKEND}/counter/convex.config.ts": """
import { defineComponent } from "convex/server";
export default defineComponent("counter");
""",
    COUNTS: """
import { mutation } from "./_generated/server";
export const add = mutation(async () => "counted");
""",
    f"{BACKEND}/machine.ts": """
"use node";
import { convexTest } from "convex-test";
import { internalAction } from "./_generated/server";
export const test = internalAction(async () => typeof convexTest);
""",
    f"{BACKEND}/convex.json": '{ "functions": "./", "node": { "externalPackages": ["convex-test"] } }',
}
READS_A_FILE = """
"use node";
import { readFileSync } from "node:fs";
import { internalAction } from "./_generated/server";
const text = readFileSync("/etc/hostname", "utf8");
export const words = internalAction(async () => text);
"""


@pytest.fixture(scope="module")
def shop(fresh: Checkout) -> Checkout:
    """The example with a component, released once."""
    fresh.write(COMPONENT)
    fresh.replace(
        "lockstep.toml", "[targets.sandbox]\n", '[targets.sandbox]\nvariables = { ISSUER = "auth.example" }\n'
    )
    fresh.commit()
    ended = fresh.inv("verify-backend", "--no-browser")
    assert ended.status == 0, ended.stderr
    return fresh


def test_an_app_with_a_component_is_released(shop: Checkout) -> None:
    backend = clouds.backend(shop.sandbox)
    assert backend.ask("visits:count") == "counted"
    assert backend.ask("machine:test") == "function"
    assert not any(name.startswith("counts:") for name in backend.functions())


def test_what_is_live_already_is_not_pushed_again(shop: Checkout) -> None:
    shop.sandbox.calm()
    ended = shop.inv("verify-backend", "--no-browser")
    assert (ended.status, ended.errors) == (0, [])
    assert ended.summary["deploy-backend"].startswith("already so")
    assert clouds.changes(shop.sandbox) == []


def test_a_change_in_a_component_alone_is_pushed(shop: Checkout) -> None:
    shop.replace(COUNTS, '"counted"', '"counted anew"')
    shop.commit()
    ended = shop.inv("verify-backend", "--no-browser")
    assert (ended.status, ended.errors) == (0, [])
    assert ended.summary["deploy-backend"].startswith("pushed")
    assert clouds.backend(shop.sandbox).ask("visits:count") == "counted anew"


def test_variables_that_the_sandbox_does_not_have_are_named_with_where_to_set_them(shop: Checkout) -> None:
    reads = """
const absent = ["MAP_KEY", "MAIL_KEY"].filter((name) => !process.env[name]);
if (absent.length > 0) throw new Error("something is missing");
export const mode = "strict";
"""
    with shop.changed({f"{BACKEND}/settings.ts": reads}):
        ended = shop.inv("codegen", "--allow-dirty")
    assert (ended.status, ended.errors) == (
        2,
        [
            "error: the functions do not load, and read variables that the sandbox does not have: MAIL_KEY, MAP_KEY\n"
            "  hint: give it what they need in lockstep.toml: "
            '[targets.sandbox] variables = { MAIL_KEY = "...", MAP_KEY = "..." }'
        ],
    )


def test_code_that_does_not_load_for_another_reason_is_said_to_have_failed(shop: Checkout) -> None:
    with shop.changed({f"{BACKEND}/settings.ts": "throw new Error('not today');\nexport {};\n"}):
        ended = shop.inv("codegen", "--allow-dirty")
    assert (ended.status, ended.errors) == (3, ["error: codegen: convex exited with 1"])


def test_code_that_the_sandbox_cannot_load_leaves_the_committed_types(shop: Checkout) -> None:
    generated = shop.root / BACKEND / "_generated"
    before = {path.name: path.read_text() for path in generated.iterdir()}
    shop.git("add", "--force", str(generated))
    with shop.changed({f"{BACKEND}/reader.ts": READS_A_FILE}):
        ended = shop.inv("contract", "--allow-dirty")
    lacks = "the sandbox does not implement files, processes and networks for modules that load"
    assert ended.summary["codegen"].startswith(f"not generated, what git has is used instead: {lacks}")
    assert {path.name: path.read_text() for path in generated.iterdir()} == before
    assert (ended.status, len(ended.errors)) == (3, 1)
    assert f"the functions of this working tree are not known: {lacks}" in ended.errors[0]
