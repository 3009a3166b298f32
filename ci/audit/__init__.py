"""
The audit: workflows and scripts of a repository, read without running anything -> what will go wrong, and where.

`from ci import audit`, then `audit.result.check(...)`: a module is imported when it is first used, since parsers of
YAML and of shells take longer to load than all of a short command.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ci import lazy

if TYPE_CHECKING:
    from ci.audit import manual as manual
    from ci.audit import printing as printing
    from ci.audit import registry as registry
    from ci.audit import result as result

__getattr__ = lazy.modules_of(__name__)
