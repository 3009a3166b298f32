"""A checkout of this repository that a test may ship from: its own commit, HOME, environment and sandbox."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ci import toolchain
from ci.release import page
from tests import sandbox_fixture
from tests.sandbox_fixture import ROOT, Sandbox

LIMIT_S = 300
# How to reach the network for packages that this machine's caches lack, and where those caches are.
PASSED_ON = (
    *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS", "NOX_CURRENT_SESSION", "TMPDIR"),
)
REGISTRIES = ("NPM_CONFIG_", "npm_config_", "BUN_CONFIG_")
# The app's own lint, types and tests take longest, and one test runs them.
WITHOUT_CHECKS = '[app]\nscripts = { lint = "", typecheck = "", test = "" }\n'
_NORMAL = (
    (r"127\.0\.0\.1:\d+", "127.0.0.1:PORT"),
    (r"(assets/\w+-)[\w-]{8}(\.\w+)", r"\1HASH\2"),
    (r"sandbox-[a-z]+-\d{3}", "SANDBOX"),
    (r"\b[0-9a-f]{12}-[0-9a-f]{12}\b", "RELEASE"),
    (r"\b[0-9a-f]{32}\b", "ACCOUNT"),
    (r"\b(?:[0-9a-f]{40}|[0-9a-f]{12})\b", "COMMIT"),
    (r" +\d+\.\d s  ", "  "),
    (r"process \d+|kill \d+", lambda found: f"{found[0].split()[0]} PID"),
)


@dataclass(frozen=True)
class Ended:
    """How a command ended. Both texts are normal: no ports, hashes, seconds or paths of one run."""

    status: int
    stdout: str
    stderr: str

    @property
    def errors(self) -> list[str]:
        """Return our own errors, each with its further lines and its hint."""
        return [found[0].rstrip() for found in re.finditer(r"^error: .*\n(?:  .*\n)*", self.stderr, re.MULTILINE)]

    @property
    def began(self) -> list[str]:
        """Return the steps that were begun, in their order."""
        return [name for name in re.findall(r"^── (.+)$", self.stderr, re.MULTILINE) if name != "summary"]

    @property
    def last_words(self) -> str:
        """Return what the run says of what is live now."""
        return self.stderr.rpartition("── live\n")[2]

    @property
    def summary(self) -> dict[str, str]:
        """Return what the summary says of each step; "not run:" has the names of those that were not."""
        lines = self.stderr.rpartition("── summary\n")[2].partition("── live\n")[0].splitlines()
        rows = [line.strip() for line in lines if not line.startswith(("  critical path: ", "  logs: "))]
        return dict(re.split(r"(?<=not run:) | {2,}", row, maxsplit=1) for row in rows)


@dataclass(frozen=True)
class Checkout:
    """The checkout in `root`; `env` is all that its commands see, `secrets` are all that they have come across."""

    root: Path
    env: dict[str, str]
    secrets: set[str] = field(default_factory=set)

    @property
    def sandbox(self) -> Sandbox:
        return Sandbox(self.root / ".lockstep/sandbox")

    @property
    def app(self) -> Path:
        return self.root / "example"

    def inv(self, *arguments: str, **env: str) -> Ended:
        """Run inv; keywords change its environment. Whatever it did, it has told no secret."""
        ended = subprocess.run(
            self.inv_argv(*arguments),
            cwd=self.root,
            env={**self.env, **env},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
        )
        return self.ended(ended.returncode, ended.stdout, ended.stderr, env)

    @staticmethod
    def inv_argv(*arguments: str) -> list[str]:
        return [sys.executable, "-m", "invoke", *arguments]

    def ended(self, status: int, stdout: str, stderr: str, env: Mapping[str, str]) -> Ended:
        """Return what a command with these variables printed, in its normal form, having looked for secrets in it."""
        self._remember_secrets(env)
        assert leaked(stdout + stderr, self.secrets) == []
        return Ended(status, self.normal(stdout), self.normal(stderr))

    def _remember_secrets(self, env: Mapping[str, str]) -> None:
        found = {value for name, value in env.items() if name.endswith(("_KEY", "_TOKEN", "_SECRET"))}
        if (self.sandbox.root / "endpoints.json").exists():
            endpoints = self.sandbox.endpoints
            found |= {str(one["deploy_key"]) for one in endpoints["convex"]["deployments"].values()}
            found.add(str(endpoints["pages"]["api_token"]))
        self.secrets.update({value.strip("\"' \n").rpartition("|")[2] for value in found} - {""})

    def normal(self, text: str) -> str:
        text = text.replace(str(self.root), "ROOT")
        for pattern, replacement in _NORMAL:
            text = re.sub(pattern, replacement, text)
        return text

    def write(self, files: Mapping[str, str]) -> None:
        """Write files of the checkout: path to text."""
        for name, text in files.items():
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            (self.root / name).write_text(text)

    def replace(self, name: str, old: str, new: str) -> None:
        """Replace a text that a file of the checkout must contain."""
        text = (self.root / name).read_text()
        assert old in text, f"{name} does not contain {old!r}"
        (self.root / name).write_text(text.replace(old, new))

    def commit(self, message: str = "Change the app") -> str:
        """Commit everything and return the commit."""
        self.git("add", "--all")
        author = ("-c", "user.name=Lockstep", "-c", "user.email=tests@localhost")
        self.git(*author, "commit", "--quiet", "--allow-empty", f"--message={message}")
        return self.git("rev-parse", "HEAD")

    def git(self, *arguments: str) -> str:
        argv = ["git", *arguments]
        return subprocess.run(
            argv, cwd=self.root, env=self.env, check=True, capture_output=True, text=True
        ).stdout.strip()

    @contextmanager
    def changed(self, files: Mapping[str, str | None]) -> Iterator[None]:
        """Have these files, or not have them (None), as long as the `with` lasts."""
        before = {name: _text(self.root / name) for name in files}
        self._put(files)
        try:
            yield
        finally:
            self._put(before)

    def _put(self, files: Mapping[str, str | None]) -> None:
        self.write({name: text for name, text in files.items() if text is not None})
        for path in (self.root / name for name, text in files.items() if text is None):
            path.unlink(missing_ok=True)
            while path.parent != self.root and not any(path.parent.iterdir()):
                path = path.parent
                path.rmdir()


def leaked(text: str, secrets: Iterable[str]) -> list[str]:
    """Return the first letters of every secret in `text`: a failed test must not tell it either."""
    return [f"{secret[:4]}..." for secret in secrets if secret in text]


@contextmanager
def made(folder: Path, settings: str = WITHOUT_CHECKS) -> Iterator[Checkout]:
    """Make a checkout in `folder` with one commit on main; stop its sandbox in the end."""
    checkout = Checkout(folder / "checkout", _environment(folder))
    checkout.root.mkdir(parents=True)
    Path(checkout.env["HOME"]).mkdir()
    _copy_tracked(checkout.root)
    (checkout.root / ".venv").symlink_to(sys.prefix)
    (checkout.root / "ci/node_modules").symlink_to((ROOT / "ci/node_modules").resolve())
    checkout.replace("lockstep.toml", "[app]\n", settings)
    checkout.git("init", "--quiet", "--initial-branch=main")
    checkout.commit("Begin")
    try:
        yield checkout
        assert [path for path in _kept(checkout.root / ".lockstep") if _tells(path, checkout.secrets)] == []
    finally:
        checkout.sandbox.command("stop")


def _copy_tracked(folder: Path) -> None:
    """Copy the tracked files as they are now, edits included."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).exists():  # else deleted, and not yet committed
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)


