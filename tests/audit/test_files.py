"""The files of a repository: what a clean checkout has, and what cannot be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from ci.audit.files import Files
from ci.audit.model import Skipped


def write(root: Path, **texts: str) -> Files:
    """Write files, `__` in a name being a slash, and list them."""
    for name, text in texts.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return Files(root)


@pytest.mark.parametrize(
    ("ignored", "left"),
    [
        ("out/\n*.log\n!keep.log\n", [".gitignore", "a/b.ts", "a/keep.log"]),
        ("/a\n", [".gitignore", "out/c.ts", "x.log"]),
        ("a/*.ts\n", [".gitignore", "a/d.log", "a/keep.log", "out/c.ts", "x.log"]),
        ("**/d.log\nb.*\n", [".gitignore", "a/keep.log", "out/c.ts", "x.log"]),
        ("*\n!*/\n!.gitignore\n", [".gitignore"]),
        ("", [".gitignore", "a/b.ts", "a/d.log", "a/keep.log", "out/c.ts", "x.log"]),
    ],
)
def test_what_git_ignores_is_not_there(tmp_path: Path, ignored: str, left: list[str]) -> None:
    names = ["a/b.ts", "a/d.log", "a/keep.log", "out/c.ts", "x.log"]
    files = write(tmp_path, **{"node_modules__n.js": "", ".gitignore": ignored}, **dict.fromkeys(names, ""))
    assert list(files.paths) == left


def test_a_deeper_gitignore_has_the_last_word(tmp_path: Path) -> None:
    texts = {".gitignore": "*.gen\n", "a__.gitignore": "!*.gen\n", "a__x.gen": "", "b__x.gen": ""}
    files = write(tmp_path, **texts)
    assert files.paths == (".gitignore", "a/.gitignore", "a/x.gen")
    assert (files.ignores("b/y.gen"), files.ignores("a/y.gen"), files.ignores("b/y.ts")) == (True, False, False)


def test_files_are_asked_for_by_folder(tmp_path: Path) -> None:
    files = write(tmp_path, a__b="", a__c__d="", ab="", **{"a.x": ""})
    assert (files.under("a"), files.under(""), files.under("c")) == (("a/b", "a/c/d"), files.paths, ())
    assert (files.exists("a/b"), files.exists("a"), files.exists("a/x")) == (True, False, False)


def test_links_are_followed_to_files_of_the_repository_only(tmp_path: Path) -> None:
    root = tmp_path / "root"
    write(root, real="text")
    (tmp_path / "outside").write_text("secret")
    for name, target in {"link": "real", "out": "../outside", "loop": "loop", "up": "..", "gone": "nothing"}.items():
        (root / name).symlink_to(target)
    files = Files(root)
    assert (files.paths, files.text("link"), files.text("out")) == (("link", "real"), "text", None)


def test_what_cannot_be_read_is_said_once(tmp_path: Path) -> None:
    write(tmp_path, big="x" * ((1 << 20) + 1), twice="a\r\nb")
    (tmp_path / "binary").write_bytes(b"a\0b")
    (tmp_path / "latin").write_bytes(b"caf\xe9")
    files = Files(tmp_path)
    read = {name: files.text(name) for name in (*files.paths, "big", "nothing")}
    assert read == {"big": None, "binary": None, "latin": "caf\ufffd", "nothing": None, "twice": "a\nb"}
    assert files.skipped == [Skipped("big", "is larger than 1 MiB"), Skipped("binary", "is not a text")]
    assert len(Files(tmp_path).text("big", largest_bytes=1 << 21) or "") == (1 << 20) + 1
