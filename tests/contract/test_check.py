"""What is called held against what there is, and the environment variables that a backend reads."""

from __future__ import annotations

from typing import Literal

import pytest

from ci.contract import check, environment
from ci.contract.check import Missing
from ci.contract.environment import Environment, Read
from ci.contract.references import Found, Reference
from ci.contract.spec import Function, Kind, Spec, Visibility
from ci.contract.validators import Any

PAGE = "apps/web/src/Sites.tsx"


def function(path: str, kind: Kind = "query", visibility: Visibility = "public") -> Function:
    module, _, name = path.partition(":")
    return Function(module, name, kind, visibility, Any(), Any())


def spec(*functions: Function) -> Spec:
    return Spec({one.path: one for one in functions}, frozenset())


def call(
    name: str,
    *,
    at: tuple[str, int] = (PAGE, 7),
    form: str = "member",
    visibility: Literal["public", "internal"] = "public",
) -> Reference:
    return Reference(name, "apps/convex", *at, 3, form, visibility)


def missing(backend: Spec, *references: Reference) -> tuple[Missing, ...]:
    return check.missing(Found(references, (), ()), backend)


def test_what_the_backend_has_is_not_missing() -> None:
    backend = spec(function("sites/list:listCompanySites"), function("jobs:default"))
    calls = [call("sites/list:listCompanySites"), call("sites/list.js:listCompanySites"), call("jobs")]
    assert missing(backend, *calls) == ()


def test_a_missing_function_is_told_once_with_the_nearest_name_and_every_place() -> None:
    backend = spec(function("sites/list:listSites"), function("incidents:list"))
    name = "sites/list:listCompanySites"
    calls = [
        call(name, at=("b.ts", 2)),
        call(name, at=("a.ts", 9)),
        call(name, at=("a.ts", 9)),
        call(name, at=("a.ts", 1)),
    ]
    places = (("a.ts", 1), ("a.ts", 9), ("b.ts", 2))
    assert missing(backend, *calls) == (Missing(name, "does not exist", "sites/list:listSites", places),)


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [("places:listCompanySites", "sites/list:listCompanySites"), ("zoo:animals", ""), ("zoo", "")],
)
def test_a_function_that_moved_is_found_by_its_own_name(name: str, suggestion: str) -> None:
    backend = spec(function("sites/list:listCompanySites"), function("jobs:default"))
    assert [one.suggestion for one in missing(backend, call(name))] == [suggestion]


INTERNAL = spec(function("jobs:run", "mutation", "internal"), function("jobs:ran", "mutation"))


@pytest.mark.parametrize("visibility", ["public", "internal"])
def test_a_client_cannot_call_an_internal_function(visibility: Literal["public", "internal"]) -> None:
    assert missing(INTERNAL, call("jobs:run", visibility=visibility)) == (
        Missing("jobs:run", "is internal, so no client can call it", "jobs:ran", ((PAGE, 7),)),
    )


@pytest.mark.parametrize(
    ("path", "form"),
    [("apps/convex/crons.ts", "member"), ("apps/web/src/Sites.test.tsx", "member"), ("package.json", "run")],
)
def test_the_backend_tests_and_the_command_line_may_call_an_internal_function(path: str, form: str) -> None:
    assert missing(INTERNAL, call("jobs:run", at=(path, 1), form=form, visibility="internal")) == ()


def test_an_internal_function_is_suggested_only_to_who_may_call_it() -> None:
    backend = spec(function("jobs:run", "mutation", "internal"))
    calls = [call("jobs:runs", at=("apps/convex/crons.ts", 1))]
    assert [one.suggestion for one in missing(backend, *calls)] == ["jobs:run"]
    assert [one.suggestion for one in missing(backend, *calls, call("jobs:runs"))] == [""]


@pytest.mark.parametrize(
    ("form", "called_as"),
    [
        ("useQuery", "a query"),
        ("usePaginatedQuery", "a query"),
        ("useQueries", "a query"),
        ("useQuery_experimental", "a query"),
        ("client.query", "a query"),
        ("useAction", "an action"),
        ("/api/action", "an action"),
    ],
)
def test_a_mutation_cannot_be_called_as_something_else(form: str, called_as: str) -> None:
    backend = spec(function("sites:add", "mutation"), function("sites:adds"), function("sites:added", "action"))
    found = missing(backend, call("sites:add", form=form))
    nearest = "sites:adds" if called_as == "a query" else "sites:added"
    assert found == (Missing("sites:add", f"is a mutation, and called as {called_as}", nearest, ((PAGE, 7),)),)


