"""A site is stamped with what it is, and one that must not be published is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ci.errors import InputError, LockstepError
from ci.release import manifest
from ci.release.git import Tree

URL = "https://graceful-shrimp-355.convex.cloud"
CALLED = {"c:d", "a:b"}
TREE = Tree("a" * 40, "message", ("main",), ())


def dist(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def refused(folder: Path, client: Path) -> str:
    with pytest.raises(LockstepError) as caught:
        manifest.check_dist(folder, URL, client)
    return caught.value.message.replace(str(folder), "DIST")


def test_a_site_that_names_its_backend_passes(tmp_path: Path) -> None:
    client = dist(tmp_path / "client", dist__esm__index_dot_js='"https://happy-otter-123.convex.cloud"')
    site = dist(
        tmp_path / "dist",
        index_dot_html="<script src=/a.js>",
        a_dot_js=f'"{URL}" "https://graceful-shrimp-355.convex.site" "https://happy-otter-123.convex.cloud"',
    )
    assert manifest.check_dist(site, URL, client) is None  # type: ignore[func-returns-value]  # None is the verdict


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "there is no index.html in DIST, so there is no site to publish"),
        ({"index_dot_html": ""}, f"the built site does not name its backend, {URL}"),
        ({"index_dot_html": "", "a_dot_js": f"{URL} https://beaming-gull-639.convex.cloud"},
         "the built site names another backend, https://beaming-gull-639.convex.cloud (a.js)"),
    ],
)  # fmt: skip
def test_a_site_that_must_not_be_published_is_refused(tmp_path: Path, files: dict[str, str], said: str) -> None:
    assert refused(dist(tmp_path, **files), tmp_path / "none") == said


def test_a_site_that_the_build_did_not_write_is_refused(tmp_path: Path) -> None:
    index = dist(tmp_path, index_dot_html="") / "index.html"
    manifest.check_built_since(tmp_path, index.stat().st_mtime)
    with pytest.raises(InputError) as caught:
        manifest.check_built_since(tmp_path, index.stat().st_mtime + 60)
    assert caught.value.message == f"the build did not write {index}, which is from before"


def test_the_same_content_and_commit_are_the_same_release(tmp_path: Path) -> None:
    site = dist(tmp_path, index_dot_html="x")
    first = manifest.stamp(site, TREE, "prod:graceful-shrimp-355", URL, CALLED)
    again = manifest.stamp(site, TREE, "prod:graceful-shrimp-355", URL, CALLED)
    other = manifest.stamp(dist(tmp_path, index_dot_html="y"), TREE, "prod:graceful-shrimp-355", URL, CALLED)

    assert first == again == manifest.Stamp(
        1, first.release, "a" * 40, False, {"deployment": "prod:graceful-shrimp-355", "url": URL}, ("a:b", "c:d")
    )  # fmt: skip
    assert (first.release[:13], manifest.read(site)) == ("aaaaaaaaaaaa-", other)
    assert first.release != other.release


def test_a_site_that_was_stamped_without_functions_is_read_and_its_calls_are_unknown(tmp_path: Path) -> None:
    manifest.stamp(dist(tmp_path, index_dot_html="x"), TREE, "prod:graceful-shrimp-355", URL, CALLED)
    place = tmp_path / manifest.PATH
    before = json.loads(place.read_text())
    assert before.pop("functions") == ["a:b", "c:d"]
    place.write_text(json.dumps(before))
    assert manifest.read(tmp_path).functions is None
