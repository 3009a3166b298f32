"""One deployment: its code, variables and documents, the runtime that serves them, and who watches them."""

from __future__ import annotations

import asyncio
import re
import sys
import time
from collections.abc import Callable
from typing import Any

from ci.sandbox.convex import components, crons
from ci.sandbox.convex.code import Code
from ci.sandbox.convex.crons import Crons
from ci.sandbox.convex.jobs import Jobs
from ci.sandbox.convex.logs import Logs
from ci.sandbox.convex.refusal import Refusal
from ci.sandbox.convex.runtime import Runtime, Stopped
from ci.sandbox.convex.store import Name, Request, Store

VARIABLE_NAME = re.compile(r"[a-zA-Z_]+[a-zA-Z0-9_]*")
VARIABLE_LIMIT_BYTES = 8 * 1024
# A runtime that nobody asks for this long is ended: it gives its memory back, and every push that it ever loaded.
REST_S = 60.0
BUILT_IN = ("CONVEX_CLOUD_URL", "CONVEX_SITE_URL")


class Deployment:
    """A deployment as the server holds it. The runtime starts at the first call, and again whenever it has ended."""

    def __init__(self, name: Name, store: Store, node: str) -> None:
        self.name = name
        self.store = store
        self.url = self.site_url = ""
        self.live = store.code(name.name, "live")
        self.mounts = components.mounts(self.live)
        self.pushed = store.code(name.name, "pushed")
        self.lacks = ""
        self.unset: list[str] = []  # what the modules of the last push read as they were loaded, if they were refused
        self.variables = store.variables(name.name)
        self.watchers: set[Callable[[], None]] = set()
        self.logs = Logs()
        self.ts = time.time_ns()
        self.behind_s = 0.0
        self._spec: tuple[float, Code] = (0.0, self.live)
        self._node = node
        self._runtime: Runtime | None = None
        self._starting = asyncio.Lock()
        self._rest: asyncio.TimerHandle | None = None
        self._jobs = Jobs(name.name, store, self.logs, self.ask)
        self.crons = Crons(name.name, store, self.logs, self.ask)

    def open(self) -> None:
        """Begin to wait for the scheduled functions and cron jobs that are pending."""
        self._jobs.open()
        self.crons.open()

    async def close(self) -> None:
        self._jobs.close()
        self.crons.close()
        if self._rest:
            self._rest.cancel()
        if self._runtime:
            self._runtime.end()
            await self._runtime.ended()

    async def ask(self, op: str, *, request: Request | None = None, **fields: Any) -> Any:
        """Ask the runtime, once more if it ended before anything was done. Raises Refusal or Stopped."""
        try:
            return await (await self._running()).ask(op, request=request, **fields)
        except Stopped as stopped:
            if not stopped.may_retry:
                raise
        return await (await self._running()).ask(op, request=request, **fields)

    async def set_variables(self, changes: dict[str, str | None]) -> None:
        """Set environment variables, and remove those whose value is None."""
        for name, value in changes.items():
            _check_variable(name, value)
        self.store.set_variables(self.name.name, changes)
        self.variables = self.store.variables(self.name.name)
        if self._runtime and self._runtime.alive:
            await self._runtime.ask("environments", mounts=self._mounted(self.live))
        self.changed()

    def set_packages(self, folder: str) -> None:
        """Let Node actions load the packages that are installed for the package in this folder."""
        if folder != self.store.packages(self.name.name):
            self.store.set_packages(self.name.name, folder)
            if self._runtime:
                self._runtime.end()  # the next one may read them

    def environment(self) -> dict[str, str]:
        """Return the environment that the app's functions see."""
        return self.variables | self._built_in()

    def _built_in(self) -> dict[str, str]:
        return {"CONVEX_CLOUD_URL": self.url, "CONVEX_SITE_URL": self.site_url}

    def keep_pushed(self, code: Code) -> None:
        self.store.set_code(self.name.name, "pushed", code)
        self.pushed, self.lacks = code, ""

    def refuse_pushed(self, lacks: str) -> None:
        """Keep no code: that of the last push needs something that the sandbox does not implement."""
        self.keep_pushed(Code())
        self.lacks = lacks

    async def deploy(self, code: Code) -> None:
        """Make this code the live one."""
        await self.ask("deploy", code=code.request(), mounts=self._mounted(code))
        self.store.set_code(self.name.name, "live", code)
        self._spec = (time.monotonic() + self.behind_s, self.live)
        self.live, self.mounts, self.behind_s = code, components.mounts(code), 0.0
        self.crons.replace(crons.declared(self.mounts.values(), now=time.time()))
        self.changed()

    def spec(self) -> list[dict[str, Any]]:
        """Return the function spec: the one before the last push for as long as it was told to stay behind."""
        until, before = self._spec
        return (before if time.monotonic() < until else self.live).spec()

    def changed(self) -> None:
        """Tell everybody who watches that something changed."""
        self.ts = max(self.ts + 1, time.time_ns())
        for tell in list(self.watchers):
            tell()

    def _mounted(self, code: Code) -> list[dict[str, Any]]:
        """Return what is mounted where, and what functions see of the environment there."""
        return [
            {
                "path": mount.path,
                "definition": mount.definition_path,
                "httpPrefix": mount.http_prefix,
                "variables": mount.environment(self.variables, self._built_in()),
            }
            for mount in components.mounts(code).values()
        ]

    async def _running(self) -> Runtime:
        async with self._starting:
            if self._runtime and not self._runtime.alive:
                # What it committed before it ended may still be on its way to the store.
                await self._runtime.ended()
            if self._runtime is None or not self._runtime.alive:
                self._runtime = await self._start()
            self._rest_later()
            return self._runtime

    def _rest_later(self) -> None:
        if self._rest:
            self._rest.cancel()
        self._rest = asyncio.get_running_loop().call_later(REST_S, self._rest_now)

    def _rest_now(self) -> None:
        if self._runtime and self._runtime.busy:
            self._rest_later()
        elif self._runtime:
            self._runtime.end()

    async def _start(self) -> Runtime:
        self._jobs.fail_interrupted()
        runtime = await Runtime.start(self._node, self.store.packages(self.name.name), self._commit)
        try:
            await self._fill(runtime)
        except BaseException:
            runtime.end()
            raise
        return runtime

    async def _fill(self, runtime: Runtime) -> None:
        """Put variables, documents and code into a runtime that has just started."""
        name = self.name.name
        await runtime.ask("restore", rows=self.store.rows(name), counters=self.store.counters(name))
        try:
            await runtime.ask("deploy", code=self.live.request(), mounts=self._mounted(self.live))
        except Stopped:
            raise
        except Refusal as refusal:
            # Code that loaded when it was pushed and does not load now, say for want of a variable, has no functions.
            print(f"{self.name.qualified}: {refusal.message}", file=sys.stderr)

    def _commit(self, changes: list[dict[str, Any]], counters: Any, request: Request | None) -> None:
        self.store.commit(self.name.name, changes, counters, request)
        self._jobs.see(changes)
        self.changed()


def _check_variable(name: str, value: str | None) -> None:
    if not VARIABLE_NAME.fullmatch(name):
        raise Refusal(
            400,
            "EnvironmentVariableNameInvalid",
            f"The environment variable name {name} is invalid. Environment variable names must begin with a letter "
            "and may only include characters a-z, A-Z, 0-9, and underscores.",
        )
    if name in BUILT_IN:
        message = f'Environment variable with name "{name}" is built-in and cannot be overridden'
        raise Refusal(400, "EnvVarNameForbidden", message)
    size = len((value or "").encode())
    if size > VARIABLE_LIMIT_BYTES:
        message = f"The environment variable value is {size} bytes, which is too large."
        raise Refusal(400, "EnvironmentVariableValueTooLarge", f"{message} (max size: {VARIABLE_LIMIT_BYTES})")
