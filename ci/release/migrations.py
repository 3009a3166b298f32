"""Migrations: which of lockstep.toml's list a deployment has recorded, and the record of each run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial

from ci import convex, rest
from ci.config import Backend, Config, Migration
from ci.errors import Unfinished

Record = Mapping[str, Mapping[str, str]]


def recorded(backend: Backend, url: str) -> Record:
    """
    Return what the deployment says it has run: function to {"commit", "at", "state": "running" | "done"}.

    Raises:
        Unfinished: the record is not Lockstep's; nothing may be run twice on a guess.
    """
    text = convex.variables(backend, url).get(convex.MIGRATIONS_VARIABLE, "{}")
    try:
        found = json.loads(text)
        return {
            str(function): {key: str(run[key]) for key in ("commit", "at", "state")} for function, run in found.items()
        }
    except (ValueError, AttributeError, TypeError, KeyError) as error:
        name = convex.MIGRATIONS_VARIABLE
        hint = f"mend or remove {name} in the Convex dashboard (Settings, Environment Variables)"
        raise Unfinished(f"{name} on {url} is not a record of migrations", hint=hint) from error


def pending(config: Config, record: Record) -> list[Migration]:
    """Return the migrations that the deployment has not recorded as done, in the order of lockstep.toml."""
    wanted = [migration for migration in config.migrations if not migration.skip]
    return [migration for migration in wanted if not is_in_state(record, migration, "done")]


def is_in_state(record: Record, migration: Migration, state: str) -> bool:
    """Tell whether the deployment has recorded `migration` as "running" or as "done"."""
    return record.get(migration.function, {}).get("state") == state


def add(backend: Backend, url: str, migration: Migration, *, commit: str, state: str) -> None:
    """Record on the deployment that `migration` is running or done, so that every machine sees it."""
    run = {"commit": commit[:12], "at": datetime.now(UTC).isoformat(timespec="seconds"), "state": state}
    record = {**recorded(backend, url), migration.function: run}
    convex.set_variables(backend, url, {convex.MIGRATIONS_VARIABLE: json.dumps(record, separators=(",", ":"))})


def finish(backend: Backend, url: str, migration: Migration, *, commit: str, within_s: float = 3000) -> None:
    """
    Record a migration whose function has run as done; one that works in the background only once it has ended.

    Raises:
        Unfinished: it has not ended after `within_s`; it is recorded as running, so the next release waits again.
    """
    if migration.done:
        add(backend, url, migration, commit=commit, state="running")
        ask = partial(convex.query, backend, url, migration.done)
        if rest.settled(ask, lambda done: done is True, within_s=within_s) is not True:
            hint = "it goes on in the background: run the same command again to wait for it"
            raise Unfinished(f"{migration.function} has not ended: {migration.done} is not true", hint=hint)
    add(backend, url, migration, commit=commit, state="done")
