"""What the Convex half refuses, with the status, code and message of the real backend."""

from __future__ import annotations


class Refusal(Exception):
    """A request that is not carried out."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


def lacking(what: str) -> Refusal:
    """Return the refusal of something that the real backend does and the sandbox does not."""
    return Refusal(501, "NotImplemented", f"the sandbox does not implement {what}")
