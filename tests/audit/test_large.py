"""What is large comes to an end within seconds: followed as far as is sensible, and what was not followed is said."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
LIMIT_S = 120  # what ends takes some seconds on a loaded machine; what does not end takes for ever
SIZE = 900_000  # below the largest file that is read
HEAD = "on: push\njobs:\n  test:\n    runs-on: ubuntu-latest\n    steps:\n"
ROW = "        m{n}: [1, 2, 3, 4, 5, 6, 7, 8]\n"
TASK = '"t{n}": {{"dependsOn": ["t{next}", "^t{next}"]}}'
CI = ".github/workflows/ci.yml"
RUN = (
    f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
    + """
from pathlib import Path
from ci.audit import printing, result
found = result.check(Path(sys.argv[1]))
print([len(printing.shown(found, how)) > 0 for how in ("text", "json", "github", "sarif")])
"""
)


def filled(text: str, size: int = SIZE) -> str:
    return text * (size // len(text))


def numbered(text: str, count: int, glue: str = "") -> str:
    return glue.join(text.format(n=n, next=n + 1, before=max(n - 1, 0)) for n in range(count))


def package(**fields: Any) -> str:
    return json.dumps({"name": "app", "dependencies": {"convex": "1.48.0"}} | fields)


def scripts(text: str, count: int) -> str:
    return package(scripts={f"s{n}": text.format(next=f"s{n + 1}") for n in range(count)} | {"build": "bun run s0"})


def packages(count: int, script: str) -> dict[str, str]:
    named = (f"packages/p{n}/package.json" for n in range(count))
    texts = (package(name=f"p{n}", scripts={"x": script}, dependencies={f"p{n + 1}": "*"}) for n in range(count))
    return dict(zip(named, texts, strict=True))


def shell(text: str, size: int = 190_000) -> Callable[[], dict[str, str]]:
    """Return a step whose shell text is as long as one may be."""
    return lambda: {CI: HEAD + "      - run: |\n          a " + filled(text, size) + "\n"}


def steps(lines: str) -> dict[str, str]:
    return {CI: HEAD + lines}


def jobs(lines: str, count: int) -> dict[str, str]:
    job = "  j{n}:\n    runs-on: ubuntu-latest\n    needs: [j{before}]\n    steps:\n" + lines
    return {CI: "on: push\njobs:\n" + numbered(job, count)}


LARGE: dict[str, Callable[[], dict[str, str]]] = {
    "steps": lambda: steps(filled("      - run: bun run build\n")),
    "jobs in a row": lambda: jobs("      - run: bun run build\n", 9000),
    "deploys in a row": lambda: jobs(
        "      - run: npx convex deploy\n      - run: npx wrangler pages deploy x\n", 3000
    ),
    "a condition": lambda: steps("      - run: bun run build\n        if: " + filled("a && ") + "b\n"),
    "parentheses": lambda: steps("      - run: bun run build\n        if: " + filled("(") + "b\n"),
    "expressions": lambda: steps("      - run: bun run build " + filled("${{ a }} ", 190_000) + "\n"),
    "variables": lambda: steps("      - run: a\n        env:\n" + numbered("          A{n}: $A{n}\n", 20_000)),
    "aliases": lambda: {CI: "x: &x {a: b}\n" + HEAD + filled("      - {run: bun run build, env: *x}\n")},
    "a matrix": lambda: {
        CI: HEAD.replace("    steps:", f"    strategy:\n      matrix:\n{numbered(ROW, 9000)}    steps:")
        + "      - run: bun run build ${{ matrix.m1 }} ${{ matrix.m2 }} ${{ matrix.m3 }}\n"
    },
    "branches": lambda: {
        CI: HEAD.replace("on: push", "on:\n  push:\n    branches:\n" + filled("      - 'a*b*c*d*'\n"))
        + "      - run: npx wrangler pages deploy x\n"
    },
    "lines of shell": shell("\n          bun run build && echo a"),
    "&& in shell": shell("&& bun run build "),
    "|| in shell": shell("|| true "),
    "; in shell": shell("; npx convex deploy "),
    "| in shell": shell("| cat "),
    "$( in shell": shell("$("),
    "quotes in shell": shell("'\""),
    "braces in shell": shell("{ "),
    "if in shell": shell("\n          if true; then "),
    "here-documents": shell("\n          cat <<EOF"),
    "scripts in a row": lambda: {"package.json": scripts("bun run {next}", 20_000)},
    "scripts that double": lambda: {"package.json": scripts("bun run {next}; bun run {next}", 60)},
    "a script": lambda: {"package.json": package(scripts={"build": filled("bun run x && ", 190_000) + "true"})},
    "a shell script": lambda: {
        "package.json": package(scripts={"build": "sh a.sh"}),
        "a.sh": filled("npx convex codegen\nsh a.sh\n"),
    },
    "turbo tasks in a row": lambda: {
        "turbo.json": '{"tasks": {"x": {"dependsOn": ["t0"]},' + numbered(TASK, 15_000, ",") + "}}"
    },
    "variables of turbo": lambda: {
        "turbo.json": '{"globalEnv": [' + numbered('"A{n}*"', 60_000, ",") + '], "tasks": {"x": {}}}'
    },
    "packages that need each other": lambda: {
        **packages(500, "convex codegen"),
        "package.json": package(workspaces=["packages/*"], scripts={"build": "turbo run x"}),
        "turbo.json": '{"tasks": {"x": {"dependsOn": ["^x"]}}}',
    },
    "packages that run each other": lambda: {
        **packages(500, "bun run --cwd ../next x; convex codegen"),
        "package.json": package(workspaces=["packages/*"], scripts={"build": "bun run --filter=* x"}),
    },
    "workspaces": lambda: {
        "package.json": package(
            workspaces=[f"a{n}/**/*" for n in range(50_000)], scripts={"build": "bun run --filter=* x"}
        )
    },
    "what git ignores": lambda: {".gitignore": filled("a*/b*\n", 190_000)},
    "imports": lambda: {"convex/a.ts": filled('import { a } from "zod"\n')},
}


@pytest.mark.parametrize("make", LARGE.values(), ids=LARGE)
def test_what_is_large_comes_to_an_end(tmp_path: Path, make: Callable[[], dict[str, str]]) -> None:
    files = {
        CI: HEAD + "      - run: bun run build\n",
        "package.json": package(scripts={"build": "turbo run x", "x": "convex codegen"}),
        "convex/a.ts": "",
        "turbo.json": '{"tasks": {"x": {}}}',
    }
    for path, text in (files | make()).items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    argv = [sys.executable, "-c", RUN, str(tmp_path)]
    ended = subprocess.run(argv, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr[-2000:]) == (0, "[True, True, True, True]\n", "")
