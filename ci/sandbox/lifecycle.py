"""Starts, stops, resets and finds the sandbox of a state folder, from outside its process."""

from __future__ import annotations

import hashlib
import json
import os
import select
import signal
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ci
from ci.errors import Unfinished
from ci.sandbox import lock

ENDPOINTS = "endpoints.json"
LOG = "sandbox.log"
LOG_LIMIT_BYTES = 1_000_000
START_LIMIT_S = 60.0
STOP_LIMIT_S = 5.0
ANSWER_LIMIT_S = 5.0
STEP_S = 0.05
# The server gets these alone: what a caller has in its environment (tokens, keys) must not reach pushed code.
PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR")


@dataclass(frozen=True)
class Status:
    """Tell what runs: `pid` holds the folder's lock, `health` is what it answered, `endpoints` what it wrote."""

    pid: int | None
    health: dict[str, Any] | None = None
    endpoints: dict[str, Any] | None = None


def status(root: Path) -> Status:
    """Look at the lock, then ask. A file left over from a kill says nothing: no lock, no server."""
    pid = lock.holder(root)
    if pid is None:
        return Status(None)
    try:
        endpoints = json.loads((root / ENDPOINTS).read_text())
        return Status(pid, _ask(f"{endpoints['control_url']}/__sandbox/health"), endpoints)
    except (OSError, ValueError):
        return Status(pid)


def code() -> str:
    """Return a digest of the sandbox's own source and tools: a server from before an update has another."""
    package = Path(ci.__file__).parent
    sources = [*package.glob("sandbox/**/*.py"), *package.glob("sandbox/**/*.mjs"), package / "package-lock.json"]
    return hashlib.sha256(b"".join(path.read_bytes() for path in sorted(sources))).hexdigest()


def start(root: Path, idle_hours: float) -> Status:
    """
    Return the running sandbox, started detached if none ran, or none of this very code.

    Raises:
        Unfinished: it could not start (its own words are passed on), or was not ready in START_LIMIT_S.
    """
    found = status(root)
    if found.health and found.health.get("code") == code():
        return found
    if found.health:
        stop(root)
    root.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + START_LIMIT_S
    said = _first_words(_spawn(root, idle_hours), deadline)
    if not said:
        raise Unfinished("the sandbox ended while it started, or is not ready yet", hint=f"read {root / LOG}")
    if "error" in said:
        raise Unfinished(said["error"], hint=said["hint"])
    # Another start may hold the lock and still be on its way: then ours ended at once and we wait for that one.
    while not (found := status(root)).health:
        if time.monotonic() > deadline:
            hint = f"read {root / LOG}, then: python -m ci.sandbox stop --root {root}"
            raise Unfinished(f"the sandbox did not answer within {START_LIMIT_S:.0f} s", hint=hint)
        time.sleep(STEP_S)
    return found


def stop(root: Path) -> bool:
    """Return whether one ran. Asks it to stop; terminates the process that holds the lock if that does not help."""
    found = status(root)
    if found.pid is None:
        return False
    if found.endpoints:
        with suppress(OSError, ValueError):
            _ask(f"{found.endpoints['control_url']}/__sandbox/shutdown", method="POST")
        if _free(root):
            return True
    with suppress(ProcessLookupError):
        os.kill(found.pid, signal.SIGTERM)
    if not _free(root):
        raise Unfinished(
            f"the sandbox (process {found.pid}) does not end", hint=f"kill -9 {found.pid}; it loses nothing"
        )
    return True


def reset(root: Path, idle_hours: float) -> bool:
    """Forget all but ports and secrets; start again if one ran, and return whether one did."""
    # Imported here: the other commands answer without loading a web server.
    from ci.sandbox import world

    ran = stop(root)
    root.mkdir(parents=True, exist_ok=True)
    with lock.held(root):
        world.wipe(root)
    if ran:
        start(root, idle_hours)
    return ran


def _spawn(root: Path, idle_hours: float) -> subprocess.Popen[bytes]:
    log = root / LOG
    if log.exists() and log.stat().st_size > LOG_LIMIT_BYTES:
        log.replace(root / "sandbox.1.log")
    command = [sys.executable, "-m", "ci.sandbox", "serve", "--root", str(root), "--idle-hours", str(idle_hours)]
    with log.open("ab") as errors_to:
        # A session of its own: it outlives the command, the task and the terminal that started it.
        return subprocess.Popen(
            command,
            cwd=Path(ci.__file__).parents[1],
            env={name: os.environ[name] for name in PASSED_ON if name in os.environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors_to,
            start_new_session=True,
        )


def _first_words(server: subprocess.Popen[bytes], deadline: float) -> dict[str, str]:
    """Return the JSON that a server says once it listens or knows that it cannot; {} if it ended or took too long."""
    assert server.stdout is not None
    with server.stdout as words:
        ready, _, _ = select.select([words], [], [], max(0.0, deadline - time.monotonic()))
        line = words.readline() if ready else b""
    return dict(json.loads(line)) if line else {}


def _free(root: Path) -> bool:
    """Return whether the lock came free within STOP_LIMIT_S."""
    deadline = time.monotonic() + STOP_LIMIT_S
    while lock.holder(root) is not None:
        if time.monotonic() > deadline:
            return False
        time.sleep(STEP_S)
    return True


def _ask(url: str, method: str = "GET") -> dict[str, Any]:
    # No proxy: the sandbox is on this machine, whatever the environment says of proxies.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(urllib.request.Request(url, method=method), timeout=ANSWER_LIMIT_S) as answer:
        return dict(json.load(answer))
