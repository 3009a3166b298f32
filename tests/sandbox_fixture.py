"""A running sandbox for tests: the real command, a folder of its own, the answers of its two clouds."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import hashlib
import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import Any

import aiohttp
import psutil

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "example"
BUN = ROOT / "ci/node_modules/.bin/bun"
WRANGLER = EXAMPLE / "apps/web/node_modules/.bin/wrangler"
ANSWER_LIMIT_S = 30.0
# All that a command under test gets from the outside.
BASE = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "LANG": "C.UTF-8", "CI": "1", "NO_COLOR": "1"}


@dataclass(frozen=True)
class Answer:
    """One HTTP answer. No redirect was followed."""

    status: int
    headers: Message
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def text(self) -> str:
        return self.body.decode()


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_args: object) -> None:
        return None


OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect())


def http(method: str, url: str, *, body: object = None, headers: Mapping[str, str] | None = None) -> Answer:
    """Ask once. A body that is not bytes is sent as JSON. A connection that breaks raises OSError or HTTPException."""
    content = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(url, data=content, headers=dict(headers or {}), method=method)
    try:
        with OPENER.open(request, timeout=ANSWER_LIMIT_S) as answer:
            return Answer(answer.status, answer.headers, answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, error.headers, error.read())


@dataclass(frozen=True)
class Sandbox:
    """A sandbox by its folder: its command, its addresses and keys, its control plane, its Pages API."""

    root: Path

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `python -m ci.sandbox` on this folder in a scrubbed environment."""
        return subprocess.run(self.argv(*arguments), cwd=ROOT, env=BASE, capture_output=True, text=True, timeout=90)

    def argv(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "ci.sandbox", *arguments, "--root", str(self.root)]

    def start(self) -> Sandbox:
        # A test run that is killed leaves its sandboxes behind: they end themselves soon.
        started = self.command("start", "--idle-hours", "0.25")
        assert started.returncode == 0, started.stderr
        return self

    def kill(self) -> None:
        """End the server as a crash would."""
        server = psutil.Process(self.endpoints["pid"])
        server.kill()
        server.wait(timeout=10)

    @property
    def endpoints(self) -> dict[str, Any]:
        return dict(json.loads((self.root / "endpoints.json").read_text()))

    @property
    def pages(self) -> dict[str, str]:
        return dict(self.endpoints["pages"])

    def control(self, method: str, path: str, body: object = None) -> Any:
        """Ask the control plane: `path` follows /__sandbox/. Returns the JSON of its answer."""
        return http(method, f"{self.endpoints['control_url']}/__sandbox/{path}", body=body).json()

    def plant(self, **fault: object) -> None:
        """Plant a fault: the fields of ci.sandbox.faults.Fault."""
        answer = self.control("POST", "faults", fault)
        assert isinstance(answer, list), answer

    def requests(self) -> list[dict[str, Any]]:
        return list(self.control("GET", "requests"))

    def calm(self) -> None:
        """Forget the faults and the requests so far."""
        self.control("DELETE", "faults")
        self.control("DELETE", "requests")

    def api(self, method: str, path: str, body: object = None, token: str = "") -> Answer:
        """Call the Pages API: `path` follows the account's /pages/projects."""
        pages = self.pages
        url = f"{pages['api_base_url']}/accounts/{pages['account_id']}/pages/projects{path}"
        return http(method, url, body=body, headers={"Authorization": f"Bearer {token or pages['api_token']}"})

    def new_project(self, name: str) -> Project:
        """Create a Pages project with the production branch main."""
        created = self.api("POST", "", {"name": name, "production_branch": "main"})
        assert created.status == 200, created.text
        return Project(self, name)