def _environment(folder: Path) -> dict[str, str]:
    sandbox_fixture.installed_wrangler()  # which leaves every package of the app in this cache
    cache = os.environ.get("BUN_INSTALL_CACHE_DIR") or str(Path.home() / ".bun/install/cache")
    passed_on = {name: os.environ[name] for name in os.environ if name in PASSED_ON or name.startswith(REGISTRIES)}
    browser = {"LOCKSTEP_BROWSER": page.browser()} if page.browser() else {}
    path = f"{Path(toolchain.node()).parent}:{sandbox_fixture.BASE['PATH']}"
    home = {"HOME": str(folder / "home"), "BUN_INSTALL_CACHE_DIR": cache, "GIT_CONFIG_NOSYSTEM": "1"}
    return {**passed_on, **browser, **sandbox_fixture.BASE, "PATH": path, **home}


def _kept(folder: Path) -> Iterator[Path]:
    """Yield the files that runs left behind; the sandbox's own folder holds its keys."""
    for parent, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if Path(parent, name) != folder / "sandbox"]
        yield from (Path(parent, name) for name in files)


def _tells(path: Path, secrets: Iterable[str]) -> bool:
    content = path.read_bytes()
    return any(secret.encode() in content for secret in secrets)


def _text(path: Path) -> str | None:
    return path.read_text() if path.exists() else None
