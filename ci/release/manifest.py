"""The stamp that every published site carries: which release it is, and which backend it was built for."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ci import rest
from ci.config import Target
from ci.errors import InputError, LockstepError, Problems, Unfinished
from ci.release.git import Tree
from ci.secret import Secret

PATH = ".well-known/lockstep.json"
VERSION = 1
NO_SITE = "no site that Lockstep released"

_CONVEX_URL = re.compile(rb"https?://[a-z]+-[a-z]+-\d+(?:\.[a-z0-9-]+)?\.convex\.(?:cloud|site)")
_TEXT = {".js", ".mjs", ".cjs", ".html", ".json", ".css", ".map"}


@dataclass(frozen=True)
class Stamp:
    """
    What a site says of itself at /.well-known/lockstep.json.

    `release` is made of the commit and the content, so the same release built again is the same release. `functions`
    are those that this site calls, sorted; None in a site stamped before stamps had them: nobody knows what it calls.
    """

    version: int
    release: str
    commit: str
    dirty: bool
    backend: Mapping[str, str]
    functions: tuple[str, ...] | None = None


def check_dist(dist: Path, backend_url: str, client: Path) -> None:
    """
    Refuse a dist folder that must not be published.

    Args:
        client: the installed `convex` package, which names URLs of its own in its messages.

    Raises:
        Problems: it is empty, has no index.html, does not name the backend, or names another one.
    """
    if not (dist / "index.html").is_file():
        hint = "run ./inv build; set app.dist in lockstep.toml"
        raise InputError(f"there is no index.html in {dist}, so there is no site to publish", hint=hint)
    texts = {path: path.read_bytes() for path in sorted(dist.rglob("*")) if path.suffix in _TEXT and path.is_file()}
    problems: list[LockstepError] = []
    if not any(backend_url.encode() in text for text in texts.values()):
        hint = "name the variable that the frontend reads in app.backend_url_variable, and in turbo.json's build.env"
        problems.append(InputError(f"the built site does not name its backend, {backend_url}", hint=hint))
    for url, path in _other_backends(texts, backend_url, client).items():
        hint = "find it in the frontend's source or its .env files, and remove it"
        problems.append(
            InputError(f"the built site names another backend, {url} ({path.relative_to(dist)})", hint=hint)
        )
    if problems:
        raise Problems(problems)


def check_built_since(dist: Path, began_at: float) -> None:
    """
    Refuse a dist folder that the build did not write, so that no old site is published as a new one.

    Args:
        began_at: when the build began, in seconds of the epoch.

    Raises:
        InputError: its index.html is from before.
    """
    index = dist / "index.html"
    # File systems round, some to whole seconds.
    if index.is_file() and index.stat().st_mtime < began_at - 1:
        raise InputError(f"the build did not write {index}, which is from before", hint="set app.dist in lockstep.toml")


def _other_backends(texts: Mapping[Path, bytes], backend_url: str, client: Path) -> dict[str, Path]:
    host = backend_url.removesuffix(".convex.cloud")
    found = {url: path for path, text in texts.items() for url in _urls(text) if url.rpartition(".convex.")[0] != host}
    if found:
        examples = {url for path in client.glob("dist/esm/**/*.js") for url in _urls(path.read_bytes())}
        return {url: path for url, path in found.items() if url not in examples}
    return found


def stamp(dist: Path, tree: Tree, deployment: str, backend_url: str, functions: Iterable[str]) -> Stamp:
    """Put the stamp of this release, which calls `functions`, into `dist` and return it."""
    import hashlib

    digest = hashlib.sha256(f"{deployment} {backend_url}\n".encode())
    for path in sorted(dist.rglob("*")):
        if path.is_file() and path != dist / PATH:
            digest.update(f"{path.relative_to(dist)} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    release = f"{tree.commit[:12]}-{digest.hexdigest()[:12]}"
    backend = {"deployment": deployment, "url": backend_url}
    made = Stamp(VERSION, release, tree.commit, tree.dirty, backend, tuple(sorted(functions)))
    place = dist / PATH
    place.parent.mkdir(exist_ok=True)
    draft = place.with_suffix(".new")
    draft.write_text(json.dumps(asdict(made), indent=2) + "\n")
    draft.replace(place)
    return made


def read(dist: Path) -> Stamp:
    """Return the stamp in `dist`, as `stamp` left it."""
    return _stamp(json.loads((dist / PATH).read_text()))


def live(target: Target) -> Stamp | str:
    """
    Return the stamp of the site that people open now, or one phrase that says why there is none.

    Raises:
        Unfinished: the site did not answer.
    """
    answer = _asked(target)
    found = answer.json()
    if answer.status >= 500 or _keeps_out(answer):
        return f"the site {_keeps_out(answer) or f'answers {answer.status}'}"
    if not isinstance(found, dict) or "release" not in found:
        return NO_SITE
    if found.get("version") != VERSION:
        return f"a site stamped by another Lockstep (format {found.get('version')})"
    return _stamp(found)


def obstacle(target: Target) -> str:
    """Return what keeps Lockstep from looking at the site ("answers 403"), or ""; without an answer, too."""
    try:
        return _keeps_out(_asked(target))
    except Unfinished:
        return ""


def _keeps_out(answer: rest.Answer) -> str:
    """Tell a login in the way from a site: Cloudflare Access, for one, sends visitors to a host of its own."""
    if answer.status in (401, 403):
        return f"answers {answer.status}"
    if 300 <= answer.status < 400:
        return f"sends visitors to {answer.headers.get('location', 'nowhere').partition('?')[0]}"
    return ""


def _asked(target: Target) -> rest.Answer:
    headers: dict[str, str | Secret] = {"Cache-Control": "no-cache", **target.smoke_headers}
    return rest.call("GET", f"{target.frontend.site}/{PATH}", headers=headers)


def _urls(text: bytes) -> set[str]:
    return {url.decode() for url in _CONVEX_URL.findall(text)}


def _stamp(found: Mapping[str, Any]) -> Stamp:
    names = found.get("functions")
    functions = tuple(sorted(map(str, names))) if isinstance(names, list) else None
    commit, backend = str(found["commit"]), dict(found["backend"])
    return Stamp(VERSION, str(found["release"]), commit, bool(found.get("dirty")), backend, functions)
