"""The uploaded files: one blob a hash, shared by all deployments that name it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

SCHEMA = "CREATE TABLE IF NOT EXISTS pages_assets (hash TEXT PRIMARY KEY, content_type TEXT)"


class Blobs:
    """Files by hash. A file is whole or absent: the row that names it is written after it is in place."""

    def __init__(self, db: sqlite3.Connection, folder: Path) -> None:
        self._db = db
        self._folder = folder
        folder.mkdir(exist_ok=True)
        with db:
            db.execute(SCHEMA)

    def missing(self, hashes: list[str]) -> list[str]:
        return [item for item in dict.fromkeys(hashes) if self.content_type(item) is None]

    def add(self, key: str, content: bytes, content_type: str) -> None:
        new = self._folder / f"{key}.new"
        new.write_bytes(content)
        new.replace(self._folder / key)
        with self._db:
            self._db.execute("INSERT OR REPLACE INTO pages_assets VALUES (?, ?)", (key, content_type))

    def content_type(self, key: str) -> str | None:
        row = self._db.execute("SELECT content_type FROM pages_assets WHERE hash = ?", (key,)).fetchone()
        return str(row[0]) if row else None

    def read(self, key: str) -> bytes:
        return (self._folder / key).read_bytes()
