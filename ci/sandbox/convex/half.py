"""Opens and closes the Convex half: a provision host, and one listener for each deployment."""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import web

from ci.sandbox.convex import provision, service
from ci.sandbox.convex import site as site_routes
from ci.sandbox.convex.deployment import Deployment
from ci.sandbox.convex.store import Name, Store
from ci.sandbox.world import World

TEAM, PROJECT = "sandbox-team", "sandbox"
ANIMALS = ("badger", "cormorant", "dormouse", "gannet", "heron", "ibex", "lynx", "marten", "otter", "plover", "wombat")
# Where `convex codegen` goes, so that generating code touches nothing that was released.
ROLES = {"production": "prod", "codegen": "dev"}
LACKS = (
    "packages with native add-ons, and code that uses files or processes",
    "the visibility of a component's functions: its internal ones can be called from outside of it",
    "answers of HTTP actions while they are being made (they are sent when whole)",
    "the end of a session when its user's token expires",
    "file storage, audit logs, backups, imports, exports, `convex run --inline-query`",
    "limits of size and time, but for a function that computes or waits too long",
    "the isolate: functions run in Node, on convex-test, whose error texts differ from the backend's",
    "relevance of text and vector search",
)


class Half:
    """The Convex half, open."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._store = Store(world.db)
        self._deployments: dict[str, Deployment] = {}
        self._roles: dict[str, Name] = {}
        self._provision_host = ""

    async def open(self, app: web.Application) -> None:
        """Add the provision host to the shared application, and open every deployment that there has been."""
        provision.add(app, self._store, self._deployments, self.add)
        for role, kind in ROLES.items():
            self._roles[role] = name = Name(self._invented(role), kind, TEAM, PROJECT)
            self._store.add(name)
        for name in self._store.names():
            await self.add(name)

    async def add(self, name: Name) -> dict[str, Any]:
        """Open a deployment, unless it is open, and return where it is and the key that opens all of it."""
        if name.name not in self._deployments:
            self._store.add(name)
            await self._listen(name)
        return self._opened(name.name)

    def _opened(self, name: str) -> dict[str, Any]:
        deployment = self._deployments[name]
        return {
            "deployment": deployment.name.qualified,
            "url": deployment.url,
            "site_url": deployment.site_url,
            "deploy_key": self._key(deployment.name),
        }

    def endpoints(self) -> dict[str, object]:
        deployments = {role: self._opened(name.name) for role, name in self._roles.items()}
        return {"provision_host": self._world.listeners.url("provision"), "deployments": deployments}

    async def close(self) -> None:
        await asyncio.gather(*(deployment.close() for deployment in self._deployments.values()))

    async def _listen(self, name: Name) -> None:
        deployment = Deployment(name, self._store, self._world.node)
        listeners = self._world.listeners
        app = listeners.application(f"convex:{name.name}")
        service.add(app, deployment)
        deployment.url = await listeners.open(f"convex:{name.name}", app)
        site = listeners.application(f"convex-site:{name.name}")
        site_routes.add(site, deployment)
        deployment.site_url = await listeners.open(f"convex-site:{name.name}", site)
        self._deployments[name.name] = deployment
        deployment.open()

    def _key(self, name: Name) -> str:
        # From the secrets that a reset keeps: keys stand in people's settings.
        key = f"{name.qualified}|{self._world.secret(f'convex-key:{name.name}')}"
        self._store.add_key(key, name.name, [])
        return key

    def _invented(self, role: str) -> str:
        number = int(self._world.secret(f"convex-name:{role}")[:12], 16)
        return f"sandbox-{ANIMALS[number % len(ANIMALS)]}-{100 + number // len(ANIMALS) % 900}"


async def open(world: World, provision_app: web.Application) -> Half:
    """Open the half on these routes of the shared provision application."""
    half = Half(world)
    await half.open(provision_app)
    return half
