"""A folder -> what the audit knows of the repository in it."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from ci.audit import locks, packages, reach, shown, turbo, workflows
from ci.audit.files import Files
from ci.audit.model import Repository


def read(root: Path, *, without: Collection[str] = ()) -> Repository:
    """Return all that a rule may look at, but for the folders in `without`; nothing of the repository is run."""
    files = Files(root, without)
    found = packages.read(files)
    tasks = turbo.read(files, found)
    started = workflows.read(files)
    reached = reach.reach(files, started, found, tasks)
    return Repository(
        workflows=started,
        packages=found,
        backends=packages.backends(files, found),
        turbo=tasks,
        locks=locks.paths(files),
        reached=reached,
        plain=shown.plain(files, reached),
        latent=reach.latent(files, found, tasks) if tasks else (),
        texts=files.texts,
        skipped=tuple(files.skipped),
    )
