"""
Time the first and the second `./inv deploy` of a fresh clone to a sandbox of its own, part by part.

    .venv/bin/python bench/release.py

It clones the last commit. Package caches are used as they are: run it twice and believe the second run.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="lockstep-bench-", ignore_cleanup_errors=True) as folder:
        checkout = Path(folder).resolve() / "checkout"
        subprocess.run(["git", "clone", "--quiet", ROOT, checkout], check=True)
        try:
            release(checkout, "first")
            release(checkout, "second, nothing changed")
        finally:
            subprocess.run(["./inv", "sandbox", "--stop"], cwd=checkout, env=environment())


def release(checkout: Path, title: str) -> None:
    """Release, and print the time of the whole and what the run itself says of its parts."""
    started = time.perf_counter()
    done = subprocess.run(["./inv", "deploy"], cwd=checkout, env=environment(), stderr=subprocess.PIPE, text=True)
    whole_s = time.perf_counter() - started
    if done.returncode:
        sys.exit(done.stderr)
    set_up = [f"  {line}" for line in done.stderr.splitlines() if line.startswith("set up in ")]
    summary = done.stderr.partition("── summary\n")[2]
    print(f"\n{title}: {whole_s:.1f} s", *set_up, summary, sep="\n")


def environment() -> dict[str, str]:
    """Return the environment without a release's own settings, so that the sandbox is the target."""
    return {name: value for name, value in os.environ.items() if not name.startswith("LOCKSTEP_")}


if __name__ == "__main__":
    main()
