"""What invoke.yaml says of a run under `tasks`; a variable INVOKE_TASKS_... overrides it, as everywhere in Invoke."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ci.errors import InputError

TOOLS = (".venv/bin", "ci/node_modules/.bin")
GRACE_S = 3.0
LEAST_JOBS = 4  # most of what a task does is to wait


@dataclass(frozen=True)
class Settings:
    """How tasks are run together."""

    jobs: int  # steps at a time
    on_failure: Literal["drain", "kill"]  # what becomes of the others that run: they finish, or are ended
    grace_s: float  # between the request to end and the end
    secrets: tuple[str, ...]  # patterns of names of variables that hold secrets, beside those known to
    path: tuple[str, ...]  # folders of the project that go first on PATH


def load(tasks: Mapping[str, Any], environ: Mapping[str, str]) -> Settings:
    """
    Return the settings in `tasks`, the section of invoke.yaml.

    Raises:
        InputError: one has a value that means nothing.
    """

    def said(name: str, default: Any) -> Any:
        return environ.get(f"INVOKE_TASKS_{name.upper()}") or tasks.get(name, default)

    return Settings(
        jobs=_jobs(said("jobs", None)),
        on_failure=_on_failure(said("on_failure", "drain")),
        grace_s=_grace_s(said("grace_s", GRACE_S)),
        secrets=_texts("secrets", tasks.get("secrets", ())),
        path=_texts("path", tasks.get("path", TOOLS)),
    )


def _jobs(value: Any) -> int:
    if value is None:
        return max(LEAST_JOBS, os.cpu_count() or 1)
    if str(value).isdecimal() and int(value) > 0:
        return int(value)
    raise InputError(f"tasks.jobs is {value!r}", "make it how many tasks may run at a time: 1 or more")


def _on_failure(value: Any) -> Literal["drain", "kill"]:
    if value in ("drain", "kill"):
        return "kill" if value == "kill" else "drain"
    raise InputError(f"tasks.on_failure is {value!r}", "make it drain or kill: what becomes of the tasks that run")


def _grace_s(value: Any) -> float:
    try:
        grace_s = float(value)
    except (TypeError, ValueError):
        grace_s = -1.0
    if 0 <= grace_s <= 3600:
        return grace_s
    raise InputError(f"tasks.grace_s is {value!r}", "make it a number of seconds, 0 or more")


def _texts(name: str, value: Any) -> tuple[str, ...]:
    if isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value):
        return tuple(value)
    raise InputError(f"tasks.{name} is {value!r}", "make it a list of texts")
