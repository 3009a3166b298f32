"""What command lines, wrappers and actions mean."""

from __future__ import annotations

import pytest

from ci.audit import actions, arguments, commands, wrappers
from ci.audit.model import Place, Text
from ci.audit.wrappers import Inner

AT = Place("ci.yml")


@pytest.mark.parametrize(
    ("line", "kind", "tool"),
    [
        ("convex deploy --yes", "deploy", "convex"),
        ("convex deploy --cmd 'npm run build' --cmd-url-env-var-name X", "deploy", "convex"),
        ("convex deploy --preview-create x", "deploy", "convex"),
        ("convex deploy --dry-run", "convex", "convex"),
        ("convex deploy --url http://127.0.0.1:3210 --admin-key $K", "convex", "convex"),
        ("./node_modules/.bin/convex codegen", "codegen", "convex"),
        ("node node_modules/convex/bin/main.js codegen", "codegen", "convex"),
        ("convex@1.20 codegen", "codegen", "convex"),
        ("convex dev --once", "codegen", "convex"),
        ("convex run migrations:run --prod", "convex", "convex"),
        ("convex env set A b", "convex", "convex"),
        ("convex function-spec --prod", "verify", "convex"),
        ("kitcn deploy", "deploy", "kitcn"),
        ("wrangler pages deploy dist --project-name x", "publish", "wrangler pages"),
        ("wrangler pages publish dist", "publish", "wrangler pages"),
        ("wrangler --cwd apps/web pages deploy dist", "publish", "wrangler pages"),
        ("wrangler deploy --env production", "publish", "wrangler"),
        ("wrangler -c a.toml publish", "publish", "wrangler"),
        ("wrangler versions deploy", "publish", "wrangler"),
        ("wrangler deploy --dry-run", "gate", "wrangler"),
        ("opennextjs-cloudflare deploy", "publish", "opennextjs-cloudflare"),
        ("opennextjs-cloudflare build", "gate", "opennextjs-cloudflare"),
        ("vercel", "publish", "vercel"),
        ("vercel --prod --token=$T", "publish", "vercel"),
        ("vercel deploy --prebuilt", "publish", "vercel"),
        ("vercel -t $T deploy apps/web", "publish", "vercel"),
        ("vercel promote $URL", "publish", "vercel"),
        ("vercel alias set $URL example.com", "publish", "vercel"),
        ("vercel deploy --prod --skip-domain", "gate", "vercel"),
        ("vercel build --prod", "gate", "vercel"),
        ("netlify deploy --prod --dir=dist", "publish", "netlify"),
        ("firebase deploy --only hosting", "publish", "firebase"),
        ("flyctl deploy --remote-only", "publish", "fly"),
        ("eas deploy --prod", "publish", "eas deploy"),
        ("curl -X POST https://api.vercel.com/v1/integrations/deploy/prj/x", "publish", "deploy hook"),
        ("curl -fsS -X POST $VERCEL_DEPLOY_HOOK_URL", "publish", "deploy hook"),
        ("curl -X POST ${{ secrets.RENDER_DEPLOY_HOOK }}", "publish", "deploy hook"),
        ("curl -f https://app.example.com/health", "verify", "curl"),
        ("curl -sf $SITE_URL", "verify", "curl"),
        ("curl -s -o /dev/null -w %{http_code} https://example.com", "verify", "curl"),
        ("wget -q --spider https://app.example.com", "verify", "wget"),
        ("wait-on https://app.example.com", "verify", "wait-on"),
        ("sleep 30", "sleep", "sleep"),
        ("eslint .", "gate", "eslint"),
        ("tsc --noEmit", "gate", "tsc"),
        ("bun test", "gate", "bun"),
        ("bun build src/index.ts", "gate", "bun"),
        ("next build", "gate", "next"),
        ("playwright test", "gate", "playwright"),
        ("corepack enable", "setup", "corepack"),
        ("git push dokku main", "publish", "git push dokku"),
    ],
)
def test_a_command_line_is_understood(line: str, kind: str, tool: str) -> None:
    meaning = commands.read(tuple(line.split()))
    assert meaning is not None
    assert (meaning.kind, meaning.tool) == (kind, tool)


