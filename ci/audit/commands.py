"""What a command line does that matters to a release."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from ci.audit import arguments, requests
from ci.audit.meaning import Meaning
from ci.audit.model import Kind, Text


def read(argv: tuple[str, ...], feeds: Sequence[str] = ()) -> Meaning | None:
    """Return what a command line does, wrappers and package managers taken off; None when it does nothing here."""
    if not argv:
        return None
    program = arguments.program(argv)
    if program == "node" and (bin := next((a for a in argv[1:] if "node_modules/" in a), "")):
        program = bin.rpartition("node_modules/")[2].removeprefix(".bin/").split("/")[0]
        argv = (program, *argv[argv.index(bin) + 1 :])
    if argv[0].startswith("@"):
        program = re.sub(r"(?<=.)@.*", "", argv[0])
    if program in ("curl", "wget", "http", "https", "xh"):
        return requests.read(argv, feeds)
    if program in _TOOLS:
        return None if _is_help(argv) else _TOOLS[program](argv)
    if program in _GATES:
        return Meaning("gate", program)
    return None


def _is_help(argv: Sequence[str]) -> bool:
    return not {"--help", "-h", "--version", "-V"}.isdisjoint(argv[1:]) or argv[1:2] == ("help",)


def _convex(argv: tuple[str, ...]) -> Meaning | None:
    verb = arguments.words(argv)[:1]
    if verb == ("codegen",):
        return None if "--system-udfs" in argv else Meaning("codegen", "convex")
    if verb == ("dev",):
        return Meaning("codegen", "convex")
    if verb == ("deploy",):
        is_rehearsal = "--dry-run" in argv or requests.is_local(arguments.value(argv, "--url") or "")
        return Meaning("convex" if is_rehearsal else "deploy", "convex")
    if verb == ("function-spec",):
        return Meaning("verify", "convex")
    asking = ("run", "env", "data", "logs", "import", "export", "insights", "network-test", "deployments")
    return Meaning("convex", "convex") if verb and verb[0] in asking else None


def _convex_like(argv: tuple[str, ...]) -> Meaning | None:
    verb = arguments.words(argv)[:1]
    kinds: dict[tuple[str, ...], Kind] = {("deploy",): "deploy", ("codegen",): "codegen", ("dev",): "codegen"}
    return Meaning(kinds[verb], arguments.program(argv)) if verb in kinds else None


_WRANGLER_VALUED = arguments.some(
    "-c --config --cwd -e --env --project-name --branch --commit-hash --commit-message --name --compatibility-"
    "date --assets --var --tag --message --env-file --outdir --site"
)


def _wrangler(argv: tuple[str, ...]) -> Meaning | None:
    verbs = arguments.words(argv, _WRANGLER_VALUED)
    if verbs[:1] == ("pages",):
        return Meaning("publish", "wrangler pages") if verbs[1:2] in (("deploy",), ("publish",)) else None
    if verbs[:2] == ("pages", "deployment"):
        return None
    if "--dry-run" in argv:
        return Meaning("gate", "wrangler")
    if verbs[:1] in (("deploy",), ("publish",)) or verbs[:2] == ("versions", "deploy"):
        return Meaning("publish", "wrangler")
    return None


_BUILT = re.compile(r"(?:^|/)(?:dist|build|out|public|www|_site|browser|client)/?$")
_VERCEL_VALUED = arguments.some(
    "-t --token -S --scope -A --local-config -Q --global-config --cwd -b --build-env -e --env -m --meta --regions "
    "--archive --target --name -n --environment --output"
)


def _vercel(argv: tuple[str, ...]) -> Meaning | None:
    verbs = arguments.words(argv, _VERCEL_VALUED)
    verb = verbs[0] if verbs else "deploy"
    if verb == "build":
        return Meaning("gate", "vercel")
    if verb in ("promote", "alias") or (verb == "rolling-release" and verbs[1:2] == ("complete",)):
        is_listing = verb == "alias" and verbs[1:2] in (("ls",), ("list",), ("rm",), ("remove",))
        return None if is_listing or verbs[1:2] == ("status",) else Meaning("publish", "vercel")
    if verb in _VERCEL_OTHER:
        return None
    if "--skip-domain" in argv:
        return Meaning("gate", "vercel")  # built and uploaded, not yet shown to anybody
    return Meaning("publish", "vercel")


_VERCEL_OTHER = arguments.some(
    "pull env link login logout whoami inspect logs list ls remove rm rollback domains dns certs project projects "
    "teams switch secrets dev init bisect git integration telemetry target targets cache curl blob help api "
    "redeploy open install guidance httpstat mcp microfrontends rolling-release"
)


def _netlify(argv: tuple[str, ...]) -> Meaning | None:
    verb = arguments.words(argv)[:1]
    if verb == ("deploy",):
        return Meaning("publish", "netlify")
    return Meaning("gate", "netlify") if verb == ("build",) else None


def _firebase(argv: tuple[str, ...]) -> Meaning | None:
    only = arguments.value(argv, "--only") or "hosting"
    verb = arguments.words(argv, frozenset(("--only", "--project", "-P", "--token", "--config", "-c")))[:1]
    is_hosting = "hosting" in only and verb in (("deploy",), ("hosting:channel:deploy",))
    return Meaning("publish", "firebase") if is_hosting else None


def _first(*verbs: str, tool: str) -> Callable[[tuple[str, ...]], Meaning | None]:
    """Return a reader for a tool that publishes when its first words are these."""

    def publishes(argv: tuple[str, ...]) -> Meaning | None:
        return Meaning("publish", tool) if arguments.words(argv)[: len(verbs)] == verbs else None

    return publishes


def _bucket(argv: tuple[str, ...]) -> Meaning | None:
    """Read `aws s3 sync dist s3://...`, `gsutil rsync -r dist gs://...`: a publish of what was built."""
    words = arguments.words(argv)
    bucket = next((number for number, word in enumerate(words) if word.startswith(("s3://", "gs://"))), 0)
    copies = not {"sync", "rsync", "cp"}.isdisjoint(words[:bucket])
    return Meaning("publish", words[bucket][:2]) if copies and any(map(_BUILT.search, words[:bucket])) else None


def _eas(argv: tuple[str, ...]) -> Meaning | None:
    verb = arguments.words(argv)[:1]
    return Meaning("publish", f"eas {verb[0]}") if verb in (("deploy",), ("update",)) else None


def _opennext(argv: tuple[str, ...]) -> Meaning | None:
    verb = arguments.words(argv)[:1]
    if verb == ("build",):
        return Meaning("gate", "opennextjs-cloudflare")
    return Meaning("publish", "opennextjs-cloudflare") if verb == ("deploy",) else None


def _sleep(_argv: tuple[str, ...]) -> Meaning | None:
    return Meaning("sleep", "sleep")


def _playwright(argv: tuple[str, ...]) -> Meaning | None:
    verb = arguments.words(argv)[:1]
    if verb == ("install",):
        return Meaning("setup", "playwright")
    return Meaning("gate", "playwright") if verb == ("test",) else None


def _browser(argv: tuple[str, ...]) -> Meaning | None:
    return Meaning("gate", arguments.program(argv))


def _builder(*verbs: str) -> Callable[[tuple[str, ...]], Meaning | None]:
    """Return a reader for a tool that is a gate with one of these verbs."""

    def builds(argv: tuple[str, ...]) -> Meaning | None:
        found = arguments.words(argv)
        return (
            Meaning("gate", arguments.program(argv))
            if (found and found[0] in verbs) or (not found and "" in verbs)
            else None
        )

    return builds


def _checkly(argv: tuple[str, ...]) -> Meaning | None:
    return Meaning("verify", "checkly") if arguments.words(argv)[:1] in (("test",), ("trigger",)) else None


def _wait_on(argv: tuple[str, ...]) -> Meaning | None:
    asked = [
        word
        for word in arguments.words(argv, frozenset(("-t", "--timeout", "-i", "--interval")))
        if requests.is_live(word)
    ]
    return Meaning("verify", "wait-on") if asked else None


def _corepack(argv: tuple[str, ...]) -> Meaning | None:
    return (
        Meaning("setup", "corepack")
        if arguments.words(argv)[:1] in (("enable",), ("prepare",), ("use",), ("install",))
        else None
    )


def _git(argv: tuple[str, ...]) -> Meaning | None:
    found = arguments.words(argv)
    is_push = found[:1] == ("push",) and len(found) > 1 and found[1] in ("heroku", "dokku")
    return Meaning("publish", f"git push {found[1]}") if is_push else None


def _runner(argv: tuple[str, ...]) -> Meaning | None:
    return Meaning(
        "unknown", arguments.program(argv), f"what does `{' '.join(argv[:4])}` run: does it deploy, publish or verify?"
    )


def _gh(argv: tuple[str, ...]) -> Meaning | None:
    found = arguments.words(argv)
    if found[:2] == ("workflow", "run"):
        return Meaning("unknown", "gh workflow run", f"what does the workflow that `{' '.join(argv[:4])}` starts do?")
    return None


_TOOLS: Mapping[str, Callable[[tuple[str, ...]], Meaning | None]] = {
    "convex": _convex,
    "kitcn": _convex_like,
    "better-convex": _convex_like,
    "wrangler": _wrangler,
    "vercel": _vercel,
    "vc": _vercel,
    "netlify": _netlify,
    "ntl": _netlify,
    "netlify-cli": _netlify,
    "firebase": _firebase,
    "firebase-tools": _firebase,
    "flyctl": _first("deploy", tool="fly"),
    "fly": _first("deploy", tool="fly"),
    "railway": _first("up", tool="railway"),
    "sst": _first("deploy", tool="sst"),
    "alchemy": _first("deploy", tool="alchemy"),
    "surge": _first(tool="surge"),
    "gh-pages": _first(tool="gh-pages"),
    "static-hosting": _first("upload", tool="static-hosting"),
    "@convex-dev/static-hosting": _first("upload", tool="static-hosting"),
    "aws": _bucket,
    "gsutil": _bucket,
    "gcloud": _bucket,
    "eas": _eas,
    "eas-cli": _eas,
    "opennextjs-cloudflare": _opennext,
    "@opennextjs/cloudflare": _opennext,
    "playwright": _playwright,
    "@playwright/test": _playwright,
    "cypress": _builder("run"),
    "lhci": _browser,
    "lighthouse": _browser,
    "checkly": _checkly,
    "wait-on": _wait_on,
    "sleep": _sleep,
    "corepack": _corepack,
    "git": _git,
    "gh": _gh,
    "moon": _runner,
    "lerna": _runner,
    "lage": _runner,
    "earthly": _runner,
    "dagger": _runner,
    "next": _builder("build", "lint"),
    "vite": _builder("build"),
    "astro": _builder("build", "check"),
    "nuxt": _builder("build", "generate"),
    "nuxi": _builder("build", "generate", "typecheck"),
    "remix": _builder("build"),
    "react-router": _builder("build", "typegen"),
    "svelte-kit": _builder("sync"),
    "ng": _builder("build", "lint", "test"),
    "expo": _builder("export", "lint"),
    "storybook": _builder("build"),
    "rsbuild": _builder("build"),
    "vinxi": _builder("build"),
    "biome": _builder("ci", "check", "lint", "format"),
    "@biomejs/biome": _builder("ci", "check", "lint", "format"),
    "bun": _builder("build", "test"),
    "vp": _builder("build", "test", "lint", "check", "fmt"),
    "deno": _builder("check", "lint", "test", "fmt"),
    "cargo": _builder("build", "test", "check", "clippy", "fmt"),
    "go": _builder("build", "test", "vet"),
}

_GATES = arguments.some(
    "eslint prettier tsc tsgo vue-tsc svelte-check oxlint oxfmt vitest jest mocha ava knip tsup tsdown rollup "
    "webpack esbuild stylelint dprint xo standard commitlint syncpack sherif manypkg depcheck publint attw size-"
    "limit markdownlint cspell typos shellcheck actionlint zizmor ultracite next-on-pages @cloudflare/next-on-"
    "pages pytest ruff mypy golangci-lint pre-commit lint-staged"
)

_BROWSERS = arguments.some("playwright @playwright/test cypress lhci lighthouse newman k6 artillery")
_SITE = re.compile(
    r"^(?!.*(CONVEX|BACKEND|CLERK|API|AUTH|SUPABASE|SENTRY)).*(BASE|SITE|APP|PREVIEW|PROD|E2E|TARGET|LIVE|DEPLOY)"
)


def asks_a_site(argv: Sequence[str], env: Mapping[str, Text]) -> bool:
    """Tell whether a test in a browser, or its like, is told the address of a live site."""
    if arguments.program(argv) not in _BROWSERS:
        return False
    told = [text.value for name, text in env.items() if name.endswith(("URL", "HOST", "ORIGIN")) and _SITE.match(name)]
    return any(requests.is_live(word) or "${{" in word for word in told) or any(
        requests.is_live(word) for word in argv[1:]
    )
