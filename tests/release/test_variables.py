"""Public variables are checked by what the frontend reads."""

from __future__ import annotations

from pathlib import Path

import pytest

from ci.config import SANDBOX, App, Backend, Frontend, Target
from ci.release import variables
from ci.secret import Secret


def target(name: str = "production", **public: str) -> Target:
    frontend = Frontend("app", "main", "https://app.example.com", "0" * 32, Secret("t"))
    return Target(name, Backend("prod:a-b-1", Secret("k")), frontend, public, {})


def app(folder: Path, **files: str) -> App:
    for name, text in files.items():
        path = folder / "apps/web" / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return App(str(folder))


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
