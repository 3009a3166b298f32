"""A small Convex app on a deployment of its own, and what tests do with it: the CLI, HTTP calls, client scripts."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests import sandbox_fixture
from tests.sandbox_fixture import Answer, Sandbox

APPS = Path(__file__).parent / "convex_apps"
NODE_MODULES = sandbox_fixture.ROOT / "ci/node_modules"
TSC = sandbox_fixture.EXAMPLE / "apps/convex/node_modules/typescript/bin/tsc"
CLI = NODE_MODULES / "convex/bin/main.js"


@dataclass(frozen=True)
class App:
    """A copy of the app in `folder`, and the deployment that it goes to."""

    sandbox: Sandbox
    folder: Path
    deployment: str
    url: str
    key: str

    def cli(self, *arguments: str, **changed: str) -> subprocess.CompletedProcess[str]:
        """Run the real CLI in the app's folder with the deployment's key; keywords change its environment."""
        env = {**self.environment(), **changed}
        argv = ["node", str(CLI), *arguments]
        return subprocess.run(
            argv, cwd=self.folder, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60
        )

    def environment(self) -> dict[str, str]:
        host = self.sandbox.endpoints["convex"]["provision_host"]
        hosts = {"CONVEX_PROVISION_HOST": host, "CONVEX_VERSION_API_ORIGIN": host}
        return {**sandbox_fixture.BASE, **hosts, "HOME": str(self.folder), "CONVEX_DEPLOY_KEY": self.key}

    def deploy(self, *arguments: str) -> str:
        """Deploy with the real CLI, and return what it says."""
        done = self.cli("deploy", "--yes", "--typecheck", "disable", *arguments)
        assert done.returncode == 0, done.stderr
        return done.stderr

    def ask(self, path: str, body: object = None, *, method: str = "POST", key: str | None = None) -> Answer:
        """Ask the deployment with its key, with another, or with none ("")."""
        used = self.key if key is None else key
        headers = {"Authorization": f"Convex {used}"} if used else {}
        return sandbox_fixture.http(method, f"{self.url}{path}", body=body, headers=headers)

    def call(self, kind: str, path: str, args: Mapping[str, object] | None = None, *, key: str = "") -> dict[str, Any]:
        """Call a function over HTTP, as anybody unless a key is given, and return the answer."""
        answer = self.ask(f"/api/{kind}", {"path": path, "args": args or {}, "format": "json"}, key=key)
        assert answer.status == 200, answer.text
        return dict(answer.json())

    def value(self, kind: str, path: str, args: Mapping[str, object] | None = None, *, key: str = "") -> Any:
        """Call a function that must succeed, and return its value."""
        answer = self.call(kind, path, args, key=key)
        assert answer["status"] == "success", answer
        return answer["value"]

    def variables(self, **values: str) -> None:
        """Set variables of the deployment."""
        changes = [{"name": name, "value": value} for name, value in values.items()]
        assert self.ask("/api/update_environment_variables", {"changes": changes}).status == 200

    def texts(self, room: str) -> list[str]:
        return list(self.value("query", "messages:list", {"room": room}))

    def send(self, room: str, *texts: str) -> None:
        for text in texts:
            self.value("mutation", "messages:send", {"room": room, "text": text})

    def limited_key(self, *operations: str) -> str:
        """Return a key of this deployment that allows these operations alone."""
        asked = {"deployment": self.deployment, "operations": operations}
        return str(self.sandbox.control("POST", "convex/keys", asked)["deploy_key"])

    def client(self, script: str, *arguments: str) -> Any:
        """Run one of the client scripts, and return the JSON that it prints."""
        done = subprocess.run(
            self.client_argv(script, *arguments), env=sandbox_fixture.BASE, capture_output=True, text=True, timeout=30
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def client_argv(self, script: str, *arguments: str) -> list[str]:
        return ["node", str(self.folder / "clients" / script), self.url, *arguments]


def copied(sandbox: Sandbox, folder: Path, deployment: str = "", *, app: str = "messages") -> App:
    """Copy one of `convex_apps` to a folder; it goes to a deployment of this name, or to the sandbox's production."""
    shutil.copytree(APPS / app, folder)
    shutil.copytree(APPS / "clients", folder / "clients")
    if (folder / "bun.lock").exists():
        sandbox_fixture.install(folder)
    else:
        (folder / "node_modules").symlink_to(NODE_MODULES)
    if deployment:
        opened = sandbox.control("POST", "convex/deployments", {"deployment": deployment})
    else:
        opened = sandbox.endpoints["convex"]["deployments"]["production"]
    return App(sandbox, folder, opened["deployment"], opened["url"], opened["deploy_key"])
