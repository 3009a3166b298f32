"""A command line of npm, bun, pnpm or yarn, taken apart; and whether an install obeys the lock file."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ci.audit.model import Package

VERSION = re.compile(r"(?<=.)@[^/]*$")

_PROGRAMS = {
    "npm": ("npm",),
    "npx": ("npm", "exec"),
    "bun": ("bun",),
    "bunx": ("bun", "x"),
    "pnpm": ("pnpm",),
    "pnpx": ("pnpm", "dlx"),
    "pnx": ("pnpm", "dlx"),
    "yarn": ("yarn",),
    "yarnpkg": ("yarn",),
}

# Options that take the next word, by what they mean here.
_VALUED: Mapping[str, Mapping[str, str]] = {
    "npm": {"--prefix": "folder", "-C": "folder", "--workspace": "only", "-w": "only", "--package": "package"}
    | {"-p": "package", "--call": "call", "-c": "call"}
    | dict.fromkeys(
        ("--loglevel", "--registry", "--cache", "--userconfig", "--omit", "--include", "--node-options"), ""
    ),
    "bun": {"--filter": "only", "-F": "only", "--cwd": "folder", "--package": "package"}
    | dict.fromkeys(("--env-file", "-c", "--config", "--registry", "--cache-dir", "--linker", "--backend"), "")
    | dict.fromkeys(("--omit", "--shell", "--elide-lines", "--preload", "-r", "--port", "--concurrent-scripts"), ""),
    "pnpm": {"--filter": "only", "-F": "only", "--filter-prod": "only", "--package": "package"}
    | dict.fromkeys(("-C", "--dir", "--prefix"), "folder")
    | dict.fromkeys(("--reporter", "--loglevel", "--store-dir", "--workspace-concurrency", "--registry"), "")
    | dict.fromkeys(("--virtual-store-dir", "--modules-dir", "--resume-from", "--lockfile-dir"), ""),
    "yarn": {"--cwd": "folder", "--package": "package", "-p": "package", "--include": "only", "--from": "only"}
    | dict.fromkeys(("--network-timeout", "--cache-folder", "--mutex", "--modules-folder", "--registry"), "")
    | dict.fromkeys(("--network-concurrency", "--mode", "--exclude", "-j", "--jobs"), ""),
}
_FLAGS: Mapping[str, Mapping[str, str]] = {
    "npm": {"--workspaces": "all", "-ws": "all", "--include-workspace-root": "with root", "-iwr": "with root"},
    "bun": {"--workspaces": "all", "--parallel": "many", "--sequential": "many"},
    "pnpm": {"-r": "all", "--recursive": "all", "-w": "root", "--workspace-root": "root", "-c": "shell"}
    | {"--shell-mode": "shell", "--include-workspace-root": "with root"},
    "yarn": {"-T": "root", "--top-level": "root"},
}

_CLEAN = {"ci", "clean-install", "install-clean", "ic"}
_INSTALLS = {
    "npm": {"install", "i", "add", "install-test", *_CLEAN},
    "bun": {"install", "i", "ci", "add", "a"},
    "pnpm": {"install", "i", "add", *_CLEAN},
    "yarn": {"install", "add", ""},
}
_ADDS = {"add", "a"}
_FREEZES = {"--frozen-lockfile", "--immutable", "--production"}
_BRINGS_NOTHING = {"-g", "--global", "--dry-run", "--lockfile-only", "--package-lock-only", "-h", "--help"}
_BRINGS_NOTHING |= {"-v", "--version"}


@dataclass(frozen=True)
class Line:
    """
    What a command line says: `bun run --filter web build --watch` has the verb `run` and the words `build --watch`.

    `options` are those of the manager itself, by what they mean: folder, only, all, root, package, call; others as
    they are written.
    """

    manager: str
    verb: str
    options: Mapping[str, tuple[str, ...]]
    words: tuple[str, ...]

    @property
    def is_install(self) -> bool:
        """Tell whether it brings what package.json asks for, `yarn` alone included."""
        return self.verb in _INSTALLS[self.manager] and not _BRINGS_NOTHING & self.options.keys()

    def is_frozen(self, root: Package | None) -> bool | None:
        """
        Tell whether, in CI, the install fails when the lock file is not what package.json asks for.

        None: it adds packages, so the question does not arise.

        Args:
            root: the root of the monorepo, whose configuration has a say.
        """
        if self.verb in _ADDS or self.words:
            return None
        if self.verb in _CLEAN or self.manager == "npm":
            return self.verb in _CLEAN
        said = [value[-1] != "false" for name, value in self.options.items() if name in _FREEZES]
        if said:
            # pnpm's and yarn's --production leave out packages; bun's freezes, too (1.4.5).
            return all(said) and (self.manager == "bun" or self.options.keys() & _FREEZES != {"--production"})
        if {"--no-frozen-lockfile", "--no-immutable", "--no-lockfile", "--fix-lockfile"} & self.options.keys():
            return False
        if root and self.manager in root.frozen:
            return root.frozen[self.manager]
        return _freezes_by_itself(self.manager, root)


def parse(argv: Sequence[str]) -> Line | None:
    """Return what a command line says, None if it is not a package manager's."""
    words = list(argv[1:] if argv and argv[0] == "corepack" else argv)
    program = _PROGRAMS.get(VERSION.sub("", words[0].rpartition("/")[2])) if words else None
    if not program:
        return None
    manager, *rest = *program, *words[1:]
    front, rest = options(rest, _VALUED[manager], _FLAGS[manager])
    verb, rest = (rest[0], rest[1:]) if rest else ("", [])
    is_anywhere = verb in _INSTALLS[manager] or (manager == "npm" and verb not in ("exec", "x"))
    if not is_anywhere and verb not in ("run", "run-script", "exec", "x", "dlx", "foreach", "workspaces"):
        return Line(manager, verb, front, tuple(rest))
    behind, rest = options(rest, _VALUED[manager], _FLAGS[manager], is_anywhere=is_anywhere)
    return Line(manager, verb, front | {name: (*front.get(name, ()), *of) for name, of in behind.items()}, tuple(rest))


def options(
    words: Sequence[str], valued: Mapping[str, str], flags: Mapping[str, str], *, is_anywhere: bool = False
) -> tuple[dict[str, tuple[str, ...]], list[str]]:
    """
    Take the options in front of the first other word, or all up to `--`.

    Args:
        valued: options that take the next word, and what they mean.
        flags: others, and what they mean.

    Returns:
        The values by meaning, "" for a flag; the words that are left.
    """
    found: dict[str, tuple[str, ...]] = {}
    left: list[str] = []
    waiting = list(words)
    while waiting:
        word = waiting.pop(0)
        if word == "--" or (not word.startswith("-") and not is_anywhere):
            return found, [*left, *([] if word == "--" else [word]), *waiting]
        if not word.startswith("-"):
            left.append(word)
            continue
        name, is_given, value = word.partition("=")
        if name in valued and not is_given and waiting:
            value = waiting.pop(0)
        meaning = valued.get(name) or flags.get(name) or name
        found[meaning] = (*found.get(meaning, ()), value)
    return found, left


def _freezes_by_itself(manager: str, root: Package | None) -> bool:
    """Tell what an install does in CI: pnpm, and yarn from 2 on, notice that they are there."""
    if manager != "yarn":
        return manager == "pnpm"
    wanted = root.manager.value if root and root.manager else ""
    return wanted.startswith("yarn@") and not wanted.startswith("yarn@1.")  # GitHub's runners bring yarn 1
