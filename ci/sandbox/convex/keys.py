"""Who asks a deployment, and what their key allows."""

from __future__ import annotations

import base64
import binascii
import json
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ci.sandbox.convex.refusal import Refusal
from ci.sandbox.convex.store import Name, Store

# What each operation is called in a refusal.
# Source: crates/keybroker/src/operations.rs and crates/roles/src/types.rs of convex-backend; read 2026-11-22.
OPERATIONS: Mapping[str, str] = {
    "Deploy": "deployment:deploy",
    "ViewEnvironmentVariables": "deployment:env:view",
    "WriteEnvironmentVariables": "deployment:env:write",
    "ViewLogs": "deployment:logs:view",
    "ViewData": "deployment:data:view",
    "WriteData": "deployment:data:write",
    "ActAsUser": "deployment:functions:actAsUser",
    "RunInternalQueries": "deployment:functions:runInternalQueries",
    "RunInternalMutations": "deployment:functions:runInternalMutations",
    "RunInternalActions": "deployment:functions:runInternalActions",
}


@dataclass(frozen=True)
class Identity:
    """
    Whoever asks: anybody, a user, or the holder of a deploy key.

    No `operations` means all. `acting` has the attributes of the user, whose token it is or as whom the holder acts.
    """

    admin: bool = False
    operations: tuple[str, ...] = ()
    acting: dict[str, Any] | None = None

    def allows(self, operation: str) -> bool:
        return self.admin and (not self.operations or operation in self.operations)

    def require(self, operation: str) -> None:
        """Raise Refusal unless the key allows this operation."""
        if not self.allows(operation):
            shown = OPERATIONS[operation]
            message = f"You do not have permission to perform this operation ({shown})."
            raise Refusal(403, "OperationNotPermitted", message)


ANYBODY = Identity()


def admin(store: Store, deployment: str, key: str) -> Identity:
    """Return the holder of this key, or raise the refusal of a key that does not open this deployment."""
    plain, acting = _acting(key)
    found = store.key(plain)
    if found is None or found[0] != deployment:
        raise Refusal(
            403,
            "BadDeployKey",
            f"The provided deploy key was invalid for deployment '{deployment}'. Double check that the "
            "environment this key was generated for matches the desired deployment.",
        )
    return Identity(True, found[1], acting)


def create(store: Store, name: Name, operations: Iterable[str]) -> str:
    """Make one more key of a deployment that allows these operations alone, and return it."""
    key = f"{name.qualified}|{secrets.token_hex(20)}"
    store.add_key(key, name.name, operations)
    return key


def _acting(key: str) -> tuple[str, dict[str, Any] | None]:
    # "prod:name|token", and when acting as a user ":" and the user's identity in base64 JSON after it.
    name, bar, rest = key.partition("|")
    token, colon, acting = rest.partition(":")
    if not colon:
        return key, None
    try:
        return f"{name}{bar}{token}", json.loads(base64.b64decode(acting))
    except (binascii.Error, ValueError) as error:
        raise Refusal(400, "BadIdentity", f"the identity to act as is not base64 JSON: {error}") from error
