"""What a package manager's command line does; the tables were compared with bun 1.4, npm 11, pnpm 10, yarn 1 and 4."""

from __future__ import annotations

import shlex

import pytest

from ci.audit import managers
from ci.audit.managers import Executes, Installs, Runs
from ci.audit.model import Package, Place, Text


def package(folder: str, name: str, scripts: str, uses: str = "", **more: object) -> Package:
    at = Place(f"{folder}/package.json".lstrip("/"))
    return Package(
        folder,
        at.path,
        name,
        {script: Text(f"echo {script}", at) for script in scripts.split()},
        {one: Text("workspace:*", at) for one in uses.split()},
        **more,  # type: ignore[arg-type]
    )


ROOT = package(
    "", "root", "build deploy test prex x postx prepare lint:a lint:b:c convex", workspaces=("apps/*", "libs/**")
)
WEB = package("apps/web", "web", "build x prex predev dev", uses="@x/backend ui")
BACKEND = package("apps/backend", "@x/backend", "build codegen postinstall", uses="ui")
UI = package("libs/a/ui", "ui", "build")
ALONE = package("tools", "tools", "x")
PACKAGES = (ROOT, BACKEND, WEB, ALONE, UI)


def said(command: str, folder: str = "", packages: tuple[Package, ...] = PACKAGES) -> str:
    """Return what `command` does, in one line."""
    found = managers.read(tuple(shlex.split(command)), folder, packages)
    if isinstance(found, Runs):
        names = " ".join(f"{one.name}#{script}" for one, script in found.scripts)
        behind = f" ({found.name} {shlex.join(found.arguments)})" if found.arguments else ""
        return f"runs {names}{behind}{'' if found.is_all_known else ' ?'}"
    if isinstance(found, Executes):
        return f"executes {shlex.join(found.argv)} in {found.folder}{found.version and f' @{found.version}'}"
    if isinstance(found, Installs):
        return f"installs {found.frozen} " + " ".join(f"{one.name}#{script}" for one, script in found.hooks)
    return "nothing"


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("npm run x", "runs root#prex root#x root#postx"),
        ("npm run x --silent -- --prod now", "runs root#prex root#x root#postx (x --prod now)"),
        ("npm run x -w web", "runs web#prex web#x"),
        ("npm run x --workspace=apps/web", "runs web#prex web#x"),
        ("npm run build --workspaces", "runs ui#build @x/backend#build web#build"),
        ("npm run build -ws -iwr --if-present", "runs root#build ui#build @x/backend#build web#build"),
        ("npm --prefix apps/web run x", "runs web#prex web#x"),
        ("npm test", "runs root#test"),
        ("npm t", "runs root#test"),
        ("npm start", "runs "),
        ("npm run nowhere", "runs "),
        ("npm run deploy -- --prod", "runs root#deploy (deploy --prod)"),
        ("npm publish", "nothing"),
        ("npm deploy", "nothing"),
        ("npm exec -- convex deploy --yes", "executes convex deploy --yes in "),
        ("npm exec convex deploy", "executes convex deploy in "),
        ("npm exec turbo -- run build", "executes turbo run build in "),
        ("npm exec --prefix apps/web -- convex dev", "executes convex dev in apps/web"),
        ("npx convex@1.27.3 deploy", "executes convex deploy in  @1.27.3"),
        ("npx --yes @scope/cli@latest go", "executes @scope/cli go in  @latest"),
        ("npx -y -p convex convex deploy", "executes convex deploy in "),
        ("npx -c 'convex deploy && true'", "executes bash -c 'convex deploy && true' in "),
        ("corepack pnpm run x", "runs root#prex root#x root#postx"),
        ("/usr/bin/npm run deploy", "runs root#deploy"),
        ("node --run x", "runs root#x"),
        ("convex deploy", "nothing"),
    ],
)
def test_npm(command: str, expected: str) -> None:
    assert said(command) == expected


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("bun run x", "runs root#prex root#x root#postx"),
        ("bun x", "nothing"),
        ("bun run x --filter web", "runs root#prex root#x root#postx (x --filter web)"),
        ("bun --filter web x", "runs web#prex web#x"),
        ("bun -F web build", "runs web#build"),
        ("bun run --filter '*' build", "runs ui#build @x/backend#build web#build"),
        ("bun run --filter './apps/*' build", "runs @x/backend#build web#build"),
        ("bun --cwd=apps/web run x", "runs web#prex web#x"),
        ("bun run --cwd apps/web x", "runs web#prex web#x"),
        ("bun --bun run deploy", "runs root#deploy"),
        ("bun deploy", "nothing"),
        ("bun build ./index.ts", "nothing"),
        ("bun test", "nothing"),
        ("bun run test", "runs root#test"),
        ("bun lint:a", "runs root#lint:a"),
        ("bun convex deploy", "runs root#convex (convex deploy)"),
        ("bun --cwd apps/web convex deploy", "executes convex deploy in apps/web"),
        ("bun run wrangler pages deploy dist", "executes wrangler pages deploy dist in "),
        ("bun x convex codegen", "executes convex codegen in "),
        ("bunx --bun convex deploy", "executes convex deploy in "),
        ("bunx convex@latest deploy -y", "executes convex deploy -y in  @latest"),
        ("bun run scripts/ship.ts --now", "executes node scripts/ship.ts --now in "),
        ("bun exec 'convex deploy; true'", "executes bash -c 'convex deploy; true' in "),
        ("bun run --parallel 'lint:*' build", "executes bash -c 'bun run lint:a && bun run build' in "),
        ("bun run --filter web nowhere", "executes nowhere in apps/web"),
        ("bun run --filter $APP build", "runs root#build ui#build @x/backend#build web#build ?"),
    ],
)
def test_bun(command: str, expected: str) -> None:
    assert said(command) == expected


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("pnpm run x", "runs root#prex root#x root#postx"),
        ("pnpm x", "runs root#prex root#x root#postx"),
        ("pnpm deploy", "nothing"),
        ("pnpm --filter web deploy out", "nothing"),
        ("pnpm run deploy", "runs root#deploy"),
        ("pnpm build --filter web", "runs root#build (build --filter web)"),
        ("pnpm --filter web build", "runs web#build"),
        ("pnpm -F web run --if-present build", "runs web#build"),
        ("pnpm --filter backend build", "runs @x/backend#build"),
        ("pnpm --filter '@x/*' build", "runs @x/backend#build"),
        ("pnpm --filter web... build", "runs ui#build @x/backend#build web#build"),
        ("pnpm --filter 'web^...' build", "runs ui#build @x/backend#build"),
        ("pnpm --filter ...ui build", "runs ui#build @x/backend#build web#build"),
        ("pnpm --filter '!web' --filter './apps/**' build", "runs @x/backend#build"),
        ("pnpm --filter '...[origin/main]' build", "runs root#build ui#build @x/backend#build web#build ?"),
        ("pnpm -r build", "runs ui#build @x/backend#build web#build"),
        ("pnpm -C apps/web x", "runs web#prex web#x"),
        ("pnpm -w x", "runs root#prex root#x root#postx"),
        ("pnpm exec convex deploy", "executes convex deploy in "),
        ("pnpm --filter @x/backend exec convex deploy", "executes convex deploy in apps/backend"),
        ("pnpm --filter @x/backend convex deploy", "executes convex deploy in apps/backend"),
        ("pnpm -r exec tsc", "executes tsc in None"),
        ("pnpm wrangler deploy", "executes wrangler deploy in "),
        ("pnpm dlx convex@1 deploy", "executes convex deploy in  @1"),
        ("pnpx convex deploy", "executes convex deploy in "),
        ("pnpm run nowhere", "runs "),
        ("pnpm test", "runs root#test"),
    ],
)
def test_pnpm(command: str, expected: str) -> None:
    assert said(command) == expected


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("yarn x", "runs root#prex root#x root#postx"),
        ("yarn run deploy --prod", "runs root#deploy (deploy --prod)"),
        ("yarn deploy", "runs root#deploy"),
        ("yarn convex deploy", "runs root#convex (convex deploy)"),
        ("yarn --cwd apps/web x", "runs web#prex web#x"),
        ("yarn --cwd apps/web convex deploy", "executes convex deploy in apps/web"),
        ("yarn workspace web x", "runs web#prex web#x"),
        ("yarn workspace @x/backend run codegen", "runs @x/backend#codegen"),
        ("yarn workspace @x/backend convex deploy", "executes convex deploy in apps/backend"),
        ("yarn workspace nowhere build", "runs  ?"),
        ("yarn workspaces foreach -Apt --include web run build", "runs web#build"),
        ("yarn dlx convex@latest deploy", "executes convex deploy in  @latest"),
        ("yarn exec convex deploy", "executes convex deploy in "),
        ("yarn why convex", "nothing"),
    ],
)
def test_yarn(command: str, expected: str) -> None:
    assert said(command) == expected


