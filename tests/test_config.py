"""lockstep.toml, the .env files and the environment become typed values, or one clear list of problems."""

from __future__ import annotations

from pathlib import Path

import pytest

from ci import config, errors
from ci.errors import InputError, LockstepError
from ci.secret import Secret

GOOD = """
[app]
root = "example"

[targets.production]
convex_deployment = "prod:graceful-shrimp-355"
pages_project = "my-app"
site = "https://app.example.com/"
smoke_headers = { CF-Access-Client-Id = "ACCESS_ID" }

[[migrations]]
function = "seed:demo"
"""


def loaded(folder: Path, text: str) -> config.Config:
    path = folder / "lockstep.toml"
    path.write_text(text)
    return config.load(path)


def refused(folder: Path, text: str) -> str:
    with pytest.raises(LockstepError) as caught:
        loaded(folder, text)
    assert caught.value.exit_code == 2
    return errors.text(caught.value)


def test_a_target_gets_its_secrets_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "LOCKSTEP_ENV_FILES": "",
        "CONVEX_DEPLOY_KEY": "prod:graceful-shrimp-355|abc",
        "CLOUDFLARE_API_TOKEN": "token",
        "CLOUDFLARE_ACCOUNT_ID": "0" * 32,
        "ACCESS_ID": "visitor",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("CONVEX_PROVISION_HOST", raising=False)
    monkeypatch.delenv("CLOUDFLARE_API_BASE_URL", raising=False)

    target = loaded(tmp_path, GOOD).target("production")

    assert target == config.Target(
        name="production",
        backend=config.Backend("prod:graceful-shrimp-355", Secret("prod:graceful-shrimp-355|abc")),
        frontend=config.Frontend("my-app", "main", "https://app.example.com", "0" * 32, Secret("token")),
        public_variables={},
        smoke_headers={"CF-Access-Client-Id": Secret("visitor")},
    )


def test_the_files_of_a_target_win_over_the_general_one_and_lose_to_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "first").write_text("A=first\nB=first\nC=$A\n")
    (tmp_path / "second").write_text("A=second\nB=second\nD=second\n")
    monkeypatch.setenv("LOCKSTEP_ENV_FILES", f"{tmp_path / 'first'}:{tmp_path / 'second'}")
    monkeypatch.setenv("B", "")

    values = config.environment("production")

    assert [values[name] for name in "ABCD"] == ["first", "", "$A", "second"]


def test_every_problem_of_the_file_is_said_at_once(tmp_path: Path) -> None:
    app = '[app]\nroot = 5\nbakend = "x"\n'
    text = f'{app}[targets.live]\npages_branch = "main"\n[[migrations]]\ndone = "a:b"\n[tragets]\n'
    assert refused(tmp_path, text).splitlines()[::2] == [
        "error: lockstep.toml: app.root is 5",
        "error: lockstep.toml: unknown setting app.bakend (did you mean backend?)",
        "error: lockstep.toml: migrations[0].function is missing",
        "error: lockstep.toml: unknown setting tragets (did you mean targets?)",
        "error: lockstep.toml: targets.live.convex_deployment is missing",
        "error: lockstep.toml: targets.live.pages_project is missing",
        "error: lockstep.toml: targets.live.site is missing",
    ]


def test_the_sandbox_alone_is_given_variables(tmp_path: Path) -> None:
    own = loaded(tmp_path, f'{GOOD}[targets.sandbox]\nvariables = {{ ISSUER = "auth.example" }}\n')
    shown = refused(tmp_path, GOOD.replace("site =", 'variables = { A = "b" }\nsite ='))
    assert own.sandbox_variables() == {"ISSUER": "auth.example"}
    assert shown == (
        "error: lockstep.toml: targets.production.variables is for the sandbox alone\n"
        "  hint: set them on the deployment: npx convex env set NAME value"
    )


def test_broken_toml_is_one_error_with_its_place(tmp_path: Path) -> None:
    assert refused(tmp_path, "[app\n").startswith("error: lockstep.toml is not valid TOML: ")


def test_an_unknown_target_names_the_near_one(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"unknown target prodution \(did you mean production\?\)"):
        loaded(tmp_path, GOOD).target("prodution")


def test_lockstep_target_chooses_and_the_sandbox_is_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = loaded(tmp_path, GOOD)
    monkeypatch.delenv("LOCKSTEP_TARGET", raising=False)
    default = settings.target_name()
    monkeypatch.setenv("LOCKSTEP_TARGET", "production")
    assert (default, settings.target_name(), settings.target_name("other")) == ("sandbox", "production", "other")
