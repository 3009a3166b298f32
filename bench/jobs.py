"""
Time CI's check job on this machine: the session beside its tasks run directly, code generation, and the whole job.

    .venv/bin/python bench/jobs.py [ROUNDS]

It clones the last commit. Package caches are used as they are: run it twice and believe the second run.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
JOB = ("./nox -s check", './inv runs --show last --format markdown >> "$GITHUB_STEP_SUMMARY"')


def main(rounds: int) -> None:
    with tempfile.TemporaryDirectory(prefix="lockstep-bench-", ignore_cleanup_errors=True) as folder:
        checkout = Path(folder).resolve() / "checkout"
        subprocess.run(["git", "clone", "--quiet", ROOT, checkout], check=True)
        try:
            whole_job(checkout)
            code_generation(checkout, rounds)
            session_beside_tasks(checkout, rounds)
        finally:
            run(checkout, "./inv sandbox --stop")


def whole_job(checkout: Path) -> None:
    """Time the `run:` steps of the check job from a fresh clone: set-up, session, summary."""
    print(f"the check job of a fresh clone, package caches warm: {sum(run(checkout, step) for step in JOB):.1f} s")


def code_generation(checkout: Path, rounds: int) -> None:
    """Time the codegen step as its journal has it, the sandbox stopped before it, and running."""
    for title, before in (("its sandbox stopped", "./inv sandbox --stop"), ("its sandbox running", "true")):
        times = []
        for _ in range(rounds):
            run(checkout, before)
            run(checkout, "./inv codegen")
            told = json.loads(output(checkout, "./inv runs --show last --format json"))
            times += [task["seconds"] for task in told["run"]["tasks"] if task["task"] in ("preflight", "codegen")]
        pairs = [sum(pair) for pair in zip(times[::2], times[1::2], strict=True)]
        print(f"preflight and codegen, without any key, {title}: min {min(pairs):.1f} s")


def session_beside_tasks(checkout: Path, rounds: int) -> None:
    compared: dict[str, list[float]] = {"./nox -s check": [], "./inv check": []}
    for _ in range(rounds):
        for command, times in compared.items():
            times.append(run(checkout, command))
    for command, times in compared.items():
        print(f"{command:<15} min {min(times):.2f} s  median {statistics.median(times):.2f} s")
    session, tasks = compared.values()
    medians = statistics.median(session) / statistics.median(tasks)
    print(f"the session against its tasks: {min(session) / min(tasks):.2f} x (median {medians:.2f} x)")


def run(checkout: Path, command: str) -> float:
    started = time.perf_counter()
    output(checkout, command)
    return time.perf_counter() - started


def output(checkout: Path, command: str) -> str:
    """Return what a command prints, in the environment without a release's own settings: the sandbox is the target."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("LOCKSTEP_")}
    env["GITHUB_STEP_SUMMARY"] = str(checkout.parent / "summary.md")
    done = subprocess.run(command, shell=True, cwd=checkout, env=env, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    return done.stdout


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
