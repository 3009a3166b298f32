"""What the Convex half keeps in SQLite: deployments, keys, code, variables, documents. All of it outlives a kill."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from ci.sandbox.convex import code
from ci.sandbox.convex.code import Code

JOBS = "_scheduled_functions"
# A client that was away for longer than this does not send a mutation again.
REQUESTS_KEPT_S = 86_400

TABLES = """
CREATE TABLE IF NOT EXISTS convex_deployments (
    name TEXT PRIMARY KEY, kind TEXT NOT NULL, team TEXT NOT NULL, project TEXT NOT NULL, counters TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS convex_keys (key TEXT PRIMARY KEY, deployment TEXT NOT NULL, operations TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS convex_code (
    deployment TEXT, slot TEXT, code TEXT NOT NULL, PRIMARY KEY (deployment, slot));
CREATE TABLE IF NOT EXISTS convex_variables (
    deployment TEXT, name TEXT, value TEXT NOT NULL, PRIMARY KEY (deployment, name));
CREATE TABLE IF NOT EXISTS convex_packages (deployment TEXT PRIMARY KEY, folder TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS convex_documents (
    deployment TEXT, id TEXT, tbl TEXT NOT NULL, created REAL NOT NULL, document TEXT NOT NULL,
    component TEXT NOT NULL DEFAULT '', PRIMARY KEY (deployment, id));
CREATE INDEX IF NOT EXISTS convex_documents_by_table ON convex_documents (deployment, tbl, created);
CREATE TABLE IF NOT EXISTS convex_crons (
    deployment TEXT, component TEXT, name TEXT, spec TEXT NOT NULL, due REAL NOT NULL,
    PRIMARY KEY (deployment, component, name));
CREATE TABLE IF NOT EXISTS convex_requests (
    deployment TEXT, session TEXT, request INTEGER, answer TEXT NOT NULL, at REAL NOT NULL,
    PRIMARY KEY (deployment, session, request));
"""


@dataclass(frozen=True)
class Name:
    """Who a deployment is."""

    name: str
    kind: str
    team: str
    project: str

    @property
    def qualified(self) -> str:
        return f"{self.kind}:{self.name}"


@dataclass(frozen=True)
class Request:
    """Identify a mutation that a client may send again after a lost connection: its session, its number there."""

    session: str
    number: int


class Store:
    """The tables of the Convex half. Each method that changes something has committed when it returns."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        db.executescript(TABLES)
        with db:
            if "component" not in {row[1] for row in db.execute("PRAGMA table_info(convex_documents)")}:
                # State that was kept before there were components.
                db.execute("ALTER TABLE convex_documents ADD COLUMN component TEXT NOT NULL DEFAULT ''")
            db.execute("DELETE FROM convex_requests WHERE at < ?", (time.time() - REQUESTS_KEPT_S,))

    def names(self) -> list[Name]:
        rows = self._db.execute("SELECT name, kind, team, project FROM convex_deployments ORDER BY rowid")
        return [Name(*row) for row in rows]

    def add(self, name: Name) -> None:
        with self._db:
            row = (name.name, name.kind, name.team, name.project)
            self._db.execute("INSERT OR IGNORE INTO convex_deployments VALUES (?, ?, ?, ?, '{}')", row)

    def add_key(self, key: str, deployment: str, operations: Iterable[str]) -> None:
        """Keep a deploy key; no operations means all."""
        with self._db:
            row = (key, deployment, json.dumps(list(operations)))
            self._db.execute("INSERT OR REPLACE INTO convex_keys VALUES (?, ?, ?)", row)

    def key(self, key: str) -> tuple[str, tuple[str, ...]] | None:
        """Return the deployment that a key opens and the operations it allows, or None for an unknown key."""
        row = self._db.execute("SELECT deployment, operations FROM convex_keys WHERE key = ?", (key,)).fetchone()
        return (row[0], tuple(json.loads(row[1]))) if row else None

    def code(self, deployment: str, slot: str) -> Code:
        """Return the code in a slot ("live" or "pushed"), an empty one before the first push."""
        query = "SELECT code FROM convex_code WHERE deployment = ? AND slot = ?"
        row = self._db.execute(query, (deployment, slot)).fetchone()
        return code.parse(row[0]) if row else Code()

    def set_code(self, deployment: str, slot: str, code: Code) -> None:
        with self._db:
            row = (deployment, slot, json.dumps(asdict(code)))
            self._db.execute("INSERT OR REPLACE INTO convex_code VALUES (?, ?, ?)", row)

    def variables(self, deployment: str) -> dict[str, str]:
        query = "SELECT name, value FROM convex_variables WHERE deployment = ? ORDER BY name"
        return dict(self._db.execute(query, (deployment,)))

    def set_variables(self, deployment: str, changes: dict[str, str | None]) -> None:
        """Set variables, and remove those whose value is None."""
        with self._db:
            for name, value in changes.items():
                self._db.execute("DELETE FROM convex_variables WHERE deployment = ? AND name = ?", (deployment, name))
                if value is not None:
                    self._db.execute("INSERT INTO convex_variables VALUES (?, ?, ?)", (deployment, name, value))

    def packages(self, deployment: str) -> str:
        """Return the folder whose installed packages a deployment's Node actions may load, "" if none was told."""
        row = self._db.execute("SELECT folder FROM convex_packages WHERE deployment = ?", (deployment,)).fetchone()
        return str(row[0]) if row else ""

    def set_packages(self, deployment: str, folder: str) -> None:
        with self._db:
            self._db.execute("INSERT OR REPLACE INTO convex_packages VALUES (?, ?)", (deployment, folder))

    def commit(self, deployment: str, changes: list[dict[str, Any]], counters: Any, request: Request | None) -> None:
        """Keep what a transaction changed: rows, the document null if it is gone, and the mutation it came from."""
        with self._db:
            for change in changes:
                self._change(deployment, change)
            row = (json.dumps(counters), deployment)
            self._db.execute("UPDATE convex_deployments SET counters = ? WHERE name = ?", row)
            if request:
                # Should we die before the answer is known, a client that asks again learns that it was done, no more.
                self._remember(deployment, request, {"success": True, "result": None, "logLines": []})

    def _change(self, deployment: str, change: dict[str, Any]) -> None:
        document = change["document"]
        if document is None:
            self._db.execute("DELETE FROM convex_documents WHERE deployment = ? AND id = ?", (deployment, change["id"]))
        else:
            values = (change["table"], document["_creationTime"], json.dumps(document), change["component"])
            query = "INSERT OR REPLACE INTO convex_documents VALUES (?, ?, ?, ?, ?, ?)"
            self._db.execute(query, (deployment, change["id"], *values))

    def remember(self, deployment: str, request: Request, answer: dict[str, Any]) -> None:
        """Keep the answer to a mutation, for a client that did not get it."""
        with self._db:
            self._remember(deployment, request, answer)

    def _remember(self, deployment: str, request: Request, answer: dict[str, Any]) -> None:
        row = (deployment, request.session, request.number, json.dumps(answer), time.time())
        self._db.execute("INSERT OR REPLACE INTO convex_requests VALUES (?, ?, ?, ?, ?)", row)

    def remembered(self, deployment: str, request: Request) -> dict[str, Any] | None:
        query = "SELECT answer FROM convex_requests WHERE deployment = ? AND session = ? AND request = ?"
        row = self._db.execute(query, (deployment, request.session, request.number)).fetchone()
        return json.loads(row[0]) if row else None

    def counters(self, deployment: str) -> Any:
        query = "SELECT counters FROM convex_deployments WHERE name = ?"
        return json.loads(self._db.execute(query, (deployment,)).fetchone()[0])

    def crons(self, deployment: str) -> list[tuple[str, str, Any, float]]:
        """Return the cron jobs: component, name, spec, and when due as a Unix time."""
        query = "SELECT component, name, spec, due FROM convex_crons WHERE deployment = ? ORDER BY component, name"
        return [(row[0], row[1], json.loads(row[2]), row[3]) for row in self._db.execute(query, (deployment,))]

    def set_crons(self, deployment: str, crons: list[tuple[str, str, Any, float]]) -> None:
        """Keep these cron jobs and no others."""
        rows = [(deployment, component, name, json.dumps(spec), due) for component, name, spec, due in crons]
        with self._db:
            self._db.execute("DELETE FROM convex_crons WHERE deployment = ?", (deployment,))
            self._db.executemany("INSERT INTO convex_crons VALUES (?, ?, ?, ?, ?)", rows)

    def set_due(self, deployment: str, component: str, name: str, due: float) -> None:
        """Set when a cron job is due."""
        where = "deployment = ? AND component = ? AND name = ?"
        with self._db:
            self._db.execute(f"UPDATE convex_crons SET due = ? WHERE {where}", (due, deployment, component, name))

    def rows(self, deployment: str, table: str | None = None) -> list[dict[str, Any]]:
        """Return the documents of all components, or those of one table: [{"id", "component", "table", "document"}]."""
        where = "deployment = ? AND tbl = ifnull(?, tbl)"
        query = f"SELECT id, component, tbl, document FROM convex_documents WHERE {where} ORDER BY created, id"
        found = self._db.execute(query, (deployment, table))
        return [{"id": row[0], "component": row[1], "table": row[2], "document": json.loads(row[3])} for row in found]

    def documents(self, deployment: str, component: str, table: str) -> list[dict[str, Any]]:
        """Return the documents of one table of a component, the oldest first."""
        return [row["document"] for row in self.rows(deployment, table) if row["component"] == component]

    def counts(self, deployment: str, component: str) -> dict[str, int]:
        """Return the number of documents in each table of a component that has any."""
        query = "SELECT tbl, count(*) FROM convex_documents WHERE deployment = ? AND component = ? GROUP BY tbl"
        return dict(self._db.execute(f"{query} ORDER BY tbl", (deployment, component)))
