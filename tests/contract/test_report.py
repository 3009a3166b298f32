"""A plan and a contract, as a person reads them, as data, and as annotations of a workflow."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ci import report
from ci.config import Backend, Frontend, Target
from ci.contract import plan
from ci.contract.check import Missing
from ci.contract.compatibility import Change
from ci.contract.references import Dynamic, Found, Reference, Skipped
from ci.convex import Code, Function
from ci.errors import CheckFailed, InputError, Unfinished
from ci.release.calls import Contract
from ci.release.comparison import Comparison
from ci.release.git import Tree
from ci.release.manifest import Stamp
from ci.secret import Secret
from tests.contract import backends

UNKNOWN = "\n            what clients in the field call is unknown\n"
URL = "https://graceful-shrimp-355.convex.cloud"
SITE = "https://app.example.com"
STEPS = (("deploy-backend", "backend", "Push the functions."), ("smoke", "nothing", "Open the site."))
NOTHING = Found((), (), ())


def code(*functions: str, **schema: Any) -> Code:
    spec = [backends.entry(*one.split(), args={}) for one in functions]
    names = frozenset(Function(one.split()[-1], "query", "public") for one in functions)
    return Code(dict.fromkeys(functions, "hash"), names, schema or None, spec)


def stamp(*functions: str) -> Stamp:
    return Stamp(1, "RELEASE", "a" * 40, False, {"deployment": "prod:graceful-shrimp-355", "url": URL}, functions)


def world(**changes: Any) -> Comparison:
    backend = Backend("prod:graceful-shrimp-355", Secret("key"))
    frontend = Frontend("my-app", "main", SITE, "account", Secret("token"))
    given = Comparison(
        target=Target("production", backend, frontend, {}, {}),
        tree=Tree("b" * 40, "Rename", ("main",), ()),
        url=URL,
        backend=code("a:old"),
        here=code("a:new"),
        pending=("seed:demo",),
        site=stamp("a:old"),
        calls=Found((Reference("a:new", "apps/convex", "apps/web/App.tsx", 7, 3, "member", "public"),), (), ()),
        scheduled=frozenset(),
        lacking=("MAIL_KEY",),
        listed=(),
    )
    return replace(given, **changes)


def test_the_plan_says_what_changes_and_whom_it_would_break() -> None:
    lines = report.plan(world(), STEPS, "text").splitlines()
    assert lines[:4] == [
        "plan for target production: commit bbbbbbbbbbbb (Rename)",
        f"  backend   prod:graceful-shrimp-355 {URL}: 1 functions, 1 added, 1 removed",
        "            + a:new",
        lines[3],
    ]
    assert lines[3].startswith("            - a:old: breaking: removed")
    assert lines[3].endswith("; the live frontend calls it")
    assert lines[4:] == [
        "            variables that the code reads and the deployment lacks: MAIL_KEY",
        "  data      migrations: seed:demo",
        f"  frontend  {SITE}: release RELEASE of commit aaaaaaaaaaaa, built for this backend",
        "            becomes commit bbbbbbbbbbbb",
        "  steps",
        "    deploy-backend  changes backend   Push the functions.",
        "    smoke           changes nothing   Open the site.",
    ]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"backend": code()}, f"{URL}: the first release: 1 functions, 1 added, 0 removed"),
        ({"here": code("a:old")}, f"{URL}: already runs this code (1 functions)"),
        ({"backend": "could not be read: CONVEX_DEPLOY_KEY may not read the function spec"},
         f"{URL}: prod:graceful-shrimp-355 could not be read: CONVEX_DEPLOY_KEY may not read the function spec"),
        ({"site": "no site that Lockstep released"},
         f"{SITE}: no site that Lockstep released{UNKNOWN}"),
        ({"site": "a site stamped by another Lockstep (format 2)"},
         f"{SITE}: a site stamped by another Lockstep (format 2){UNKNOWN}"),
        ({"site": replace(stamp(), functions=None)}, "what it calls is unknown: it was stamped before stamps said so"),
        ({"site": replace(stamp(), commit="b" * 40)}, "built for this backend\n            stays\n"),
        ({"scheduled": "could not be read: no"}, "what is scheduled could not be read: no"),
        ({"untold": ("lib/env.ts:3",)}, "variables that the code reads by a name it computes: at lib/env.ts:3"),
        ({"lacking": "could not be read: no"}, "its environment variables could not be read: no"),
        ({"here": code("mutation internal migrations:fill")},
         "migrations:fill is new and not in lockstep.toml: list it to run it, or with skip to say why not"),
        ({"here": code("a:old", tables=[backends.table("sites", by_name=["name"])])},
         "            + table sites\n            + index sites.by_name\n"),
    ],
)  # fmt: skip
def test_each_thing_is_said_for_what_it_is(changes: dict[str, Any], said: str) -> None:
    assert said in report.plan(world(**changes), STEPS, "text")


def test_the_plan_as_data() -> None:
    found = json.loads(report.plan(world(), STEPS, "json"))
    changed = found["functions"].pop("changed")
    assert [(one["function"], one["kind"], one["demoted"], sorted(one)) for one in changed] == [
        ("a:old", "breaking", False, ["demoted", "function", "kind", "reason", "what"])
    ]
    nothing: dict[str, list[str]] = {"added": [], "removed": []}
    assert found == {
        "target": "production",
        "commit": "b" * 40,
        "dirty": False,
        "unread": [],
        "backend": {"deployment": "prod:graceful-shrimp-355", "url": URL, "first": False, "changes": True},
        "functions": {"added": ["a:new"], "removed": ["a:old"]},
        "tables": nothing,
        "indexes": nothing,
        "migrations": {"pending": ["seed:demo"], "unlisted": []},
        "variables": {"lacking": ["MAIL_KEY"], "computed": []},
        "frontend": {"site": SITE, "release": "RELEASE", "commit": "a" * 40, "functions": ["a:old"], "changes": True},
        "steps": [{"name": "deploy-backend", "changes": "backend"}, {"name": "smoke", "changes": "nothing"}],
    }


def test_what_could_not_be_read_is_null_and_said_in_the_data() -> None:
    why = "could not be read: no"
    found = json.loads(report.plan(world(backend=why, lacking=why, site="no site"), STEPS, "json"))
    assert found["unread"] == [f"prod:graceful-shrimp-355 {why}", f"{SITE}: no site"]
    assert [found[key] for key in ("functions", "tables", "indexes")] == [None] * 3
    assert (found["backend"]["first"], found["migrations"]["unlisted"], found["variables"]["lacking"]) == (None,) * 3
    assert (found["frontend"]["release"], found["frontend"]["functions"]) == (None, None)


def test_the_plan_as_annotations() -> None:
    lines = report.plan(world(), STEPS, "github").splitlines()
    assert lines[0].startswith("::error title=breaking change::a:old: breaking: removed")
    assert lines[1:] == ["::warning title=environment variable::prod:graceful-shrimp-355 lacks MAIL_KEY"]


def test_breaking_changes_are_refused_with_the_way_round_them() -> None:
    with pytest.raises(CheckFailed) as raised:
        world().refuse_breaking([])
    assert raised.value.message.startswith("clients in the field would break:\n  a:old: removed")
    assert (raised.value.exit_code, raised.value.hint) == (
        4,
        "take two releases: expand (add the new beside the old, an argument as optional, and let the frontend use it), "
        "then contract (remove the old, require the argument); to accept the errors, or since you know that each page "
        "that is open sends the argument: --allow-breaking a:old",
    )
    world().refuse_breaking(["a:old"])
    world(site=stamp()).refuse_breaking([])


MANY = code("sites:list", "sites/list:all", "jobs:run")


@pytest.mark.parametrize(
    ("changes", "allowed", "hint"),
    [
        ({"backend": MANY}, ["sites:lst"], "what breaks is sites:list, sites/list:all, jobs:run"),
        ({"backend": MANY}, ["run", "jobs:run"], "what breaks is jobs:run, sites/list:all, sites:list"),
        ({"backend": MANY, "site": stamp()}, ["sites:lst"], "leave it out: nothing breaks"),
        ({"backend": code()}, ["sites:list"], "leave it out: nothing breaks"),
    ],
)
def test_what_is_allowed_to_break_and_is_not_changed_is_refused(
    changes: dict[str, Any], allowed: list[str], hint: str
) -> None:
    live = {"site": stamp(*(MANY.modules or ())), "here": code("a:new")}
    with pytest.raises(InputError) as raised:
        world(**live | changes).refuse_breaking(allowed)
    assert (raised.value.message, raised.value.hint) == (
        f"--allow-breaking names what this release does not change: {allowed[0]}",
        hint,
    )


def test_what_was_allowed_to_break_and_is_done_is_no_mistake() -> None:
    world(here=code("a:old")).refuse_breaking(["a:gone"])


def test_what_breaks_nobody_may_be_allowed_too() -> None:
    world(site=stamp()).refuse_breaking(["a:old"])


def test_the_advice_is_a_command_that_a_shell_takes() -> None:
    hook = Change("POST /hooks/*", "breaking", "HTTP route removed", "", False)
    assert plan.advice([hook]).endswith("argument: --allow-breaking 'POST /hooks/*'")


def test_what_cannot_be_compared_is_not_released() -> None:
    with pytest.raises(Unfinished) as raised:
        world(backend="could not be read: no").refuse_breaking([])
    assert raised.value.message == (
        "what this release would break cannot be told: prod:graceful-shrimp-355 could not be read: no"
    )


def test_what_is_scheduled_and_could_not_be_read_may_be_anything() -> None:
    hidden = world(backend=code("mutation internal work:later"), scheduled="could not be read: no")
    with pytest.raises(CheckFailed, match="work:later"):
        hidden.refuse_breaking([])


def test_the_last_words_name_the_calls_that_the_live_backend_cannot_answer() -> None:
    lines = report.live(world()).splitlines()
    assert lines[2] == "            it does not have what the frontend at hand calls:"
    assert lines[3].startswith("              a:new: ")
    assert lines[4] == "                at apps/web/App.tsx:7"


CONTRACT = Contract(
    {"apps/convex": 7},
    Found(
        (Reference("a:b", "apps/convex", "apps/web/App.tsx", 7, 3, "member", "public"),),
        (Dynamic("apps/web/x.ts", 2, 5, "a"),),
        (Skipped("apps/web/y.ts", "is binary"),),
    ),
    (Missing("a:b", "it does not exist", "a:bb", (("apps/web/App.tsx", 7),)),),
)


def test_a_contract_as_text_leaves_what_is_missing_to_the_error() -> None:
    assert report.contract(CONTRACT, "text").splitlines() == [
        "1 calls of 1 functions of apps/convex, which has 7",
        "  apps/web/x.ts:2 calls a function of a that is not known before it runs",
        "  apps/web/y.ts is binary",
    ]


def test_a_contract_that_checks_nothing_lists_the_calls() -> None:
    listed = replace(CONTRACT, backends={"apps/convex": None}, missing=())
    assert report.contract(listed, "text").splitlines()[:2] == [
        "1 calls of 1 functions of apps/convex",
        "  apps/web/App.tsx:7:3 a:b (member)",
    ]


def test_calls_of_no_known_backend_are_not_dropped() -> None:
    lost = replace(CONTRACT.found.references[0], backend="")
    found = Contract({"apps/convex": 7}, Found((lost,), (), ()), ())
    assert report.contract(found, "text").splitlines() == [
        "0 calls of 0 functions of apps/convex, which has 7",
        "1 calls of no backend that is known",
        "  apps/web/App.tsx:7:3 a:b (member)",
    ]


def test_a_contract_as_data() -> None:
    assert json.loads(report.contract(CONTRACT, "json")) == {
        "backends": [{"path": "apps/convex", "functions": 7}],
        "references": [
            {"function": "a:b", "backend": "apps/convex", "path": "apps/web/App.tsx", "line": 7, "column": 3,
             "form": "member", "visibility": "public"},
        ],
        "missing": [
            {"function": "a:b", "reason": "it does not exist", "suggestion": "a:bb",
             "at": [{"path": "apps/web/App.tsx", "line": 7}]},
        ],
        "dynamic": [{"path": "apps/web/x.ts", "line": 2, "prefix": "a"}],
        "skipped": [{"path": "apps/web/y.ts", "why": "is binary"}],
    }  # fmt: skip


def test_a_contract_as_annotations_that_no_name_can_forge() -> None:
    forged = Missing("a:b", "first\n::error::second", "", ((Path("odd,name:100%.ts").as_posix(), 7),))
    assert report.contract(replace(CONTRACT, missing=(forged,)), "github", where="example").splitlines() == [
        "::error title=contract,file=example/odd%2Cname%3A100%25.ts,line=7::a:b: first%0A::error::second",
        "::notice title=contract,file=example/apps/web/x.ts,line=2"
        "::calls a function of a that is not known before it runs",
        "::notice title=contract,file=example/apps/web/y.ts::is binary",
    ]
