"""The page as a person gets it: waiting until the site serves this release, and judging what the browser saw."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ci import rest, toolchain
from ci.config import Target
from ci.errors import CheckFailed, InputError, Unfinished
from ci.release import manifest
from ci.secret import Secret

_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_MAC = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")


@dataclass(frozen=True)
class Visit:
    """What the browser saw: the page's title and one line for each thing that went wrong."""

    title: str
    problems: tuple[str, ...]


def browser() -> str:
    """Return the Chromium or Chrome of this machine (LOCKSTEP_BROWSER wins), or "" when there is none."""
    found = os.environ.get("LOCKSTEP_BROWSER") or next(filter(None, map(shutil.which, _BROWSERS)), "")
    return found or (str(_MAC) if _MAC.exists() else "")


def wait_for(target: Target, release: str, *, within_s: float) -> None:
    """
    Return once the address that people open serves this release.

    Raises:
        Unfinished: it still serves something else after `within_s`.
    """
    seen = rest.settled(lambda: manifest.live(target), lambda found: _release(found) == release, within_s=within_s)
    if _release(seen) != release:
        site, project = target.frontend.site, target.frontend.project
        hint = f"look at {site}: is it a domain of Pages project {project}? then run the same command again"
        raise Unfinished(f"{site} does not serve release {release}, but: {_release(seen)}", hint=hint)


def visit_argv(url: str, screenshot: Path) -> list[str]:
    """Return the argv that opens `url` in a headless browser, once its input has ended, and prints one JSON object."""
    return [sys.executable, "-m", "ci.release.browser", url, str(screenshot)]


def visit_env(executable: str, headers: Mapping[str, Secret], ignore: tuple[str, ...]) -> dict[str, str | Secret]:
    """Return the variables of `visit_argv`; header values are secrets, so they are not arguments."""
    revealed = Secret(json.dumps({name: value.reveal() for name, value in headers.items()}))
    return {
        "LOCKSTEP_BROWSER": executable,
        "LOCKSTEP_SMOKE_HEADERS": revealed,
        "LOCKSTEP_SMOKE_IGNORE": json.dumps(ignore),
        # Playwright's own Node needs libatomic, which a bare Debian lacks.
        "PLAYWRIGHT_NODEJS_PATH": toolchain.node(),
        **toolchain.COMPILED,
    }


def judge(printed: str, url: str, screenshot: Path) -> Visit:
    """
    Return what the browser printed.

    Raises:
        CheckFailed: the page is broken; the message has one line for each problem.
    """
    found = json.loads(printed)
    visit = Visit(found["title"], tuple(found["problems"]))
    if visit.problems:
        lines = "\n".join(f"  {problem}" for problem in visit.problems)
        hint = f"see {screenshot}; what third parties cause can be listed under [smoke] ignore in lockstep.toml"
        raise CheckFailed(f"{url} is live and broken:\n{lines}", hint=hint)
    return visit


def no_browser(target: Target, *, allowed: bool) -> str:
    """
    Return the line that says that no browser looked at the page.

    Raises:
        InputError: the target is not the sandbox, and nobody allowed it.
    """
    if target.is_sandbox or allowed:
        return "not opened in a browser" + ("" if allowed else ": install Chromium (apt install chromium) to see more")
    raise InputError(
        "no Chromium or Chrome on this machine to open the page with",
        hint="install one (apt install chromium), or accept the risk with --no-browser",
    )


def _release(seen: manifest.Stamp | str) -> str:
    return seen if isinstance(seen, str) else seen.release
