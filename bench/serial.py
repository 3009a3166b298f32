"""
Time a release to the sandbox against the same commands in a row, as a shell script would run them.

    .venv/bin/python bench/serial.py [ROUNDS]

In turns, in a fresh clone of the last commit, each on a sandbox that has just been reset. The script checks nothing and
reads nothing back.
"""

from __future__ import annotations

import json
import os
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

# Run in the clone, to learn from its own modules which commands a release runs there: argv, folder, variables.
COMMANDS = """
import json, pathlib
from ci import config, convex, pages, release, toolchain
settings = config.load()
app, site, code = settings.app, settings.target(), settings.code_generation()
checks = {**toolchain.QUIET, **convex.env(code)}
url, backend = convex.reach(site.backend), convex.env(site.backend)
output = pages.fresh_output(settings.state / "wrangler")
screenshot = pathlib.Path(".lockstep/smoke/bench.png").absolute()
look = release.page.visit_env(release.page.browser(), {}, ())
published = pages.deploy_argv(app, site.frontend, commit="0" * 40, message="bench", dirty=False)
built = {**checks, **release.variables.built_in(site, app, url)}
rows = [
    (toolchain.sandbox_argv("start"), config.ROOT, {}),
    (toolchain.install_argv(app), app.folder, toolchain.QUIET),
    (toolchain.script_argv(app, "lint"), app.folder, checks),
    (convex.codegen_argv(app), app.backend_folder, convex.env(code)),
    (toolchain.script_argv(app, "typecheck"), app.folder, checks),
    (toolchain.script_argv(app, "test"), app.folder, checks),
    (toolchain.script_argv(app, "build", only=app.frontend), app.folder, built),
    (convex.deploy_argv(app), app.backend_folder, backend),
    *((convex.run_argv(app, one.function), app.backend_folder, backend) for one in settings.migrations),
    (published, app.frontend_folder, pages.env(site.frontend, output)),
    (release.page.visit_argv(site.frontend.site, screenshot), config.ROOT, look),
]
known = lambda env: {name: value for name, value in env.items() if name not in toolchain.COMPILED}
plain = lambda env: {name: getattr(value, "reveal", lambda: value)() for name, value in known(env).items()}
print(json.dumps([(argv, str(folder), plain(env)) for argv, folder, env in rows]))
"""


def main(rounds: int) -> None:
    with tempfile.TemporaryDirectory(prefix="lockstep-bench-", ignore_cleanup_errors=True) as folder:
        checkout = Path(folder).resolve() / "checkout"
        subprocess.run(["git", "clone", "--quiet", ROOT, checkout], check=True)
        try:
            run(checkout, ["./inv", "deploy"])  # sets the clone up
            times: dict[str, list[float]] = {"./inv deploy": [], "in a row": []}
            for _ in range(rounds):
                run(checkout, ["./inv", "sandbox", "--reset"])
                times["./inv deploy"].append(run(checkout, ["./inv", "deploy"]))
                run(checkout, ["./inv", "sandbox", "--reset"])
                times["in a row"].append(run(checkout, ["sh", "-ec", script(checkout)]))
        finally:
            run(checkout, ["./inv", "sandbox", "--stop"])
    best = {name: min(taken) for name, taken in times.items()}
    for name, taken in times.items():
        print(f"{name:<14}{min(taken):>7.1f} s at best{statistics.median(taken):>7.1f} s median")
    print(f"{best['./inv deploy'] / best['in a row']:.2f} x")


def script(checkout: Path) -> str:
    """Return the shell script; it is made before the clock starts."""
    python = checkout / ".venv/bin/python"
    listed = subprocess.check_output([python, "-c", COMMANDS], cwd=checkout, env=environment(checkout))
    lines = []
    for argv, folder, env in json.loads(listed):
        variables = [f"{name}={value}" for name, value in env.items()]
        lines.append(f"cd {shlex.quote(folder)}; env {shlex.join([*variables, *argv])}")
    return "\n".join(lines)


def run(checkout: Path, argv: list[str]) -> float:
    """Run a command in silence and return its seconds; one that fails ends all with what it said."""
    began = time.perf_counter()
    done = subprocess.run(
        argv, cwd=checkout, env=environment(checkout), stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    if done.returncode:
        sys.exit(done.stdout.decode())
    return time.perf_counter() - began


def environment(checkout: Path) -> dict[str, str]:
    """Return the environment without a release's own settings, with the clone's tools first on PATH."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LOCKSTEP_")}
    tools = [str(checkout / ".venv/bin"), str(checkout / "ci/node_modules/.bin")]
    return {**kept, "PATH": os.pathsep.join([*tools, kept["PATH"]])}


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 3)
