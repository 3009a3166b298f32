"""Files that are written from a source: where they belong, whether they are stale, and writing them."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ci.errors import CheckFailed, InputError

LISTED = 40  # lines of a difference

Texts = Mapping[Path, str]


@dataclass(frozen=True)
class Place:
    """
    Where Lockstep lies: its own folder, the roots of the repositories of Lockstep and of the app, and their remotes.

    What git does not know is ""; a folder without version control is a root of its own.
    """

    folder: Path
    root: str
    app_root: str
    remotes: str

    @property
    def holds_app(self) -> bool:
        """Tell whether a push to the app is a push to this repository: else its workflow is not ours to write."""
        return self.root == self.app_root

    @property
    def top(self) -> Path:
        """Return the root of the repository, where GitHub looks for workflows."""
        return Path(self.root) if self.root else self.folder

    @property
    def below(self) -> str:
        """Return the folder of Lockstep below the root, "" for the root itself."""
        below = self.folder.resolve().relative_to(self.top.resolve()).as_posix()
        return "" if below == "." else below

    def refuse(self) -> None:
        """
        Return where a workflow makes sense.

        Raises:
            InputError: no push to the app could ever start it.
        """
        if not self.holds_app:
            what = f"the app is in another repository ({self.app_root or 'none'}) than Lockstep, which no push starts"
            raise InputError(what, hint='put Lockstep into a folder of that one, and set app.root = ".."')
        if not self.remotes.strip():
            what = "this repository has no git remote, so GitHub will never see its workflow"
            raise InputError(what, hint="git remote add origin git@github.com:OWNER/NAME.git")


def place(ask: Callable[[list[str]], str], folder: Path, app: Path) -> Place:
    """Return where Lockstep's folder and the app lie; `ask` returns what a command prints, "" when it fails."""
    root, app_root = (ask(["git", "-C", str(one), "rev-parse", "--show-toplevel"]).strip() for one in (folder, app))
    return Place(folder, root, app_root, ask(["git", "-C", str(folder), "remote"]))


def write(texts: Texts, place: Place) -> str:
    """
    Write what is stale, and say what that was.

    Raises:
        InputError: no push to the app could ever start the workflow.
    """
    place.refuse()
    stale = [path for path, text in texts.items() if _read(path) != text]
    for path in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(texts[path])
    return "\n".join(f"wrote {path.relative_to(place.top)}" for path in stale) or f"{len(texts)} files are up to date"


def refuse_stale(texts: Texts, top: Path) -> str:
    """
    Return what can be said of files that are all as they would be written.

    Raises:
        CheckFailed: some are not; it shows the difference.
    """
    stale = {path: text for path, text in texts.items() if _read(path) != text}
    if not stale:
        return f"{len(texts)} files are up to date"
    names = ", ".join(path.relative_to(top).as_posix() for path in stale)
    lines = [line for path, text in stale.items() for line in _difference(path, text, top)]
    cut = [f"and {len(lines) - LISTED} more lines"] if len(lines) > LISTED else []
    shown = "\n".join(f"  {line}".rstrip() for line in [*lines[:LISTED], *cut])
    raise CheckFailed(f"{names}: not as ./inv workflow would write them\n{shown}", hint="run ./inv workflow")


def _difference(path: Path, text: str, top: Path) -> list[str]:
    name = path.relative_to(top).as_posix()
    before, after = _read(path).splitlines(), text.splitlines()
    return list(difflib.unified_diff(before, after, name, "written again", lineterm="", n=1))


def _read(path: Path) -> str:
    return path.read_text() if path.is_file() else ""
