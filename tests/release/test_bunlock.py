"""bun.lock is held against every package.json, also where bun's own frozen install sees nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ci.config import App
from ci.errors import CheckFailed, InputError
from ci.release import bunlock

ROOT = {"name": "app", "workspaces": ["apps/*"], "devDependencies": {"turbo": "2.11.11"}}
WEB = {"name": "web", "dependencies": {"react": "^19.0.0", "@scope/kit": "1.0.0"}}
LOCK = """{
  "lockfileVersion": 2,
  "workspaces": {
    "": { "name": "app", "devDependencies": { "turbo": "2.11.11", }, },
    "apps/web": { "name": "web", "dependencies": { "react": "^19.0.0", "@scope/kit": "1.0.0", }, },
  },
  "packages": {
    "turbo": ["turbo@2.11.11", "", {}, "sha512-a"],
    "react": ["react@19.2.0", "", {}, "sha512-b"],
    "@scope/kit": ["@scope/kit@1.0.0", "", {}, "sha512-c"],
    "@scope/kit/react": ["react@18.0.0", "", {}, "sha512-d"],
    "web": ["web@workspace:apps/web"],
  }
}"""


def app(folder: Path, *, root: dict[str, Any] = ROOT, web: dict[str, Any] | None = WEB, lock: str | None = LOCK) -> App:
    (folder / "package.json").write_text(json.dumps(root))
    if web:
        (folder / "apps/web").mkdir(parents=True)
        (folder / "apps/web/package.json").write_text(json.dumps(web))
    if lock is not None:
        (folder / "bun.lock").write_text(lock)
    return App(str(folder))


def stale(one: App) -> list[str]:
    with pytest.raises(CheckFailed) as caught:
        bunlock.check(one)
    return [line.strip() for line in caught.value.message.splitlines()[1:]]


def test_a_lock_that_says_the_same_passes(tmp_path: Path) -> None:
    one = app(tmp_path)
    bunlock.check(one)
    assert bunlock.versions(bunlock.read(one)) == {
        "turbo": "2.11.11", "react": "19.2.0", "@scope/kit": "1.0.0", "web": "workspace:apps/web",
    }  # fmt: skip


def test_a_root_that_names_itself_a_workspace_is_still_the_root(tmp_path: Path) -> None:
    bunlock.check(one := app(tmp_path, root=ROOT | {"workspaces": [".", "apps/*"]}))
    assert bunlock.read(one)["workspaces"].keys() == {"", "apps/web"}


def test_a_root_that_was_renamed_passes_since_bun_never_writes_its_new_name(tmp_path: Path) -> None:
    one = app(tmp_path, root=ROOT | {"name": "renamed"})
    bunlock.check(one)
    assert bunlock.read(one)["workspaces"][""]["name"] == "app"


@pytest.mark.parametrize(
    ("root", "web", "said"),
    [
        (ROOT, WEB | {"dependencies": {"react": "^19.1.0", "@scope/kit": "1.0.0"}},
         ["apps/web: dependencies.react is ^19.0.0 in bun.lock, ^19.1.0 in package.json"]),
        (ROOT, {"name": "web", "dependencies": {"react": "^19.0.0"}, "devDependencies": {"@scope/kit": "1.0.0"}},
         ["apps/web: dependencies.@scope/kit is 1.0.0 in bun.lock, absent in package.json",
          "apps/web: devDependencies.@scope/kit is absent in bun.lock, 1.0.0 in package.json"]),
        (ROOT, WEB | {"peerDependencies": {"vue": "3"}},
         ["apps/web: peerDependencies.vue is absent in bun.lock, 3 in package.json"]),
        (ROOT, WEB | {"dependencies": {**WEB["dependencies"], "is-odd": "3.0.1"}},  # type: ignore[dict-item]
         ["apps/web: dependencies.is-odd is absent in bun.lock, 3.0.1 in package.json",
          "apps/web: is-odd has no version in bun.lock"]),
        (ROOT | {"overrides": {"react": "19.0.0"}}, WEB,
         ["overrides: {} in bun.lock, {'react': '19.0.0'} in package.json"]),
        (ROOT | {"trustedDependencies": ["esbuild"]}, WEB, ["trustedDependencies differ"]),
        (ROOT, None, ["apps/web: in bun.lock, but not on disk"]),
        (ROOT, WEB | {"name": "site"}, ["apps/web: name is web in bun.lock, site in package.json"]),
    ],
)  # fmt: skip
def test_each_kind_of_drift_is_named(
    tmp_path: Path, root: dict[str, Any], web: dict[str, Any] | None, said: list[str]
) -> None:
    assert stale(app(tmp_path, root=root, web=web)) == said


def test_a_new_workspace_is_drift(tmp_path: Path) -> None:
    one = app(tmp_path)
    (tmp_path / "apps/admin").mkdir()
    (tmp_path / "apps/admin/package.json").write_text('{"name": "admin"}')
    assert stale(one) == ["apps/admin: not in bun.lock"]


@pytest.mark.parametrize(("lock", "said"), [(None, "is missing"), ("{ broken", "is broken")])
def test_a_lock_that_bun_would_resolve_afresh_is_refused(tmp_path: Path, lock: str | None, said: str) -> None:
    with pytest.raises(InputError, match=said):
        bunlock.check(app(tmp_path, lock=lock))
