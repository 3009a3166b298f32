"""The sites: each project's production on a port for ever, its newest deployments on ports of their own."""

from __future__ import annotations

import html
import re
from functools import partial
from urllib.parse import quote, unquote, urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler
from multidict import CIMultiDict

from ci.sandbox.pages import lookup, rules
from ci.sandbox.pages.blobs import Blobs
from ci.sandbox.pages.store import Deployment, Project, Store
from ci.sandbox.world import Listeners

# A port each for so many deployments of a project; older ones are reached by their name on the provision port.
NEWEST = 20
HOST = re.compile(r"(?:([a-z0-9-]+)\.)?([a-z0-9-]+)\.pages\.localhost(?::\d+)?")
CACHE = "public, max-age=0, must-revalidate"
TEXT = re.compile(r"text/.*|application/(javascript|json)")


class Sites:
    """Serves what was deployed. A site is named by its label and, for one deployment or branch of it, a `sub`."""

    def __init__(self, listeners: Listeners, store: Store, blobs: Blobs) -> None:
        self._listeners = listeners
        self._store = store
        self._blobs = blobs
        self._urls: dict[str, str] = {}

    async def reopen(self) -> None:
        """Open every project, and every deployment that has a port; give up the ports of what is gone."""
        had = self._listeners.names("site:")
        there = {
            _server(project.label, sub): (project.label, sub)
            for project in self._store.projects()
            for sub in ("", *(deployment.short_id for deployment in self._store.deployments(project)))
        }
        for server in had:
            if server not in there:
                self._listeners.forget(server)
        for server, (label, sub) in there.items():
            if server in had or not sub:
                await self.open(label, sub)

    async def open(self, label: str, sub: str = "") -> None:
        """Listen for a site on a port of its own; the oldest deployment beyond the newest few gives up its port."""
        if _server(label, sub) in self._urls:
            return
        app = self._listeners.application(_server(label, sub))
        app.router.add_route("*", "/{path:.*}", partial(self._answer, label=label, sub=sub))
        self._urls[_server(label, sub)] = await self._listeners.open(_server(label, sub), app)
        for server in self._listeners.names(f"site:{label}:")[:-NEWEST]:
            await self._close(server)

    async def close(self, label: str, sub: str = "") -> None:
        """Stop serving one deployment, or a project and all its deployments, for good."""
        for server in [_server(label, sub)] if sub else [_server(label), *self._listeners.names(f"site:{label}:")]:
            await self._close(server)

    def url(self, label: str, sub: str = "") -> str:
        """Return where a site is: its own port, else its name on the provision port, which browsers resolve."""
        return self._urls.get(_server(label, sub)) or self.named_url(label, sub)

    def named_url(self, label: str, sub: str = "") -> str:
        host = f"{sub}.{label}" if sub else label
        return f"http://{host}.pages.localhost:{urlsplit(self._listeners.url('provision')).port}"

    @web.middleware
    async def by_host(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer requests on the provision port that are for a site by their Host header."""
        named = HOST.fullmatch(request.headers.get("Host", ""))
        return await self._answer(request, label=named[2], sub=named[1] or "") if named else await handler(request)

    async def _close(self, server: str) -> None:
        self._urls.pop(server, None)
        await self._listeners.close(server)
        self._listeners.forget(server)

    async def _answer(self, request: web.Request, *, label: str, sub: str) -> web.StreamResponse:
        self._store.settle()
        project = self._store.project_at(label)
        if project is None:
            return _page(404, f"there is no project {label}")
        if not _admitted(project, request):
            return _page(403, f"{label} is protected: the service token in the request's headers is missing or wrong")
        deployment = self._store.named(project, sub) if sub else self._store.deployment(project.canonical)
        if deployment is None:
            return _page(404, f"nothing is deployed to {sub or 'production'} of {label} yet")
        answer = self._serve(request, deployment)
        _dress(answer, rules.headers(deployment.headers, request.rel_url.raw_path))
        if sub:
            answer.headers["X-Robots-Tag"] = "noindex"
        return answer

    def _serve(self, request: web.Request, deployment: Deployment) -> web.Response:
        path = request.rel_url.raw_path
        rule = rules.redirect(deployment.redirects, path)
        if rule and rule.status != 200:
            return web.Response(status=rule.status, headers={"Location": _with_query(rule.target, request)})
        if request.method not in ("GET", "HEAD"):
            return web.Response(status=405)
        found = lookup.find(deployment.manifest, unquote(rule.target if rule else path))
        if isinstance(found, lookup.Moved):
            location = quote("/" + found.path.lstrip("/"), safe="/:@!$&'()*+,;=~")
            return web.Response(status=308, headers={"Location": _with_query(location, request)})
        return self._file(request, deployment.manifest[found.path], found.status) if found else web.Response(status=404)

    def _file(self, request: web.Request, key: str, status: int) -> web.Response:
        etag = f'"{key}"'
        if status == 200 and request.headers.get("If-None-Match") in (etag, f"W/{etag}"):
            return web.Response(status=304)
        content_type = self._blobs.content_type(key) or "application/octet-stream"
        if TEXT.fullmatch(content_type):
            content_type += "; charset=utf-8"
        headers = CIMultiDict({"Content-Type": content_type})
        if status == 200:
            headers["ETag"] = etag
        if status == 200 and "Authorization" not in request.headers:
            headers["Cache-Control"] = CACHE
        return web.Response(status=status, body=self._blobs.read(key), headers=headers)


def _server(label: str, sub: str = "") -> str:
    return f"site:{label}:{sub}" if sub else f"site:{label}"


def _admitted(project: Project, request: web.Request) -> bool:
    return all(request.headers.get(name) == value for name, value in (project.access or {}).items())


def _dress(answer: web.Response, blocks: list[rules.Headers]) -> None:
    """Add the headers that Pages adds, then the site's own: they replace the former, and add up among themselves."""
    answer.headers["Access-Control-Allow-Origin"] = "*"
    answer.headers["Referrer-Policy"] = "strict-origin-when-cross-origin"
    if "Content-Type" in answer.headers:
        answer.headers["X-Content-Type-Options"] = "nosniff"
    own: CIMultiDict[str] = CIMultiDict()
    for block in blocks:
        for name in block.unset:
            answer.headers.popall(name, None)
        for name, value in block.set:
            own[name] = f"{own[name]}, {value}" if name in own else value
            answer.headers[name] = own[name]
    if answer.status == 404:
        answer.headers["Cache-Control"] = "no-store"


def _with_query(target: str, request: web.Request) -> str:
    """Return the target with the query of the request, unless it has one of its own."""
    address, mark, fragment = target.partition("#")
    query = request.rel_url.raw_query_string
    return f"{address}?{query}{mark}{fragment}" if query and "?" not in address else target


def _page(status: int, text: str) -> web.Response:
    body = f"<!doctype html><title>Sandbox of Cloudflare Pages</title><h1>{status}</h1><p>{html.escape(text)}\n"
    return web.Response(status=status, text=body, content_type="text/html", headers={"Cache-Control": "no-store"})
