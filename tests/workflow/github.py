"""The part of GitHub Actions that matters here: which steps of a job run, in which environment."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from ci.release import page
from tests.release.checkout import PASSED_ON, REGISTRIES, Checkout, leaked

LIMIT_S = 300
# Conditions of steps, by whether a step before has failed. One that is not here is one that this cannot judge.
CONDITIONS: dict[str, Callable[[bool], bool]] = {
    "": lambda failed: not failed,
    "${{ !cancelled() }}": lambda _failed: True,
    "${{ failure() && steps.compare.outcome == 'failure' }}": lambda failed: failed,
}
# Instead of GitHub's own command: it keeps what it was asked, and answers as it is told to.
GH = """#!/bin/sh
echo "$@" >>"$GH_LOG"
for word in "$@"; do [ ! -f "$word" ] || cat "$word" >"$GH_LOG.body"; done
[ "$2" != list ] || cat "$GH_LOG.open"
"""


@dataclass(frozen=True)
class Done:
    """How a step ended; `said` is what its log shows, without what tells the runner what to mask."""

    step: str
    status: int
    said: str


@dataclass(frozen=True)
class Runner:
    """
    A machine that runs jobs of a checkout's workflow.

    `own` are variables of the machine, which are no secrets: where the clouds are, and which browser there is.
    """

    checkout: Checkout
    folder: Path
    own: dict[str, str] = field(default_factory=dict)

    @property
    def jobs(self) -> dict[str, Any]:
        text = (self.checkout.root / ".github/workflows/ci.yml").read_text()
        return dict(yaml.safe_load(text)["jobs"])

    @property
    def summary(self) -> str:
        return (self.folder / "summary.md").read_text()

    def run(self, job: str, secrets: Mapping[str, str], **matrix: str) -> list[Done]:
        """Run the job's own commands in order; `secrets` is what its environment holds, nothing else ever has any."""
        (self.folder / "summary.md").write_text("")
        done: list[Done] = []
        for step in self.jobs[job]["steps"]:
            failed = any(one.status for one in done)
            if "run" in step and CONDITIONS[step.get("if", "")](failed):
                done.append(self._step(step, secrets, matrix))
        return done

    def shell(self, command: str, **env: str) -> Done:
        """Run a command as a developer does in a terminal, with these variables."""
        return self._ended(command, command, {**self._machine(), **env})

    def _step(self, step: Mapping[str, Any], secrets: Mapping[str, str], matrix: Mapping[str, str]) -> Done:
        known = {f"matrix.{name}": value for name, value in matrix.items()}
        known |= {"github.token": "token-of-the-job", "github.repository": "example/shop"}

        def value(found: re.Match[str]) -> str:
            name = found[1]
            return secrets.get(name.removeprefix("secrets."), "") if name.startswith("secrets.") else known[name]

        env = {name: re.sub(r"\$\{\{ ([\w.]+) \}\}", value, text) for name, text in step.get("env", {}).items()}
        github = {"CI": "true", "GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(self.folder / "summary.md")}
        github |= {"GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "example/shop", "GITHUB_RUN_ID": "7"}
        return self._ended(step["name"], step["run"], {**self._machine(), **github, **env})

    def _ended(self, name: str, command: str, env: Mapping[str, str]) -> Done:
        # As GitHub's runner calls it for `shell: bash`.
        argv = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", command]
        ended = subprocess.run(
            argv,
            cwd=self.checkout.root,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=LIMIT_S,
        )
        lines = [line for line in ended.stdout.splitlines() if not line.startswith("::add-mask::")]
        assert leaked("\n".join(lines), self.checkout.secrets) == []
        return Done(name, ended.returncode, self.checkout.normal("\n".join(lines)))

    def _machine(self) -> dict[str, str]:
        passed_on = {name: os.environ[name] for name in os.environ if name in PASSED_ON or name.startswith(REGISTRIES)}
        passed_on.pop("NOX_CURRENT_SESSION", None)
        cache = self.checkout.env["BUN_INSTALL_CACHE_DIR"]
        browser = {"LOCKSTEP_BROWSER": page.browser()} if page.browser() else {}
        base = {"HOME": str(self.folder / "home"), "PATH": f"{self.folder / 'bin'}:/usr/bin:/bin", "LANG": "C.UTF-8"}
        gh = {"GH_LOG": str(self.folder / "gh")}
        return {**passed_on, **browser, **base, **gh, "BUN_INSTALL_CACHE_DIR": cache, **self.own}


def runner(checkout: Checkout, folder: Path, own: Mapping[str, str]) -> Runner:
    """Return a machine on which this checkout is set up, as its launchers would have done."""
    (folder / "home").mkdir(parents=True)
    (folder / "bin").mkdir()
    (folder / "bin/gh").write_text(GH)
    (folder / "bin/gh").chmod(0o755)
    (folder / "gh.open").write_text("")
    _set_up(checkout.root)
    return Runner(checkout, folder, dict(own))


def _set_up(root: Path) -> None:
    (root / ".venv").unlink()
    shutil.copytree(sys.prefix, root / ".venv", symlinks=True, copy_function=_linked)
    wanted = [f"{root}\n", *((root / name).read_text() for name in STAMPED)]
    stamp = root / ".venv/.lockstep-stamp"
    stamp.unlink(missing_ok=True)  # else it would be the one of the environment that this is a copy of
    stamp.write_text("".join(wanted))


STAMPED = ("ci/bootstrap.py", "requirements.lock", "ci/package-lock.json")


def _linked(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # on another file system
        shutil.copy2(source, target)
