"""What the Pages half remembers of projects and deployments, in the database."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any

SCHEMA = """
CREATE TABLE IF NOT EXISTS pages_projects (
    number INTEGER PRIMARY KEY, account TEXT, name TEXT, label TEXT UNIQUE, record TEXT,
    latest TEXT, canonical TEXT, access TEXT, UNIQUE (account, name));
CREATE TABLE IF NOT EXISTS pages_deployments (
    number INTEGER PRIMARY KEY, id TEXT UNIQUE, project INTEGER, environment TEXT, alias TEXT, record TEXT,
    manifest TEXT, headers TEXT, redirects TEXT, ready_at REAL, failure TEXT, settled INTEGER DEFAULT 0);
"""
JSON_COLUMNS = ("record", "access", "manifest")
Record = dict[str, Any]


@dataclass(frozen=True)
class Project:
    """A project: `label` is the first part of its address, `record` what the API shows of it but the deployments."""

    number: int
    account: str
    name: str
    label: str
    record: Record
    latest: str | None = None
    canonical: str | None = None
    # Headers that a visitor must send, or None where everybody may visit.
    access: dict[str, str] | None = None


@dataclass(frozen=True)
class Deployment:
    """A deployment: live once `ready_at` (seconds since 1970; None: never) has passed, unless it has a `failure`."""

    id: str
    project: int
    environment: str
    alias: str | None
    record: Record
    manifest: dict[str, str]
    headers: str
    redirects: str
    ready_at: float | None
    failure: str
    number: int = 0

    @property
    def short_id(self) -> str:
        return self.id[:8]

    @property
    def done(self) -> bool:
        return self.ready_at is not None and self.ready_at <= time.time()

    @property
    def live(self) -> bool:
        return self.done and not self.failure


class Store:
    """Projects and deployments. Every change is committed when its method returns."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        db.executescript(SCHEMA)

    def add_project(self, account: str, name: str, label: str, record: Record) -> Project:
        """Add a project, or raise sqlite3.IntegrityError when its account has one of this name."""
        values = (account, name, label, json.dumps(record))
        with self._db:
            self._db.execute("INSERT INTO pages_projects (account, name, label, record) VALUES (?, ?, ?, ?)", values)
        return self._project("account = ? AND name = ?", account, name)[0]

    def project(self, account: str, name: str) -> Project | None:
        return next(iter(self._project("account = ? AND name = ?", account, name)), None)

    def project_at(self, label: str) -> Project | None:
        return next(iter(self._project("label = ?", label)), None)

    def projects(self, account: str = "") -> list[Project]:
        """Return the projects of an account, or all, the newest first."""
        return self._project("? IN (account, '')", account)

    def change_project(self, project: Project, **columns: object) -> None:
        """Set columns of a project; dicts are stored as JSON."""
        names = ", ".join(f"{name} = ?" for name in columns)
        values = [_stored(value) for value in columns.values()]
        with self._db:
            self._db.execute(f"UPDATE pages_projects SET {names} WHERE number = ?", (*values, project.number))

    def delete_project(self, project: Project) -> None:
        with self._db:
            self._db.execute("DELETE FROM pages_deployments WHERE project = ?", (project.number,))
            self._db.execute("DELETE FROM pages_projects WHERE number = ?", (project.number,))

    def add_deployment(self, deployment: Deployment) -> None:
        values = {name: _stored(getattr(deployment, name)) for name in _columns(Deployment) if name != "number"}
        marks = ", ".join(f":{name}" for name in values)
        with self._db:
            self._db.execute(f"INSERT INTO pages_deployments ({', '.join(values)}) VALUES ({marks})", values)
            change = "UPDATE pages_projects SET latest = ? WHERE number = ?"
            self._db.execute(change, (deployment.id, deployment.project))

    def deployment(self, identifier: str | None) -> Deployment | None:
        return next(iter(self._deployment("id = ?", identifier)), None)

    def deployments(self, project: Project, environment: str = "") -> list[Deployment]:
        """Return the deployments of a project, of one environment or both, the newest first."""
        return self._deployment("project = ? AND ? IN (environment, '')", project.number, environment)

    def named(self, project: Project, name: str) -> Deployment | None:
        """Return the newest live deployment of that short id or branch alias."""
        found = self._deployment("project = ? AND ? IN (alias, substr(id, 1, 8))", project.number, name)
        return next((deployment for deployment in found if deployment.live), None)

    def delete_deployment(self, deployment: Deployment) -> None:
        with self._db:
            self._db.execute("DELETE FROM pages_deployments WHERE id = ?", (deployment.id,))

    def settle(self) -> None:
        """Let production deployments that have become live since the last look take over their production URL."""
        with self._db:
            due = self._deployment("NOT settled AND environment = 'production' AND ready_at <= ?", time.time())
            for deployment in reversed(due):
                self._db.execute("UPDATE pages_deployments SET settled = 1 WHERE id = ?", (deployment.id,))
                if not deployment.failure:
                    change = "UPDATE pages_projects SET canonical = ? WHERE number = ?"
                    self._db.execute(change, (deployment.id, deployment.project))

    def _project(self, where: str, *values: object) -> list[Project]:
        return [Project(**row) for row in self._rows("pages_projects", _columns(Project), where, values)]

    def _deployment(self, where: str, *values: object) -> list[Deployment]:
        return [Deployment(**row) for row in self._rows("pages_deployments", _columns(Deployment), where, values)]

    def _rows(self, table: str, columns: list[str], where: str, values: tuple[object, ...]) -> Iterator[Record]:
        select = f"SELECT {', '.join(columns)} FROM {table} WHERE {where} ORDER BY number DESC"
        for row in self._db.execute(select, values):
            named = dict(zip(columns, row, strict=True))
            yield named | {name: json.loads(named[name]) for name in JSON_COLUMNS if named.get(name)}


def _columns(kind: type[Project | Deployment]) -> list[str]:
    return [item.name for item in fields(kind)]


def _stored(value: object) -> object:
    return json.dumps(value) if isinstance(value, dict) else value


def timestamp(seconds: float | None = None) -> str:
    """Return a time (now, if none is given) as Cloudflare writes it."""
    at = datetime.fromtimestamp(time.time() if seconds is None else seconds, UTC)
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
