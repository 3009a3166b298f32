"""The Cloudflare half: its routes on the provision port, its sites, its part of endpoints.json."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from aiohttp import web

from ci.sandbox.pages import assets, deployments, envelope, knobs, projects
from ci.sandbox.pages.access import Access
from ci.sandbox.pages.blobs import Blobs
from ci.sandbox.pages.cloud import Cloud
from ci.sandbox.pages.envelope import RefusalError
from ci.sandbox.pages.sites import Sites
from ci.sandbox.pages.store import Store
from ci.sandbox.world import World

LACKS = (
    "functions and _worker.js (stored, not run)",
    "custom domains",
    "builds from git",
    "byte ranges, compression, early hints",
    "_headers and _redirects for other hosts",
    "every Cloudflare product but Pages",
)
API = "/client/v4"
PROJECT = "sandbox"
BRANCH = "main"

Call = Callable[[Cloud, web.Request], Awaitable[object]]
_ALL = "/accounts/{account}/pages/projects"
_ONE = f"{_ALL}/{{project}}"
_DEPLOYMENT = f"{_ONE}/deployments/{{deployment}}"
ROUTES: tuple[tuple[str, str, Call], ...] = (
    ("GET", "/user", projects.user),
    ("GET", "/user/tokens/verify", projects.verify_token),
    ("GET", "/memberships", projects.memberships),
    ("GET", "/accounts", projects.accounts),
    ("GET", "/accounts/{account}", projects.account),
    ("GET", _ALL, projects.list_all),
    ("POST", _ALL, projects.create),
    ("GET", _ONE, projects.read),
    ("PATCH", _ONE, projects.change),
    ("DELETE", _ONE, projects.delete),
    ("GET", f"{_ONE}/upload-token", projects.upload_token),
    ("POST", "/pages/assets/check-missing", assets.check_missing),
    ("POST", "/pages/assets/upload", assets.upload),
    ("POST", "/pages/assets/upsert-hashes", assets.upsert_hashes),
    ("GET", f"{_ONE}/deployments", deployments.list_all),
    ("POST", f"{_ONE}/deployments", deployments.create),
    ("GET", _DEPLOYMENT, deployments.read),
    ("DELETE", _DEPLOYMENT, deployments.delete),
    ("GET", f"{_DEPLOYMENT}/history/logs", deployments.read_log),
    ("POST", f"{_DEPLOYMENT}/rollback", deployments.roll_back),
)


@dataclass(frozen=True)
class PagesHalf:
    """The running half."""

    cloud: Cloud
    provision_url: str

    def endpoints(self) -> dict[str, object]:
        return {
            "api_base_url": f"{self.provision_url}{API}",
            "api_token": self.cloud.access.token,
            "account_id": self.cloud.access.account,
            "project": PROJECT,
            "production_branch": BRANCH,
            "site": self.cloud.sites.url(PROJECT),
        }

    async def close(self) -> None:
        """Nothing to do: the frame closes the listeners, and every change is in the database."""


async def open(world: World, provision: web.Application) -> PagesHalf:
    """Open the half; its first project exists from then on."""
    store, blobs = Store(world.db), Blobs(world.db, world.root / "assets")
    cloud = Cloud(Access(world), store, blobs, Sites(world.listeners, store, blobs), deque())
    provision.middlewares.append(cloud.sites.by_host)
    for method, path, call in ROUTES:
        provision.router.add_route(method, API + path, partial(_answer, cloud, call))
    provision.router.add_route("*", API + "/{path:.*}", partial(_answer, cloud, _unimplemented))
    knobs.add(provision, cloud)
    if not store.project(cloud.access.account, PROJECT):
        await projects.add(cloud, cloud.access.account, PROJECT, {"production_branch": BRANCH})
    await cloud.sites.reopen()
    return PagesHalf(cloud, world.listeners.url("provision"))


async def _answer(cloud: Cloud, call: Call, request: web.Request) -> web.Response:
    try:
        return envelope.success(await call(cloud, request))
    except RefusalError as error:
        return envelope.failure(error)


async def _unimplemented(_cloud: Cloud, request: web.Request) -> None:
    raise RefusalError(501, 7000, f"the sandbox does not implement {request.method} {request.path}")
