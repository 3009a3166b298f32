"""What a command line of a package manager does: run scripts, start another program, or install packages."""

from __future__ import annotations

import re
from collections.abc import Container, Sequence
from dataclasses import dataclass, replace

from ci.audit import folders, line, together, workspaces
from ci.audit.line import Line
from ci.audit.model import Package, Text

_HOOKS = ("preinstall", "install", "postinstall", "prepublish", "preprepare", "prepare", "postprepare")
_FILE = re.compile(r"^\.{0,2}/|\.[cm]?[jt]sx?$")

_RUN = {"run", "run-script", "rum", "urn"}
_EXECUTE = {"npm": {"exec", "x"}, "bun": {"x"}, "pnpm": {"exec", "dlx"}, "yarn": {"exec", "dlx"}}
_TEST = {"t": "test", "tst": "test"}
_NPM_SCRIPTS = {"test", "start", "stop", "restart"}

# Verbs of their own, which are no scripts: what they do does not matter here, `pnpm deploy` and `bun build` included.
_OWN = {
    "bun": """test repl exec add a remove rm update audit outdated link unlink publish patch pm info why build init
        create c upgrade feedback completions help prune deploy cloud config use auth login logout whoami""",
    "pnpm": """access add adduser approve-builds audit bin bugs c cache cat-file cat-index ci completion config create
        dedupe deploy deprecate dist-tag docs doctor edit env explain fetch find-hash get help home i ignored-builds
        import info init install install-test issues it la ln link licenses list ll login logout ls outdated owner pack
        patch patch-commit patch-remove ping pkg prefix profile prune publish rb rebuild remove repo restart rm root
        search self-update server set set-script setup show star stars store team token un uninstall unlink unpublish
        unstar up update upgrade v version view whoami why xmas""",
    "yarn": """add audit autoclean bin cache check config constraints create dedupe explain generate-lock-entry global
        help import info init install licenses link list login logout node npm outdated owner pack patch patch-commit
        plugin policies prune publish rebuild remove search set stage tag team unlink unplug up upgrade
        upgrade-interactive version versions why""",
}


@dataclass(frozen=True)
class Runs:
    """
    Scripts of package.json, in the order in which they run, their pre and post hooks among them.

    `arguments` are put behind each script that is called `name`, which leaves out the hooks. Not all known: others may
    run as well, or not each of these.
    """

    scripts: tuple[tuple[Package, str], ...]
    is_all_known: bool = True
    name: str = ""
    arguments: tuple[str, ...] = ()


@dataclass(frozen=True)
class Executes:
    """Another program, as if it were called by itself, in `folder`; `version` is the one that npx is to fetch."""

    argv: tuple[str, ...]
    folder: str | None
    version: str = ""


@dataclass(frozen=True)
class Installs:
    """
    An install of what package.json asks for, and the scripts that it then runs.

    Frozen: the lock file has the last word. None: see `Line.is_frozen`.
    """

    frozen: bool | None
    manager: str
    argv: tuple[str, ...]
    hooks: tuple[tuple[Package, str], ...] = ()


@dataclass(frozen=True)
class _Scope:
    """Where a command runs: in one folder, or in several packages."""

    folder: str | None
    packages: tuple[Package, ...]
    is_all_known: bool
    is_filtered: bool = False
    manager: Text | None = None


def read(
    argv: Sequence[str], folder: str | None, packages: Sequence[Package], *, known: Container[str | None] | None = None
) -> Runs | Executes | Installs | None:
    """
    Return what a command line does; None if it is not a package manager's, or does nothing that matters.

    Args:
        argv: words without quotes, variables kept as they are written.
        folder: where it runs, from the root; None: not known.
        packages: all of the repository.
        known: the folders of the repository, None for any: what runs in another one runs no scripts that are known.
    """
    said = line.parse(argv)
    if said is None:
        here = workspaces.owner(folder, packages)
        if tuple(argv[:2]) == ("node", "--run") and here and argv[2:]:
            return Runs(((here, argv[2]),) if argv[2] in here.scripts else (), name=argv[2], arguments=tuple(argv[3:]))
        text = together.text(argv, here.scripts if here else ())
        return None if text is None else Executes(("bash", "-c", text), folder)
    scope = _scope(said, folder, packages, known)
    if said.is_install:
        return _installs(said, tuple(argv), scope, packages)
    return _acts(said, scope, packages)


def _acts(said: Line, scope: _Scope, packages: Sequence[Package]) -> Runs | Executes | Installs | None:
    verb, words = said.verb, said.words
    if said.manager == "bun" and "only" in said.options and verb not in _RUN:
        return _runs(verb, words, scope, said)  # with a filter, bun knows no verbs of its own: `bun -F web build`
    if verb in _EXECUTE[said.manager]:
        return _executes(said, scope)
    if said.manager == "yarn" and verb in ("workspace", "workspaces"):
        return _yarn_workspaces(said, scope, packages)
    if (said.manager, verb) == ("bun", "exec") and words:
        return Executes(("bash", "-c", " ".join(words)), scope.folder)
    if "many" in said.options:
        found = (one for package in scope.packages for word in words for one in together.named(word, package.scripts))
        return Executes(("bash", "-c", " && ".join(f"bun run {one}" for one in found)), scope.folder)
    if verb in _RUN:
        return _runs(words[0], words[1:], scope, said) if words else None
    name = _TEST.get(verb, verb) if said.manager != "bun" else verb
    if not name or (name not in _NPM_SCRIPTS if said.manager == "npm" else name in _OWN[said.manager].split()):
        return None
    return _runs(name, words, scope, said)


