"""The packages of a repository, its backends, and the version of Convex that each is locked to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ci.audit import locks, packages, workspaces
from ci.audit.files import Files
from ci.audit.model import Backend, Package, Place, Text


def put(root: Path, files: dict[str, Any]) -> Files:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content if isinstance(content, str) else json.dumps(content))
    return Files(root)


def backends(root: Path, files: dict[str, Any]) -> tuple[Backend, ...]:
    found = put(root, files)
    return packages.backends(found, packages.read(found))


CONVEX = {"name": "backend", "dependencies": {"convex": "^1.27.0"}}
FUNCTION = 'import { query } from "./_generated/server";\n'


def test_a_package_says_what_it_is(tmp_path: Path) -> None:
    content = {
        "name": "app",
        "packageManager": "bun@1.3.1",
        "workspaces": {"packages": ["apps/*"]},
        "scripts": {"build": "vite", "no": 1},
        "dependencies": {"a": "1"},
        "peerDependencies": {"a": "2", "b": "3"},
    }
    (found,) = packages.read(
        put(tmp_path, {"package.json": content, "bunfig.toml": "[install]\nfrozenLockfile = true\n"})
    )
    at = Place("package.json")
    assert (found.folder, found.name, found.workspaces, found.frozen) == ("", "app", ("apps/*",), {"bun": True})
    assert {name: text.value for name, text in found.declared.items()} == {"a": "1", "b": "3"}
    assert found.scripts.keys() == {"build"}
    assert found.scripts["build"].at.path == at.path
    assert found.manager is not None
    assert found.manager.value == "bun@1.3.1"


def test_broken_packages_are_said_and_left_empty(tmp_path: Path) -> None:
    files = put(
        tmp_path, {"package.json": "[]", "a/package.json": "{", "b/package.json": {"scripts": ["x"], "name": 1}}
    )
    assert [(one.folder, one.name, dict(one.scripts)) for one in packages.read(files)] == [
        ("", "", {}),
        ("a", "", {}),
        ("b", "", {}),
    ]
    assert [one.path for one in files.skipped] == ["package.json", "a/package.json"]


def test_wireit_runs_its_dependencies_first(tmp_path: Path) -> None:
    wired = {"build": {"command": "vite build", "dependencies": ["codegen", {"script": "types"}, "../ui:build"]}}
    content = {"scripts": {"build": "wireit", "x": "echo"}, "wireit": wired}
    (found,) = packages.read(put(tmp_path, {"package.json": content}))
    assert found.scripts["build"].value == "npm run codegen && npm run types && vite build"


def test_pnpm_names_its_workspaces_elsewhere(tmp_path: Path) -> None:
    listed = "packages:\n  - 'apps/*' # all\n  - \"!apps/old\"\ncatalog:\n  react: 19\n"
    content = {"pnpm-workspace.yaml": listed} | {
        f"{folder}package.json": {"name": folder} for folder in ("", "apps/a/", "apps/old/")
    }
    found = packages.read(put(tmp_path, content))
    assert [one.folder for one in workspaces.members(found[0], found)] == ["", "apps/a"]
    assert workspaces.root(found[1], found) is found[0]


@pytest.mark.parametrize(
    ("glob", "folder", "expected"),
    [
        ("apps/*", "apps/web", True),
        ("apps/*", "apps/web/deep", False),
        ("./apps/*/", "apps/web", True),
        ("apps/**", "apps/web/deep", True),
        ("**", "apps/web", True),
        ("apps/{web,api}", "apps/api", True),
        ("apps/{web,api}", "apps/old", False),
        ("*" * 5_000, "a" * 200, True),
        ("**/" * 30 + "x", "a/" * 30 + "y", False),
    ],
)
def test_globs_of_folders(glob: str, folder: str, expected: bool) -> None:
    assert workspaces.matches(glob, folder) is expected


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"package.json": CONVEX, "convex/tasks.ts": FUNCTION}, ("", "convex")),
        ({"package.json": CONVEX, "convex.json": '{ "functions": "./backend/fns/" }', "backend/fns/a.ts": FUNCTION},
         ("", "backend/fns")),
        ({"apps/api/package.json": CONVEX, "apps/api/convex.json": '{"functions": "."}', "apps/api/a.ts": FUNCTION},
         ("apps/api", "apps/api")),
        ({"package.json": {"workspaces": ["web"], "dependencies": {"convex": "1"}}, "web/package.json": {"name": "web"},
          "web/convex/a.ts": FUNCTION}, ("web", "web/convex")),
        ({"package.json": {"dependencies": {"convex": "1", "react-scripts": "5"}}, "src/convex/a.js": FUNCTION},
         ("", "src/convex")),
    ],
)  # fmt: skip
def test_a_backend_is_where_the_convex_cli_looks(
    tmp_path: Path, files: dict[str, Any], expected: tuple[str, str]
) -> None:
    assert [(one.folder, one.functions) for one in backends(tmp_path, files)] == [expected]


@pytest.mark.parametrize(
    "files",
    [
        {"package.json": {"dependencies": {"react": "19"}}, "convex/hull.ts": "export {}"},
        {"package.json": CONVEX, "src/convex/client.ts": "export {}"},
        {"package.json": CONVEX, "convex/README.md": "later"},
        {"package.json": CONVEX, "convex.json": '{"functions": "../elsewhere"}'},
        {"convex/a.ts": FUNCTION},
    ],
)
def test_what_only_looks_like_a_backend_is_none(tmp_path: Path, files: dict[str, Any]) -> None:
    assert backends(tmp_path, files) == ()


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"convex/_generated/api.d.ts": "x"}, True),
        ({}, False),
        ({"convex/_generated/ai/guidelines.md": "x"}, False),
        ({"convex/_generated/api.d.ts": "x", ".gitignore": "_generated\n"}, False),
    ],
)
def test_generated_types_are_committed_or_not(tmp_path: Path, files: dict[str, str], expected: bool) -> None:
    (found,) = backends(tmp_path, {"package.json": CONVEX, "convex/a.ts": FUNCTION} | files)
    assert found.is_generated_committed is expected


LOCKS = {
    "bun.lock": '{ "packages": {\n  "convex": ["convex@1.30.1", ""],\n  "other/convex": ["convex@1.2.3", ""],\n} }',
    "package-lock.json": '{\n"packages": {\n  "node_modules/convex": {\n      "version": "1.30.1",\n "x": 1 } } }',
    "pnpm-lock.yaml": "importers:\n\n  .:\n    dependencies:\n      convex:\n        specifier: ^1.27.0\n"
    "        version: 1.30.1(react@19.0.0)\n\npackages:\n\n  convex@1.2.3:\n",
    "yarn.lock": '"convex@npm:^1.27.0":\n  version: 1.30.1\n  resolution: "convex@npm:1.30.1"\n',
}


@pytest.mark.parametrize("lock", LOCKS)
def test_the_version_is_the_one_that_is_locked(tmp_path: Path, lock: str) -> None:
    (found,) = backends(tmp_path, {"package.json": CONVEX, "convex/a.ts": FUNCTION, lock: LOCKS[lock]})
    assert found.convex_version == "1.30.1"


def test_a_package_of_its_own_version_in_the_lock_of_the_root(tmp_path: Path) -> None:
    root = {"name": "app", "workspaces": ["apps/*"]}
    lock = '{"packages": {\n  "backend/convex": ["convex@1.31.0", ""],\n  "convex": ["convex@1.30.1", ""],\n} }'
    files = {
        "package.json": root,
        "apps/backend/package.json": CONVEX,
        "apps/backend/convex/a.ts": FUNCTION,
        "bun.lock": lock,
    }
    assert [one.convex_version for one in backends(tmp_path, files)] == ["1.31.0"]


@pytest.mark.parametrize(
    ("range", "expected"),
    [
        ("^1.27.0", "1.27.0"),
        ("1.28.0-alpha.1", "1.28.0-alpha.1"),
        ("~1.2", "1.2.0"),
        (">=1.2 <2", "1.2.0"),
        ("1.x", "1.0.0"),
        ("npm:1.2.3", "1.2.3"),
        ("latest", ""),
        ("catalog:", ""),
        ("<2", ""),
        ("", ""),
    ],
)
def test_the_least_version_of_a_range(range: str, expected: str) -> None:
    assert locks.least(range) == expected


def test_the_folder_belongs_to_the_nearest_package() -> None:
    known = [Package("", "package.json"), Package("apps/web", "apps/web/package.json")]
    owners = [workspaces.owner(folder, known) for folder in ("apps/web/src", "apps/website", "", None)]
    assert [one.folder if one else None for one in owners] == ["apps/web", "", "", None]


def test_what_is_imported_is_found_where_it_is_written(tmp_path: Path) -> None:
    files = {"package.json": CONVEX, "convex/a.ts": '\nimport { z } from "zod/v4";\n' + FUNCTION}
    (found,) = backends(tmp_path, files)
    assert found.undeclared == (Text("zod", Place("convex/a.ts", 2, 19)),)
