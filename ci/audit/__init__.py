"""
The audit: workflows and scripts of a repository, read without running anything -> what will go wrong, and where.

`from ci import audit`, then `audit.result.check(...)`: a module is imported when it is first used, since parsers of
YAML and of shells take longer to load than all of a short command.
"""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ci.audit import manual as manual
    from ci.audit import printing as printing
    from ci.audit import registry as registry
    from ci.audit import result as result


def __getattr__(name: str) -> ModuleType:
    try:
        return importlib.import_module(f"{__name__}.{name}")
    except ModuleNotFoundError as error:
        raise AttributeError(f"{__name__} has no module {name}") from error
