"""The commit of a checkout is the one that git says, however git keeps it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from ci.engine import commit


def git(folder: Path, *argv: str) -> str:
    env = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1"}
    who = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    return subprocess.run(
        ["git", *who, *argv], cwd=folder, env=env, check=True, capture_output=True, encoding="utf-8"
    ).stdout.strip()


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q", "-b", "main", "tree")
    git(tmp_path / "tree", "commit", "-q", "--allow-empty", "-m", "first")
    return tmp_path / "tree"


@pytest.mark.parametrize(
    "argv",
    [
        ["status"],
        ["pack-refs", "--all"],
        ["checkout", "-q", "--detach"],
        ["checkout", "-q", "-b", "feature/one"],
        ["worktree", "add", "-q", "../other"],
    ],
    ids=" ".join,
)
def test_the_commit_is_read_as_git_reads_it(tree: Path, argv: list[str]) -> None:
    git(tree, *argv)
    places = [tree, *filter(Path.is_dir, [tree / "../other"])]
    for place in places:
        git(place, "commit", "-q", "--allow-empty", "-m", "second")
        assert commit.read(place) == git(place, "rev-parse", "HEAD")


def test_packed_references_are_read(tree: Path) -> None:
    git(tree, "pack-refs", "--all")
    assert not (tree / ".git/refs/heads/main").exists()
    assert commit.read(tree) == git(tree, "rev-parse", "HEAD")


def test_a_folder_of_the_checkout_has_its_commit(tree: Path) -> None:
    (tree / "apps/web").mkdir(parents=True)
    assert commit.read(tree / "apps/web") == git(tree, "rev-parse", "HEAD")


@pytest.mark.parametrize("head", ["", "nonsense", "ref: refs/heads/none", "ref: HEAD", "\xff"])
def test_what_cannot_be_read_is_no_commit(tree: Path, head: str) -> None:
    (tree / ".git/HEAD").write_bytes(head.encode("latin-1"))
    assert commit.read(tree) == ""


def test_a_folder_without_git_has_no_commit() -> None:
    assert commit.read(Path("/proc/self")) == ""