def _scope(said: Line, folder: str | None, packages: Sequence[Package], known: Container[str | None] | None) -> _Scope:
    for path in said.options.get("folder", ()):
        folder = folders.joined(folder, path)
    here = workspaces.owner(folder, packages)
    if here is None or (known is not None and folder not in known):
        return _Scope(folder, (), is_all_known=False)
    root = workspaces.root(here, packages)
    family = workspaces.members(root, packages)
    scope = _Scope(folder, (here,), is_all_known=True, manager=root.manager or here.manager)
    if "only" in said.options:
        found = workspaces.chosen(said.options["only"], folder, family)
        return replace(scope, packages=found.packages, is_all_known=found.is_all_known, is_filtered=True)
    if "all" in said.options:
        rest = family if "with root" in said.options else family[1:]
        ordered = tuple(one for one in workspaces.in_order(family) if one in rest)
        return replace(scope, packages=ordered, is_filtered=True)
    return replace(scope, folder=root.folder, packages=(root,)) if "root" in said.options else scope


def _installs(said: Line, argv: tuple[str, ...], scope: _Scope, packages: Sequence[Package]) -> Installs:
    here = workspaces.owner(scope.folder, packages)
    root = workspaces.root(here, packages) if here else None
    family = workspaces.members(root, packages) if root and "--ignore-scripts" not in said.options else ()
    hooks = tuple((one, name) for one in (*family[1:], *family[:1]) for name in _HOOKS if name in one.scripts)
    return Installs(said.is_frozen(root), said.manager, argv, hooks)


def _executes(said: Line, scope: _Scope) -> Executes | None:
    folder = scope.folder
    if scope.is_filtered:
        folder = scope.packages[0].folder if len(scope.packages) == 1 else None
    if "call" in said.options or ("shell" in said.options and said.words):
        return Executes(("bash", "-c", " ".join(said.options.get("call") or said.words)), folder)
    if not said.words:
        return None
    name, rest = line.VERSION.sub("", said.words[0]), said.words[1:]
    if (said.manager, said.verb, rest[:1]) == ("npm", "exec", ("--",)):
        rest = rest[1:]  # npm takes the first one for itself
    return Executes((name, *rest), folder, said.words[0].removeprefix(name).removeprefix("@"))


def _runs(name: str, arguments: Sequence[str], scope: _Scope, said: Line) -> Runs | Executes | None:
    """Return the script's run; bun, pnpm and yarn look for a program of that name when there is no such script."""
    if not any(name in one.scripts for one in scope.packages) and said.manager != "npm":
        if _FILE.search(name):
            return Executes(("node", name, *arguments), scope.folder) if said.manager == "bun" else None
        if scope.is_all_known and (said.manager != "pnpm" or said.verb not in _RUN):
            return _executes(Line(said.manager, "x", {}, (name, *arguments)), scope)
    scripts = tuple((one, each) for one in scope.packages for each in with_hooks(one, name, scope.manager))
    arguments = arguments[1:] if arguments[:1] == ("--",) else arguments
    return Runs(scripts, scope.is_all_known and "$" not in name, name, tuple(arguments))


def with_hooks(package: Package, name: str, manager: Text | None) -> tuple[str, ...]:
    """Return the scripts that run when this one is asked for: itself and, but for yarn from 2 on, its pre and post."""
    is_berry = manager is not None and re.match(r"yarn@(?!1\.)", manager.value)
    names = (name,) if is_berry else (f"pre{name}", name, f"post{name}")
    return tuple(each for each in names if name in package.scripts and each in package.scripts)


def _yarn_workspaces(said: Line, scope: _Scope, packages: Sequence[Package]) -> Runs | Executes | Installs | None:
    here = workspaces.owner(scope.folder, packages)
    family = workspaces.members(workspaces.root(here, packages), packages) if here else ()
    if said.verb == "workspace":
        one = next((one for one in family if said.words and one.name == said.words[0]), None)
        return read(("yarn", *said.words[1:]), one.folder, packages) if one else Runs((), is_all_known=False)
    words = said.words[1:] if said.words[:1] == ("foreach",) else said.words
    inner = line.parse(("yarn", *words))
    if inner is None or inner.verb not in _RUN or not inner.words:
        return None
    chosen = workspaces.chosen(inner.options.get("only", ()), scope.folder, family)
    many = replace(scope, packages=chosen.packages, is_all_known=chosen.is_all_known, is_filtered=True)
    return _runs(inner.words[0], inner.words[1:], many, inner)
