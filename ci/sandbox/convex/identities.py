"""Who sends a request: by a deploy key, by a user's token, or nobody that is known."""

from __future__ import annotations

from ci.sandbox.convex import keys
from ci.sandbox.convex.deployment import Deployment
from ci.sandbox.convex.keys import ANYBODY, Identity
from ci.sandbox.convex.refusal import Refusal


async def of_header(deployment: Deployment, authorization: str | None) -> Identity:
    """Return who sent this Authorization header; no header is anybody. Raises Refusal."""
    if authorization is None:
        return ANYBODY
    scheme, _, credential = authorization.partition(" ")
    if scheme.lower() == "convex":
        return keys.admin(deployment.store, deployment.name.name, credential)
    if scheme.lower() == "bearer":
        return await of_token(deployment, credential.strip())
    raise Refusal(401, "InvalidAuthHeader", "Header must begin with `bearer `")


async def of_token(deployment: Deployment, token: str) -> Identity:
    """Return the user whom a provider of the live auth.config.ts gave this token. Raises Refusal."""
    return Identity(acting=await deployment.ask("identify", token=token, providers=deployment.live.auth))
