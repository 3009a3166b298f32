"""What `nx` runs: the targets of project.json and the scripts of package.json, with those that they depend on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ci.audit import arguments, folders, jsonc, workspaces
from ci.audit.files import Files
from ci.audit.jsonc import Node
from ci.audit.model import Package, Place, Text

_VALUED = arguments.some("-t --target --targets -p --projects --parallel --exclude --base --head -c --configuration")
_OTHER = arguments.some(
    "release reset graph list report format format:check format:write sync migrate add init g generate"
)


@dataclass(frozen=True)
class Task:
    """A command that a target runs, and where."""

    name: str  # project:target
    at: Place
    folder: str
    text: Text


@dataclass(frozen=True)
class _Project:
    name: str
    folder: str
    targets: Node
    package: Package | None


def tasks(files: Files, packages: Sequence[Package], argv: Sequence[str]) -> tuple[Task, ...] | None:
    """Return what a command line runs, in order; none of it may matter. None: it cannot be told."""
    words = arguments.words(argv, _VALUED)
    if not words or words[0] in _OTHER:
        return ()
    projects = _projects(files, packages)
    asked = arguments.value(argv, "-t", "--target", "--targets") or ""
    names = [name.strip() for name in asked.split(",") if name.strip()]
    if words[0] in ("run-many", "affected"):
        only = arguments.value(argv, "-p", "--projects")
        chosen = [one for one in projects if only is None or one.name in only.split(",")]
        names += words[1:]
    elif words[0] == "run":
        project, _, target = "".join(words[1:2]).partition(":")
        chosen, names = [one for one in projects if one.name == project], [target.partition(":")[0]]
    else:
        chosen, names = [one for one in projects if one.name == "".join(words[1:2])], [words[0]]
    walk = _Walk(projects, jsonc.read(files, "nx.json") if files.exists("nx.json") else None)
    found = tuple(task for name in names for one in chosen for task in walk.run(one, name))
    is_known = any(walk.is_known(one, name) for name in names for one in chosen)
    return found if is_known else None


def _projects(files: Files, packages: Sequence[Package]) -> list[_Project]:
    found: dict[str, _Project] = {}
    nothing = Node(None, jsonc.Source("", ""), 0)
    for package in packages:
        found[package.folder] = _Project(package.name, package.folder, nothing, package)
    for path in files.paths:
        folder, _, name = path.rpartition("/")
        if name == "project.json":
            node = jsonc.read(files, path)
            own = found[folder].package if folder in found else None
            known = node["name"].string or (own.name if own else folder.rpartition("/")[2])
            found[folder] = _Project(known, folder, node["targets"], own)
    return list(found.values())


class _Walk:
    def __init__(self, projects: Sequence[_Project], settings: Node | None) -> None:
        self.projects = projects
        self.settings = settings
        self.done: set[tuple[str, str]] = set()
        self.graph = workspaces.graph([one.package for one in projects if one.package])

    def is_known(self, project: _Project, name: str) -> bool:
        return name in project.targets.members or bool(project.package and name in project.package.scripts)

    def run(self, project: _Project, name: str) -> Iterator[Task]:
        """Yield what a target runs, what it depends on first, each once."""
        if (project.folder, name) in self.done:
            return
        self.done.add((project.folder, name))
        for need in self.needs(project, name):
            if need.startswith("^"):
                for package in self.graph.get(project.folder, ()):
                    for other in self.projects:
                        if other.folder == package.folder:
                            yield from self.run(other, need[1:])
            else:
                yield from self.run(project, need)
        for at, folder, text in _commands(project, name):
            yield Task(f"{project.name}:{name}", at, folder, text)

    def needs(self, project: _Project, name: str) -> list[str]:
        own = project.targets[name]["dependsOn"]
        defaults = self.settings["targetDefaults"][name]["dependsOn"] if self.settings else own
        node = own if own.value is not None else defaults
        return [one.string or one["target"].string for one in node.items]


def _commands(project: _Project, name: str) -> Iterator[tuple[Place, str, Text]]:
    target = project.targets[name]
    options = target["options"]
    written = options["cwd"].string.replace("{projectRoot}", project.folder).replace("{workspaceRoot}", ".")
    folder = folders.joined("", written or ".") or ""
    single = options["command"].text or target["command"].text
    several = [one.text or one["command"].text for one in options["commands"].items]
    for text in [single] if single else several:
        if text:
            yield target.at, folder, text
    script = options["script"].string or name
    package = project.package
    if not single and not several and package and script in package.scripts:
        text = package.scripts[script]
        yield text.at, package.folder, Text(f"npm run {script}", text.at)