@pytest.mark.parametrize(
    "line",
    [
        "convex --help",
        "convex deploy --help",
        "convex codegen --system-udfs",
        "wrangler dev",
        "wrangler pages dev dist",
        "wrangler pages project create x",
        "wrangler pages deployment list",
        "wrangler secret put X",
        "wrangler types",
        "wrangler versions upload",
        "vercel pull --yes",
        "vercel env pull .env.local",
        "vercel link",
        "vercel inspect $URL",
        "vercel alias ls",
        "netlify link",
        "firebase deploy --only functions",
        "curl -f http://localhost:3000",
        "curl -fsS http://127.0.0.1:8080/health",
        "curl -X POST -d {} $SLACK_WEBHOOK_URL",
        "curl -X POST https://api.example.com/v1/x",
        "curl -fsSL https://github.com/a/b/releases/download/x.tar.gz -o x.tar.gz",
        "curl -O https://example.com/file.zip",
        "curl -fsSL ${ARCHIVE_URL} -o ${TMP_DIR}/node.tar.gz",
        "curl https://api.github.com/repos/x",
        "curl --proxy http://squid:3128 https://github.com",
        "wait-on http://localhost:3000",
        "next dev",
        "vite",
        "git push origin main",
        "echo convex deploy",
        "npm-run-deploy",
        "eas build --platform ios",
    ],
)
def test_what_only_looks_like_it_is_nothing(line: str) -> None:
    assert commands.read(tuple(line.split())) is None


def test_a_download_for_a_shell_brings_a_tool() -> None:
    line = ("curl", "-fsSL", "https://bun.sh/install")
    meaning = commands.read(line, ("bash",))
    assert meaning is not None
    assert (meaning.kind, commands.read((*line,), ("tar", "xz"))) == ("setup", None)


@pytest.mark.parametrize(
    ("env", "line", "asks"),
    [
        ({}, "playwright test", False),
        ({"BASE_URL": "http://localhost:3000"}, "playwright test", False),
        ({"VITE_CONVEX_URL": "https://x.convex.cloud"}, "playwright test", False),
        ({"PLAYWRIGHT_BASE_URL": "https://app.example.com"}, "playwright test", True),
        ({"E2E_BASE_URL": "${{ needs.deploy.outputs.url }}"}, "playwright test", True),
        ({"BASE_URL": "https://app.example.com"}, "eslint .", False),
        ({}, "lighthouse https://app.example.com", True),
    ],
)
def test_a_browser_asks_a_site_when_it_is_told_its_address(env: dict[str, str], line: str, asks: bool) -> None:
    texts = {name: Text(value, AT) for name, value in env.items()}
    assert commands.asks_a_site(tuple(line.split()), texts) is asks


@pytest.mark.parametrize(
    ("line", "inner"),
    [
        ("env A=1 x y", Inner(("x", "y"), sets=(("A", "1"),))),
        ("env -u K -i x", Inner(("x",), unsets=("K", "*"))),
        ("env --unset=K -C apps x", Inner(("x",), unsets=("K",), folder="apps")),
        ("cross-env NODE_ENV=production x", Inner(("x",), sets=(("NODE_ENV", "production"),))),
        ("sudo -E -u me A=1 x", Inner(("x",), sets=(("A", "1"),))),
        ("timeout -k 5 60 x y", Inner(("x", "y"))),
        ("timeout 10m x", Inner(("x",))),
        ("retry 3 x y", Inner(("x", "y"))),
        ("xvfb-run -a x", Inner(("x",))),
        ("xargs -n1 x", Inner(("x",))),
        ("nohup x", Inner(("x",))),
        ("doppler run --project a -- x y", Inner(("x", "y"), loads="doppler")),
        ("op run --env-file=.env -- x", Inner(("x",), loads="op")),
        ("infisical run --env=prod -- x", Inner(("x",), loads="infisical")),
        ("dotenv -e .env.production -- x", Inner(("x",), loads="dotenv")),
        ("dotenv -e .env.production x", Inner(("x",), loads="dotenv")),
        ("env-cmd -f .env x", Inner(("x",), loads="env-cmd")),
        ("dotenvx run -f .env -- x", Inner(("x",), loads="dotenvx")),
        ("bash -c x", Inner(text="x")),
        ("bash -euo pipefail -c x", Inner(text="x", options="euo pipefail c")),
        ("bash scripts/a.sh b", Inner(script=("scripts/a.sh", "b"))),
        ("sh -e a.sh", Inner(script=("a.sh",), options="e")),
        ("corepack pnpm build", Inner(("pnpm", "build"))),
        ("uv run x", Inner(("x",))),
        ("mise exec -- x", Inner(("x",))),
        ("npx dotenv -e a -- x", Inner(("x",), loads="dotenv")),
        ("nix develop -c x y", Inner(("x", "y"))),
    ],
)
def test_a_wrapper_is_taken_off(line: str, inner: Inner) -> None:
    found = wrappers.inner(tuple(line.split()))
    assert found is not None
    if line.startswith("bash -c"):
        found = Inner(text=found.text)
    assert found == inner


