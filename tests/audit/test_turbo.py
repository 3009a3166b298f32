"""What turbo runs and lets through, compared with the turbo of the example."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ci.audit import packages, turbo
from ci.audit.files import Files
from ci.audit.model import Package, Turbo

ROOT = Path(__file__).parents[2]
TURBO = ROOT / "example" / "node_modules" / ".bin" / "turbo"
NODE = ROOT / ".venv" / "bin"

CONFIG = {
    "globalEnv": ["GLOBAL", "!HIDDEN"],
    "globalPassThroughEnv": ["HANDED_*"],
    "tasks": {
        "build": {"dependsOn": ["^build"], "env": ["BUILD_*", "!BUILD_NOT"]},
        "web#build": {"env": ["B"]},
        "deploy": {"cache": False, "dependsOn": ["build", "@x/backend#codegen", "//#rooty"], "passThroughEnv": ["KEY"]},
        "codegen": {},
        "//#rooty": {},
        "after": {"dependsOn": ["^deploy"]},
        "with": {"with": ["@x/backend#codegen"]},
    },
}
NEXT = {
    "extends": ["//"],
    "tasks": {
        "build": {"env": ["C"]},
        "own": {"dependsOn": ["build"]},
        "deploy": {"env": ["D"], "dependsOn": ["$TURBO_EXTENDS$", "codegen"]},
    },
}


def put(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1))


def package(root: Path, folder: str, name: str, *uses: str) -> None:
    scripts = {script: f"echo {script}" for script in ("build", "codegen", "deploy")}
    put(root / folder / "package.json", {"name": name, "scripts": scripts, "dependencies": dict.fromkeys(uses, "*")})


@pytest.fixture
def monorepo(tmp_path: Path) -> Path:
    main = {"name": "main", "private": True, "packageManager": "npm@11.0.0", "workspaces": ["apps/*", "libs/*"]}
    put(tmp_path / "package.json", main | {"scripts": {"rooty": "echo", "build": "turbo run build"}})
    put(tmp_path / "package-lock.json", {"name": "main", "lockfileVersion": 3, "packages": {}})
    package(tmp_path, "apps/web", "web", "@x/backend", "ui")
    package(tmp_path, "apps/next", "next", "@x/backend")
    package(tmp_path, "apps/backend", "@x/backend", "ui")
    package(tmp_path, "libs/ui", "ui")
    put(tmp_path / "turbo.json", CONFIG)
    put(tmp_path / "apps/next/turbo.json", NEXT)
    return tmp_path


def read(root: Path) -> tuple[Turbo, tuple[Package, ...]]:
    files = Files(root)
    found = packages.read(files)
    said = turbo.read(files, found)
    assert said is not None
    return said, found


def name_of(one: turbo.TurboRun) -> str:
    return f"{one.package.name if one.package.folder else '//'}#{one.script}"


def asked(root: Path, folder: str, *words: str) -> list[dict[str, Any]]:
    """Return what turbo itself would run."""
    env = {
        "PATH": f"{NODE}:{os.environ['PATH']}",
        "HOME": str(root),
        "DO_NOT_TRACK": "1",
        "TURBO_TELEMETRY_DISABLED": "1",
    }
    argv = [str(TURBO), "run", *words, "--dry=json"]
    done = subprocess.run(argv, cwd=root / folder, env=env, capture_output=True, text=True, check=True)
    tasks: list[dict[str, Any]] = json.loads(done.stdout)["tasks"]
    return [task for task in tasks if task["command"] != "<NONEXISTENT>"]


@pytest.mark.parametrize(
    "line",
    [
        "build",
        "deploy",
        "deploy --filter=web",
        "deploy --filter=web --only",
        "deploy build codegen -F @x/backend",
        "with",
        "own",
        "after --filter=web",
        "rooty",
        "web#build",
        "build --filter=./apps/*",
        "build --filter=./apps",
        "build --filter={./apps/web}",
        "build --filter=web...",
        "build --filter=...ui",
        "build --filter=web^...",
        "build --filter=!web --only",
        "build --filter=@x/* --only",
        "build --filter=w* --only",
        "build --filter=//",
        "build --only --cwd apps/next",
        "apps/next: build --only",
        "apps/web: build --only --filter=next",
        "apps: build --only",
    ],
)
def test_the_tasks_are_those_that_turbo_runs(monorepo: Path, line: str) -> None:
    folder, _, words = line.rpartition(": ")
    said, found = read(monorepo)
    runs = turbo.run(said, ("turbo", "run", *words.split()), folder, found)
    expected = {task["taskId"]: set(task["dependencies"]) for task in asked(monorepo, folder, *words.split())}
    names = [name_of(one) for one in runs]
    assert sorted(names) == sorted(expected)
    for name in names:
        assert all(names.index(before) < names.index(name) for before in expected[name] & set(names))


NAMES = """CONVEX_DEPLOY_KEY CONVEX_DEPLOYMENT GLOBAL HIDDEN HANDED_ON BUILD_A BUILD_NOT B C D KEY CLOUDFLARE_API_TOKEN
    NODE_ENV GITHUB_TOKEN GITHUB_SHA VERCEL_TOKEN NEXT_PUBLIC_CONVEX_URL VITE_CONVEX_URL PUBLIC_X EXPO_PUBLIC_X CI
    RUNNER_OS TURBO_X DOCKER_X PORT HOST DEBUG TZ LANG LC_ALL FORCE_COLOR NETLIFY SENTRY_AUTH_TOKEN"""


@pytest.mark.parametrize("mode", ["", "--env-mode=strict", "--env-mode=loose", "--env-mode loose"])
def test_a_task_sees_the_variables_that_turbo_lets_through(monorepo: Path, mode: str) -> None:
    scripts = {"build": "env > seen", "deploy": "env > seen-deploy"}
    put(monorepo / "apps/web/package.json", {"name": "web", "scripts": scripts, "devDependencies": {"vite": "*"}})
    put(monorepo / "apps/next/package.json", {"name": "next", "scripts": scripts, "dependencies": {"expo": "*"}})
    said, found = read(monorepo)
    names = NAMES.split()
    words = ["run", "build", "deploy", *mode.split(), "--filter=web", "--filter=next"]
    env = {"PATH": f"{NODE}:{os.environ['PATH']}", "HOME": str(monorepo), "DO_NOT_TRACK": "1"} | dict.fromkeys(
        names, "1"
    )
    subprocess.run([str(TURBO), *words], cwd=monorepo, env=env, capture_output=True, check=True)
    runs = [one for one in turbo.run(said, ("turbo", *words), "", found) if one.package.name in ("web", "next")]
    for one in runs:
        seen = (monorepo / one.package.folder / ("seen" if one.script == "build" else "seen-deploy")).read_text()
        real = {line.partition("=")[0] for line in seen.splitlines()} & set(names)
        assert (name_of(one), {name for name in names if not one.drop(name)}) == (name_of(one), real)
    assert len(runs) == 4


def test_version_1_keeps_variables_only_from_tasks_that_say_which_to_pass(tmp_path: Path) -> None:
    pipeline = {"build": {"dependsOn": ["$TOKEN", "^build"]}, "deploy": {"passThroughEnv": ["KEY"]}}
    put(tmp_path / "package.json", {"name": "main", "workspaces": ["apps/*"], "devDependencies": {"turbo": "^1.13.4"}})
    put(tmp_path / "turbo.json", {"pipeline": pipeline})
    package(tmp_path, "apps/web", "web")
    said, found = read(tmp_path)
    build, deploy = turbo.run(said, ("turbo", "build", "deploy"), "", found)
    assert (build.drop("OTHER"), deploy.drop("KEY")) == (None, None)
    assert deploy.drop("OTHER") is not None


def test_the_chain_says_which_task_needs_which_and_where(monorepo: Path) -> None:
    said, found = read(monorepo)
    run = next(one for one in turbo.run(said, ("turbo", "deploy", "-F", "web"), "", found) if one.script == "codegen")
    assert [(link.text, link.at.path, link.at.line) for link in run.chain] == [
        ('turbo task "web#deploy"', "turbo.json", 24),
        ('turbo task "@x/backend#codegen"', "turbo.json", 35),
    ]


def test_arguments_go_to_the_tasks_that_were_asked_for(monorepo: Path) -> None:
    said, found = read(monorepo)
    runs = turbo.run(said, ("turbo", "run", "deploy", "--filter=web", "--", "--prod", "x"), "", found)
    behind = {name_of(one): one.arguments for one in runs}
    assert behind == {"//#rooty": (), "@x/backend#codegen": (), "web#build": (), "web#deploy": ("--prod", "x")}


@pytest.mark.parametrize("line", ["prune web", "run build --dry=json", "run", "login", "run nowhere"])
def test_other_commands_run_nothing(monorepo: Path, line: str) -> None:
    said, found = read(monorepo)
    assert turbo.run(said, ("turbo", *line.split()), "", found) == ()


def test_a_filter_that_asks_git_leaves_open_what_runs(monorepo: Path) -> None:
    said, found = read(monorepo)
    for line in ("--filter=[origin/main]", "--affected", "--filter=$APP"):
        runs = turbo.run(said, ("turbo", "build", line), "", found)
        assert {(name_of(one), one.is_sure) for one in runs} >= {("web#build", False), ("next#build", False)}


def test_tasks_that_need_each_other_come_to_an_end(tmp_path: Path) -> None:
    put(tmp_path / "package.json", {"name": "main", "scripts": {"a": "x", "b": "y"}})
    put(tmp_path / "turbo.json", {"tasks": {"a": {"dependsOn": ["b", "a"]}, "b": {"dependsOn": ["a"], "with": ["a"]}}})
    said, found = read(tmp_path)
    assert sorted(name_of(one) for one in turbo.run(said, ("turbo", "a"), "", found)) == ["//#a", "//#b"]


@pytest.mark.parametrize("text", ["[]", "{", '{"tasks": []}', '{"tasks": {"a": 1, "b": {"dependsOn": "x"}}}', ""])
def test_a_broken_turbo_json_runs_nothing_that_is_known(tmp_path: Path, text: str) -> None:
    put(tmp_path / "package.json", {"name": "main", "scripts": {"build": "x"}})
    (tmp_path / "turbo.json").write_text(text)
    said, found = read(tmp_path)
    assert turbo.run(said, ("turbo", "run", "build"), "", found) == ()