def test_yarn_from_2_on_runs_no_hooks_of_its_own_scripts() -> None:
    berry = package("", "root", "prex x postx", manager=Text("yarn@4.1.0", Place("package.json")))
    assert said("yarn x", packages=(berry,)) == "runs root#x"


@pytest.mark.parametrize(
    ("command", "frozen"),
    [
        ("npm ci", True),
        ("npm install", False),
        ("npm i --prefix apps/web", False),
        ("npm install left-pad", None),
        ("bun install", False),
        ("bun install --frozen-lockfile", True),
        ("bun install --filter web --frozen-lockfile", True),
        ("bun ci", True),
        ("bun i --production", True),
        ("pnpm install", True),
        ("pnpm i --no-frozen-lockfile", False),
        ("pnpm i --frozen-lockfile=false", False),
        ("yarn", False),
        ("yarn install --frozen-lockfile", True),
        ("yarn --immutable", True),
        ("yarn add left-pad", None),
    ],
)
def test_an_install_is_frozen_or_not_and_runs_hooks(command: str, frozen: bool | None) -> None:
    assert said(command) == f"installs {frozen} @x/backend#postinstall root#prepare"


def test_an_install_elsewhere_or_without_scripts_runs_no_hooks() -> None:
    assert said("npm ci --ignore-scripts") == "installs True "
    assert said("bun install", "tools") == "installs False "
    assert said("npm install -g convex") == "nothing"


