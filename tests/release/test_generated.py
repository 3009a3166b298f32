"""The functions folder is where it should be, and no second `_generated` is mistaken for the real one."""

from __future__ import annotations

from pathlib import Path

import pytest

from ci.config import App
from ci.errors import Problems, Unfinished
from ci.release import generated

BACKEND = {
    "apps/convex/convex.json": '{"functions": "./"}',
    "apps/convex/sites/list.ts": "export {}",
    "apps/convex/sites/list.test.ts": "export {}",
    "apps/convex/_generated/api.d.ts": "",
}


def app(folder: Path, files: dict[str, str]) -> App:
    for name, text in ({"apps/web/src/main.tsx": ""} | files).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return App(str(folder))


def problems(one: App) -> list[str]:
    return [error.message.replace(one.root, "APP") for error in generated.folder_problems(one)]


def test_a_sound_layout_has_no_problem(tmp_path: Path) -> None:
    one = app(tmp_path, BACKEND)
    generated.stale_copies(one)
    assert problems(one) == []


def test_an_app_of_one_package_has_no_problem(tmp_path: Path) -> None:
    app(tmp_path, {"convex/list.ts": "export {}", "convex/_generated/api.d.ts": ""})
    assert generated.folder_problems(App(str(tmp_path), backend=".", frontend=".", dist="dist")) == []


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"other/x.ts": ""}, "the backend package APP/apps/convex does not exist"),
        ({"apps/convex/convex.json": "{}"}, "the functions folder apps/convex/convex does not exist"),
        ({"apps/convex/convex.json": '{"functions": "./"}', "apps/convex/_generated/api.js": ""},
         "the functions folder apps/convex is empty: pushing it would delete every function"),
        (BACKEND | {"apps/convex/apps/convex/x": ""}, "apps/convex/apps/convex doubles the backend's path"),
        (BACKEND | {"convex.json": '{"functions": "convex"}'},
         "convex.json and APP/apps/convex/convex.json disagree on where the functions are"),
    ],
)  # fmt: skip
def test_each_wrong_place_is_refused(tmp_path: Path, files: dict[str, str], said: str) -> None:
    assert problems(app(tmp_path, files)) == [said]


def test_a_second_convex_json_that_agrees_is_no_problem(tmp_path: Path) -> None:
    assert problems(app(tmp_path, BACKEND | {"convex.json": '{"functions": "apps/convex"}'})) == []


@pytest.mark.parametrize(
    ("specifier", "copy"),
    [
        ("../convex/_generated/api", "apps/web/convex/_generated/api.d.ts"),
        ("@/convex/_generated/api", "apps/web/src/convex/_generated/api.ts"),
    ],
)
def test_a_copy_that_the_frontend_imports_is_refused(tmp_path: Path, specifier: str, copy: str) -> None:
    files = BACKEND | {copy: "", "apps/web/src/main.tsx": f'import {{ api }} from "{specifier}";'}
    with pytest.raises(Problems, match=r"apps/web/src/main.tsx imports apps/web/.*convex/_generated, a copy"):
        generated.stale_copies(app(tmp_path, files))


def test_a_copy_that_nobody_imports_is_left_alone(tmp_path: Path) -> None:
    files = BACKEND | {"old/_generated/api.ts": "", "apps/web/src/main.tsx": 'import "../../convex/_generated/api";'}
    one = app(tmp_path, files)
    generated.stale_copies(one)
    assert (tmp_path / "old/_generated/api.ts").exists()


GENERATED = {"apps/convex/_generated/api.d.ts": "types", "apps/convex/counter/_generated/api.ts": "of a component"}


def test_what_was_generated_before_is_put_back(tmp_path: Path) -> None:
    one = app(tmp_path, BACKEND | GENERATED)
    before = generated.files(one)
    app(tmp_path, dict.fromkeys((*GENERATED, "apps/convex/_generated/server.js"), "a stub"))
    said = generated.fall_back(one, before, "the sandbox does not implement X", committed="api.d.ts\n")
    assert said == "not generated, what git has is used instead: the sandbox does not implement X"
    assert {str(path.relative_to(tmp_path)): text.decode() for path, text in generated.files(one).items()} == GENERATED


def test_where_nothing_is_committed_there_is_nothing_to_use_instead(tmp_path: Path) -> None:
    one = app(tmp_path, BACKEND | GENERATED)
    with pytest.raises(Unfinished) as raised:
        generated.fall_back(one, generated.files(one), "the sandbox does not implement X", committed="")
    assert raised.value.message == "the sandbox does not implement X, and no _generated is in git to be used instead"
    assert raised.value.hint == "commit the one that `npx convex dev` writes: apps/convex/_generated"
