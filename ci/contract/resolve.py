"""Where an import leads: to a file, to a backend's generated api, or out of the repository."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from ci.contract import settings
from ci.contract.walk import SOURCES, Listing

_GENERATED = re.compile(r"^(?P<folder>.*?)/?_generated/api(?:_cjs)?(?:\.d)?(?:\.[cm]?[jt]s)?$")
_ALIAS = re.compile(r"^(?P<folder>[@~#$]?/?(?:[\w-]+/)*convex)/api$")  # as a framework's module names it for its users
_BUILT = re.compile(r"/(?:dist|build|lib|out)(?:/(?:esm|cjs|types|src))?/")
_EXTENSION = re.compile(r"(?:\.d)?\.[cm]?[jt]sx?$")
_CONFIGS = ("tsconfig.json", "jsconfig.json", "tsconfig.app.json", "tsconfig.base.json")
# What these customarily stand for, where no tsconfig.json says so: a bundler's own settings are programs.
_CUSTOMARY = (
    ("@/", ("src/", "")),
    ("~/", ("src/", "app/", "")),
    ("~~/", ("",)),
    ("$lib/", ("src/lib/",)),
    ("~", ("",)),
)


@dataclass(frozen=True)
class Module:
    """Where an import leads; `path` is a file, the functions folder of a `_generated/api`, or a package's name."""

    kind: Literal["file", "generated", "package"]
    path: str


