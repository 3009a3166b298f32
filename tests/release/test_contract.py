"""The contract in a release: the first incident replayed, tabs of yesterday, and what may be asked by itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ci.config import Backend
from ci.contract.references import Found, Reference
from ci.errors import CheckFailed
from ci.release import calls
from ci.secret import Secret
from tests.release import clouds, tab
from tests.release.checkout import Checkout
from tests.release.production import DEPLOYMENT, Production

FUNCTIONS = ["companies:list", "incidents:list", "incidents:report", "participants:listBySite"]
CALLED = [*FUNCTIONS, "sites/list:listCompanySites"]
TAB = 'import { api } from "@example/convex/api";\nexport const call = api.tabs.{name};\n'
TABS = "example/apps/convex/tabs.ts"
LATER = "example/apps/convex/later.ts"
WORK = """import { internalMutation } from "./_generated/server";
import { internal } from "./_generated/api";
export const work = internalMutation(async () => null);
"""
START = """export const start = internalMutation(async (ctx) => {
  await ctx.scheduler.runAfter(3_600_000, internal.later.work, {});
});
"""
CALLER = "example/apps/web/src/tab.ts"


def query(*names: str, said: str = "") -> str:
    """Return a module of queries, each of which answers its name and what is `said`."""
    made = [f'export const {name} = query(async () => "{name}{said}");\n' for name in names]
    return 'import { query } from "./_generated/server";\n' + "".join(made)


def calling(name: str) -> str:
    return TAB.replace("{name}", name)


DONE: dict[str, object] = {"authDiff": {"added": [], "removed": []}, "definitionDiffs": {}, "componentDiffs": {}}


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ({"code": "InternalServerError", "message": "held"}, "error: deploy-backend: convex exited with 1"),
        (DONE, "error: prod:SANDBOX does not run the pushed code: it differs in tabs.js"),
    ],
    ids=["the CLI fails", "the CLI says that it is done"],
)
def test_the_first_incident_a_push_that_is_held_back_publishes_nothing(
    checkout: Checkout, answer: dict[str, object], error: str
) -> None:
    before = clouds.site(checkout.sandbox).served()
    with checkout.changed({TABS: query("held"), CALLER: calling("held")}):
        checkout.commit("Call a new function")
        checkout.sandbox.plant(match="/api/deploy2/finish_push", status=200, body=json.dumps(answer), times=-1)
        ended = checkout.inv("deploy", "--no-browser")
        checkout.sandbox.calm()
        assert (ended.status, ended.began[-2:]) == (3, ["deploy-backend", "live"])
        assert ended.errors[0].splitlines()[0] == error
        assert (
            "            it does not have what the frontend at hand calls:\n"
            "              tabs:held: does not exist\n"
            "                at apps/web/src/tab.ts:2\n"
        ) in ended.last_words
        assert clouds.site(checkout.sandbox).served() == before
        assert clouds.changes(checkout.sandbox) == []
        live = checkout.inv("contract", "--against", "live")
        assert (live.status, live.began) == (4, ["contract"])
        assert "  tabs:held: does not exist\n    at apps/web/src/tab.ts:2\n" in live.errors[0]
    checkout.commit("Call it no more")


def test_the_frontend_of_the_first_incident_stops_before_anything_is_approved(checkout: Checkout) -> None:
    with checkout.changed(
        {CALLER: 'import { api } from "@example/convex/api";\nexport const call = api.sites.list.listCompanySite;\n'}
    ):
        ended = checkout.inv("contract", "--format", "json")
        assert (ended.status, ended.errors[0].splitlines()[0]) == (4, "error: code lacks what is called:")
        found = json.loads(ended.stdout)
        assert [one["path"] for one in found["backends"]] == ["apps/convex"]
        assert [(one["function"], one["suggestion"], one["at"]) for one in found["missing"]] == [
            ("sites/list:listCompanySite", "sites/list:listCompanySites", [{"path": "apps/web/src/tab.ts", "line": 2}])
        ]
        released = checkout.inv("deploy", "--no-browser", "--format", "github")
    assert (released.status, released.stdout, "approve" in released.began) == (4, "", False)
    assert "::error title=contract,file=example/apps/web/src/tab.ts,line=2::" in released.stderr
    assert clouds.changes(checkout.sandbox) == []


def test_verify_backend_names_function_file_and_line(checkout: Checkout) -> None:
    made = clouds.backend(checkout.sandbox)
    backend = Backend(f"prod:{made.name}", Secret(made.key))
    found = Found((Reference("tabs:never", "apps/convex", "apps/web/src/tab.ts", 2, 1, "member", "public"),), (), ())
    with pytest.raises(CheckFailed) as raised:
        calls.wait_until_served(backend, made.url, found, within_s=0.5)
    first, second, third = raised.value.message.splitlines()
    assert (first, third) == (f"prod:{made.name} lacks what is called:", "    at apps/web/src/tab.ts:2")
    assert second.startswith("  tabs:never: ")


def test_the_stamp_lists_what_the_site_calls(checkout: Checkout) -> None:
    assert set(CALLED) <= set(clouds.site(checkout.sandbox).stamp()["functions"])


def test_a_rename_in_three_releases_and_an_open_tab_sees_no_error(checkout: Checkout) -> None:
    sandbox = checkout.sandbox
    checkout.write({TABS: query("first"), CALLER: calling("first")})
    checkout.commit("Begin")
    assert checkout.inv("deploy", "--no-browser").status == 0
    with tab.opened(checkout) as page:
        page.watch("tabs:first")
        assert page.sees("tabs:first", "first")
        sandbox.calm()
        checkout.write({TABS: query("second"), CALLER: calling("second")})
        checkout.commit("Rename at once")
        refused = checkout.inv("deploy", "--no-browser")
        assert (refused.status, clouds.changes(sandbox)) == (4, [])
        assert refused.errors[0].splitlines()[0] == "error: clients in the field would break:"
        assert "tabs:first: " in refused.errors[0]
        assert refused.errors[0].endswith("--allow-breaking tabs:first")

        checkout.write({TABS: query("first", "second", said=", expanded")})
        checkout.commit("Expand")
        expanded = checkout.inv("deploy", "--no-browser")
        assert (expanded.status, expanded.errors) == (0, [])
        assert "tabs:second" in clouds.site(sandbox).stamp()["functions"]
        assert page.sees("tabs:first", "first, expanded")

        page.watch("tabs:second")
        assert page.sees("tabs:second", "second, expanded")
        page.leave("tabs:first")
        checkout.write({TABS: query("second", said=", contracted")})
        checkout.commit("Contract")
        contracted = checkout.inv("deploy", "--no-browser")
        assert (contracted.status, contracted.errors) == (0, [])
        assert "- tabs:first: risky: removed" in contracted.stderr
        assert "tabs:first" not in clouds.backend(sandbox).functions()
        assert page.sees("tabs:second", "second, contracted")
        assert page.errors == []


def test_a_break_is_shipped_when_it_is_allowed_by_name(checkout: Checkout) -> None:
    backend, caller = TABS.replace("tabs", "broken"), CALLER.replace("tab", "broken")
    checkout.write({backend: query("first"), caller: calling("first").replace("tabs", "broken")})
    checkout.commit("Begin")
    assert checkout.inv("deploy", "--no-browser").status == 0
    checkout.write({backend: query("third"), caller: calling("third").replace("tabs", "broken")})
    checkout.commit("Break")
    plan = checkout.inv("plan", "--format", "json")
    assert plan.status == 4
    found = json.loads(plan.stdout)["functions"]
    assert found["added"] == ["broken:third"]
    assert [(one["function"], one["kind"]) for one in found["changed"]] == [("broken:first", "breaking")]
    checkout.sandbox.calm()
    mistaken = checkout.inv("deploy", "--no-browser", "--allow-breaking", "broken:frist")
    assert (mistaken.status, mistaken.errors, clouds.changes(checkout.sandbox)) == (
        2,
        [
            "error: --allow-breaking names what this release does not change: broken:frist\n"
            "  hint: what breaks is broken:first"
        ],
        [],
    )
    allowed = ("deploy", "--no-browser", "--allow-breaking", "broken:first")
    with tab.opened(checkout) as page:
        page.watch("broken:first")
        assert page.sees("broken:first", "first")
        assert checkout.inv(*allowed).status == 0
        assert not page.sees("broken:first", "first, again")
        assert [error.partition(": ")[0] for error in page.errors] == ["broken:first"]
    assert "broken:first" not in clouds.backend(checkout.sandbox).functions()
    assert checkout.inv(*allowed).status == 0


def test_only_the_references_need_nothing(checkout: Checkout, tmp_path: Path) -> None:
    repository(tmp_path, checkout)
    ended = checkout.inv("contract", "--root", str(tmp_path), "--references-only", "--format", "json")
    assert (ended.status, ended.errors, ended.began) == (0, [], ["contract"])
    found = json.loads(ended.stdout)
    assert found["backends"] == [{"path": "convex", "functions": None}]
    assert [(one["function"], one["path"], one["line"]) for one in found["references"]] == [("a:b", "src/main.ts", 2)]
    assert found["missing"] == []


def test_a_file_may_be_the_other_side(checkout: Checkout, tmp_path: Path) -> None:
    repository(tmp_path, checkout)
    spec = tmp_path / "spec.json"
    entry = {"identifier": "a.js:b", "functionType": "Query", "visibility": {"kind": "public"}}
    whole: dict[str, Any] = {"url": "https://graceful-shrimp-355.convex.cloud"}
    spec.write_text(json.dumps(whole | {"functions": [entry | {"args": {"type": "any"}, "returns": {"type": "any"}}]}))
    argv = ("contract", "--root", str(tmp_path), "--against", str(spec))
    assert checkout.inv(*argv).status == 0
    spec.write_text(json.dumps(whole | {"functions": []}))
    assert checkout.inv(*argv).status == 4
    spec.write_text("no spec")
    assert checkout.inv(*argv).status == 2


def test_a_repository_without_a_backend_is_not_called_checked(checkout: Checkout, tmp_path: Path) -> None:
    ended = checkout.inv("contract", "--root", str(tmp_path))
    assert (ended.status, ended.stdout) == (2, "")
    assert ended.errors[0].startswith("error: there is no folder of Convex functions in ")
    listed = checkout.inv("contract", "--root", str(tmp_path), "--references-only", "--format", "json")
    assert (listed.status, json.loads(listed.stdout)["backends"]) == (0, [])


def test_another_repository_is_pushed_to_a_deployment_of_its_own(checkout: Checkout) -> None:
    ended = checkout.inv("contract", "--root", "example", "--format", "json")
    assert (ended.status, ended.errors, ended.began) == (0, [], ["contract"])
    assert json.loads(ended.stdout)["backends"][0]["path"] == "apps/convex"
    assert json.loads(ended.stdout)["backends"][0]["functions"] is not None
    pushed = {one["server"] for one in checkout.sandbox.requests() if one["path"] == "/api/deploy2/start_push"}
    assert pushed == {"convex:another-repository-100"}


def test_a_function_that_is_scheduled_is_not_taken_away(checkout: Checkout) -> None:
    checkout.write({LATER: WORK + START})
    checkout.commit("Schedule")
    assert checkout.inv("verify-backend", "--no-browser").status == 0
    backend = clouds.backend(checkout.sandbox)
    checkout.write({LATER: WORK.replace("work", "other")})
    checkout.commit("Take it away")
    assert checkout.inv("plan").status == 0
    backend.ask("later:start")
    refused = checkout.inv("plan")
    assert refused.status == 4
    assert "later:work: removed" in refused.errors[0]


def repository(folder: Path, checkout: Checkout) -> None:
    """Make a repository of one package, none of whose packages is installed."""
    files = {
        "package.json": '{"name": "shop", "dependencies": {"convex": "^1.48.0"}}',
        "convex/a.ts": query("b"),
        "src/main.ts": 'import { api } from "../convex/_generated/api";\nclient.query(api.a.b);\n',
    }
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)


def test_a_release_does_not_take_a_listing_for_a_check(checkout: Checkout) -> None:
    ended = checkout.inv("deploy", "--references-only")
    assert (ended.status, ended.began) == (2, [])
    assert ended.errors == [
        "error: check needs contract as it is, without --references-only\n"
        "  hint: leave it out, or ask for contract alone"
    ]


def test_a_key_that_may_not_read_the_spec_is_said_to_be_one(production: Production) -> None:
    key = production.key(DEPLOYMENT, "Deploy")
    ended = production.inv("contract", "--against", "live", CONVEX_DEPLOY_KEY=key)
    assert (ended.status, ended.errors) == (
        2,
        [
            f"error: CONVEX_DEPLOY_KEY may not read the function spec of {DEPLOYMENT} (ViewData)\n"
            "  hint: create a deploy key in the Convex dashboard (Settings, Deploy Keys) that may view data"
        ],
    )


HINTS = {"doctor": "\n  hint: ./inv doctor --format json"}


@pytest.mark.parametrize(
    ("task", "known"),
    [
        *((one, "one of text, json, github") for one in ("deploy", "contract", "plan")),
        ("runs", "text or json (or, of one run, markdown)"),
        ("graph", "text, mermaid or json"),
        ("doctor", "text or json"),
    ],
)
def test_a_form_that_there_is_not_is_refused_before_anything_runs(checkout: Checkout, task: str, known: str) -> None:
    ended = checkout.inv(task, "--format", "yaml")
    error = f"error: --format takes {known}, not 'yaml'" + HINTS.get(task, "")
    assert (ended.status, ended.stdout, ended.began, ended.errors) == (2, "", [], [error])
