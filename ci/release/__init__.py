"""
The parts of a release between the two clouds: what is refused, stamped, migrated, planned and looked at.

`from ci import release`, then `release.page.judge(...)`: a module is imported when it is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ci import lazy

if TYPE_CHECKING:
    from ci.release import bunlock as bunlock
    from ci.release import calls as calls
    from ci.release import commands as commands
    from ci.release import comparison as comparison
    from ci.release import doctor as doctor
    from ci.release import documents as documents
    from ci.release import generated as generated
    from ci.release import git as git
    from ci.release import manifest as manifest
    from ci.release import migrations as migrations
    from ci.release import page as page
    from ci.release import refusals as refusals
    from ci.release import secrets as secrets
    from ci.release import specs as specs
    from ci.release import status as status
    from ci.release import variables as variables

__getattr__ = lazy.modules_of(__name__)
