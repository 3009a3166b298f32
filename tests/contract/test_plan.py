"""What a push would change: functions, tables, indexes, migrations, variables, and what clients would not survive."""

from __future__ import annotations

from typing import Any

from ci.contract import plan, spec
from ci.contract.plan import Calls, Difference, Half, Plan
from ci.contract.references import Dynamic, Found, Reference
from tests.contract.backends import half, table

NO_CALLS = Calls(live=frozenset(), new=frozenset(), scheduled=frozenset())
STRING = {"fieldType": {"type": "string"}, "optional": False}


def told(made: Plan) -> list[tuple[str, str, str, bool]]:
    return [(one.function, one.kind, one.what, one.demoted) for one in made.changes]


def reference(function: str, path: str, visibility: Any = "public") -> Reference:
    return Reference(function, "apps/convex", path, 1, 1, "member", visibility)


def test_the_same_backend_is_no_change() -> None:
    one = half("a:b", schema={"tables": [table("sites", by_name=["name"])]})
    nothing = Difference((), ())
    assert plan.make(one, one, NO_CALLS, ()) == Plan(nothing, (), nothing, nothing, ())


def test_functions_are_added_and_removed_and_only_those_that_were_there_are_changes() -> None:
    made = plan.make(half("a:old", "a:kept"), half("a:kept", "b:brandNewThing"), NO_CALLS, ())
    assert made.functions == Difference(("b:brandNewThing",), ("a:old",))
    assert told(made) == [("a:old", "risky", "removed", True)]


def test_http_routes_are_functions_of_a_plan() -> None:
    routes = [{"functionType": "HttpAction", "method": "GET", "path": path} for path in ("/a", "/b")]
    old, new = (Half(spec.parse([route]), None) for route in routes)
    assert plan.make(old, new, NO_CALLS, ()).functions == Difference(("GET /b",), ("GET /a",))


def test_a_removed_function_that_the_live_frontend_calls_breaks_clients_unless_it_is_allowed_to() -> None:
    calls = Calls(live=frozenset({"a:old", "a:older"}), new=frozenset(), scheduled=frozenset())
    made = plan.make(half("a:old", "a:older"), half(), calls, ())
    assert [one.function for one in made.breaking()] == ["a:old", "a:older"]
    assert [one.function for one in made.breaking(["a:old"])] == ["a:older"]
    assert made.breaking(["a:old", "a:older"]) == ()
    assert "--allow-breaking a:old --allow-breaking a:older" in plan.advice(made.breaking())


def test_with_unknown_calls_nothing_public_is_taken_for_unused() -> None:
    calls = Calls(live=None, new=frozenset(), scheduled=frozenset())
    assert [one.function for one in plan.make(half("a:old"), half(), calls, ()).breaking()] == ["a:old"]


def test_a_new_required_argument_breaks_who_calls_without_it() -> None:
    calls = Calls(live=frozenset({"a:send"}), new=frozenset({"a:send"}), scheduled=frozenset())
    made = plan.make(half("a:send"), half("a:send", site=STRING), calls, ())
    assert [(one.function, one.kind) for one in made.breaking()] == [("a:send", "breaking")]
    assert made.functions == Difference((), ())


def test_what_is_scheduled_keeps_an_internal_function() -> None:
    calls = Calls(live=frozenset(), new=frozenset(), scheduled=frozenset({"work:later"}))
    old = half("mutation internal work:later", "mutation internal work:never")
    assert [one.function for one in plan.make(old, half(), calls, ()).breaking()] == ["work:later"]


def test_tables_and_indexes_come_and_go_and_a_changed_index_does_both() -> None:
    old = {"tables": [table("sites", by_name=["name"], by_age=["age"]), table("old", by_x=["x"])]}
    new = {"tables": [table("sites", by_name=["name", "age"], by_age=["age"]), table("participants", by_site=["site"])]}
    made = plan.make(half(schema=old), half(schema=new), NO_CALLS, ())
    assert made.tables == Difference(("participants",), ("old",))
    assert made.indexes == Difference(("participants.by_site", "sites.by_name"), ("old.by_x", "sites.by_name"))


def test_search_and_vector_indexes_and_a_missing_schema_count_too() -> None:
    kinds = {kind: [{"indexDescriptor": kind}] for kind in ("stagedDbIndexes", "searchIndexes", "vectorIndexes")}
    new = {"tables": [{"tableName": "notes", "indexes": [], **kinds}]}
    made = plan.make(half(), half(schema=new), NO_CALLS, ())
    assert made.tables == Difference(("notes",), ())
    assert made.indexes == Difference(("notes.searchIndexes", "notes.stagedDbIndexes", "notes.vectorIndexes"), ())


def test_a_new_function_under_migrations_that_nobody_listed_is_named() -> None:
    new = half(
        "mutation internal migrations:listed",
        "mutation internal migrations:forgotten",
        "action internal migrations/2026:forgotten",
        "query internal migrations:isDone",
        "mutation internal migrations:ofBefore",
        "mutation internal sites/migrations:other",
    )
    made = plan.make(half("mutation internal migrations:ofBefore"), new, NO_CALLS, ["migrations:listed"])
    assert made.unlisted == ("migrations/2026:forgotten", "migrations:forgotten")


def test_variables_are_lacking_unless_set_or_built_in() -> None:
    assert plan.lacking({"MAIL_KEY", "HOOK", "CONVEX_SITE_URL"}, {"HOOK", "OTHER"}) == ("MAIL_KEY",)


def test_clients_are_all_that_is_not_in_the_folder_of_functions() -> None:
    outside = (reference("a:b", "apps/web/App.tsx"), reference("a:b", "apps/convex-admin/App.tsx"))
    inside = reference("c:d", "apps/convex/crons.ts")
    dynamic = (Dynamic("apps/web/App.tsx", 2, 1, "api.a"),)
    found = Found((*outside, inside), dynamic, ())
    assert plan.clients(found, "apps/convex") == Found(outside, dynamic, ())


def test_calls_of_another_backend_and_internal_functions_are_not_called_by_the_frontend() -> None:
    other = Reference("x:y", "apps/other", "apps/web/App.tsx", 1, 1, "member", "public")
    mine = (reference("a:b", "apps/web/App.tsx"), reference("secret:c", "apps/web/App.tsx", "internal"))
    found = plan.of(Found((*mine, other), (), ()), "apps/convex")
    assert found.references == mine
    assert plan.names_called(found) == {"a:b"}