class Resolver:
    """Resolves the imports of one repository. What is generated need not be there: its place is enough."""

    def __init__(self, root: str, backends: Sequence[str], listing: Listing) -> None:
        self.root = root
        self.backends = {os.path.realpath(path): path for path in backends}
        self._files = listing.files
        self._settings = listing.settings
        self._generated = [os.path.dirname(path) for path in listing.generated]
        self._found: dict[tuple[str, str], Module | None] = {}
        self._paths: dict[str, settings.Paths] = {}

    def resolve(self, importer: str, name: str) -> Module | None:
        """Return where `name`, imported by the file `importer`, leads, or None when it cannot be told."""
        key = (os.path.dirname(importer), name)
        if key not in self._found:
            self._found[key] = self._resolve(*key)
        return self._found[key]

    def doors(self) -> set[str]:
        """Return the names that settings give to a generated api: what is imported through them does not say so."""
        found = set()
        for path in self._settings:
            if os.path.basename(path) == "package.json":
                package = settings.load(path)
                if isinstance(package.get("name"), str) and self._opens(package):
                    found.add(package["name"])
                imports = _table(package, "imports")
                found |= {key for key in imports if "_generated" in str(imports[key])}
            elif path.endswith(".json"):
                patterns = self._paths_of(path).patterns
                found |= {key for key in patterns if "_generated" in "".join(patterns[key])}
        return {name.partition("*")[0] for name in found} - {""}

    def package_name(self, path: str) -> str:
        """Return the name of the package that the file is in, or ""."""
        name = settings.load(os.path.join(self.package_of(path), "package.json")).get("name")
        return name if isinstance(name, str) else ""

    def package_of(self, path: str) -> str:
        """Return the folder of the package that the file is in."""
        for folder in self._upwards(os.path.dirname(path)):
            if os.path.join(folder, "package.json") in self._settings:
                return folder
        return self.root

    @cached_property
    def packages(self) -> Mapping[str, str]:
        """Return the repository's own packages: name to folder."""
        places = (path for path in self._settings if os.path.basename(path) == "package.json")
        named = (
            (settings.load(path).get("name"), os.path.dirname(path)) for path in sorted(places, key=len, reverse=True)
        )
        return {name: folder for name, folder in named if isinstance(name, str)}

    def _resolve(self, folder: str, name: str) -> Module | None:
        name = name.partition("?")[0]
        if name.startswith("."):
            place = os.path.normpath(os.path.join(folder, name))
            return self._at(place) or self._absent(place)
        if name == "convex" or (name.startswith("convex/") and not _GENERATED.match(name)):
            return Module("package", name)
        for place in self._places(folder, name):
            if found := self._at(place):
                return found
        return self._by_its_end(folder, name)

    def _places(self, folder: str, name: str) -> Iterator[str]:
        """Yield the places that a name which is not relative may mean, the likeliest first."""
        for config in self._configs(folder):
            paths = self._paths_of(config)
            for targets, star in settings.match(paths.patterns, name):
                yield from (target.replace("*", star) for target in targets)
            if paths.base:
                yield os.path.join(paths.base, name)
        if name.startswith("#"):
            package = self.package_of(os.path.join(folder, "x"))
            table = _table(settings.load(os.path.join(package, "package.json")), "imports")
            for value, star in settings.match(table, name):
                yield from (
                    os.path.normpath(os.path.join(package, one.replace("*", star))) for one in settings.targets(value)
                )
        yield from self._in_packages(name)
        for head, starts in _CUSTOMARY:
            if name.startswith(head):
                package = self.package_of(os.path.join(folder, "x"))
                yield from (os.path.join(package, start + name.removeprefix(head)) for start in starts)
                break

    def _in_packages(self, name: str) -> Iterator[str]:
        parts = name.split("/")
        owner = "/".join(parts[: 2 if name.startswith("@") else 1])
        if owner in self.packages:
            folder = self.packages[owner]
            subpath = "/".join([".", *parts[owner.count("/") + 1 :]])
            for target in settings.exports(settings.load(os.path.join(folder, "package.json")), subpath):
                yield os.path.normpath(os.path.join(folder, target))

    def _at(self, place: str) -> Module | None:
        """Return the module at a place: a generated api by its name alone, a file when it is there."""
        if matched := _GENERATED.match(place):
            return self._generated_at(matched["folder"])
        for path in (place, _BUILT.sub("/src/", place, count=1)):
            stem = _EXTENSION.sub("", path)
            for stems in ((path,), (stem, f"{stem}/index")):
                for candidate in stems:
                    if candidate in self._files and candidate.endswith(SOURCES):
                        return Module("file", candidate)
                    for extension in SOURCES:
                        if candidate + extension in self._files:
                            return Module("file", candidate + extension)
        manifest = f"{place}/package.json"
        for target in settings.exports(settings.load(manifest), ".") if manifest in self._settings else ():
            inside = os.path.normpath(os.path.join(place, target))
            if inside != place and (found := self._at(inside)):
                return found
        return None

    def _generated_at(self, folder: str) -> Module | None:
        """Return the backend whose api is generated into `folder`, or a link to it; else a copy, if it is there."""
        if backend := self.backends.get(os.path.realpath(folder)):
            return Module("generated", backend)
        return Module("generated", folder) if os.path.isdir(os.path.join(folder, "_generated")) else None

    @staticmethod
    def _absent(place: str) -> Module | None:
        """Return the api that would be generated at a place, though nothing is there now."""
        matched = _GENERATED.match(place)
        return Module("generated", matched["folder"]) if matched else None

    def _by_its_end(self, importer: str, name: str) -> Module | None:
        """Return the api that an unknown alias most likely means: the nearest that ends as it does."""
        matched = _GENERATED.match(name) or _ALIAS.match(name)
        if not matched:
            return None
        wanted = [part.lstrip("@~#$") for part in matched["folder"].split("/")]
        every = [*self.backends.values(), *(folder for folder in self._generated if folder not in self.backends)]
        ranked = sorted(every, key=lambda folder: (-_common_end(wanted, folder.split("/")), -_near(importer, folder)))
        return Module("generated", ranked[0]) if ranked else None

    def _configs(self, folder: str) -> Iterator[str]:
        """Yield the nearest settings of TypeScript, and those that they refer to."""
        for parent in self._upwards(folder):
            present = [path for name in _CONFIGS if (path := os.path.join(parent, name)) in self._settings]
            for config in present:
                yield config
                yield from (one for one in settings.referenced(config) if one not in present)
            if present:
                return

    def _paths_of(self, config: str) -> settings.Paths:
        if config not in self._paths:
            self._paths[config] = settings.paths(config)
        return self._paths[config]

    @staticmethod
    def _opens(package: Mapping[str, Any]) -> bool:
        return any("_generated" in target for target in (*settings.exports(package, "."), str(package.get("exports"))))

    def _upwards(self, folder: str) -> Iterator[str]:
        while folder.startswith(self.root):
            yield folder
            if folder == self.root:
                return
            folder = os.path.dirname(folder)


def _common_end(one: Sequence[str], other: Sequence[str]) -> int:
    length = 0
    while length < min(len(one), len(other)) and one[-1 - length] == other[-1 - length]:
        length += 1
    return length


def _near(one: str, other: str) -> int:
    return len(os.path.commonpath([one, other]))


def _table(package: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = package.get(key)
    return found if isinstance(found, dict) else {}
