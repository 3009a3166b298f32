"""
CI's workflow, written from lockstep.toml and the table of secrets: one template a job, in `template/`.

`from ci import workflow`, then `workflow.render.files(...)`: a module is imported when it is first used.
"""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ci.workflow import render as render
    from ci.workflow import written as written


def __getattr__(name: str) -> ModuleType:
    try:
        return importlib.import_module(f"{__name__}.{name}")
    except ModuleNotFoundError as error:
        raise AttributeError(f"{__name__} has no module {name}") from error
