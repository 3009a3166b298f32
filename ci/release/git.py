"""What the working tree of the app is: commit, branch, and whether anything is uncommitted."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

NO_COMMIT = "0" * 40


@dataclass(frozen=True)
class Tree:
    """The app's working tree; `branches` are all that stand at its commit, remote ones as "origin/main"."""

    commit: str
    message: str
    branches: tuple[str, ...]
    changed: tuple[str, ...]

    @property
    def dirty(self) -> bool:
        """Tell whether what is shipped may differ from the commit."""
        return bool(self.changed)


def status_argv(folder: Path) -> list[str]:
    """Return the argv that prints the commit, the branch, and what is uncommitted in `folder` and of the settings."""
    return ["git", "-C", str(folder), "status", "--porcelain=v2", "--branch", "--", ".", ":(top)lockstep.toml"]


def message_argv(folder: Path) -> list[str]:
    """Return the argv that prints the first line of the commit's message."""
    return ["git", "-C", str(folder), "log", "-1", "--format=%s"]


def branches_argv(folder: Path) -> list[str]:
    """Return the argv that prints the remote branches at HEAD: a detached checkout, as in CI, has no other name."""
    return [
        "git",
        "-C",
        str(folder),
        "for-each-ref",
        "--points-at=HEAD",
        "--format=%(refname:lstrip=2)",
        "refs/remotes",
    ]


def behind_argv(folder: Path, commit: str) -> list[str]:
    """Return the argv that prints how many commits HEAD is ahead of `commit`; it fails for one that is not known."""
    return ["git", "-C", str(folder), "rev-list", "--count", f"{commit}..HEAD", "--"]


def tree(status: str, message: str, branches: str) -> Tree:
    """Return what the three commands printed, read together; empty texts are a folder without commits."""
    head, changed = {}, []
    for line in status.splitlines():
        if line.startswith("# branch."):
            key, _, value = line.removeprefix("# branch.").partition(" ")
            head[key] = value
        elif line:
            changed.append(line.split(" ", 8)[-1] if line[0] in "12u" else line[2:])
    commit = head.get("oid", NO_COMMIT)
    here = [] if head.get("head", "(detached)") == "(detached)" else [head["head"]]
    names = here or branches.split()
    return Tree(NO_COMMIT if commit == "(initial)" else commit, message.strip(), tuple(names), tuple(changed))
