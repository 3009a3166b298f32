"""A small project that the real inv runs, in an environment of its own."""

from __future__ import annotations

import os
import re
import select
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

REPOSITORY = Path(__file__).parents[2]
IMPORTS = """
import os, signal, sys, time
from invoke import Context, Exit, UnexpectedExit, call, task
from ci.engine.step import step
from ci.errors import CheckFailed, InputError, Problems, Unfinished
from ci.secret import Secret
"""
LIFELINE = "exec 3>lifeline; echo up >&3; "  # whoever inherits the shell's file 3 keeps the lifeline open


class Said(NamedTuple):
    """What a command answered."""

    code: int
    stdout: str
    stderr: str


class Project:
    """A folder with a tasks.py and an invoke.yaml, and a person's HOME beside it."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "project"
        self.home = folder / "home"
        self.root.mkdir()
        self.home.mkdir()
        self.write("invoke.yaml", "tasks:\n  executor_class: ci.engine.executor.Executor\n")

    def write(self, path: str, text: str) -> None:
        (self.root / path).write_text(text, encoding="utf-8")

    def tasks(self, text: str) -> None:
        self.write("tasks.py", IMPORTS + text)

    def start(self, *argv: str, cwd: str = ".", **env: str) -> subprocess.Popen[str]:
        """Start inv with no more of our environment than it needs."""
        return subprocess.Popen(
            [sys.executable, "-m", "invoke", *argv],
            cwd=self.root / cwd,
            env={"PATH": os.environ["PATH"], "HOME": str(self.home), "PYTHONPATH": str(REPOSITORY), **env},
            encoding="utf-8",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def inv(self, *argv: str, cwd: str = ".", **env: str) -> Said:
        """Run inv to its end."""
        return self.said(self.start(*argv, cwd=cwd, **env))

    def said(self, inv: subprocess.Popen[str]) -> Said:
        """Return what inv answers in the end, with all durations as 0.0 s and not where its logs are."""
        stdout, stderr = inv.communicate(timeout=50)
        stderr = re.sub(r"  logs: \.lockstep/runs/[0-9a-f-]+\n", "", stderr)
        return Said(inv.returncode, stdout, re.sub(r"\d\.\d s(?=  |\))", "0.0 s", stderr))


class Lifeline:
    """A FIFO in a project that tells without waiting who is alive: it ends when the last holder has ended."""

    def __init__(self, project: Project, name: str = "lifeline") -> None:
        path = project.root / name
        os.mkfifo(path)
        self._fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK)

    def await_up(self) -> None:
        """Return once a holder has said that it is up."""
        assert select.select([self._fd], [], [], 30)[0]
        assert os.read(self._fd, 3) == b"up\n"

    def is_cut(self) -> bool:
        """Return whether all holders are gone, or go any moment."""
        return bool(select.select([self._fd], [], [], 2)[0]) and os.read(self._fd, 3) == b""

    def is_held(self) -> bool:
        """Return whether there is a holder now."""
        return not select.select([self._fd], [], [], 0)[0]

    def close(self) -> None:
        os.close(self._fd)
