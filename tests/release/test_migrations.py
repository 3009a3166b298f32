"""Which of the listed migrations a deployment still needs."""

from __future__ import annotations

from pathlib import Path

from ci.config import App, Config, Migration, Smoke
from ci.release import migrations

DONE = {"commit": "c" * 12, "at": "2026-11-22T00:00:00+00:00", "state": "done"}


def test_what_is_done_or_skipped_is_not_pending() -> None:
    listed = (
        Migration("a:done"),
        Migration("a:begun"),
        Migration("a:odd", skip="there is no data"),
        Migration("a:new"),
    )
    config = Config(App("example"), {}, listed, Smoke(), Path(".lockstep"))
    record = {"a:done": DONE, "a:begun": DONE | {"state": "running"}}
    assert [item.function for item in migrations.pending(config, record)] == ["a:begun", "a:new"]
