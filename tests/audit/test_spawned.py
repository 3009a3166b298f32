"""The commands that scripts start: which are seen, and what only looks like one."""

from __future__ import annotations

import pytest

from ci.audit import spawned


def found(text: str, path: str = "scripts/ship.ts") -> list[str]:
    return [" | ".join(argv) for argv, _line in spawned.read(path, text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('execSync("npx convex deploy --yes", { stdio: "inherit" })', "bash | -c | npx convex deploy --yes"),
        ("child_process.execSync('convex codegen')", "bash | -c | convex codegen"),
        ('spawnSync("npx", ["convex", "deploy", flag])', "npx | convex | deploy | ${flag}"),
        ('await execa("bunx", ["convex", "codegen"])', "bunx | convex | codegen"),
        ("await $`bunx convex deploy`", "bash | -c | bunx convex deploy"),
        ("await Bun.$`wrangler pages deploy ${dist}`.quiet()", "bash | -c | wrangler pages deploy ${dist}"),
        ("await $({ cwd: 'x' })`convex deploy`", "bash | -c | convex deploy"),
        ('Bun.spawn(["bunx", "convex", "deploy"], { env })', "bunx | convex | deploy"),
        ('Bun.spawnSync({ cmd: ["bun", "run", "deploy"] })', "bun | run | deploy"),
        ('const cmd = "npx convex deploy"; execSync(cmd)', "bash | -c | npx convex deploy"),
        ("function run(c: string) {}\nrun(`vercel deploy --prod`)", "bash | -c | vercel deploy --prod"),
        ('exec("npx convex deploy", { cwd: "apps/convex" })', "bash | -c | cd apps/convex && npx convex deploy"),
        ('spawn("npx", ["convex", "dev"], { cwd: root })', "bash | -c | cd $cwd && npx convex dev"),
    ],
)
def test_a_script_starts(text: str, expected: str) -> None:
    assert found(text) == [expected]


@pytest.mark.parametrize(
    "text",
    [
        'console.log("npx convex deploy")',
        'throw new Error("run npx convex deploy first")',
        "// execSync('npx convex deploy')",
        "const help = \"execSync('npx convex deploy')\"",
        'execSync("git status # convex")',
        'run("convex/schema.ts")',
        'db.runQuery("convex:list")',
        "execSync(",
        "",
    ],
)
def test_what_only_looks_like_a_command_is_none(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('subprocess.run(["npx", "convex", "deploy", target], check=True)', ["npx | convex | deploy | $argument"]),
        ('os.system("npx convex deploy")', ["bash | -c | npx convex deploy"]),
        ('run("bunx convex codegen", shell=True, cwd="api")', ["bash | -c | cd api && bunx convex codegen"]),
        ('print("npx convex deploy")', []),
        ("def broken(:\n convex", []),
    ],
)
def test_python(text: str, expected: list[str]) -> None:
    assert found(text, "ship.py") == expected


def test_the_line_is_that_of_the_call() -> None:
    text = 'import { $ } from "bun";\n\nawait $`convex deploy`;\nawait $`bun run x`;\n'
    assert [line for _argv, line in spawned.read("ship.ts", text)] == [3, 4]


def test_other_files_and_deeply_nested_ones_are_read_as_having_none() -> None:
    assert found("execSync('convex deploy')", "notes.md") == []
    for text in ("(" * 50_000, "run([" + "[" * 50_000, "run({cmd:" * 20_000, "run" + "()" * 50_000):
        assert found(f"convex {text}") == []
    assert found("convex = " + "(" * 50_000, "deep.py") == []