@pytest.mark.parametrize("form", ["member", "typeof", "string", "useMutation", "fetchMutation", "transaction", "run"])
def test_a_form_that_fits_or_does_not_tell_is_no_objection(form: str) -> None:
    assert missing(spec(function("sites:add", "mutation")), call("sites:add", form=form)) == ()


def test_two_reasons_of_one_function_are_told_apart() -> None:
    calls = [call("jobs:run"), call("jobs:run", at=("apps/convex/crons.ts", 4), form="runQuery")]
    assert [(one.reason, one.at) for one in missing(INTERNAL, *calls)] == [
        ("is a mutation, and called as a query", (("apps/convex/crons.ts", 4),)),
        ("is internal, so no client can call it", ((PAGE, 7),)),
    ]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("const key = process.env.KEY;", ["KEY"]),
        ("const key = process.env!.KEY!;", ["KEY"]),
        ("const key = process?.env?.KEY ?? '';", ["KEY"]),
        ("const key = process.env['KEY'] + process.env[`OTHER`];", ["KEY", "OTHER"]),
        ("const key = (process.env as any).KEY;", ["KEY"]),
        ("const key = globalThis.process.env.KEY;", ["KEY"]),
        ("const { KEY, OTHER: other, THIRD = 'x' } = process.env;", ["KEY", "OTHER", "THIRD"]),
        ("if (process.env.KEY === undefined) throw new Error(`${process.env.OTHER}`);", ["KEY", "OTHER"]),
        ("import { env } from './_generated/server';\nenv.KEY;", ["KEY"]),
        ("import { env as set } from '../_generated/server';\nconst { KEY } = set;", ["KEY"]),
        ("const page = <p title={process.env.KEY}>{process.env.OTHER}</p>;", ["KEY", "OTHER"]),
        ("const set = process.env;\nset.KEY + set['OTHER']; const { THIRD } = set;", ["KEY", "OTHER", "THIRD"]),
        ("const { env } = process;\nconst key = env.KEY;", ["KEY"]),
        ("const env: NodeJS.ProcessEnv = process.env as any;\nexport const key = () => env?.KEY;", ["KEY"]),
        ("import { env } from 'node:process';\nenv.KEY;", ["KEY"]),
        ("let set = {};\nset = process.env;\nset.KEY;", ["KEY"]),
        (
            "const set = import.meta.env;\nimport.meta.env.KEY + import.meta.env?.['OTHER'] + set.THIRD",
            ["KEY", "OTHER", "THIRD"],
        ),
        ("// process.env.KEY\nconst text = 'process.env.KEY'; /* process.env.KEY */", []),
        ("const key = config.env.KEY + env.OTHER + my.process.env.THIRD;", []),
        ("const environment = 'no';", []),
    ],
)
def test_variables_that_are_read_are_named(text: str, names: list[str]) -> None:
    found = environment.read({"a.tsx": text})
    assert (sorted(found.names), found.dynamic) == (names, ())


@pytest.mark.parametrize(
    "text",
    [
        "const key = process.env[name];",
        "const key = process.env[`KEY_${name}`];",
        "const { ...all } = process.env;",
        "const all = process.env;",
        "start(process.env);",
        "export const all = process.env; const unused = 1;",
        "const all = process.env; start(all);",
        "const all = process.env; start({ all });",
        "const all = process.env; all[name];",
        "for (const name in process.env) start(name);",
    ],
)
def test_what_cannot_be_told_is_listed(text: str) -> None:
    found = environment.read({"a/b.ts": f"// first\n{text}"})
    assert found == Environment((Read("a/b.ts", 2, ""),), {})
    assert (found.names, found.dynamic) == (frozenset(), found.reads)


def test_variables_are_read_of_every_module_and_declared_in_one() -> None:
    declares = """
        import { defineApp } from "convex/server";
        import { v } from "convex/values";
        const app = defineApp({ env: { KEY: v.string(), "LEVEL": v.optional(v.union(v.literal("a"))) } });
        app.use(component, { env: { SEVERITY: app.env.LEVEL } });
        export default app;
    """
    found = environment.read(
        {
            "convex.config.ts": declares,
            "b.ts": "process.env.OTHER; process.env.LEVEL",
            "a.ts": "process.env.OTHER",
        }
    )
    reads = (Read("a.ts", 1, "OTHER"), Read("b.ts", 1, "LEVEL"), Read("b.ts", 1, "OTHER"))
    assert found == Environment(reads, {"KEY": False, "LEVEL": True})
    assert found.names == {"KEY", "OTHER"}


def test_a_broken_module_is_read_as_far_as_it_goes() -> None:
    assert environment.read({"a.ts": "const = {{{ (\nconst key = process.env.KEY;\n"}).names == {"KEY"}
