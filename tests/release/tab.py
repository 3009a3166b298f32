"""A tab that stays open over releases: the app's own Convex client in Node, subscribed over a websocket."""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests import sandbox_fixture
from tests.release import clouds
from tests.release.checkout import Checkout

SCRIPT = Path(__file__).with_suffix(".mjs")


@dataclass
class Tab:
    """An open tab; `errors` are all that it has seen while `sees` was waiting for values."""

    process: subprocess.Popen[str]
    errors: list[str] = field(default_factory=list)

    def watch(self, function: str) -> None:
        print("watch", function, file=self.process.stdin, flush=True)

    def leave(self, function: str) -> None:
        print("leave", function, file=self.process.stdin, flush=True)

    def sees(self, function: str, value: str) -> bool:
        """Wait until the tab is shown a value; it is not, if it is shown an error first, or nothing any more."""
        for line in iter(lambda: str(self.process.stdout and self.process.stdout.readline()), ""):
            told = json.loads(line)
            if "error" in told:
                self.errors.append(f"{told['function']}: {told['error']}")
                return False
            if (told["function"], told["value"]) == (function, value):
                return True
        return False


@contextlib.contextmanager
def opened(checkout: Checkout) -> Iterator[Tab]:
    """Open a tab of the checkout's site; it ends by itself after some minutes."""
    url, pipe = clouds.backend(checkout.sandbox).url, subprocess.PIPE
    argv = ["node", str(SCRIPT), str(checkout.app / "apps/web"), url]
    with subprocess.Popen(argv, env=sandbox_fixture.BASE, stdin=pipe, stdout=pipe, text=True) as process:
        try:
            yield Tab(process)
        finally:
            process.kill()
