"""The smoke test fails on a page that is broken for whoever opens it, and gets into a protected one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.release.checkout import Checkout

PAGE = "example/apps/web/index.html"
BROKEN = """
console.error("it hurts");
setTimeout(() => { throw new Error("it broke"); });
import("/assets/gone.js").catch(() => {});
fetch("/report", { method: "POST" });
"""
# The browser complains in its own words too, which differ from version to version.
PROBLEMS = {
    "  console error: it hurts (http://127.0.0.1:PORT/broken.js)",
    "  uncaught error: it broke",
    "  a script answered with HTML, so it is not on the site: GET http://127.0.0.1:PORT/assets/gone.js",
    "  failed request: POST http://127.0.0.1:PORT/report answered 405",
}
IGNORE = '\n[smoke]\nignore = ["it hurts", "it broke", "/assets/gone.js", "/report", "MIME"]\n'
HEADERS = {"CF-Access-Client-Id": "lockstep.access", "CF-Access-Client-Secret": "0f1e2d3c4b5a69788796a5b4c3d2e1f0"}
VARIABLES = {"CF-Access-Client-Id": "CF_ACCESS_CLIENT_ID", "CF-Access-Client-Secret": "CF_ACCESS_CLIENT_SECRET"}


@pytest.fixture
def broken(checkout: Checkout) -> Iterator[Checkout]:
    """A checkout whose page throws, complains, asks for a chunk that is not there, and for what is refused."""
    text = (checkout.root / PAGE).read_text()
    page = text.replace("</body>", '<script src="/broken.js"></script></body>')
    with checkout.changed({PAGE: page, "example/apps/web/public/broken.js": BROKEN}):
        yield checkout


def test_a_broken_page_fails_the_release_with_a_line_for_each_problem(broken: Checkout) -> None:
    ended = broken.inv("deploy")
    assert (ended.status, ended.stdout, ended.began[-2:]) == (4, "", ["smoke", "live"])
    first, *problems, hint = "\n".join(ended.errors).splitlines()
    assert first == "error: http://127.0.0.1:PORT is live and broken:"
    assert PROBLEMS - set(problems) == set()
    assert hint == (
        "  hint: see .lockstep/smoke/sandbox.png; "
        "what third parties cause can be listed under [smoke] ignore in lockstep.toml"
    )


def test_what_is_ignored_fails_nothing(broken: Checkout) -> None:
    settings = (broken.root / "lockstep.toml").read_text()
    with broken.changed({"lockstep.toml": settings + IGNORE}):
        ended = broken.inv("deploy")
    assert (ended.status, ended.errors) == (0, [])
    assert ended.summary["smoke"].startswith("'Incidents' opened without an error")


@pytest.mark.parametrize(
    ("script", "problem"),
    [
        ("document.title = url;", "blank page: no text and no picture after 15 s"),
        (
            "setTimeout(() => { document.body.textContent = url; console.error(`late`); }, 2000);",
            "console error: late (",
        ),
    ],
    ids=["stays blank", "shows late"],
)
def test_a_page_is_looked_at_when_there_is_something_to_see(checkout: Checkout, script: str, problem: str) -> None:
    page = "<!doctype html><title>Incidents</title><body><script type=module src=/src/only.ts></script></body>"
    only = f'const url = import.meta.env["VITE_CONVEX_URL"];\n{script}\n'
    with checkout.changed({PAGE: page, "example/apps/web/src/only.ts": only}):
        ended = checkout.inv("deploy")
    assert (ended.status, ended.began[-2:]) == (4, ["smoke", "live"])
    assert ended.errors[0].splitlines()[1].startswith(f"  {problem}")


def test_a_protected_site_opens_with_the_headers_of_the_target(checkout: Checkout) -> None:
    protect(checkout, HEADERS)
    try:
        without = checkout.inv("deploy")
        assert (without.status, without.began) == (2, ["preflight"])
        assert without.errors == [
            "error: http://127.0.0.1:PORT answers 403, so the smoke test could not open it\n"
            "  hint: in targets.sandbox of lockstep.toml, set site to where it ends up, "
            "or smoke_headers to what lets a service in"
        ]
        settings = (checkout.root / "lockstep.toml").read_text()
        with_headers = settings.replace(
            "[targets.sandbox]\n",
            "[targets.sandbox]\nsmoke_headers = "
            '{ CF-Access-Client-Id = "CF_ACCESS_CLIENT_ID", CF-Access-Client-Secret = "CF_ACCESS_CLIENT_SECRET" }\n',
        )
        with checkout.changed({"lockstep.toml": with_headers}):
            unset = checkout.inv("deploy")
            assert (unset.status, unset.began) == (2, ["preflight"])
            assert unset.errors == [
                f"error: {variable} is not set: as the header {header}, it opens the protected site to the smoke test\n"
                "  hint: put it in .env.lockstep.sandbox or the environment"
                for header, variable in VARIABLES.items()
            ]
            ended = checkout.inv("smoke", **{VARIABLES[name]: value for name, value in HEADERS.items()})
        assert (ended.status, ended.errors) == (0, [])
        assert ended.summary["smoke"].startswith("'Incidents' opened without an error")
    finally:
        protect(checkout, {})


def test_without_a_browser_a_release_to_the_sandbox_says_so(checkout: Checkout, tmp_path: Path) -> None:
    for tool in Path("/usr/bin").iterdir():
        if "chrom" not in tool.name:
            (tmp_path / tool.name).symlink_to(tool)
    path = checkout.env["PATH"].replace("/usr/bin:/bin", str(tmp_path))
    ended = checkout.inv("smoke", PATH=path, LOCKSTEP_BROWSER="")
    assert (ended.status, ended.errors) == (0, [])
    assert ended.summary["smoke"] == "not opened in a browser: install Chromium (apt install chromium) to see more"


def protect(checkout: Checkout, headers: dict[str, str]) -> None:
    checkout.sandbox.control("POST", "pages/access", {"project": checkout.sandbox.pages["project"], "headers": headers})
