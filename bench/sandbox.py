"""
Measure the sandbox: its own share of a `convex deploy` of the example, and what it costs while nothing happens.

    .venv/bin/python bench/sandbox.py [SECONDS]

The share is the sum of what its request log says of the requests of a deploy; the first deploy finds a cold runtime.
Then SECONDS (default 30) without a request: CPU time and memory of the server and all its children.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parents[1]
CONVEX = ROOT / "ci/node_modules/.bin/convex"
DEPLOYS = 4


def main(idle_s: float) -> None:
    with tempfile.TemporaryDirectory(prefix="lockstep-bench-", ignore_cleanup_errors=True) as folder:
        state = Path(folder, "sandbox")
        command(state, "start")
        try:
            endpoints = json.loads((state / "endpoints.json").read_text())
            report_deploys(Path(folder), endpoints)
            report_idle(psutil.Process(endpoints["pid"]), idle_s)
        finally:
            command(state, "stop")


def command(state: Path, verb: str) -> None:
    argv = [sys.executable, "-m", "ci.sandbox", verb, "--root", str(state)]
    subprocess.run(argv, cwd=ROOT, stdout=subprocess.DEVNULL, check=True)


def report_deploys(folder: Path, endpoints: dict[str, Any]) -> None:
    app = copy_backend(folder)
    log = endpoints["control_url"] + "/__sandbox/requests"
    for number in range(1, DEPLOYS + 1):
        # Each push carries a change: an unchanged one would leave out half of the work.
        (app / "bench.ts").write_text(f"export const number = {number};\n")
        urllib.request.urlopen(urllib.request.Request(log, method="DELETE")).close()
        started = time.perf_counter()
        deploy(app, endpoints["convex"])
        whole_ms = (time.perf_counter() - started) * 1000
        with urllib.request.urlopen(log) as answer:
            asked = json.load(answer)
        share_ms = sum(request["duration_ms"] for request in asked)
        print(f"deploy {number}: the sandbox {share_ms:6.1f} ms in {len(asked)} requests, of {whole_ms:.0f} ms")


def copy_backend(folder: Path) -> Path:
    """Return a copy of the example's backend that uses Lockstep's own convex, so that no install is needed."""
    app = folder / "convex"
    shutil.copytree(ROOT / "example/apps/convex", app, ignore=shutil.ignore_patterns("node_modules"))
    (app / "node_modules").symlink_to(ROOT / "ci/node_modules")
    return app


def deploy(app: Path, convex: dict[str, Any]) -> None:
    host = convex["provision_host"]
    env = {
        "PATH": f"{ROOT / '.venv/bin'}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(app.parent),
        "CI": "1",
        "CONVEX_DEPLOY_KEY": convex["deployments"]["production"]["deploy_key"],
        "CONVEX_PROVISION_HOST": host,
        "CONVEX_VERSION_API_ORIGIN": host,
    }
    quick = ["--typecheck", "disable", "--codegen", "disable"]
    subprocess.run([CONVEX, "deploy", "--yes", *quick], cwd=app, env=env, capture_output=True, check=True)


def report_idle(server: psutil.Process, idle_s: float) -> None:
    processes = [server, *server.children(recursive=True)]
    before_s = sum(cpu_s(process) for process in processes)
    time.sleep(idle_s)
    used_s = sum(cpu_s(process) for process in processes) - before_s
    megabytes = sum(process.memory_info().rss for process in processes) / 1e6
    print(f"idle for {idle_s:.0f} s: {used_s / idle_s:.2%} of a core, {megabytes:.0f} MB in {len(processes)} processes")


def cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 30)
