"""What git ignores: every .gitignore from the top of the repository down, the deepest that says something winning."""

from __future__ import annotations

import os
import warnings

from pathspec import GitIgnoreSpec

# (folder, its rules), the deepest first
Rules = tuple[tuple[str, GitIgnoreSpec], ...]


def above(root: str) -> Rules:
    """Return the rules of the repository's folders above `root`; none where they ignore `root` itself."""
    rules: Rules = ()
    folders = [root]
    while not os.path.exists(os.path.join(folders[-1], ".git")):
        parent = os.path.dirname(folders[-1])
        if parent == folders[-1]:
            return ()
        folders.append(parent)
    for folder in reversed(folders[1:]):
        rules = within(folder, rules)
    return () if ignores(rules, root, folder=True) else rules


def within(folder: str, rules: Rules) -> Rules:
    """Return `rules` with those of `folder`'s own .gitignore first, if it has one that can be read."""
    try:
        with open(os.path.join(folder, ".gitignore"), encoding="utf-8", errors="replace") as file:
            lines = file.readlines()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a pattern such as [[ is nothing that our user can mend
            return ((folder, GitIgnoreSpec.from_lines(lines)), *rules)
    except (OSError, ValueError):
        return rules


def ignores(rules: Rules, path: str, *, folder: bool) -> bool:
    """Tell whether git ignores `path`."""
    for base, spec in rules:
        decided = spec.check_file(path[len(base) + 1 :] + "/" * folder).include
        if decided is not None:
            return decided
    return False
