"""Which of the tasks that one `turbo run` starts at once wait for which."""

from __future__ import annotations

from collections.abc import Sequence

from ci.audit import workspaces
from ci.audit.model import Package
from ci.audit.turbo import TurboRun


class Waits:
    """The order of tasks, by what their `dependsOn` says and by which package uses which."""

    def __init__(self, packages: Sequence[Package]) -> None:
        self._packages = packages
        self._used: dict[str, frozenset[str]] = {}

    def of(self, run: TurboRun, runs: Sequence[TurboRun]) -> frozenset[int]:
        """Return the numbers of the runs that one waits for, at once or by way of others."""
        found: set[int] = set()
        waiting = [run]
        while waiting:
            one = waiting.pop()
            for number, other in enumerate(runs):
                if number not in found and self._is_before(other, one):
                    found.add(number)
                    waiting.append(other)
        return frozenset(found)

    def of_scripts(self, number: int, scripts: Sequence[tuple[Package, str]]) -> frozenset[int] | None:
        """Return the numbers of the scripts of several packages that one waits for; None: they run in a row."""
        own = scripts[number][0]
        if len({package.folder for package, _ in scripts}) < 2:
            return None
        used = self._used_by(own.folder)
        return frozenset(
            at for at, (package, _) in enumerate(scripts) if package.folder in used or (package == own and at < number)
        )

    def _is_before(self, first: TurboRun, then: TurboRun) -> bool:
        """Tell whether the second task names the first in its `dependsOn`."""
        for text in then.task.depends_on:
            package, _, name = text.value.rpartition("#")
            if name.startswith("^"):
                if first.script == name[1:] and first.package.folder in self._used_by(then.package.folder):
                    return True
            elif first.script == name and (first.package.name == package if package else first.package == then.package):
                return True
        return False

    def _used_by(self, folder: str) -> frozenset[str]:
        """Return the folders of all packages that one depends on, at once or by way of others."""
        if folder not in self._used:
            graph = workspaces.graph(self._packages)
            found: set[str] = set()
            waiting = [folder]
            while waiting:
                new = [one.folder for one in graph.get(waiting.pop(), ()) if one.folder not in found]
                found.update(new)
                waiting += new
            self._used[folder] = frozenset(found)
        return self._used[folder]
