"""
What the frontend calls, what the backend has, and whether the two fit.

`from ci import contract`, then `contract.plan.make(...)`: a module is imported when it is first used, since setting up
the types of validators takes longer than all of a short command.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ci import lazy

if TYPE_CHECKING:
    from ci.contract import check as check
    from ci.contract import environment as environment
    from ci.contract import plan as plan
    from ci.contract import references as references
    from ci.contract import spec as spec

__getattr__ = lazy.modules_of(__name__)
