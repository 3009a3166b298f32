"""What is broken is said, what surrounds it is still audited, and what goes round in circles comes to an end."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ci.audit import result
from ci.audit.result import Result

CI = ".github/workflows/ci.yml"
KEYLESS = """
on: push
jobs:
  test:
    runs-on: ubuntu-latest
    steps:
      - run: {run}
"""
GOOD = {
    CI: KEYLESS.format(run="bun x convex codegen"),
    "package.json": '{ "name": "app", "dependencies": { "convex": "1.48.0" } }',
    "convex/a.ts": "",
}


def written(root: Path, files: dict[str, str]) -> Path:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return root


def keyless(found: Result) -> list[str]:
    return [f"{one.at.path}:{one.at.line}" for one in found.findings if one.rule == "convex-without-key"]


def skipped(found: Result) -> list[str]:
    return [f"{one.path}: {one.why}" for one in found.skipped]


OTHER = ".github/workflows/x.yml"
LAUGHS = "\n".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30))
BROKEN = {
    "invalid YAML": {OTHER: "on: [push\njobs: {"},
    "YAML that is a list": {OTHER: "- on: push\n"},
    "empty YAML": {OTHER: ""},
    "YAML a mile deep": {OTHER: "on: " + "[" * 20_000},
    "a billion laughs": {OTHER: f"a0: &a0 [x]\n{LAUGHS}\non: push\njobs: *a29\n"},
    "an alias of itself": {OTHER: "on: push\njobs: &a\n  b: *a\n"},
    "two MB of YAML": {OTHER: "on: push\n#" + "x" * (2 << 20)},
    "binary YAML": {OTHER: "on: push\0"},
    "an action that is not there": {OTHER: KEYLESS.replace("run: {run}", "uses: ./.github/actions/b")},
    "a broken action": {
        ".github/actions/a/action.yml": "runs: [",
        OTHER: KEYLESS.replace("run: {run}", "uses: ./.github/actions/a"),
    },
    "invalid JSON": {"apps/web/package.json": '{ "name": '},
    "a package.json that is a list": {"apps/web/package.json": "[]"},
    "two MB of JSON": {"apps/web/package.json": '{ "name": "' + "x" * (2 << 20) + '" }'},
    "JSON a mile deep": {"apps/web/package.json": '{"a":' * 20_000},
    "an invalid turbo.json": {"turbo.json": "{ tasks: "},
    "a turbo.json that is a text": {"turbo.json": '"tasks"'},
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_what_cannot_be_read_is_said_and_the_rest_is_audited(tmp_path: Path, broken: dict[str, str]) -> None:
    found = result.check(written(tmp_path, GOOD | broken))
    path = next(iter(broken))
    assert (keyless(found), [one.path for one in found.skipped]) == ([f"{CI}:7"], [path])


CIRCLES = {
    "scripts": {"package.json": '{ "scripts": { "a": "bun run b", "b": "bun run a && convex codegen" } }'},
    "a script and its hook": {"package.json": '{ "scripts": { "prea": "bun run a", "a": "convex codegen" } }'},
    "turbo tasks": {
        "package.json": '{ "scripts": { "a": "turbo run a", "b": "convex codegen" } }',
        "turbo.json": '{ "tasks": { "a": { "dependsOn": ["b"] }, "b": { "dependsOn": ["a"] } } }',
    },
    "shell scripts": {
        "package.json": '{ "scripts": { "a": "sh one.sh" } }',
        "one.sh": "sh two.sh\n",
        "two.sh": "sh one.sh\nnpx convex codegen\n",
    },
    "a shell function": {
        "package.json": '{ "scripts": { "a": "bash one.sh" } }',
        "one.sh": "f() { f; npx convex codegen; }\nf\n",
    },
}


@pytest.mark.parametrize("circle", CIRCLES.values(), ids=CIRCLES)
def test_what_goes_round_in_circles_is_followed_once(tmp_path: Path, circle: dict[str, str]) -> None:
    found = result.check(written(tmp_path, GOOD | {CI: KEYLESS.format(run="bun run a")} | circle))
    assert keyless(found) == [f"{CI}:7"]


def test_jobs_that_need_each_other_are_audited_all_the_same(tmp_path: Path) -> None:
    text = GOOD[CI].replace("    steps:", "    needs: other\n    steps:") + "  other:\n    needs: [test, nowhere]\n"
    found = result.check(written(tmp_path, GOOD | {CI: text}))
    assert found.looked_at.jobs == 2


def test_workflows_that_call_each_other_come_to_an_end(tmp_path: Path) -> None:
    call = "on: {{ push: , workflow_call: }}\njobs:\n  next:\n    uses: ./.github/workflows/{}.yml\n"
    files = {".github/workflows/a.yml": call.format("b"), ".github/workflows/b.yml": call.format("a")}
    found = result.check(written(tmp_path, GOOD | files))
    assert keyless(found) == [f"{CI}:7"]
    assert {one.path for one in found.skipped} <= set(files)
    assert found.skipped != ()


def test_on_is_a_word_and_no_truth(tmp_path: Path) -> None:
    found = result.check(written(tmp_path, GOOD))
    assert (found.looked_at.workflows, skipped(found)) == (1, [])


def test_anchors_stand_for_what_they_name(tmp_path: Path) -> None:
    text = GOOD[CI].replace("- run: bun", "- &step\n        run: bun") + "      - *step\n"
    found = result.check(written(tmp_path, GOOD | {CI: text}))
    assert (found.looked_at.steps, skipped(found)) == (2, [])


def test_links_that_lead_in_circles_or_out_are_not_followed(tmp_path: Path) -> None:
    root = written(tmp_path / "app", GOOD)
    (root / "again").symlink_to(root)
    (root / "loop").symlink_to("loop")
    (root / "turbo.json").symlink_to("turbo.json")
    (root / "out").symlink_to(tmp_path)
    (tmp_path / "secret.json").write_text("{}")
    (root / "apps").mkdir()
    (root / "apps/package.json").symlink_to(tmp_path / "secret.json")
    os.mkfifo(root / "pipe.json")
    found = result.check(root)
    assert (keyless(found), found.looked_at.workflows, found.looked_at.scripts) == ([f"{CI}:7"], 1, 0)
    assert "secret.json" not in "".join(skipped(found))


def test_a_pattern_that_means_nothing_spoils_no_other(tmp_path: Path) -> None:
    files = {".gitignore": "[z-a]\nold/\n", "old/package.json": "[", f"old/{CI}": "["}
    found = result.check(written(tmp_path, GOOD | files))
    assert (keyless(found), skipped(found)) == ([f"{CI}:7"], [])


def test_a_command_of_no_word_is_no_command(tmp_path: Path) -> None:
    found = result.check(written(tmp_path, GOOD | {CI: KEYLESS.format(run="bun x convex codegen || <")}))
    assert found.looked_at.steps == 1
