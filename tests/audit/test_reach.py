"""From the steps of a workflow to the commands that matter."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from ci.audit import audit
from ci.audit.model import Reached, Repository

CI = ".github/workflows/ci.yml"
ROOT = {"name": "app", "workspaces": ["apps/*"], "packageManager": "bun@1.3.1"}


def repository(root: Path, files: Mapping[str, object]) -> Repository:
    for path, content in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(content if isinstance(content, str) else json.dumps(content, indent=2))
    return audit.read(root)


def steps(*texts: str) -> str:
    """Return a workflow with a job of these steps, each a YAML mapping in one line, or a command."""
    lines = [text if text.startswith("{") else json.dumps({"run": text}) for text in texts]
    body = "\n".join(f"      - {line}" for line in lines)
    return f"on: push\njobs:\n  job:\n    runs-on: ubuntu-latest\n    steps:\n{body}\n"


def told(one: Reached) -> str:
    return f"{one.kind} {one.folder} {' '.join(one.argv)}"


def reached(root: Path, files: Mapping[str, object], *kinds: str) -> list[str]:
    return [told(one) for one in repository(root, files).reached if not kinds or one.kind in kinds]


def package(folder: str, dependencies: tuple[str, ...] = (), **scripts: str) -> dict[str, object]:
    name = folder.rpartition("/")[2]
    return {"name": name, "scripts": scripts, "dependencies": dict.fromkeys(dependencies, "workspace:*")}


def test_a_step_that_deploys_is_reached_with_all_that_is_around_it(tmp_path: Path) -> None:
    workflow = """\
on: push
env: { A: workflow }
jobs:
  deploy:
    runs-on: ubuntu-latest
    if: secrets.GO != ''
    steps:
      - uses: actions/checkout@v4
      - name: Deploy
        env: { CONVEX_DEPLOY_KEY: "${{ secrets.CONVEX_DEPLOY_KEY }}" }
        continue-on-error: true
        run: |
          set -x

          cd apps/convex && npx convex deploy --yes
