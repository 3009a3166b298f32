"""What a release left on the two clouds, as their own APIs tell it: functions, documents, records, a site's files."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests import sandbox_fixture
from tests.sandbox_fixture import Sandbox

# What changes a cloud: a name for it, and what its line in the request log matches.
CHANGES = {
    "push": r"POST /api/deploy2/finish_push",
    "run": r"POST /api/function node",
    "record": r"POST /api/v1/update_environment_variables",
    "publish": r"POST /client/v4/accounts/\w+/pages/projects/[\w-]+/deployments",
}


@dataclass(frozen=True)
class Backend:
    """A deployment of the sandbox's Convex cloud."""

    name: str
    url: str
    key: str

    def ask(self, function: str, args: Mapping[str, object] | None = None) -> Any:
        """Run a function, or a system query, and return its value."""
        kind = "query" if function.startswith("_system/") else "function"
        body = {"path": function, "args": dict(args or {}), "format": "json"}
        answer = self._http("POST", f"/api/{kind}", body)
        assert answer["status"] == "success", answer
        return answer["value"]

    def functions(self) -> set[str]:
        spec = self.ask("_system/cli/modules:apiSpec")
        return {item["identifier"].replace(".js:", ":") for item in spec}

    def documents(self, table: str) -> list[dict[str, Any]]:
        page = {"cursor": None, "numItems": 1000}
        return list(self.ask("_system/cli/tableData", {"table": table, "order": "asc", "paginationOpts": page})["page"])

    def migrations(self) -> dict[str, str]:
        """Return what is recorded: function to state."""
        found = self._http("GET", "/api/v1/list_environment_variables", None)["environmentVariables"]
        return {name: run["state"] for name, run in json.loads(found.get("LOCKSTEP_MIGRATIONS", "{}")).items()}

    def _http(self, method: str, path: str, body: object) -> Any:
        answer = sandbox_fixture.http(
            method, self.url + path, body=body, headers={"Authorization": f"Convex {self.key}"}
        )
        assert answer.status == 200, answer.text
        return answer.json()


@dataclass(frozen=True)
class Site:
    """An address that people open."""

    url: str

    def served(self) -> dict[str, bytes]:
        """Return the page and all that it names, byte for byte, with the stamp: path to content."""
        page = sandbox_fixture.http("GET", f"{self.url}/").body
        paths = re.findall(r'(?:src|href)="(/[^"]+)"', page.decode())
        others = [*paths, "/.well-known/lockstep.json"]
        return {"/": page} | {path: sandbox_fixture.http("GET", self.url + path).body for path in others}

    def stamp(self) -> dict[str, Any]:
        return dict(sandbox_fixture.http("GET", f"{self.url}/.well-known/lockstep.json").json())


def backend(sandbox: Sandbox, role: str = "production") -> Backend:
    """Return the deployment that the sandbox itself has for releases, or for code generation."""
    return _backend(sandbox.endpoints["convex"]["deployments"][role])


def new_backend(sandbox: Sandbox, deployment: str) -> Backend:
    """Have one more deployment: "prod:graceful-shrimp-355"."""
    return _backend(sandbox.control("POST", "convex/deployments", {"deployment": deployment}))


def site(sandbox: Sandbox) -> Site:
    return Site(sandbox.pages["site"])


def changes(sandbox: Sandbox) -> list[str]:
    """Return what the requests so far have changed, in their order."""
    lines = [f"{one['method']} {one['path']} {one['user_agent']}" for one in sandbox.requests() if one["status"] == 200]
    return [name for line in lines for name, pattern in CHANGES.items() if re.match(pattern + r"\b", line)]


def asked(sandbox: Sandbox, user_agent: str = "") -> set[str]:
    """Return the servers that were asked anything, or anything by this client."""
    return {one["server"] for one in sandbox.requests() if str(one["user_agent"]).startswith(user_agent)}


def _backend(found: Mapping[str, str]) -> Backend:
    return Backend(found["deployment"].partition(":")[2], found["url"], found["deploy_key"])
