"""Which of the tasks that one `turbo run` starts at once wait for which."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ci.audit import workspaces
from ci.audit.model import Package
from ci.audit.turbo import TurboRun


class Waits:
    """The order of tasks, by what their `dependsOn` says and by which package uses which."""

    def __init__(self, packages: Sequence[Package]) -> None:
        self._packages = packages
        self._used: dict[str, frozenset[str]] = {}
        self._uses: Mapping[str, Sequence[Package]] = {}

    def of(self, runs: Sequence[TurboRun]) -> list[frozenset[int]]:
        """Return for each run the numbers of those that it waits for, at once or by way of others."""
        named: dict[str, list[int]] = {}
        for number, run in enumerate(runs):
            named.setdefault(run.script, []).append(number)
        masks: list[int] = []  # a bit for each run that one waits for; runs come after those that they wait for
        for run in runs:
            mask = 0
            for at in self._before(run, named, runs):
                mask |= 1 << at | (masks[at] if at < len(masks) else 0)
            masks.append(mask)
        return [frozenset(at for at in range(mask.bit_length()) if mask >> at & 1) for mask in masks]

    def _before(self, run: TurboRun, named: Mapping[str, Sequence[int]], runs: Sequence[TurboRun]) -> Iterator[int]:
        """Yield the numbers of the runs that `dependsOn` names."""
        for text in run.task.depends_on:
            package, _, name = text.value.rpartition("#")
            used = self._used_by(run.package.folder) if name.startswith("^") else frozenset()
            for number in named.get(name.removeprefix("^"), ()):
                other = runs[number].package
                if name.startswith("^"):
                    is_meant = other.folder in used
                else:
                    is_meant = other.name == package if package else other.folder == run.package.folder
                if is_meant:
                    yield number

    def of_script(self, number: int, scripts: Sequence[tuple[Package, str]]) -> frozenset[int]:
        """Return the numbers of the scripts that one of several packages waits for: its own hooks, what it uses."""
        own = scripts[number][0]
        used = self._used_by(own.folder)
        found = (at for at, (one, _) in enumerate(scripts) if one.folder in used or (one == own and at < number))
        return frozenset(found)

    def _used_by(self, folder: str) -> frozenset[str]:
        """Return the folders of all packages that one depends on, at once or by way of others."""
        if folder not in self._used:
            self._uses = self._uses or workspaces.graph(self._packages)
            found: set[str] = set()
            waiting = [folder]
            while waiting:
                new = [one.folder for one in self._uses.get(waiting.pop(), ()) if one.folder not in found]
                found.update(new)
                waiting += new
            self._used[folder] = frozenset(found)
        return self._used[folder]
