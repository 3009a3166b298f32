"""What turbo.json says, which scripts a `turbo run` runs, and which variables it keeps from them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ci.audit import folders, jsonc, line, locks, managers, strict, workspaces
from ci.audit.jsonc import Node
from ci.audit.model import Drop, Link, Package, Text, Turbo, TurboTask

if TYPE_CHECKING:
    from ci.audit.files import Files

ROOT = "//"
_EXTENDS = "$TURBO_EXTENDS$"
_NAMES = ("turbo.json", "turbo.jsonc")
_MOST_TASKS = 2_000

_VALUED = dict.fromkeys(
    ("--concurrency", "--cache-dir", "--output-logs", "--log-order", "--log-prefix", "--cache", "--cache-workers"), ""
)
_VALUED |= dict.fromkeys(("--token", "--team", "--api", "--ui", "--remote-cache-timeout", "--ignore", "--port"), "")
_VALUED |= {"--filter": "only", "-F": "only", "--scope": "only", "--cwd": "folder", "--env-mode": "mode"}
_FLAGS = {"--since": "since", "--affected": "since", "--dry-run": "dry", "--dry": "dry", "--graph": "dry"}
_COMMANDS = """bin boundaries clean completion config daemon devtools docs gen generate get-mfe-port info link login
    logout ls prune query scan telemetry unlink watch"""


@dataclass(frozen=True)
class TurboRun:
    """
    A script that turbo runs in a package, as one of its tasks, and why.

    `scripts` are its hooks and itself, in order; `arguments` are put behind the one called `script`. Not sure: a
    filter asks git what changed, or is computed.
    """

    package: Package
    script: str
    scripts: tuple[str, ...]
    task: TurboTask
    chain: tuple[Link, ...]
    turbo: Turbo
    arguments: tuple[str, ...] = ()
    is_strict: bool = True
    is_sure: bool = True

    def drop(self, name: str) -> Drop | None:
        """Return what keeps a variable from the script, None if it gets through."""
        if not self.is_strict or strict.passes(name, self.turbo, self.task, self.package):
            return None
        return Drop(self.chain[-1].text, self.task.at)


def read(files: Files, packages: Sequence[Package]) -> Turbo | None:
    """Return what the turbo.json nearest to the root says, with those of the packages below it; None without one."""
    root = next((one for one in packages if _path(files, one)), None)
    if root is None:
        return None
    path = _path(files, root)
    node = jsonc.read(files, path)
    generic = dict(_tasks(node))
    for one in workspaces.members(root, packages)[1:]:
        if one.name and (own := _path(files, one)):
            _extend(generic, one.name, jsonc.read(files, own))
    return Turbo(
        path=path,
        tasks=tuple(generic.values()),
        global_env=node["globalEnv"].texts,
        global_pass_through=node["globalPassThroughEnv"].texts,
        is_strict=_is_strict(node),
        version=locks.version(files, root, root, name="turbo"),
    )


def run(
    turbo: Turbo,
    argv: Sequence[str],
    folder: str | None,
    packages: Sequence[Package],
    env: Mapping[str, Text] | None = None,
) -> tuple[TurboRun, ...]:
    """
    Return the scripts that a command line of turbo runs, in order; none if it is not one that runs any.

    Args:
        argv: `turbo` and its words.
        folder: where it runs.
        packages: all of the repository.
        env: the variables that it sees; TURBO_ENV_MODE has a say.
    """
    root = next(one for one in packages if one.folder == turbo.path.rpartition("/")[0])
    family = workspaces.members(root, packages)
    options, words = line.options(argv[1:], _VALUED, _FLAGS, is_anywhere=True)
    words, arguments = _split(argv, words)
    if words[:1] == ["run"]:
        words = words[1:]
    elif words and words[0] in _COMMANDS.split():
        return ()
    if "dry" in options or not words:
        return ()
    chosen = _chosen(options, folder, family)
    only = {(one.folder, word) for one in chosen.packages for word in words} if "--only" in options else None
    walk = _Walk(turbo, family, only)
    for word in words:
        walk.ask(word, chosen.packages)
    mode = (options.get("mode") or (env["TURBO_ENV_MODE"].value if env and "TURBO_ENV_MODE" in env else "",))[-1]
    found = [walk.made(node, root.manager) for node in walk.found]
    return tuple(
        replace(
            one,
            arguments=tuple(arguments) if one.script in words else (),
            is_strict=one.is_strict if mode in ("", "infer") else mode == "strict",
            is_sure=chosen.is_all_known,
        )
        for one in found
        if one.scripts
    )


def _path(files: Files, package: Package) -> str:
    paths = (f"{package.folder}/{name}".lstrip("/") for name in _NAMES)
    return next((path for path in paths if files.exists(path)), "")


def _is_strict(node: Node) -> bool:
    if "pipeline" in node.members:  # version 1 is strict only where variables to pass are named
        return "globalPassThroughEnv" in node.members
    return node["envMode"].string != "loose"


def _tasks(node: Node) -> Iterator[tuple[tuple[str, str], TurboTask]]:
    """Yield the tasks of a turbo.json, those of version 1 included, by package and name."""
    for key, said in (node["tasks"].members or node["pipeline"].members).items():
        package, _, name = key.rpartition("#")
        yield (package, name), _over(TurboTask(name, package, said.at), said)


def _over(base: TurboTask, said: Node) -> TurboTask:
    """Return a task with what a turbo.json says of it put over what it was."""

    def list_of(key: str, was: tuple[Text, ...]) -> tuple[Text, ...]:
        if key not in said.members:
            return was
        texts = said[key].texts
        kept = tuple(text for text in texts if text.value != _EXTENDS)
        return kept if len(kept) == len(texts) else (*was, *kept)

    return replace(
        base,
        at=said.at,
        depends_on=list_of("dependsOn", base.depends_on),
        env=list_of("env", base.env),
        pass_through=list_of("passThroughEnv", base.pass_through),
        cache=said["cache"].value is not False if "cache" in said.members else base.cache,
        beside=list_of("with", base.beside),
    )


def _extend(tasks: dict[tuple[str, str], TurboTask], package: str, node: Node) -> None:
    """Put the turbo.json of a package over that of the root."""
    for name, said in node["tasks"].members.items():
        base = tasks.get((package, name)) or tasks.get(("", name)) or TurboTask(name, package, said.at)
        tasks[package, name] = _over(replace(base, package=package), said)


def _split(argv: Sequence[str], words: list[str]) -> tuple[list[str], list[str]]:
    """Take the words behind `--` apart: turbo hands them on."""
    count = len(argv) - argv.index("--") - 1 if "--" in argv else 0
    return words[: len(words) - count], words[len(words) - count :]


def _chosen(options: Mapping[str, tuple[str, ...]], folder: str | None, family: Sequence[Package]) -> workspaces.Chosen:
    """Return the packages that are asked for: by filters, else those at or below the folder where turbo runs."""
    for path in options.get("folder", ()):
        folder = folders.joined(folder, path)
    is_all_known = folder is not None and "since" not in options
    if "only" in options:
        found = workspaces.chosen(options["only"], folder, family)
        return replace(found, is_all_known=found.is_all_known and is_all_known)
    inside = folder if folder and "folder" not in options else ""
    here = workspaces.owner(inside, family)
    below = tuple(one for one in family if here is one or f"{one.folder}/".startswith(f"{inside}/"))
    return workspaces.Chosen(below if inside else tuple(family), is_all_known)


@dataclass(frozen=True)
class _Node:
    package: Package
    name: str
    task: TurboTask
    chain: tuple[Link, ...]


class _Walk:
    """The tasks of one run, each after those that it depends on."""

    def __init__(self, turbo: Turbo, family: Sequence[Package], only: set[tuple[str, str]] | None) -> None:
        self.found: list[_Node] = []
        self._turbo, self._root, self._only = turbo, family[0], only
        self._tasks = {(task.package, task.name): task for task in turbo.tasks}
        self._named = {one.name: one for one in family[1:]} | {ROOT: family[0]}
        self._uses = workspaces.graph(family)
        self._seen: set[tuple[str, str]] = set()

    def ask(self, word: str, packages: Sequence[Package]) -> None:
        """Take the task that a command line names, in each of these packages, or in its own."""
        package, _, name = word.rpartition("#")
        chosen = [self._named[package]] if package in self._named else packages
        for one in chosen:
            self._visit(one, name, ())

    def made(self, node: _Node, manager: Text | None) -> TurboRun:
        """Return the run that a task comes to."""
        scripts = managers.with_hooks(node.package, node.name, manager)
        is_strict = self._turbo.is_strict or (self._turbo.version.startswith("1.") and bool(node.task.pass_through))
        return TurboRun(node.package, node.name, scripts, node.task, node.chain, self._turbo, is_strict=is_strict)

    def _visit(self, package: Package, name: str, chain: tuple[Link, ...]) -> None:
        """Walk without recursion: a chain of packages may be long."""
        waiting = [(package, name, chain)]
        entered: list[_Node] = []
        while waiting:
            package, name, chain = waiting.pop()
            key = (package.folder, name)
            if entered and entered[-1].package is package and entered[-1].name == name:
                self.found.append(entered.pop())
                continue
            task = self._task(package, name)
            if key in self._seen or task is None or len(self._seen) == _MOST_TASKS:
                continue
            self._seen.add(key)
            label = f"{ROOT if package is self._root else package.name}#{name}"
            chain = (*chain, Link(f'turbo task "{label}"', task.at))
            entered.append(_Node(package, name, task, chain))
            waiting.append((package, name, chain))
            needs = [need for need in self._needs(package, task) if self._lets(*need)]
            waiting += [(*need, chain) for need in reversed(needs)]

    def _lets(self, package: Package, name: str) -> bool:
        return self._only is None or (package.folder, name) in self._only

    def _task(self, package: Package, name: str) -> TurboTask | None:
        own = ROOT if package is self._root else package.name
        is_shared = package is not self._root or not self._root.workspaces
        return self._tasks.get((own, name)) or (self._tasks.get(("", name)) if is_shared else None)

    def _needs(self, package: Package, task: TurboTask) -> Iterator[tuple[Package, str]]:
        for text in (*task.depends_on, *task.beside):
            where, _, name = text.value.rpartition("#")
            if text.value.startswith("^"):
                yield from ((one, text.value[1:]) for one in self._uses[package.folder] if one is not self._root)
            elif where in self._named:
                yield self._named[where], name
            elif not where and not name.startswith("$"):  # version 1 named variables here
                yield package, name
