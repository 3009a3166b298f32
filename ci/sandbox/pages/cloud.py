"""What every call of the API works on, and the first thing that every call does: find out what it may touch."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from aiohttp import web

from ci.sandbox.pages.access import Access
from ci.sandbox.pages.blobs import Blobs
from ci.sandbox.pages.envelope import RefusalError
from ci.sandbox.pages.sites import Sites
from ci.sandbox.pages.store import Deployment, Project, Store


@dataclass(frozen=True)
class Result:
    """What becomes of a deployment: live at once; live after `delay_s`; failed, saying `fail`; or never done."""

    delay_s: float = 0
    fail: str = ""
    stall: bool = False


@dataclass(frozen=True)
class Cloud:
    """The parts of the half. `results` are those planted for the next deployments, the first for the next."""

    access: Access
    store: Store
    blobs: Blobs
    sites: Sites
    results: deque[Result]

    def account(self, request: web.Request) -> str:
        """Return the account of the request's path, if its token may do this there."""
        account = request.match_info["account"]
        self.access.admit(request, account)
        self.store.settle()
        return account

    def project(self, request: web.Request) -> Project:
        """Return the project of the request's path, if its token may do this there."""
        found = self.store.project(self.account(request), request.match_info["project"])
        if found is None:
            # wrangler takes this code, and no other, for "there is no such project".
            message = "Project not found. The specified project name does not match any of your existing projects."
            raise RefusalError(404, 8000007, message)
        return found

    def deployment(self, request: web.Request) -> tuple[Project, Deployment]:
        """Return project and deployment of the request's path, if its token may do this there."""
        project = self.project(request)
        found = self.store.deployment(request.match_info["deployment"])
        if found is None or found.project != project.number:
            message = "Deployment ID not found. The specified deployment ID does not match any of your deployments."
            raise RefusalError(404, 8000009, message)
        return project, found
