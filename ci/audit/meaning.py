"""What is said of a command line, or of an action."""

from __future__ import annotations

from dataclasses import dataclass

from ci.audit.model import Kind


@dataclass(frozen=True)
class Meaning:
    """What a command does; `asks` is what that depends on, outside the repository."""

    kind: Kind
    tool: str
    asks: str = ""
