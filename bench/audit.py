"""
Measure what an audit takes, the start of `inv` included, beside zizmor on the same workflows.

    .venv/bin/python bench/audit.py [FILES] [ROUNDS]

The small repository is the example with the workflow of the first incident; the large one holds FILES files more, in
packages of ninety, each with scripts of its own. All take turns. "audit alone" is a process that does nothing else; the
exit code of each is shown, since a tool that fails at once is fast.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ATTEMPT = ROOT / "tests/audit/incidents/backend-not-in-ci/1-frontend-only"
PACKAGE = 90
ONLY = "from pathlib import Path; from ci.audit import result; result.check(Path({!r}))"


def main(files: int, rounds: int) -> None:
    with tempfile.TemporaryDirectory(prefix="lockstep-bench-") as folder:
        small, large = planted(Path(folder, "small"), 0), planted(Path(folder, "large"), files)
        commands = {
            f"{size}, {name}": command
            for size, tree in (("small", small), (f"{files:,} files", large))
            for name, command in tools(tree).items()
        }
        print(f"load average {os.getloadavg()[0]:.1f}; {rounds} rounds")
        print(f"{'':<32}{'exit':>5}{'min ms':>8}{'median ms':>11}")
        report(commands, rounds)
        print(f"largest process {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024:.0f} MB")


def tools(tree: Path) -> dict[str, list[str]]:
    binaries = ROOT / ".venv/bin"
    return {
        "audit alone": [str(binaries / "python"), "-c", ONLY.format(str(tree))],
        "inv audit": [str(binaries / "inv"), "audit", "--root", str(tree)],
        "zizmor --offline": [str(binaries / "zizmor"), "--offline", "--quiet", str(tree / ".github/workflows")],
    }


def report(commands: dict[str, list[str]], rounds: int) -> None:
    times: dict[str, list[float]] = {name: [] for name in commands}
    codes = {}
    for _ in range(rounds):
        for name, command in commands.items():
            codes[name], taken = seconds(command)
            times[name].append(taken)
    for name, taken_s in times.items():
        low, middle = min(taken_s) * 1000, statistics.median(taken_s) * 1000
        print(f"{name:<32}{codes[name]:>5}{low:>8.0f}{middle:>11.0f}")


def seconds(command: list[str]) -> tuple[int, float]:
    started = time.perf_counter()
    ended = subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    return ended.returncode, time.perf_counter() - started


def planted(tree: Path, files: int) -> Path:
    """Make a repository of the example and `files` files more."""
    installed = shutil.ignore_patterns("node_modules", "dist", "_generated", ".turbo")
    shutil.copytree(ROOT / "example", tree, ignore=installed)
    shutil.copytree(ATTEMPT, tree, dirs_exist_ok=True)
    (tree / ".git").mkdir()
    for number in range(files):
        folder = tree / f"packages/p{number // PACKAGE}"
        if number % PACKAGE == 0:
            plant_package(folder)
        name = f"src/d{number % 9}/f{number}.ts"
        (folder / name).write_text(f"export const value{number} = {number}\n" * 40)
    return tree


def plant_package(folder: Path) -> None:
    for number in range(9):
        (folder / f"src/d{number}").mkdir(parents=True)
    scripts = {"build": "tsc --build", "lint": "oxlint", "test": "vitest run", "dev": "vite"}
    (folder / "package.json").write_text(json.dumps({"name": f"@example/{folder.name}", "scripts": scripts}))
    (folder / ".gitignore").write_text("dist/\n*.log\n")


if __name__ == "__main__":
    main(*(int(word) for word in [*sys.argv[1:], *["9000", "7"][len(sys.argv) - 1 :]]))
