"""
CI's workflow, written from lockstep.toml and the table of secrets: one template a job, in `template/`.

`from ci import workflow`, then `workflow.render.files(...)`: a module is imported when it is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ci import lazy

if TYPE_CHECKING:
    from ci.workflow import render as render
    from ci.workflow import written as written

__getattr__ = lazy.modules_of(__name__)