@pytest.mark.parametrize(
    ("manager", "frozen"), [("yarn@1.22.22", False), ("yarn@4.1.0", True), ("yarn@berry", True), ("bun@1.3.0", False)]
)
def test_what_an_install_does_by_itself_depends_on_the_manager(manager: str, frozen: bool) -> None:
    root = package("", "root", "", manager=Text(manager, Place("package.json")))
    assert said(f"{manager.partition('@')[0]} install", packages=(root,)) == f"installs {frozen} "


def test_a_configuration_file_freezes_or_thaws() -> None:
    assert said("bun install", packages=(package("", "root", "", frozen={"bun": True}),)) == "installs True "
    assert said("pnpm install", packages=(package("", "root", "", frozen={"pnpm": False}),)) == "installs False "


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("run-s 'lint:*' build", "npm run lint:a && npm run build"),
        ("run-p -l 'lint:**' -- x", "npm run lint:a && npm run lint:b:c"),
        (
            "npm-run-all -s build --max-parallel 2 -p 'deploy -- --prod' x",
            "npm run build && npm run deploy -- --prod && npm run x",
        ),
        ("concurrently -n a,b 'npm:lint:*' 'bun run x' -k", "npm run lint:a && bun run x"),
    ],
)
def test_runners_of_several_scripts(command: str, expected: str) -> None:
    assert said(command) == f"executes bash -c {shlex.quote(expected)} in "


def test_a_folder_that_is_not_known_leaves_the_scripts_open() -> None:
    assert managers.read(("bun", "run", "x"), None, PACKAGES) == Runs((), is_all_known=False, name="x")
    assert said("bun --cwd $DIR run x") == "runs  ?"
    assert said("npm run x", packages=()) == "runs  ?"


def test_packages_that_depend_on_each_other_are_each_run_once() -> None:
    one, two = package("a", "one", "x", uses="two"), package("b", "two", "x", uses="one")
    family = (package("", "root", "", workspaces=("*",)), one, two)
    assert said("pnpm -r x", packages=family) == "runs two#x one#x"
