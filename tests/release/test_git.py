"""What git prints becomes the facts that preflight judges."""

from __future__ import annotations

import subprocess
from pathlib import Path

from ci.release import git
from ci.release.git import Tree


def run(argv: list[str]) -> str:
    done = subprocess.run(argv, capture_output=True, text=True, timeout=20, check=False)
    return done.stdout


def read(folder: Path) -> Tree:
    return git.tree(run(git.status_argv(folder)), run(git.message_argv(folder)), run(git.branches_argv(folder)))


def repository(folder: Path) -> Path:
    for words in (
        ["init", "--quiet", "--initial-branch=main"],
        ["config", "user.name", "Somebody"],
        ["config", "user.email", "somebody@example.com"],
        ["commit", "--quiet", "--allow-empty", "--message", "Ship it\n\nbody"],
    ):
        run(["git", "-C", str(folder), *words])
    return folder


def test_a_clean_branch(tmp_path: Path) -> None:
    tree = read(repository(tmp_path))
    assert (tree.message, tree.branches, tree.changed, len(tree.commit)) == ("Ship it", ("main",), (), 40)


def test_uncommitted_files_are_named(tmp_path: Path) -> None:
    (repository(tmp_path) / "new file").write_text("")
    assert read(tmp_path).changed == ("new file",)


def test_uncommitted_settings_beside_the_app_count_and_the_rest_there_does_not(tmp_path: Path) -> None:
    app = repository(tmp_path) / "app"
    app.mkdir()
    for name in ("lockstep.toml", "notes.txt", "app/page.html"):
        (tmp_path / name).write_text("")
    assert set(read(app).changed) == {"../lockstep.toml", "./"}


def test_a_detached_checkout_is_known_by_the_remote_branch_it_stands_at(tmp_path: Path) -> None:
    origin, clone = tmp_path / "origin", tmp_path / "clone"
    origin.mkdir()
    repository(origin)
    run(["git", "clone", "--quiet", str(origin), str(clone)])
    run(["git", "-C", str(clone), "checkout", "--quiet", "--detach"])
    assert "origin/main" in read(clone).branches


def test_a_folder_without_a_repository_has_no_commit(tmp_path: Path) -> None:
    assert read(tmp_path) == Tree(git.NO_COMMIT, "", (), ())
