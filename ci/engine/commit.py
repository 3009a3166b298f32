"""The commit that a checkout is at, read from git's own files: starting git would cost each run some milliseconds."""

import re
from pathlib import Path

REFS_DEEP = 5  # of references to references; git itself allows as many
SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


def read(folder: Path) -> str:
    """
    Return the commit that `folder` is at, or "" where none can be read: no git, no commit yet, or reftable storage.

    Source: gitrepository-layout(5) for .git files, commondir, refs and packed-refs; read 2026-11-22.
    """
    try:
        git = _git(folder)
        return _resolved(git, _common(git), "HEAD")
    except (OSError, UnicodeDecodeError):
        return ""


def _git(folder: Path) -> Path:
    """Return git's folder: beside or above `folder`, or where a worktree's file points to."""
    for parent in (folder, *folder.parents):
        git = parent / ".git"
        if git.is_dir():
            return git
        if git.is_file():
            return parent / git.read_text(encoding="utf-8").removeprefix("gitdir:").strip()
    raise FileNotFoundError


def _common(git: Path) -> Path:
    """Return the folder that a worktree shares with its repository; its branches are there."""
    shared = git / "commondir"
    return git / shared.read_text(encoding="utf-8").strip() if shared.is_file() else git


def _resolved(git: Path, common: Path, name: str) -> str:
    for _ in range(REFS_DEEP):
        said = _text(git / name) or _text(common / name) or _packed(common, name)
        if not said.startswith("ref:"):
            return said if SHA.fullmatch(said) else ""
        name = said.removeprefix("ref:").strip()
    return ""


def _packed(common: Path, name: str) -> str:
    lines = map(str.split, _text(common / "packed-refs").splitlines())
    return next((words[0] for words in lines if words[1:] == [name]), "")


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8").strip() if path.is_file() else ""