@pytest.mark.parametrize("line", ["doppler secrets", "env", "op read x", "corepack enable", "uv sync", "x y", "bash"])
def test_what_runs_nothing_else_is_no_wrapper(line: str) -> None:
    assert wrappers.inner(tuple(line.split())) is None


@pytest.mark.parametrize(
    ("uses", "given", "expected"),
    [
        ("cloudflare/pages-action@v1", {}, ("publish", "cloudflare/pages-action")),
        ("amondnet/vercel-action@v25", {}, ("publish", "vercel")),
        ("nwtgck/actions-netlify@v3", {}, ("publish", "netlify")),
        ("oven-sh/setup-bun@v2", {}, ("setup", "bun")),
        ("pnpm/action-setup@v4", {}, ("setup", "pnpm")),
        ("actions/checkout@v4", {}, None),
        ("docker/build-push-action@v6", {"build-args": "VITE_CONVEX_URL=x"}, None),
        ("acme/deploy-convex@v1", {}, ("unknown", "acme/deploy-convex")),
        ("convexly/cache@v1", {}, None),
        ("acme/thing@v1", {"deploy-key": "${{ secrets.CONVEX_DEPLOY_KEY }}"}, ("unknown", "acme/thing")),
        ("acme/review@v1", {"prompt": "Look at the convex functions.\nThen deploy."}, None),
        ("acme/review@v1", {}, None),
    ],
)
def test_an_action_is_understood(uses: str, given: dict[str, str], expected: tuple[str, str] | None) -> None:
    meaning = actions.read(uses, {name: Text(value, AT) for name, value in given.items()})
    assert (meaning and (meaning.kind, meaning.tool)) == expected
    assert bool(meaning and meaning.asks) == bool(expected and expected[0] == "unknown")


@pytest.mark.parametrize(
    ("uses", "given", "texts"),
    [
        ("cloudflare/wrangler-action@v3", {"command": "pages deploy dist"}, ["wrangler pages deploy dist"]),
        ("cloudflare/wrangler-action@v3", {"command": "a\nb\n"}, ["wrangler a\nwrangler b"]),
        ("cloudflare/wrangler-action@v3", {"apiToken": "x"}, ["wrangler deploy"]),
        ("cloudflare/wrangler-action@v3", {"preCommands": "x", "command": "deploy"}, ["x", "wrangler deploy"]),
        ("nick-fields/retry@v3", {"command": "npx convex deploy", "timeout_minutes": "5"}, ["npx convex deploy"]),
        ("actions/checkout@v4", {"command": "x"}, []),
    ],
)
def test_the_shell_texts_of_an_action_are_found(uses: str, given: dict[str, str], texts: list[str]) -> None:
    found = actions.texts(uses, {name: Text(value, AT) for name, value in given.items()})
    assert [text.value for text in found] == texts


def test_options_and_words_are_told_apart() -> None:
    argv = ("x", "a", "--branch", "main", "--prod", "--name=b", "-", "c")
    assert arguments.value(argv, "--branch", "-b") == "main"
    assert arguments.value(argv, "--name") == "b"
    assert arguments.value(argv, "--none") is None
    assert arguments.words(argv, frozenset(("--branch",))) == ("a", "-", "c")
    assert arguments.options(argv) == {"--branch", "--prod", "--name", "-"}
    assert arguments.program(("@convex-dev/x@1", "a")) == "x"
