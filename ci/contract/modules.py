"""Which paths of an api are functions, and which are modules or folders: read off the files of a backend."""

from __future__ import annotations

from ci.contract.values import Tree
from ci.contract.walk import SOURCES, Listing


class Modules:
    """Knows the modules and folders that lie in functions folders."""

    def __init__(self, listing: Listing) -> None:
        self._files = listing.files
        self._known: dict[str, tuple[set[str], set[str]]] = {}

    def is_function(self, tree: Tree) -> bool:
        """Tell whether a path means a function: not when it is that of a module or folder, and none lies above it."""
        if len(tree.path) < 2:
            return False
        whole, above = "/".join(tree.path), "/".join(tree.path[:-1])
        modules, folders = self._below(tree.backend)
        return above in modules or not (whole in modules or whole in folders)

    def _below(self, backend: str) -> tuple[set[str], set[str]]:
        """Return the paths of a backend's modules, and of the folders that hold some."""
        if backend not in self._known:
            modules: set[str] = set()
            folders: set[str] = set()
            for path in self._files:
                if path.startswith(f"{backend}/") and path.endswith(SOURCES):
                    module = path[len(backend) + 1 :].rpartition(".")[0]
                    modules.add(module)
                    folders |= {module[:at] for at, sign in enumerate(module) if sign == "/"}
            self._known[backend] = (modules, folders)
        return self._known[backend]
