"""Folders of the repository, from its root; what leaves it, or is not known, is None."""

from __future__ import annotations

import posixpath
import re

ROOT = "\N{HOUSE BUILDING}"  # stands for the absolute path of the repository in the values of variables

_WORKSPACE = re.compile(r"\$\{\{\s*(github\.workspace|env\.GITHUB_WORKSPACE)\s*\}\}|\$\{?GITHUB_WORKSPACE\}?")


def joined(folder: str | None, path: str) -> str | None:
    """Return the folder (or file) that `path` is, seen from `folder`."""
    path = _WORKSPACE.sub(ROOT, path)
    if path.startswith(ROOT):
        folder, path = "", path.removeprefix(ROOT).lstrip("/")
    if folder is None or "$" in path or "{{" in path or path.startswith(("/", "~")):
        return None
    whole = posixpath.normpath(posixpath.join(folder, path))
    if whole == ".." or whole.startswith("../"):
        return None
    return "" if whole == "." else whole
