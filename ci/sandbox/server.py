"""The one process: opens both halves, writes endpoints.json, serves until told to stop or not used for hours."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path

from ci.errors import InputError
from ci.sandbox import control, lifecycle, world
from ci.sandbox.convex import half as convex
from ci.sandbox.faults import Faults
from ci.sandbox.pages import half as pages
from ci.sandbox.traffic import Traffic
from ci.sandbox.world import Half, Listeners, World

CHECK_S = 2.0
HALVES = {"convex": convex, "pages": pages}


async def run(root: Path, idle_limit_s: float, on_ready: Callable[[], None]) -> None:
    """Serve `root`; call `on_ready` once everything listens and endpoints.json tells where."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with AsyncExitStack() as stack:
        traffic = await _open(root, stop, stack)
        on_ready()
        while not stop.is_set() and traffic.idle_s() < idle_limit_s and _ours(root):
            await _wait(stop, min(CHECK_S, idle_limit_s))


async def _open(root: Path, stop: asyncio.Event, stack: AsyncExitStack) -> Traffic:
    db = world.database(root)
    stack.callback(db.close)
    traffic, planted = Traffic(root / "requests.jsonl"), Faults()
    stack.callback(traffic.close)
    listeners = Listeners(db, planted, traffic)
    stack.push_async_callback(listeners.close_all)
    provision, health, shared = listeners.application("provision"), _health(root), World(root, db, listeners, _node())
    control.add(provision, planted, traffic, health=health, stop=stop)
    opened: dict[str, Half] = {}
    for name, module in HALVES.items():
        opened[name] = await module.open(shared, provision)
        stack.push_async_callback(opened[name].close)
    control_url = await listeners.open("provision", provision)
    parts = {name: half.endpoints() for name, half in opened.items()}
    told = {name: health[name] for name in ("pid", "started_at")}
    _write(root / lifecycle.ENDPOINTS, {"version": 1, **told, "control_url": control_url, **parts})
    stack.callback(_withdraw, root)
    return traffic


def _ours(root: Path) -> bool:
    """Return whether the folder is still there and ours: a checkout may be deleted, and made again, under us."""
    try:
        return bool(json.loads((root / lifecycle.ENDPOINTS).read_text())["pid"] == os.getpid())
    except (FileNotFoundError, NotADirectoryError):
        return False
    except ValueError:
        return True  # somebody edits it


def _withdraw(root: Path) -> None:
    if _ours(root):
        (root / lifecycle.ENDPOINTS).unlink()


async def _wait(stop: asyncio.Event, limit_s: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), limit_s)
    except TimeoutError:
        return


def _health(root: Path) -> dict[str, object]:
    return {
        "stand_in": "a stand-in for Convex and Cloudflare Pages on this machine, neither of the two",
        "pid": os.getpid(),
        "root": str(root),
        "code": lifecycle.code(),
        "started_at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "lacks": {name: module.LACKS for name, module in HALVES.items()},
    }


def _node() -> str:
    """Return the Node of this environment, else the one on PATH."""
    beside = Path(sys.executable).with_name("node")
    found = str(beside) if beside.exists() else shutil.which("node")
    if not found:
        raise InputError("the sandbox needs Node, and there is none", hint="run ./inv, which sets it up")
    return found


def _write(path: Path, content: dict[str, object]) -> None:
    """Write at once and for the owner alone: the keys of both clouds are in it."""
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(content, file, indent=1)
    new.replace(path)
