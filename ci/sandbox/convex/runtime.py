"""The Node process that runs the code of one deployment: asked over pipes, watched, ended when it does not answer."""

from __future__ import annotations

import asyncio
import json
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ci.sandbox.convex.refusal import Refusal
from ci.sandbox.convex.store import Request

MAIN = Path(__file__).with_name("runtime") / "main.mjs"
NODE_MODULES = Path(__file__).parents[2] / "node_modules"
# The longest that a query or mutation may take; the real limit of 1 s counts only the time in which it computes.
LIMIT_S = 5.0
# Starting, and loading what was pushed, on a busy machine.
LOAD_LIMIT_S = 30.0
ACTION_LIMIT_S = 600.0
LINE_LIMIT_BYTES = 256 * 1024 * 1024
MEMORY_LIMIT_MB = 512

# What a transaction changed: the changes, the counters of ids, and the mutation of a client that it belongs to.
OnCommit = Callable[[list[dict[str, Any]], Any, Request | None], None]


class Stopped(Refusal):
    """The runtime ended before it answered. `limit_s`: because this very call took longer than that."""

    def __init__(self, *, limit_s: float | None, may_retry: bool) -> None:
        super().__init__(500, "InternalServerError", "Your request couldn't be completed. Try again later.")
        self.limit_s = limit_s
        self.may_retry = may_retry


@dataclass
class _Ask:
    op: str
    kind: str
    request: Request | None
    answer: asyncio.Future[Any] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    started: bool = False
    committed: bool = False


class Runtime:
    """One running process. When it has ended it stays ended: start another."""

    def __init__(self, process: Process, on_commit: OnCommit) -> None:
        self._process = process
        self._on_commit = on_commit
        self._asks: dict[int, _Ask] = {}
        self._number = 0
        self._holder: int | None = None
        self._watch: asyncio.TimerHandle | None = None
        self._limit_s = 0.0
        self._guilty: set[int] = set()
        self.alive = True
        self._reader = asyncio.create_task(self._read())

    @classmethod
    async def start(cls, node: str, packages: str, on_commit: OnCommit) -> Runtime:
        """
        Start a process that may read its own code and nothing else, write nothing and start nothing.

        `packages` is the folder of a package whose installed dependencies it may read and load too, "" for none.
        """
        readable = [
            MAIN.parent,
            NODE_MODULES,
            NODE_MODULES.resolve(),
            *(_installed(Path(packages)) if packages else ()),
        ]
        reads = [f"--allow-fs-read={path}" for path in readable]
        argv = [node, "--permission", *reads, f"--max-old-space-size={MEMORY_LIMIT_MB}", str(MAIN), packages]
        process = await asyncio.create_subprocess_exec(
            *argv, stdin=PIPE, stdout=PIPE, env={}, cwd=MAIN.parent, limit=LINE_LIMIT_BYTES, start_new_session=True
        )
        return cls(process, on_commit)

    async def ask(self, op: str, *, request: Request | None = None, **fields: Any) -> Any:
        """Return what the runtime answers, or raise Refusal or Stopped."""
        if not self.alive:
            raise Stopped(limit_s=None, may_retry=True)
        self._number += 1
        ask = self._asks[self._number] = _Ask(op, fields.get("kind", ""), request)
        assert self._process.stdin
        self._process.stdin.write(json.dumps({"seq": self._number, "op": op, **fields}).encode() + b"\n")
        self._look()
        return await ask.answer

    @property
    def busy(self) -> bool:
        return bool(self._asks)

    def end(self) -> None:
        """End the process; calls that it has not answered raise Stopped."""
        self.alive = False
        if self._process.returncode is None:
            self._process.kill()

    async def ended(self) -> None:
        """Wait until the process is gone."""
        await self._reader

    async def _read(self) -> None:
        assert self._process.stdout
        async for line in self._process.stdout:
            if line.endswith(b"\n"):  # else the process was killed while it wrote
                self._take(json.loads(line))
                self._look()
        await self._process.wait()
        self._over()

    def _take(self, message: dict[str, Any]) -> None:
        seq = message.get("seq")
        ask = self._asks.get(seq) if seq else None
        match message["event"]:
            case "commit":
                if ask:
                    ask.committed = True
                self._on_commit(message["changes"], message["counters"], ask.request if ask else None)
            case "answer":
                self._answer(self._asks.pop(message["seq"]), message)
            case "unlocked":
                self._holder = None
            case event:
                self._holder = seq if event == "locked" else self._holder
                if ask:
                    ask.started = True

    @staticmethod
    def _answer(ask: _Ask, message: dict[str, Any]) -> None:
        if ask.answer.cancelled():
            return
        if error := message.get("error"):
            ask.answer.set_exception(Refusal(error["status"], error["code"], error["message"]))
        else:
            ask.answer.set_result(message["result"])

    def _look(self) -> None:
        """Begin to wait again: whoever owes us a line has its time from now."""
        if self._watch:
            self._watch.cancel()
            self._watch = None
        if self.alive and self._asks:
            waits = any(not ask.started for ask in self._asks.values())
            self._limit_s = LIMIT_S if self._holder is not None else LOAD_LIMIT_S if waits else ACTION_LIMIT_S
            self._watch = asyncio.get_running_loop().call_later(self._limit_s, self._stuck)

    def _stuck(self) -> None:
        # A transaction that does not end, else an action that computes for ever, else code that does not load.
        actions = {seq for seq, ask in self._asks.items() if ask.started}
        self._guilty = {self._holder} if self._holder is not None else actions or {min(self._asks)}
        self.end()

    def _over(self) -> None:
        self.alive = False
        self._look()
        for seq, ask in self._asks.items():
            if not ask.answer.cancelled():
                limit_s = self._limit_s if seq in self._guilty else None
                may_retry = not (limit_s or ask.committed or ask.kind == "action" or ask.op in ("job", "cron"))
                ask.answer.set_exception(Stopped(limit_s=limit_s, may_retry=may_retry))
        self._asks.clear()


def _installed(package: Path) -> list[Path]:
    """Return what Node reads to find the dependencies of a package: its manifest, and node_modules of all parents."""
    parents = [package, *package.parents]
    return [package / "package.json", *(path for parent in parents if (path := parent / "node_modules").is_dir())]