"""
    (one,) = repository(tmp_path, {CI: workflow, "apps/convex/package.json": package("apps/convex")}).reached
    assert told(one) == "deploy apps/convex convex deploy --yes"
    assert (one.at.path, one.at.line, one.at.column) == (CI, 15, 29)
    assert [link.text for link in one.chain] == ['job "deploy", step "Deploy"', "`npx convex deploy --yes`"]
    assert {name: text.value for name, text in one.env.values.items()} == {
        "A": "workflow",
        "CI": "true",
        "CONVEX_DEPLOY_KEY": "${{ secrets.CONVEX_DEPLOY_KEY }}",
        "GITHUB_ACTIONS": "true",
    }
    assert [(guard.text, guard.names) for guard in one.guards] == [("secrets.GO != ''", frozenset({"GO"}))]
    assert [swallow.how for swallow in one.swallowed] == ["`continue-on-error` of the step"]
    assert (one.workflow and one.workflow.path, one.job and one.job.id, one.step and one.step.index) == (
        CI,
        "deploy",
        1,
    )


BUILT = ["gate apps/web vite build", "deploy  convex deploy --cmd cd apps/web && npm run build"]
PREBUILT = ["gate  vite build", "gate  vercel build --prod", "publish  vercel deploy --prebuilt --prod"]


@pytest.mark.parametrize(
    ("run", "found"),
    [
        ("bun run --filter web deploy", ["gate apps/web tsc", "publish apps/web wrangler pages deploy dist"]),
        ("cd apps/web && npm run deploy", ["gate apps/web tsc", "publish apps/web wrangler pages deploy dist"]),
        ("npm run ship -- --prod", ["publish  vercel --prod"]),
        ("pnpm deploy", []),
        ("bunx convex@latest deploy", ["deploy  convex deploy"]),
        ("doppler run -- npx convex deploy", ["deploy  convex deploy"]),
        ("bash -c 'cd apps/convex; npx convex codegen'", ["codegen apps/convex convex codegen"]),
        ("bash scripts/release.sh production", ["deploy apps/convex convex deploy --message production"]),
        ("./scripts/release.sh x", ["deploy apps/convex convex deploy --message x"]),
        ("cd scripts && ./release.sh x", ["deploy apps/convex convex deploy --message x"]),
        ("node scripts/release.mjs", ["deploy  convex deploy --yes"]),
        ("make release", ["gate  eslint .", "deploy apps/convex convex deploy"]),
        ("make", ["gate  eslint ."]),
        ("just release", ["unknown  "]),
        ("task release", ["deploy  convex deploy"]),
        ("npx concurrently 'npx convex deploy' 'vercel --prod'", ["deploy  convex deploy", "publish  vercel --prod"]),
        ("npx convex deploy --cmd 'cd apps/web && npm run build'", BUILT),
        ("ssh me@host 'cd /srv && npx convex deploy'", ["deploy None convex deploy"]),
        ("ssh me@host <<'EOF'\nnpx convex deploy\nEOF", ["deploy None convex deploy"]),
        ("vercel build --prod && vercel deploy --prebuilt --prod", PREBUILT),
        ("nx deploy backend", ["codegen apps/convex convex codegen", "deploy apps/convex convex deploy"]),
        ("nx run nothing:x", ["unknown  "]),
        ("gh workflow run deploy.yml", ["unknown  gh workflow run deploy.yml"]),
        ("""node -e 'require("child_process").execSync("npx convex codegen")'""", ["codegen  convex codegen"]),
        ("vp run backend#types", ["codegen apps/convex convex codegen"]),
        ("node scripts/check-size.mjs", ["gate  node scripts/check-size.mjs"]),
        ("node scripts/smoke.mjs", ["verify  node scripts/smoke.mjs"]),
        ("npm run circle", []),
        ("sh scripts/circle.sh", []),
        ("echo npx convex deploy", []),
    ],
)  # fmt: skip
def test_a_command_line_is_followed(tmp_path: Path, run: str, found: list[str]) -> None:
    files: dict[str, object] = {
        CI: steps(run),
        "package.json": ROOT | {"scripts": {"ship": "vercel", "build": "vite build", "circle": "npm run circle"}},
        "apps/web/package.json": package(
            "web", predeploy="tsc", deploy="wrangler pages deploy dist", build="vite build"
        ),
        "apps/convex/package.json": package("backend", types="convex codegen"),
        "scripts/check-size.mjs": "process.exit(0);",
        "scripts/smoke.mjs": 'await fetch("https://example.com");',
        "apps/convex/project.json": {
            "name": "backend",
            "targets": {
                "types": {"command": "convex codegen", "options": {"cwd": "{projectRoot}"}},
                "deploy": {"options": {"command": "convex deploy", "cwd": "apps/convex"}, "dependsOn": ["types"]},
            },
        },
        "scripts/release.sh": '#!/bin/bash\ncd "$(dirname "$0")/../apps/convex"\nnpx convex deploy --message "$1"\n',
        "scripts/circle.sh": "sh scripts/circle.sh",
        "scripts/release.mjs": 'import { execSync } from "node:child_process";\nexecSync("npx convex deploy --yes");\n',
        "Makefile": "lint:\n\tnpx eslint .\n\nrelease: lint\n\t@cd apps/convex && \\\n\t  npx convex deploy\n",
        "Taskfile.yml": "tasks:\n  release:\n    cmds:\n      - task: inner\n  inner: npx convex deploy\n",
    }
    assert [one.rstrip() for one in reached(tmp_path, files)] == [one.rstrip() for one in found]


def test_what_a_program_starts_is_less_sure(tmp_path: Path) -> None:
    script = 'import { execSync } from "node:child_process";\n\nexecSync("npx convex deploy");\n'
    (one,) = repository(tmp_path, {CI: steps("node a.mjs"), "a.mjs": script}).reached
    assert (one.confidence, one.at.path, one.at.line) == ("low", "a.mjs", 3)


TURBO = {
    "package.json": ROOT,
    "apps/convex/package.json": package("backend", build="convex codegen", deploy="convex deploy"),
    "apps/web/package.json": package("web", ("backend",), typecheck="tsc", deploy="wrangler pages deploy dist"),
}


def test_turbo_reaches_what_a_task_depends_on_and_keeps_variables_away(tmp_path: Path) -> None:
    turbo = {"tasks": {"build": {}, "typecheck": {"dependsOn": ["^build"]}}}
    step = '{ run: bun turbo run typecheck, env: { CONVEX_DEPLOY_KEY: "${{ secrets.K }}", CI: "1" } }'
    found = repository(tmp_path, {**TURBO, CI: steps(step), "turbo.json": turbo}).reached
    assert [told(one) for one in found] == ["codegen apps/convex convex codegen", "gate apps/web tsc"]
    assert [sorted(one.env.values) for one in found] == [["CI", "GITHUB_ACTIONS"]] * 2
    assert found[0].env.dropped["CONVEX_DEPLOY_KEY"].at.path == "turbo.json"


@pytest.mark.parametrize(("needs", "waits"), [([], set()), (["^deploy"], {0})])
def test_tasks_of_turbo_are_started_side_by_side(tmp_path: Path, needs: list[str], waits: set[int]) -> None:
    files = {**TURBO, CI: steps("bun turbo run deploy"), "turbo.json": {"tasks": {"deploy": {"dependsOn": needs}}}}
    first, second = repository(tmp_path, files).reached
    assert (first.tool, second.tool) == ("convex", "wrangler pages")
    assert [one.together for one in (first, second)] == [{(0, 0): frozenset()}, {(0, 0): frozenset(waits)}]


@pytest.mark.parametrize(
    ("steps_", "known", "asked"),
    [
        (['echo "CONVEX_DEPLOY_KEY=${{ secrets.K }}" >> $GITHUB_ENV'], True, False),
        (["echo CONVEX_DEPLOY_KEY=x | tee -a $GITHUB_ENV"], True, False),
        (["cat >> $GITHUB_ENV <<EOF\nCONVEX_DEPLOY_KEY=$K\nEOF"], True, False),
        (['if [ "$A" ]; then echo "CONVEX_DEPLOY_KEY=x" >> $GITHUB_ENV; fi'], False, True),
        (["cat .env.ci >> $GITHUB_ENV"], False, True),
        (['echo "PATH_=x" >> $GITHUB_ENV'], False, False),
        (['echo "CONVEX_DEPLOY_KEY=x" >> .env.local'], True, False),
        (["cd apps/web", 'echo "CONVEX_DEPLOY_KEY=x" > apps/web/.env.local'], False, False),
        (["vercel env pull .env.local"], False, True),
        (["{ uses: dopplerhq/secrets-fetch-action@v1 }"], False, True),
        (["{ uses: actions/checkout@v4 }"], False, False),
    ],
)
def test_what_earlier_steps_left_is_known_or_asked(tmp_path: Path, steps_: list[str], known: bool, asked: bool) -> None:
    (one,) = repository(tmp_path, {CI: steps(*steps_, "npx convex codegen"), "package.json": ROOT}).reached
    assert ("CONVEX_DEPLOY_KEY" in one.env.values, bool(one.env.questions)) == (known, asked)


def test_a_guard_on_the_output_of_a_step_asks_for_what_that_step_looks_at(tmp_path: Path) -> None:
    asks = '[ -n "$KEY" ] && echo "has=1" >> $GITHUB_OUTPUT'
    check = json.dumps({"id": "check", "env": {"KEY": "${{ secrets.CONVEX_DEPLOY_KEY }}"}, "run": asks})
    deploy = "{ if: steps.check.outputs.has == '1', run: npx convex deploy }"
    (one,) = repository(tmp_path, {CI: steps(check, deploy)}).reached
    assert [set(guard.names) for guard in one.guards] == [{"KEY"}]


def test_each_value_of_a_matrix_is_followed(tmp_path: Path) -> None:
    workflow = steps("bun run ${{ matrix.task }}").replace(
        "runs-on: ubuntu-latest", "runs-on: ubuntu-latest\n    strategy: { matrix: { task: [lint, types] } }"
    )
    files = {CI: workflow, "package.json": ROOT | {"scripts": {"lint": "eslint .", "types": "convex codegen"}}}
    assert reached(tmp_path, files) == ["gate  eslint .", "codegen  convex codegen"]


@pytest.mark.parametrize(
    ("step", "found"),
    [
        ("{ uses: cloudflare/wrangler-action@v3, with: { command: pages deploy } }", "publish  wrangler pages deploy"),
        ("{ uses: cloudflare/wrangler-action@v3, with: { workingDirectory: site } }", "publish site wrangler deploy"),
        ("{ uses: cloudflare/wrangler-action@v3, with: { workingDirectory: api } }", ""),
        ("{ uses: nick-fields/retry@v3, with: { command: npx convex deploy } }", "deploy  convex deploy"),
        ("{ uses: ./nothing, with: {} }", ""),
        ("{ shell: pwsh, run: npx convex deploy }", "unknown  "),
        ("{ shell: pwsh, run: Write-Host hello }", ""),
        ("{ shell: python, run: print(1) }", ""),
    ],
)  # fmt: skip
def test_actions_and_other_shells_are_followed_or_asked_about(tmp_path: Path, step: str, found: str) -> None:
    files = {
        CI: steps(step),
        "site/wrangler.toml": 'main = "worker.ts"\n[assets]\ndirectory = "dist"\n',
        "api/wrangler.jsonc": '{ "main": "src/index.ts" } // an API\n',
    }
    assert [one.rstrip() for one in reached(tmp_path, files)] == ([found.rstrip()] if found else [])


def test_a_worker_of_which_nothing_is_known_is_a_question(tmp_path: Path) -> None:
    (one,) = repository(tmp_path, {CI: steps("npx wrangler deploy")}).reached
    assert [question.text for question in one.questions] == ["does this Worker serve the frontend of the app?"]


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("apps/web/vercel.json", {"buildCommand": "cd ../convex && npx convex deploy --cmd 'cd ../web && vite build'"}),
        ("netlify.toml", '[build]\nbase = "apps/convex"\ncommand = "npx convex deploy --cmd \'npm run build\'"\n'),
        ("apps/convex/package.json", package("backend", build="convex deploy --cmd 'vite build'")),
    ],
)
def test_the_build_of_a_host_is_reached_without_a_workflow(tmp_path: Path, path: str, content: object) -> None:
    files = {"package.json": ROOT, "apps/convex/package.json": package("backend"), path: content}
    (one,) = repository(tmp_path, files).reached
    assert (one.kind, one.folder, one.workflow, bool(one.host)) == ("deploy", "apps/convex", None, True)
    assert one.env.questions


def test_a_push_to_a_backend_on_the_machine_itself_is_no_deploy(tmp_path: Path) -> None:
    step = "{ run: npx convex deploy, env: { CONVEX_SELF_HOSTED_URL: 'http://127.0.0.1:3210' } }"
    assert reached(tmp_path, {CI: steps(step)}) == ["convex  convex deploy"]


def test_a_remote_workflow_is_a_question(tmp_path: Path) -> None:
    workflow = "on: push\njobs:\n  ci:\n    uses: acme/ci/.github/workflows/ci.yml@main\n    secrets: inherit\n"
    (one,) = repository(tmp_path, {CI: workflow}).reached
    assert (one.kind, one.argv, bool(one.questions)) == ("unknown", ("acme/ci/.github/workflows/ci.yml@main",), True)


def test_an_install_runs_its_hooks(tmp_path: Path) -> None:
    files = {CI: steps("bun install"), "package.json": ROOT | {"scripts": {"postinstall": "convex codegen"}}}
    assert reached(tmp_path, files) == ["install  bun install", "codegen  convex codegen"]


def test_scripts_that_call_each_other_in_circles_come_to_an_end(tmp_path: Path) -> None:
    names = [f"s{number}" for number in range(12)]
    scripts = {name: " && ".join(f"npm run {other}" for other in names) for name in names}
    scripts["s11"] += " && convex deploy"
    found = repository(tmp_path, {CI: steps("npm run s0"), "package.json": ROOT | {"scripts": scripts}})
    assert (found.reached[0].tool, found.skipped) == ("convex", ())


def test_what_is_too_much_to_follow_is_said(tmp_path: Path) -> None:
    each = {f"s{n}": f"A{n}=1 npm run s{n + 1} && A{n}=2 npm run s{n + 1}" for n in range(16)}
    found = repository(tmp_path, {CI: steps("npm run s0"), "package.json": ROOT | {"scripts": each}})
    assert [skipped.path for skipped in found.skipped] == ["package.json"]


def test_a_script_of_several_packages_runs_side_by_side_but_for_those_that_it_uses(tmp_path: Path) -> None:
    files = {**TURBO, CI: steps("pnpm -r run deploy")}
    first, second = repository(tmp_path, files).reached
    assert [one.together for one in (first, second)] == [{(0, 0): frozenset()}, {(0, 0): frozenset({0})}]


@pytest.mark.parametrize(
    "run",
    [
        "npx concurrently 'npx convex deploy' 'npx vercel --prod'",
        "npm-run-all -p one two",
        "pnpm -r --parallel run deploy",
    ],
)
def test_what_is_started_at_once_waits_for_nothing(tmp_path: Path, run: str) -> None:
    root = ROOT | {"scripts": {"one": "convex deploy", "two": "vercel --prod"}}
    first, second = repository(tmp_path, {**TURBO, "package.json": root, CI: steps(run)}).reached
    assert (first.kind, second.kind) == ("deploy", "publish")
    assert [list(one.together.values()) for one in (first, second)] == [[frozenset()], [frozenset()]]


def test_the_folder_of_a_step_may_ask_the_matrix(tmp_path: Path) -> None:
    workflow = steps('{ working-directory: "apps/${{ matrix.app }}", run: npm run types }').replace(
        "runs-on: ubuntu-latest", "runs-on: ubuntu-latest\n    strategy: { matrix: { app: [web, convex] } }"
    )
    packages = {f"apps/{name}/package.json": package(name, types=f"tsc -p {name}") for name in ("web", "convex")}
    assert reached(tmp_path, {CI: workflow, **packages}) == [
        "gate apps/web tsc -p web",
        "gate apps/convex tsc -p convex",
    ]


def test_the_program_of_an_action_of_the_repository_is_read(tmp_path: Path) -> None:
    files = {
        CI: steps("{ uses: ./.github/actions/ship }"),
        ".github/actions/ship/action.yml": "name: ship\nruns:\n  using: node20\n  main: index.js\n",
        ".github/actions/ship/index.js": 'require("child_process").execSync("npx convex deploy")\n',
    }
    assert reached(tmp_path, files) == ["deploy  convex deploy"]


def test_a_set_up_that_an_install_starts_deploys_nothing_in_ci(tmp_path: Path) -> None:
    script = 'import { execSync } from "child_process";\nexecSync("convex codegen");\nexecSync("convex deploy");\n'
    root = ROOT | {"scripts": {"postinstall": "node setup.mjs"}}
    found = reached(tmp_path, {CI: steps("bun install"), "package.json": root, "setup.mjs": script})
    assert found == ["install  bun install", "codegen  convex codegen"]
