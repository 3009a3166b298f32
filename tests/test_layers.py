"""The import rules of the house: arrows only point down."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# layer -> the layers it may import. A layer is a name directly under ci/; `tasks` may import them all.
MAY_IMPORT: dict[str, set[str]] = {
    "errors": set(),
    "annotation": set(),
    "lazy": set(),
    "secret": set(),
    "lockfile": set(),
    "rest": {"errors", "secret"},
    "config": {"errors", "secret"},
    "engine": {"errors", "annotation", "secret"},
    "toolchain": {"errors", "lockfile", "config"},
    "convex": {"errors", "secret", "rest", "config", "toolchain"},
    "pages": {"errors", "secret", "rest", "config", "toolchain"},
    "contract": {"errors", "lazy"},
    "audit": {"errors", "annotation", "lazy", "lockfile"},
    "workflow": {"errors", "lazy", "config"},
    "sandbox": {"errors"},
    "release": {"errors", "lazy", "secret", "lockfile", "rest", "config", "toolchain", "convex", "pages", "contract"},
    "report": {"errors", "annotation", "contract", "audit", "release"},
    "bootstrap": set(),  # runs before anything is installed
}

# outside module -> the product's only files (or folders, ending in /) that may import it.
ONLY_HERE = {
    "invoke": ("tasks.py", "ci/engine/"),
    "subprocess": ("ci/engine/process.py", "ci/sandbox/", "ci/bootstrap.py"),
    "nox": ("noxfile.py",),
}


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def sources(folder: str) -> list[Path]:
    """Return the Python files below `folder`, without walking what npm and bun installed."""
    found: list[Path] = []
    for parent, folders, files in os.walk(ROOT / folder):
        folders[:] = [name for name in folders if name != "node_modules"]
        found += [Path(parent, name) for name in files if name.endswith(".py")]
    return sorted(found)


CI = sources("ci")
TOP = sorted(ROOT.glob("*.py"))


def imported(path: Path) -> Iterator[str]:
    """Yield the dotted names that `path` imports anywhere, in functions and for types included."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), name_of(path))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name_of(path)}:{node.lineno}: write the import in full, from ci..."
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def layers_used(path: Path) -> set[str]:
    return {name.split(".")[1] for name in imported(path) if name.startswith("ci.")}


@pytest.mark.parametrize("path", CI, ids=name_of)
def test_a_layer_imports_only_what_the_table_allows(path: Path) -> None:
    layer = path.relative_to(ROOT / "ci").with_suffix("").parts[0]
    allowed = set() if layer == "__init__" else {layer} | MAY_IMPORT[layer]
    assert layers_used(path) - allowed == set()


@pytest.mark.parametrize("path", [*TOP, *CI], ids=name_of)
def test_some_modules_are_imported_in_one_place_only(path: Path) -> None:
    heads = {name.partition(".")[0] for name in imported(path)}
    assert {head for head in heads & ONLY_HERE.keys() if not name_of(path).startswith(ONLY_HERE[head])} == set()


@pytest.mark.parametrize("path", [ROOT / "noxfile.py", *sources("example")], ids=name_of)
def test_the_jobs_and_the_example_know_nothing_of_ci(path: Path) -> None:
    assert layers_used(path) == set()


def test_the_table_has_no_cycle() -> None:
    left = dict(MAY_IMPORT)
    while left:
        leaves = {layer for layer, uses in left.items() if not uses & left.keys()}
        assert leaves, f"a cycle among {sorted(left)}"
        left = {layer: uses for layer, uses in left.items() if layer not in leaves}
