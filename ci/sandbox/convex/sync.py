"""The sync protocol: one websocket, its queries kept current, its mutations run in order."""

from __future__ import annotations

import asyncio
import base64
import struct
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any

from aiohttp import WSMsgType, web

from ci.sandbox.convex import functions, identities, keys
from ci.sandbox.convex.deployment import Deployment
from ci.sandbox.convex.functions import Call, Outcome
from ci.sandbox.convex.refusal import Refusal
from ci.sandbox.convex.store import Request

# Clients give a silent connection up after 30 s or more.
PING_S = 12.0
MESSAGE_LIMIT_BYTES = 64 * 1024 * 1024

Json = dict[str, Any]


@dataclass
class _Query:
    path: str
    args: Json
    component: str
    journal: str | None
    told: Json | None = None


@dataclass
class _Version:
    """What a client knows: the version of its query set, of its identity, and of the data."""

    query_set: int = 0
    identity: int = 0
    ts: int = 0

    def json(self) -> Json:
        return {"querySet": self.query_set, "identity": self.identity, "ts": _u64(self.ts)}


async def serve(deployment: Deployment, request: web.Request) -> web.WebSocketResponse:
    """Serve one client until it leaves."""
    socket = web.WebSocketResponse(max_msg_size=MESSAGE_LIMIT_BYTES)
    await socket.prepare(request)
    await _Session(deployment, socket).serve()
    return socket


class _Session:
    def __init__(self, deployment: Deployment, socket: web.WebSocketResponse) -> None:
        self._deployment = deployment
        self._socket = socket
        self._identity = keys.ANYBODY
        self._id = ""
        self._queries: dict[int, _Query] = {}
        self._removed: list[int] = []
        self._told = _Version()
        self._wanted = _Version()
        self._stale = asyncio.Event()
        self._mutations: asyncio.Queue[Json] = asyncio.Queue()
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self) -> None:
        """Work until the client leaves, or is refused."""
        self._deployment.watchers.add(self._stale.set)
        for work in (self._update(), self._mutate(), self._ping()):
            self._begin(work)
        try:
            async for message in self._socket:
                if message.type == WSMsgType.TEXT:
                    await self._take(message.json())
        finally:
            self._deployment.watchers.discard(self._stale.set)
            for task in self._tasks:
                task.cancel()
            await self._socket.close()

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(self._until_gone(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    @staticmethod
    async def _until_gone(work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except ConnectionError:
            pass  # the client left while we were writing to it

    async def _take(self, message: Json) -> None:
        match message["type"]:
            case "Connect":
                self._id = message["sessionId"]
            case "Authenticate":
                await self._authenticate(message)
            case "ModifyQuerySet":
                self._modify(message)
            case "Mutation":
                self._mutations.put_nowait(message)
            case "Action":
                self._begin(self._act(message))

    async def _authenticate(self, message: Json) -> None:
        base = message["baseVersion"]
        try:
            self._identity = await self._identified(message)
        except Refusal as refusal:
            error = f"{refusal.code}: {refusal.message}"
            await self._send("AuthError", error=error, baseVersion=base, authUpdateAttempted=True)
            await self._socket.close()
            return
        self._wanted.identity = base + 1
        self._stale.set()

    async def _identified(self, message: Json) -> keys.Identity:
        if message["tokenType"] == "Admin":
            found = keys.admin(self._deployment.store, self._deployment.name.name, message["value"])
            return keys.Identity(True, found.operations, message.get("impersonating") or found.acting)
        if message["tokenType"] == "User":
            return await identities.of_token(self._deployment, message["value"])
        return keys.ANYBODY

    def _modify(self, message: Json) -> None:
        for change in message["modifications"]:
            id_ = change["queryId"]
            if change["type"] == "Add":
                args, component = (change["args"] or [{}])[0], change.get("componentPath") or ""
                self._queries[id_] = _Query(change["udfPath"], args, component, change.get("journal"))
            elif self._queries.pop(id_, None):
                self._removed.append(id_)
        self._wanted.query_set = message["newVersion"]
        self._stale.set()

    async def _update(self) -> None:
        """Bring the client up to date whenever something changed."""
        while True:
            await self._stale.wait()
            self._stale.clear()
            end = _Version(self._wanted.query_set, self._wanted.identity, self._deployment.ts)
            changes = [{"type": "QueryRemoved", "queryId": id_} for id_ in self._removed]
            self._removed = []
            queries = dict(self._queries)
            for news in await asyncio.gather(*(self._news(id_, query) for id_, query in queries.items())):
                changes += news
            start, self._told = self._told, end
            await self._send("Transition", startVersion=start.json(), endVersion=end.json(), modifications=changes)

    async def _news(self, id_: int, query: _Query) -> list[Json]:
        """Return the modification that tells the client a new result, or nothing when it knows it."""
        call = Call(query.path, query.args, "query", self._identity, component=query.component, journal=query.journal)
        outcome = await self._run(call)
        query.journal = outcome.journal
        told = _result(outcome)
        result = told.pop("result")
        told |= {"value": result} if outcome.error is None else {"errorMessage": result}
        if told == query.told:
            return []
        query.told = told
        kind = "QueryUpdated" if outcome.error is None else "QueryFailed"
        return [{"type": kind, "queryId": id_, **told, "journal": outcome.journal}]

    async def _mutate(self) -> None:
        """Run mutations one after the other, each once however often the client sends it."""
        store, name = self._deployment.store, self._deployment.name.name
        while True:
            message = await self._mutations.get()
            request = Request(self._id, message["requestId"])
            answer = store.remembered(name, request)
            if answer is None:
                call = Call(message["udfPath"], message["args"][0], "mutation", self._identity, request=request)
                outcome = await self._run(call)
                answer = {"success": outcome.error is None, **_result(outcome)}
                store.remember(name, request, answer)
            stamp = {"ts": _u64(self._deployment.ts)} if answer["success"] else {}
            await self._send("MutationResponse", requestId=request.number, **answer, **stamp)
            self._stale.set()

    async def _act(self, message: Json) -> None:
        outcome = await self._run(Call(message["udfPath"], message["args"][0], "action", self._identity))
        success = outcome.error is None
        await self._send("ActionResponse", requestId=message["requestId"], success=success, **_result(outcome))

    async def _run(self, call: Call) -> Outcome:
        try:
            return await functions.run(self._deployment, call)
        except Refusal as refusal:
            return Outcome(error=f"{refusal.code}: {refusal.message}")

    async def _ping(self) -> None:
        while True:
            await asyncio.sleep(PING_S)
            await self._send("Ping")

    async def _send(self, kind: str, **fields: Any) -> None:
        await self._socket.send_json({"type": kind, **fields})


def _result(outcome: Outcome) -> Json:
    """Return what both kinds of response carry."""
    if outcome.error is None:
        return {"result": outcome.value, "logLines": outcome.log_lines}
    data = {"errorData": outcome.data[0]} if outcome.data else {}
    return {"result": outcome.error, **data, "logLines": outcome.log_lines}


def _u64(number: int) -> str:
    return base64.b64encode(struct.pack("<Q", number)).decode()
