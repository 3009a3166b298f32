"""Lock files, which are large: which there are, and the one version that is searched for in them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ci.audit.model import Package

if TYPE_CHECKING:
    from ci.audit.files import Files

MANAGERS = {
    "bun.lock": "bun",
    "bun.lockb": "bun",
    "package-lock.json": "npm",
    "npm-shrinkwrap.json": "npm",
    "pnpm-lock.yaml": "pnpm",
    "yarn.lock": "yarn",
}

_TEXTS = tuple(name for name in MANAGERS if name != "bun.lockb")
_LARGEST_BYTES = 32 << 20
_LEAST = re.compile(r"[\^~>=v\s]*(\d+)(?:\.(\d+|[x*]))?(?:\.(\d+|[x*])([\w.+-]*))?")


def paths(files: Files) -> tuple[str, ...]:
    """Return every lock file; the text of bun.lock is read, since one rule reads it all."""
    found = tuple(path for path in files.paths if path.rpartition("/")[2] in MANAGERS)
    for path in found:
        if path.endswith("bun.lock"):
            files.text(path, largest_bytes=_LARGEST_BYTES)
    return found


def version(files: Files, package: Package, root: Package, *, name: str) -> str:
    """Return the version of what a package depends on: as locked, else the least that its range lets in, else ""."""
    for folder in dict.fromkeys((package.folder, root.folder)):
        for lock in _TEXTS:
            text = files.text(f"{folder}/{lock}".lstrip("/"), largest_bytes=_LARGEST_BYTES)
            within = package.folder.removeprefix(folder).strip("/")
            if text and (found := _locked(text, _places(lock, package.name, within, re.escape(name)))):
                return found
    wanted = package.declared.get(name) or root.declared.get(name)
    return least(wanted.value) if wanted else ""


def least(range: str) -> str:
    """Return the least version that a range lets in, or "" where it says none, such as "latest" or "<2"."""
    found = _LEAST.match(range.removeprefix("npm:").removeprefix("workspace:"))
    if not found:
        return ""
    return ".".join(part if part and part.isdigit() else "0" for part in found.groups()[:3]) + (found[4] or "")


def _locked(text: str, places: Sequence[str]) -> str:
    found = (re.search(place + r"(\d+\.\d+\.\d+[\w.+-]*)", text, re.MULTILINE) for place in places)
    return next((match[1] for match in found if match), "")


def _places(lock: str, package: str, folder: str, name: str) -> tuple[str, ...]:
    """Return what stands before the version in a lock file, for this package first, then for any."""
    own, folder = re.escape(package), re.escape(folder)
    if lock == "bun.lock":
        return rf'^\s*"{own}/{name}": \["{name}@', rf'^\s*"{name}": \["{name}@'
    if lock == "pnpm-lock.yaml":
        importer = rf"^  ['\"]?{folder or '[.]'}['\"]?:\n(?:    .*\n)*?"
        return importer + rf"      ['\"]?{name}['\"]?:\n(?:        .*\n)*?        version: ", rf"^  ['\"]?/?{name}[@/]"
    if lock == "yarn.lock":
        return (rf'^"?{name}@[^\n]*\n  version:? "?',)
    installed = (f"{folder}/node_modules/" if folder else "node_modules/", "node_modules/", "")
    return tuple(rf'^\s*"{place}{name}": \{{\s*"version": "' for place in installed)
