"""What an action does that matters to a release, by its name and what it is given."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ci.audit import arguments
from ci.audit.meaning import Meaning
from ci.audit.model import Kind, Place, Text

_ACTIONS: Mapping[str, tuple[Kind, str]] = {
    "cloudflare/pages-action": ("publish", "cloudflare/pages-action"),
    "amondnet/vercel-action": ("publish", "vercel"),
    "nwtgck/actions-netlify": ("publish", "netlify"),
    "netlify/actions/cli": ("publish", "netlify"),
    "firebaseextended/action-hosting-deploy": ("publish", "firebase"),
    "peaceiris/actions-gh-pages": ("publish", "gh-pages"),
    "jamesives/github-pages-deploy-action": ("publish", "gh-pages"),
    "actions/deploy-pages": ("publish", "gh-pages"),
    "azure/static-web-apps-deploy": ("publish", "azure/static-web-apps-deploy"),
    "bervproject/railway-deploy": ("publish", "railway"),
    "johnbeynon/render-deploy-action": ("publish", "deploy hook"),
    "oven-sh/setup-bun": ("setup", "bun"),
    "actions/setup-node": ("setup", "node"),
    "pnpm/action-setup": ("setup", "pnpm"),
    "pnpm/setup": ("setup", "pnpm"),
    "denoland/setup-deno": ("setup", "deno"),
    "jdx/mise-action": ("setup", "mise"),
    "volta-cli/action": ("setup", "volta"),
    "bahmutov/npm-install": ("install", "npm"),
    "jtalk/url-health-check-action": ("verify", "jtalk/url-health-check-action"),
    "nev7n/wait_for_response": ("verify", "nev7n/wait_for_response"),
    "treosh/lighthouse-ci-action": ("gate", "lighthouse"),
    "cypress-io/github-action": ("gate", "cypress"),
    "jakejarvis/wait-action": ("sleep", "sleep"),
}

# action -> the inputs that hold shell text, in the order in which they run
_SHELL_INPUTS: Mapping[str, tuple[str, ...]] = {
    "nick-fields/retry": ("command",),
    "nick-invision/retry": ("command",),
    "wandalen/wretry.action": ("command",),
    "cloudflare/wrangler-action": ("preCommands", "command", "postCommands"),
    "cypress-io/github-action": ("build", "start", "command"),
    "gabrielbb/xvfb-action": ("run",),
    "coactions/setup-xvfb": ("run",),
    "devcontainers/ci": ("runCmd",),
}
_SECRET_ACTIONS = arguments.some(
    "dopplerhq/secrets-fetch-action 1password/load-secrets-action infisical/secrets-action hashicorp/vault-action "
    "aws-actions/aws-secretsmanager-get-secrets bitwarden/sm-action google-github-actions/get-secretmanager-"
    "secrets azure/get-keyvault-secrets phasehq/secrets-action"
)
_ALL_SECRETS = re.compile(r"\btojson\(\s*secrets\s*\)", re.IGNORECASE)
_LOADS = re.compile(
    r"(?:load|fetch|export|import|pull|inject|get)[-_]?\w*[-_]?(?:secrets?|env|dotenv|vault)\b|secrets?-to-env"
)
_PAGES_ASKS = "is what GitHub Pages shows here the frontend of the app, or a report?"
_DEPLOYS = re.compile(r"(deploy|publish|release|convex|vercel|netlify|pages)", re.IGNORECASE)
_HARMLESS = re.compile(
    r"^(actions|docker|github|codecov|softprops|changesets|googleapis|release-drafter|semantic-release|peter-evans|"
    r"marocchino|tj-actions|dorny|step-security|sigstore|pypa|apple-actions|expo|chrnorm|bobheadxi|strumwolf|"
    r"cycjimmy|ncipollo|orhun|mikepenz|goreleaser|google-github-actions|r0adkll|js-devtools|jsdaniell|avakar|"
    r"hashicorp|aws-actions|azure/login|elgohr|lewagon|patrickedqvist|zentered|unitynow)(/|$)"
)


def read(uses: str, given: Mapping[str, Text]) -> Meaning | None:
    """Return what an action does, by its name and what it is given; None when it does nothing here."""
    known = slug(uses)
    if known in _ACTIONS:
        kind, tool = _ACTIONS[known]
        return Meaning(kind, tool, _PAGES_ASKS if tool == "gh-pages" else "")
    if known in _SHELL_INPUTS or known in _SECRET_ACTIONS or _HARMLESS.match(known):
        return None
    if _DEPLOYS.search(known.partition("/")[2]) or any(_convex_given(key, text) for key, text in given.items()):
        return Meaning("unknown", known, f"what does {uses} do: does it deploy the backend, publish or verify?")
    return None


def _convex_given(key: str, text: Text) -> bool:
    return "\n" not in text.value.strip() and "convex" in f"{key} {text.value}".lower()


def texts(uses: str, given: Mapping[str, Text]) -> tuple[Text, ...]:
    """Return the shell texts that an action runs, in order."""
    known = slug(uses)
    if known != "cloudflare/wrangler-action":
        return tuple(given[key] for key in _SHELL_INPUTS.get(known, ()) if key in given)
    command = given.get("command") or Text("deploy", given["apiToken"].at if "apiToken" in given else Place(""))
    lines = [f"wrangler {line.strip()}" for line in command.value.splitlines() if line.strip()]
    wrangled = Text("\n".join(lines), command.at)
    return tuple(text for text in (given.get("preCommands"), wrangled, given.get("postCommands")) if text)


def loads(uses: str, given: Mapping[str, Text]) -> bool:
    """Tell whether an action puts secrets into the environment of the steps behind it, as far as can be told."""
    is_given_all = any(_ALL_SECRETS.search(text.value) for text in given.values())
    return is_given_all or slug(uses) in _SECRET_ACTIONS or bool(_LOADS.search(slug(uses)))


def slug(uses: str) -> str:
    """Return the name of an action, without its version, in lower case."""
    return uses.partition("@")[0].lower()
