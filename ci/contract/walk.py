"""The files below a folder that may call Convex: sources and scripts, not what was generated, installed or ignored."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from ci.contract import ignored
from ci.contract.ignored import Rules
from ci.contract.markup import MARKUP

SOURCES = (".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs", *MARKUP)
SCRIPTS = (".sh", ".bash", ".zsh", ".yml", ".yaml", ".toml")
COMMANDS = ("package.json", "project.json")  # whose strings may be commands

_DECLARATIONS = (".d.ts", ".d.mts", ".d.cts", ".min.js")
_NEVER = {"node_modules", "bower_components", "site-packages", "_generated"}
# At the top of a package; further down they may be anybody's sources: a market's vendors, an insurer's coverage.
_NOT_AT_THE_TOP = {"build", "out", "dist", "coverage", "vendor", "third_party"}
# Hidden folders that hold scripts or sources.
_HIDDEN = {".github", ".gitlab", ".circleci", ".husky", ".buildkite", ".well-known", ".server", ".client"}
_SETTINGS = {"package.json", ".gitignore"}

Signature = tuple[int, int, int]  # size, mtime in ns, inode: a file that has the same three is taken to be the same


@dataclass
class Listing:
    """What the walk found; paths are absolute."""

    files: dict[str, Signature] = field(default_factory=dict)
    settings: dict[str, Signature] = field(default_factory=dict)
    generated: list[str] = field(default_factory=list)
    unread: dict[str, str] = field(default_factory=dict)
    rules: dict[str, Rules] = field(default_factory=dict)

    def ignores(self, path: str) -> bool:
        """Tell whether git ignores the file; asked only of the few that call Convex, since it is slow to ask."""
        return ignored.ignores(self.rules.get(os.path.dirname(path), ()), path, folder=False)


def walk(root: str) -> Listing:
    """Return the files below `root`; links are not followed, so a loop of them does no harm."""
    listing = Listing()
    folders = [(root, ignored.above(root))]
    while folders:
        folder, rules = folders.pop()
        try:
            with os.scandir(folder) as found:
                entries = list(found)
        except OSError as error:
            listing.unread[folder] = f"could not be read: {(error.strerror or str(error)).lower()}"
            continue
        names = {entry.name for entry in entries}
        at_the_top = folder == root or "package.json" in names
        if ".gitignore" in names:
            rules = ignored.within(folder, rules)
        listing.rules[folder] = rules
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                if _enters(entry, listing, at_the_top=at_the_top) and not ignored.ignores(
                    rules, entry.path, folder=True
                ):
                    folders.append((entry.path, rules))
            elif entry.is_file(follow_symlinks=False):
                _add(entry, listing)
    return listing


def _enters(entry: os.DirEntry[str], listing: Listing, *, at_the_top: bool) -> bool:
    name = entry.name
    if name == "_generated":
        listing.generated.append(entry.path)
    hidden = name.startswith(".") and name not in _HIDDEN
    return not (hidden or name in _NEVER or (at_the_top and name in _NOT_AT_THE_TOP))


def _add(entry: os.DirEntry[str], listing: Listing) -> None:
    name = entry.name
    settings = name in _SETTINGS or (name.endswith(".json") and name.startswith(("tsconfig", "jsconfig")))
    readable = name in COMMANDS or name.endswith((*SOURCES, *SCRIPTS, ".py")) or ("." not in name)
    if not (settings or readable) or name.endswith(_DECLARATIONS):
        return
    try:
        stat = entry.stat(follow_symlinks=False)
    except OSError:
        return  # gone since the folder was read
    signature = (stat.st_size, stat.st_mtime_ns, stat.st_ino)
    if settings:
        listing.settings[entry.path] = signature
    if readable:
        listing.files[entry.path] = signature
