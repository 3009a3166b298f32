"""Which file of a site a path means: clean addresses, the nearest 404 page, the page of a single-page app."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass


@dataclass(frozen=True)
class File:
    """Serve this file, with this status."""

    path: str
    status: int = 200


@dataclass(frozen=True)
class Moved:
    """Answer 308: the same thing has another, clean address."""

    path: str


def find(files: Container[str], path: str) -> File | Moved | None:
    """
    Return what a site made of these files (each with its leading slash) answers to a path.

    A site without /404.html is taken for a single-page app: it answers /index.html, with 200, to everything that it
    does not have, so that a missing script is answered with a page.

    Source: workers-sdk, packages/pages-shared/asset-server/handler.ts; read 2026-11-22.
    """
    found = _folder(files, path) if path.endswith("/") else _file(files, path)
    return found or _not_found(files, path)


def _folder(files: Container[str], path: str) -> File | Moved | None:
    if f"{path}index.html" in files:
        return File(f"{path}index.html")
    if path.endswith("/index/"):
        return Moved(path.removesuffix("index/"))
    return Moved(path[:-1]) if f"{path[:-1]}.html" in files else None


def _file(files: Container[str], path: str) -> File | Moved | None:
    if path in files:
        return _page(files, path) if path.endswith(".html") else File(path)
    if path.endswith("/index"):
        return Moved(path.removesuffix("index"))
    if f"{path}.html" in files:
        return File(f"{path}.html")
    return Moved(f"{path}/") if f"{path}/index.html" in files else None


def _page(files: Container[str], path: str) -> File | Moved:
    clean = path.removesuffix(".html")
    if clean.endswith("/index"):
        return Moved(clean.removesuffix("index"))
    return File(path) if clean in files or clean == "/" else Moved(clean)


def _not_found(files: Container[str], path: str) -> File | None:
    folder = path
    while folder:
        folder = folder.rpartition("/")[0]
        if f"{folder}/404.html" in files:
            return File(f"{folder}/404.html", status=404)
    return File("/index.html") if "/index.html" in files else None
