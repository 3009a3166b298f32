"""
Opens a page in headless Chromium and prints what went wrong, as one JSON object: {"title", "problems": [str]}.

    python -m ci.release.browser URL SCREENSHOT

It starts the browser at once, and opens the page when its standard input ends. It is a program of its own, so that it
has a deadline and ends with all it started, like every other tool. It reads LOCKSTEP_BROWSER (the executable),
LOCKSTEP_SMOKE_HEADERS (JSON object) and LOCKSTEP_SMOKE_IGNORE (JSON list).
"""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import ConsoleMessage, Page, Response, sync_playwright
from playwright.sync_api import Error as BrowserError
from playwright.sync_api import TimeoutError as BrowserTimeout

LOAD_MS = 30_000
SHOWN_MS = 15_000
QUIET_MS = 5_000
# Chromium looks up its maker's hosts at every start, and QUIC and translations are of no use here.
ARGUMENTS = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
]


def visit(page: Page, url: str, screenshot: Path) -> dict[str, object]:
    """Return the page's title and its problems, and leave a screenshot whatever happened."""
    problems = _watch(page)
    try:
        page.goto(url, wait_until="load", timeout=LOAD_MS)
        problems += _blank(page)
        page.wait_for_load_state("networkidle", timeout=QUIET_MS)
    except BrowserTimeout:
        # A page that polls is never quiet; one that did not load at all has no title.
        if page.evaluate("document.readyState") != "complete":
            problems.append(f"not loaded after {LOAD_MS // 1000} s")
    except BrowserError as error:
        problems.append(error.message.splitlines()[0])
    page.screenshot(path=screenshot, full_page=True)
    return {"title": page.title(), "problems": list(dict.fromkeys(problems))}


def _blank(page: Page) -> list[str]:
    """Wait until there is something to see: a page that waits for its backend is quiet, and empty, before that."""
    something = page.get_by_text(re.compile(r"\S")).or_(page.locator("img, svg, canvas, video, iframe"))
    try:
        something.locator("visible=true").first.wait_for(timeout=SHOWN_MS)
    except BrowserTimeout:
        return [f"blank page: no text and no picture after {SHOWN_MS // 1000} s"]
    return []


def _watch(page: Page) -> list[str]:
    """Return a list that fills while the page loads: console errors, uncaught errors, failed requests, wrong chunks."""
    problems: list[str] = []
    page.on("console", lambda message: problems.append(_said(message)) if message.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(f"uncaught error: {error}"))
    page.on(
        "requestfailed",
        lambda request: problems.append(f"failed request: {request.method} {request.url} ({request.failure})"),
    )
    page.on("response", lambda response: problems.extend(_wrong(response)))
    return problems


def _said(message: ConsoleMessage) -> str:
    """Return a line that names the script, or what could not be loaded: the browser's own words do not."""
    source = message.location["url"]
    return f"console error: {message.text}" + (f" ({source})" if source else "")


def _wrong(response: Response) -> list[str]:
    kind = response.request.resource_type
    where = f"{response.request.method} {response.url}"
    if response.status >= 400:
        return [f"failed request: {where} answered {response.status}"]
    if kind in ("script", "stylesheet") and "text/html" in response.headers.get("content-type", ""):
        return [f"a {kind} answered with HTML, so it is not on the site: {where}"]
    return []


def main(url: str, screenshot: Path) -> None:
    """Visit `url` and print the result."""
    ignored = json.loads(os.environ.get("LOCKSTEP_SMOKE_IGNORE", "[]"))
    host = urlsplit(url).netloc
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ["LOCKSTEP_BROWSER"], args=ARGUMENTS, chromium_sandbox=os.geteuid() != 0
        )
        context = browser.new_context(service_workers="block")
        headers = json.loads(os.environ.get("LOCKSTEP_SMOKE_HEADERS", "{}"))
        if headers:
            # The headers open a protected site: they are for it alone, never for the third parties it loads from.
            context.route(
                lambda address: urlsplit(address).netloc == host,
                lambda route: route.continue_(headers=route.request.headers | headers),
            )
        page = context.new_page()
        sys.stdin.read()
        found = visit(page, url, screenshot)
        browser.close()
    found["problems"] = [line for line in found["problems"] if not any(part in line for part in ignored)]  # type: ignore[attr-defined]  # a list
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
