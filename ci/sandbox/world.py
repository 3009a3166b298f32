"""What both halves of the sandbox stand on: one folder, one database, named servers on remembered ports."""

from __future__ import annotations

import asyncio
import random
import secrets
import shutil
import socket
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from aiohttp import web
from aiohttp.typedefs import Handler

from ci.errors import Unfinished
from ci.sandbox.faults import Faults
from ci.sandbox.traffic import Traffic

# Below the ports that kernels lend to outgoing connections, above those that browsers refuse to open.
PORTS = range(10_100, 32_000)
DATABASE = "state.sqlite3"
# What a reset keeps: ports and secrets are built into sites and written in settings.
KEPT_TABLES = ("ports", "secrets")
KEPT_FILES = (DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm", "lock", "sandbox.log")
BODY_LIMIT_BYTES = 512 * 1024 * 1024
SHUTDOWN_S = 0.5


class Half(Protocol):
    """One of the two clouds. Its module has `async open(world, provision) -> Half` and a tuple of phrases LACKS."""

    def endpoints(self) -> dict[str, object]:
        """Return this half's part of endpoints.json."""

    async def close(self) -> None: ...


@dataclass(frozen=True)
class World:
    """
    Hold what a half needs.

    `db` is used from the event loop's thread only, and a change is committed (`with world.db:`) before the answer that
    acknowledges it is sent, so that a kill loses nothing. Each half makes its own tables.
    """

    root: Path
    db: sqlite3.Connection
    listeners: Listeners
    node: str

    def secret(self, name: str) -> str:
        """Return the random secret of this name: made on first use, the same for ever after, resets included."""
        with self.db:
            self.db.execute("INSERT OR IGNORE INTO secrets VALUES (?, ?)", (name, secrets.token_hex(20)))
        return str(self.db.execute("SELECT value FROM secrets WHERE name = ?", (name,)).fetchone()[0])


class Listeners:
    """The servers that listen now, each on 127.0.0.1, on the port that its name has had from the first time on."""

    def __init__(self, db: sqlite3.Connection, faults: Faults, traffic: Traffic) -> None:
        self._db = db
        self._faults = faults
        self._traffic = traffic
        self._sockets: dict[str, socket.socket] = {}
        self._runners: dict[str, web.AppRunner] = {}

    def application(self, server: str) -> web.Application:
        """Return an application whose requests are logged, suffer faults, and get a 501 on paths that it lacks."""
        chain = [self._traffic.middleware(server), self._faults.middleware(server), _unimplemented]
        app = web.Application(client_max_size=BODY_LIMIT_BYTES, middlewares=chain)
        app.on_response_prepare.append(_sign)
        return app

    def url(self, server: str) -> str:
        """
        Return the URL of a server, without a final slash, and take its port if that is not yet done.

        Raises:
            Unfinished: somebody else has the port.
        """
        if server not in self._sockets:
            self._sockets[server] = self._bind(server)
        return f"http://127.0.0.1:{self._sockets[server].getsockname()[1]}"

    async def open(self, server: str, app: web.Application) -> str:
        """Serve `app` under that name from now on, and return its URL. Raises as `url` does."""
        url = self.url(server)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_S)
        self._runners[server] = runner
        await runner.setup()
        await web.SockSite(runner, self._sockets[server]).start()
        return url

    async def close(self, server: str) -> None:
        """Stop listening; the port stays remembered."""
        if runner := self._runners.pop(server, None):
            await runner.cleanup()
        if listening := self._sockets.pop(server, None):
            listening.close()

    async def close_all(self) -> None:
        await asyncio.gather(*(self.close(server) for server in list(self._sockets)))

    def names(self, prefix: str) -> list[str]:
        """Return the servers whose port is remembered and whose name starts so, the oldest first."""
        rows = self._db.execute("SELECT server FROM ports ORDER BY rowid")
        return [row[0] for row in rows if row[0].startswith(prefix)]

    def forget(self, server: str) -> None:
        """Give up the port of a server that will not come back."""
        with self._db:
            self._db.execute("DELETE FROM ports WHERE server = ?", (server,))

    def _bind(self, server: str) -> socket.socket:
        row = self._db.execute("SELECT port FROM ports WHERE server = ?", (server,)).fetchone()
        if row is None:
            return self._bind_new(server)
        try:
            return _listen(row[0])
        except OSError as error:
            raise Unfinished(
                f"port {row[0]}, which the sandbox's {server} had before, cannot be opened: {error.strerror}",
                hint=f"end the program that has it (lsof -i :{row[0]} names it), then start the sandbox again",
            ) from error

    def _bind_new(self, server: str) -> socket.socket:
        taken = {row[0] for row in self._db.execute("SELECT port FROM ports")}
        for port in random.sample(PORTS, k=200):
            if port in taken:
                continue
            try:
                listening = _listen(port)
            except OSError:
                continue
            with self._db:
                self._db.execute("INSERT INTO ports VALUES (?, ?)", (server, port))
            return listening
        raise Unfinished(f"no free port for the sandbox's {server} in 200 tries", hint="end what holds so many ports")


def database(root: Path) -> sqlite3.Connection:
    """Open the state database of this folder, and make the frame's own tables."""
    db = sqlite3.connect(root / DATABASE)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = NORMAL")
    with db:
        db.execute("CREATE TABLE IF NOT EXISTS ports (server TEXT PRIMARY KEY, port INTEGER UNIQUE NOT NULL)")
        db.execute("CREATE TABLE IF NOT EXISTS secrets (name TEXT PRIMARY KEY, value TEXT NOT NULL)")
    return db


def wipe(root: Path) -> None:
    """Forget everything but ports and secrets. The tables go first and at once; files without them mean nothing."""
    db = database(root)
    tables = [row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    with db:
        db.execute("BEGIN")
        for table in tables:
            if table not in KEPT_TABLES and not table.startswith("sqlite_"):
                db.execute(f'DROP TABLE "{table}"')
    db.execute("VACUUM")
    db.close()
    for path in root.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name not in KEPT_FILES:
            path.unlink()


def _listen(port: int) -> socket.socket:
    listening = socket.socket()
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", port))
        listening.listen(128)
    except OSError:
        listening.close()
        raise
    return listening


@web.middleware
async def _unimplemented(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except (web.HTTPNotFound, web.HTTPMethodNotAllowed) as error:
        # Only where no route matched: a handler's own 404 is an answer.
        if error is not request.match_info.http_exception:
            raise
        message = f"the sandbox does not implement {request.method} {request.path}"
        return web.json_response({"code": "NotImplemented", "message": message}, status=501)


async def _sign(_request: web.Request, response: web.StreamResponse) -> None:
    response.headers["Server"] = "lockstep-sandbox"
