"""Secrets are checked by their shape, public variables by what the frontend reads."""

from __future__ import annotations

from pathlib import Path

import pytest

from ci.config import SANDBOX, App, Backend, Frontend, Target
from ci.release import variables
from ci.secret import Secret

GOOD = {
    "CONVEX_DEPLOY_KEY": "prod:graceful-shrimp-355|eyJ2MiI6",
    "CLOUDFLARE_API_TOKEN": "v1.0-abcdef",
    "CLOUDFLARE_ACCOUNT_ID": "0123456789abcdef0123456789abcdef",
}


def target(name: str = "production", **public: str) -> Target:
    frontend = Frontend("app", "main", "https://app.example.com", "0" * 32, Secret("t"))
    return Target(name, Backend("prod:a-b-1", Secret("k")), frontend, public, {})


def app(folder: Path, **files: str) -> App:
    for name, text in files.items():
        path = folder / "apps/web" / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return App(str(folder))


def test_good_secrets_have_no_problem() -> None:
    assert variables.misformed(GOOD, "production") == []


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("CONVEX_DEPLOY_KEY", None, "is not set"),
        ("CONVEX_DEPLOY_KEY", "", "is set but empty"),
        ("CONVEX_DEPLOY_KEY", '"prod:a-b-1|x"', "contains its quotes"),
        ("CONVEX_DEPLOY_KEY", "prod:a-b-1|x\n", "begins or ends with white space or an end of line"),
        ("CONVEX_DEPLOY_KEY", "happy-otter-123", "does not look like one"),
        ("CLOUDFLARE_ACCOUNT_ID", "my-account", "does not look like one"),
        ("CLOUDFLARE_API_TOKEN", "tok\u00e9n", "does not look like one"),
    ],
)
def test_each_misformed_secret_is_named_without_its_value(name: str, value: str | None, said: str) -> None:
    values = {key: text for key, text in (GOOD | {name: value}).items() if text is not None}
    [problem] = variables.misformed(values, "production")
    assert problem.message.startswith(f"{name} {said}")
    assert not value or value.strip() not in f"{problem.message} {problem.hint}"


def test_a_public_variable_that_the_target_does_not_set_is_named_with_its_place(tmp_path: Path) -> None:
    one = app(
        tmp_path,
        src__main_dot_tsx="\nimport.meta.env.VITE_APP_URL; import.meta.env.MODE; import.meta.env.VITE_CONVEX_URL",
        src__main_dot_test_dot_tsx="import.meta.env.VITE_ONLY_IN_TESTS",
    )
    assert [problem.message for problem in variables.unset(one, target())] == [
        "VITE_APP_URL (apps/web/src/main.tsx:2) is built into the site, and target production does not set it"
    ]
    assert variables.unset(one, target(VITE_APP_URL="")) == []


def test_a_public_variable_that_only_a_file_beside_the_package_sets_is_refused(tmp_path: Path) -> None:
    one = app(tmp_path, src__main_dot_tsx='import.meta.env["VITE_APP_URL"]', _dot_env_dot_local="VITE_APP_URL=x\n")
    [problem] = variables.unset(one, target())
    assert problem.message == (
        "VITE_APP_URL (apps/web/src/main.tsx:1) is set only by a .env file beside the frontend, which CI does not have"
    )


@pytest.mark.parametrize("value", ["http://localhost:3000", "127.0.0.1:8000", "http://[::1]/", "http://app.localhost"])
def test_an_address_of_this_machine_is_for_the_sandbox_only(value: str) -> None:
    [problem] = variables.loopback(target(VITE_APP_URL=value))
    assert problem.message == f"VITE_APP_URL is {value}, an address of this machine, and target production is public"
    assert variables.loopback(target(SANDBOX, VITE_APP_URL=value)) == []
