"""Who may do what: API tokens with their accounts and permission, and the JWT that opens the uploads."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import secrets
import time
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from ci.sandbox.pages.envelope import RefusalError
from ci.sandbox.world import World

SCHEMA = "CREATE TABLE IF NOT EXISTS pages_tokens (token TEXT PRIMARY KEY, accounts TEXT, permission TEXT)"
JWT_LIFE_S = 300
MAX_FILES = 20_000
HEADER = base64.urlsafe_b64encode(b'{"alg":"HS256","typ":"JWT"}').rstrip(b"=").decode()


@dataclass(frozen=True)
class Caller:
    """Whose token a request carries: the accounts it opens, and whether it may change them ("edit") or only "read"."""

    id: str
    accounts: tuple[str, ...]
    permission: str


class Access:
    """The tokens. The first, which may do everything in the one account, is there from the start and for ever."""

    def __init__(self, world: World) -> None:
        self._db = world.db
        self._jwt_key = world.secret("pages/jwt").encode()
        self.token = world.secret("pages/token")
        self.account = world.secret("pages/account")[:32]
        with self._db:
            self._db.execute(SCHEMA)
        self._remember(self.token, (self.account,), "edit")

    def grant(self, accounts: tuple[str, ...], permission: str) -> str:
        """Return a new token."""
        token = secrets.token_hex(20)
        self._remember(token, accounts, permission)
        return token

    def caller(self, request: web.Request) -> Caller:
        """Return whose token the request carries, or refuse it as Cloudflare does."""
        authorization = request.headers.get("Authorization", "")
        if not authorization:
            raise RefusalError(400, 9106, "Missing X-Auth-Key, X-Auth-Email or Authorization headers")
        # A quoted token, one with a space or a newline in it, a placeholder: refused by its form alone.
        if not re.fullmatch(r"Bearer [A-Za-z0-9_-]{40,}", authorization):
            raise RefusalError(400, 6003, "Invalid request headers")
        token = authorization.removeprefix("Bearer ")
        row = self._db.execute("SELECT accounts, permission FROM pages_tokens WHERE token = ?", (token,)).fetchone()
        if row is None:
            raise _unknown_token(request.path)
        return Caller(hashlib.sha256(token.encode()).hexdigest()[:32], tuple(json.loads(row[0])), row[1])

    def admit(self, request: web.Request, account: str) -> None:
        """Refuse a request whose token may not do this in this account."""
        caller = self.caller(request)
        if not re.fullmatch(r"[0-9a-f]{32}", account):
            route = f"Could not route to {request.path}, perhaps your object identifier is invalid?"
            raise RefusalError(404, 7003, route)
        # An upload token is a right to write: that it takes more than reading is a guess, but anything else is a hole.
        changes = request.method != "GET" or request.path.endswith("/upload-token")
        if account not in caller.accounts or (changes and caller.permission != "edit"):
            raise RefusalError(403, 10000, "Authentication error")

    def jwt(self, account: str, project: str) -> str:
        """Return a token for the uploads of one project. wrangler reads `exp` and `max_file_count_allowed` from it."""
        claims = {"account_id": account, "project": project, "exp": int(time.time()) + JWT_LIFE_S}
        signed = f"{HEADER}.{_base64(json.dumps({**claims, 'max_file_count_allowed': MAX_FILES}).encode())}"
        return f"{signed}.{self._signature(signed)}"

    def admit_upload(self, request: web.Request) -> None:
        """Refuse a request without a valid JWT."""
        signed, _, signature = request.headers.get("Authorization", "").removeprefix("Bearer ").rpartition(".")
        if signature != self._signature(signed) or _claims(signed)["exp"] <= time.time():
            raise RefusalError(403, 8000013, "Authorization failed")

    def _signature(self, signed: str) -> str:
        return _base64(hmac.digest(self._jwt_key, signed.encode(errors="surrogateescape"), "sha256"))

    def _remember(self, token: str, accounts: tuple[str, ...], permission: str) -> None:
        with self._db:
            values = (token, json.dumps(accounts), permission)
            self._db.execute("INSERT OR REPLACE INTO pages_tokens VALUES (?, ?, ?)", values)


def _unknown_token(path: str) -> RefusalError:
    if path.endswith("/user/tokens/verify"):
        return RefusalError(401, 1000, "Invalid API Token")
    if path.startswith("/client/v4/user"):
        return RefusalError(403, 9109, "Invalid access token")
    return RefusalError(403, 10000, "Authentication error")


def _claims(signed: str) -> dict[str, Any]:
    payload = signed.partition(".")[2]
    return dict(json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))))


def _base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