@dataclass(frozen=True)
class Project:
    """A Pages project of a sandbox."""

    sandbox: Sandbox
    name: str

    def api(self, method: str, path: str = "", body: object = None) -> Any:
        """Return the result of a call about this project, which must succeed."""
        answer = self.sandbox.api(method, f"/{self.name}{path}", body)
        assert answer.status == 200, answer.text
        return answer.json()["result"]

    def deploy(self, files: Mapping[str, str], branch: str = "main", **fields: str) -> dict[str, Any]:
        """Upload files (path to text) and deploy them as wrangler does. Returns the deployment."""
        return asyncio.run(self._deploy(files, {"branch": branch, **fields}))

    async def _deploy(self, files: Mapping[str, str], fields: Mapping[str, str]) -> dict[str, Any]:
        pages, token = self.sandbox.pages, self.api("GET", "/upload-token")["jwt"]
        project = f"{pages['api_base_url']}/accounts/{pages['account_id']}/pages/projects/{self.name}"
        async with aiohttp.ClientSession() as session:
            upload = f"{pages['api_base_url']}/pages/assets/upload"
            assets = [_asset(path, text) for path, text in files.items()]
            async with session.post(upload, json=assets, headers={"Authorization": f"Bearer {token}"}) as answer:
                assert answer.status == 200, await answer.text()
            form = aiohttp.FormData({"manifest": json.dumps({path: _hash(text) for path, text in files.items()})})
            for name, value in fields.items():
                form.add_field(name, value, filename=name if name.startswith("_") else None)
            bearer = {"Authorization": f"Bearer {pages['api_token']}"}
            async with session.post(f"{project}/deployments", data=form, headers=bearer) as answer:
                assert answer.status == 200, await answer.text()
                return dict((await answer.json())["result"])


@contextlib.contextmanager
def running(root: Path) -> Iterator[Sandbox]:
    """Start a sandbox in a folder, and stop it in the end, whatever became of it."""
    sandbox = Sandbox(root).start()
    try:
        yield sandbox
    finally:
        sandbox.command("stop")


def installed_wrangler() -> Path:
    """Return the example's own wrangler, installed from its lock file; several test processes may ask at once."""
    lock = ROOT / ".lockstep/tests.lock"
    lock.parent.mkdir(exist_ok=True)
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        install(EXAMPLE)
    return WRANGLER


def install(folder: Path) -> None:
    """Install the packages of a lock file with bun, which takes from its cache what is there."""
    # The user's own cache of packages and settings of registries: an installation is no part of what is tested.
    argv = [str(BUN), "install", "--frozen-lockfile", "--silent"]
    subprocess.run(argv, cwd=folder, env={**os.environ, **BASE}, check=True, timeout=300)


Wrangler = Callable[..., subprocess.CompletedProcess[str]]


def wrangler_in(sandbox: Sandbox, folder: Path, program: Path) -> Wrangler:
    """Return a function that runs wrangler in a folder against a sandbox; keywords change its environment."""
    pages = sandbox.pages
    environment = {
        **BASE,
        "HOME": str(folder),
        "CLOUDFLARE_API_BASE_URL": pages["api_base_url"],
        "CLOUDFLARE_API_TOKEN": pages["api_token"],
        "CLOUDFLARE_ACCOUNT_ID": pages["account_id"],
        "WRANGLER_SEND_METRICS": "false",
        "WRANGLER_HIDE_BANNER": "true",
        "WRANGLER_OUTPUT_FILE_PATH": str(folder / "output.ndjson"),
        "WRANGLER_CACHE_DIR": str(folder / "cache"),
        "WRANGLER_LOG_PATH": str(folder / "logs"),
        "NODE_COMPILE_CACHE": str(ROOT / ".lockstep/cache/node"),
    }

    def run(*arguments: str, **changed: str) -> subprocess.CompletedProcess[str]:
        argv, env = [str(program), *arguments], {**environment, **changed}
        return subprocess.run(
            argv, cwd=folder, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120
        )

    return run


def _asset(path: str, text: str) -> dict[str, object]:
    kinds = {"html": "text/html", "js": "application/javascript", "css": "text/css", "json": "application/json"}
    content_type = kinds.get(path.rpartition(".")[2], "application/octet-stream")
    value = b64encode(text.encode()).decode()
    return {"key": _hash(text), "value": value, "base64": True, "metadata": {"contentType": content_type}}


def _hash(text: str) -> str:
    # Any 32 hex digits do: the API takes the client's word for the hash of a file, as Cloudflare does.
    return hashlib.sha256(text.encode()).hexdigest()[:32]
