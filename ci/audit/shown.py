"""What a publish shows: folders that it names, or that were copied there; and which of them nobody builds."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterable, Iterator
from typing import TYPE_CHECKING

from ci.audit.model import Reached, Step

if TYPE_CHECKING:
    from ci.audit.files import Files

_INPUTS = ("directory", "workingDirectory", "working-directory", "publish_dir", "publish-dir", "folder", "path")
_UPLOADS = re.compile(r"upload-pages-artifact|^withastro/action")
_COPY = re.compile(r"^\s*cp\s+(?:-\S+\s+)*(\S.*?)\s+(\S+)\s*$", re.MULTILINE)
_PROGRAM = re.compile(r"\.(?:html?|[cm]?js)$")
_CALLS = re.compile(r"\bconvex\.(?:cloud|site|browser|bundle)\b|\bconvex(?:@[\w.]+)?/\w|Convex\w*Client")
_MOST = 200  # files of a site that nobody builds


def folders(reached: Reached) -> Iterator[str]:
    """Yield the folders that a publish may be about, the one that it runs in first."""
    yield reached.folder or ""
    yield from _named(reached)


def _named(reached: Reached) -> Iterator[str]:
    folder = reached.folder or ""
    for name in _INPUTS:
        if name in reached.given and "$" not in reached.given[name].value:
            yield posixpath.normpath(posixpath.join(folder, reached.given[name].value))
    for word in reached.argv[1:]:
        value = word.partition("=")[2] if word.startswith("--") else word
        if ("/" in value or word == "dist") and not value.startswith(("$", "/", "http", "@", "-")):
            yield posixpath.normpath(posixpath.join(folder, value))
    for step in _steps(reached) if reached.tool == "gh-pages" else ():
        path = step.given.get("path")
        if step.uses and path and "$" not in path.value and _UPLOADS.search(step.uses.value):
            yield posixpath.normpath(path.value)


def _steps(reached: Reached) -> Iterator[Step]:
    jobs = reached.workflow.jobs if reached.workflow else ()
    yield from (step for job in jobs for step in job.steps)


def _sources(reached: Reached) -> set[str]:
    """Return what is published of the repository: what was copied into a folder, else the folder itself."""
    found: set[str] = set()
    texts = [step.run.value for step in _steps(reached) if step.run]
    for path in _named(reached):
        copies = (copy for text in texts for copy in _COPY.findall(text))
        copied = {one for what, target in copies for one in what.split() if _is_in(target, path)}
        found |= {posixpath.normpath(re.sub(r"/[.*]?$", "", one)) for one in copied} or {path}
    return found


def _is_in(path: str, folder: str) -> bool:
    return f"{posixpath.normpath(path)}/".startswith(f"{folder}/")


def plain(files: Files, reached: Iterable[Reached]) -> frozenset[str]:
    """Return what is published as it lies in the repository, without being built, and does not call Convex."""
    named = {path for one in reached if one.kind == "publish" for path in _sources(one)}
    return frozenset(path for path in named if _is_plain(files, path))


def _is_plain(files: Files, path: str) -> bool:
    inside = (path,) if files.exists(path) else files.under(path)
    programs = [one for one in inside if _PROGRAM.search(one)]
    is_site = programs == [path] or (f"{path}/index.html" in inside and f"{path}/package.json" not in inside)
    return is_site and len(programs) <= _MOST and not any(_calls(files.text(one)) for one in programs)


def _calls(program: str | None) -> bool:
    return program is None or bool(_CALLS.search(program))


def is_plain(reached: Reached, plain: Collection[str]) -> bool:
    """Tell whether all that is published is among what does not call Convex."""
    found = _sources(reached)
    return bool(found) and found <= set(plain)
