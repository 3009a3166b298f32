"""A build that must not be published stops the release before anything has changed."""

from __future__ import annotations

import shutil

import pytest

from tests.release import clouds
from tests.release.checkout import Checkout

ENTRY = "example/apps/web/src/main.tsx"
PACKAGE = "example/apps/web/package.json"


@pytest.mark.parametrize(
    ("file", "old", "new", "error"),
    [
        (
            ENTRY,
            "import.meta.env.VITE_CONVEX_URL",
            '"https://" + location.host',
            "error: the built site does not name its backend, http://127.0.0.1:PORT\n"
            "  hint: name the variable that the frontend reads in app.backend_url_variable, "
            "and in turbo.json's build.env",
        ),
        (
            ENTRY,
            'import "./styles.css";',
            'import "./styles.css";\nconsole.debug("https://clever-heron-42.convex.cloud");',
            "error: the built site names another backend, https://clever-heron-42.convex.cloud (assets/index-HASH.js)\n"
            "  hint: find it in the frontend's source or its .env files, and remove it",
        ),
        (
            PACKAGE,
            '"vite build"',
            '"vite build --outDir elsewhere"',
            "error: there is no index.html in ROOT/example/apps/web/dist, so there is no site to publish\n"
            "  hint: run ./inv build; set app.dist in lockstep.toml",
        ),
    ],
    ids=["not-its-own-backend", "another-backend", "nothing-built"],
)
def test_a_build_that_must_not_be_published_stops_the_release(
    fresh: Checkout, file: str, old: str, new: str, error: str
) -> None:
    fresh.sandbox.start().calm()
    shutil.rmtree(fresh.app / "apps/web/dist", ignore_errors=True)
    text = (fresh.root / file).read_text()
    assert old in text
    with fresh.changed({file: text.replace(old, new)}):
        ended = fresh.inv("deploy", "--no-browser")
    assert (ended.status, ended.stdout, ended.errors) == (2, "", [error])
    assert (ended.summary["build"], ended.began[-1]) == ("failed", "live")
    assert "approve" not in ended.began
    assert clouds.changes(fresh.sandbox) == []
