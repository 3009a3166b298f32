"""What is written from the table of secrets: .env.example and docs/secrets.md."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from ci.config import Config
from ci.release import secrets
from ci.release.secrets import DEPLOY, DRIFT, Variable

SOURCE = "Written by ./inv workflow, from the table in ci/release/secrets.py and from lockstep.toml."
WIDTH = 118

GUIDE = """\
# Secrets

Only a real target needs any. The sandbox, the checks, the build and code generation need none, so pull requests get
none. A secret reaches one step of one job of the workflow, and below it the commands that are named here; no other
command of that step sees it.

On a machine they are in `.env.lockstep.TARGET`, which is not committed, or in the environment. In CI they are in GitHub
environments: `TARGET`, with required reviewers and its branch as the only one that may deploy, and `TARGET-drift`,
with keys of its own that may only read. `./inv doctor --target TARGET` says what is missing.
"""

# The variables of a run that are no secrets: name, an example, what it is for.
SETTINGS = (
    ("LOCKSTEP_TARGET", "production", "The target when --target is not given (default: sandbox)."),
    (
        "LOCKSTEP_ENV_FILES",
        "",
        'The files to read variables from, separated by ":" (default: .env.lockstep.<target>:.env); empty reads none.',
    ),
    (
        "LOCKSTEP_BROWSER",
        "/usr/bin/chromium",
        "The Chromium or Chrome that opens the page (default: the one on PATH).",
    ),
    ("CONVEX_PROVISION_HOST", "https://api.convex.dev", "Another address of Convex, for a proxy or a stand-in."),
    (
        "CLOUDFLARE_API_BASE_URL",
        "https://api.cloudflare.com/client/v4",
        "Another address of Cloudflare, for a proxy or a stand-in.",
    ),
)


def texts(config: Config) -> dict[str, str]:
    """Return the documents by their path below Lockstep's folder."""
    return {
        ".env.example": "\n".join(_env_example(config)) + "\n",
        "docs/secrets.md": "\n".join(_guide(config)) + "\n",
    }


def _env_example(config: Config) -> Iterator[str]:
    yield from _comment(SOURCE)
    yield from _comment(
        "Every variable that Lockstep reads. Copy what a target needs to .env.lockstep.<target> (say "
        ".env.lockstep.production), or set it in the environment, which wins over every file. Neither file is "
        "committed. The sandbox needs none of them."
    )
    yield f"\n{'# --- secrets of a target ':-<120}"
    for one in _all(config):
        yield ""
        yield from _comment(f"{_sentence(one.purpose)} Looks like: {one.example}")
        yield from _comment(f"From {one.source}.")
        yield f"{one.name}="
    yield f"\n{'# --- settings of a run ':-<120}"
    for name, example, purpose in SETTINGS:
        yield ""
        yield from _comment(purpose)
        yield f"# {name}={example}"


def _guide(config: Config) -> Iterator[str]:
    yield f"<!-- {SOURCE} -->\n\n{GUIDE}"
    yield "| secret | what for | where to get it | given to the commands of |"
    yield "|---|---|---|---|"
    for one in _all(config):
        yield f"| `{one.name}` | {one.purpose} | {one.source} | {', '.join(f'`{name}`' for name in one.commands)} |"
    yield "\nThe least that each must allow, in the job that sees it:\n"
    yield "| secret | job `deploy` | job `drift` |"
    yield "|---|---|---|"
    for one in _all(config):
        yield f"| `{one.name}` | {one.scopes.get(DEPLOY, 'not seen')} | {one.scopes.get(DRIFT, 'not seen')} |"
    for target, table in secrets.by_target(config).items():
        yield from _target(target, table)


def _target(target: str, table: Sequence[Variable]) -> Iterator[str]:
    yield f"\n## {target}\n\n```sh"
    for job, environment in ((DEPLOY, target), (DRIFT, f"{target}-drift")):
        yield from (f"gh secret set {one.name} --env {environment}" for one in table if job in one.scopes)
    yield "```"


def _all(config: Config) -> list[Variable]:
    """Return what any target needs, each name once."""
    tables = (secrets.VARIABLES, *secrets.by_target(config).values())
    return list({one.name: one for table in tables for one in table}.values())


def _comment(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent="# ", subsequent_indent="# ", break_long_words=False)


def _sentence(words: str) -> str:
    return f"{words[0].upper()}{words[1:]}."
