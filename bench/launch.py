"""
Measure what a launcher and this project's tasks add to the start of a bare Invoke.

    .venv/bin/python bench/launch.py [ROUNDS]

`./inv --list` against `inv --list` over an empty tasks.py, both in .venv and both with bytecode written, in turns.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def seconds(command: list[str], folder: Path, env: dict[str, str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, cwd=folder, env=env, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - started


def main(rounds: int) -> None:
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    with tempfile.TemporaryDirectory() as folder:
        empty = Path(folder)
        # Invoke refuses to list a file without any task.
        (empty / "tasks.py").write_text("import invoke\n\n\n@invoke.task\ndef nothing(c): ...\n")
        compared = {
            "inv --list, one empty task": ([str(ROOT / ".venv/bin/inv"), "--list"], empty),
            "./inv --list": ([str(ROOT / "inv"), "--list"], ROOT),
            "launcher alone": (["sh", "-c", f"root='{ROOT}'; . '{ROOT}/ci/bootstrap.sh'"], ROOT),
        }
        times: dict[str, list[float]] = {name: [] for name in compared}
        for _ in range(rounds):
            for name, (command, where) in compared.items():
                times[name].append(seconds(command, where, env))
    report(times)


def report(times: dict[str, list[float]]) -> None:
    base = next(iter(times.values()))
    print(f"{'':<28}{'min ms':>8}{'median ms':>11}{'x min':>7}{'x median':>10}")
    for name, taken in times.items():
        low, middle = min(taken), statistics.median(taken)
        ratios = f"{low / min(base):>7.2f}{middle / statistics.median(base):>10.2f}"
        print(f"{name:<28}{low * 1000:>8.1f}{middle * 1000:>11.1f}{ratios}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 30)
