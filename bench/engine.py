"""
Measure the engine beside stock Invoke, doit, Task, just and Nox, which run the same graphs.

    .venv/bin/python bench/engine.py [ROUNDS [ENVIRONMENT]]

The others come from PyPI, into a throw-away environment unless one that has them is named; nothing here depends on
them. Each round runs every tool once, in turns. All output goes to /dev/null. Stock Invoke gets 4 MB of output instead
of 200, since its time grows with the square. Nox runs sessions side by side only where that is faster.
At the end, 20 deadlines a round: of 1 s, with 0.3 s of grace, for a child that ignores TERM and a detached grandchild.
"""

from __future__ import annotations

import compileall
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import venv
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
OTHERS = ("invoke", "doit", "go-task-bin", "rust-just", "nox")
CHATTER = "yes 0123456789012345678901234567890123456789012345678901234567890123456789012345678 | head -c {size}"
SETTINGS = "tasks: {executor_class: ci.engine.executor.Executor, grace_s: 0.3}\n"
FOREVER = ("sleep", "7654321")
LATE = f"""
@step(timeout_s=1)
def late(c): c.run("setsid {" ".join(FOREVER)} & trap '' TERM; while :; do sleep 0.1; done")
"""
SIZE_MB = {"stock": 4}  # of output, where not 200
Graph = Mapping[str, tuple[list[str], str]]  # task -> what it needs, its command


class Cost(NamedTuple):
    """What one run took."""

    seconds: float
    rss_mb: float


class Tool(NamedTuple):
    """How one tool is told the graphs, and what runs one task of them."""

    file: str
    text: Callable[[Graph], str]
    argv: list[str]
    listing: list[str]
    side_by_side: tuple[str, ...] = ()  # what makes it run tasks so where it does not by itself


def graphs(tool: str) -> dict[str, Graph]:
    """Return each graph by the name of its last task."""
    none = "true"
    noops: Graph = {f"fan{number}": ([], none) for number in range(30)}
    chain = {f"chain{number}": ([f"chain{number - 1}"] if number else [], none) for number in range(30)}
    sleeps: Graph = {name: ([], "sleep 1") for name in ("one", "two", "three")}
    diamond = {"a": ([], "sleep 0.2"), "b": (["a"], "sleep 0.5"), "c": (["a"], "sleep 0.3")}
    size = SIZE_MB.get(tool, 200) << 20
    return {
        "start": {},
        "sleeps": {**sleeps, "sleeps": (list(sleeps), none)},
        "diamond": {**diamond, "diamond": (["b", "c"], "sleep 0.2")},
        "fan": {**noops, "fan": (list(noops), none)},
        "chain": {**chain, "chain": (["chain29"], none)},
        "output": {"output": ([], CHATTER.format(size=size))},
        "idle": {"idle": ([], "sleep 5")},
    }


def invoke_text(head: str, decorator: str) -> Callable[[Graph], str]:
    def text(graph: Graph) -> str:
        tasks = [
            f"@{decorator}pre=[{', '.join(needs)}])\ndef {name}(c): c.run({command!r})\n"
            for name, (needs, command) in graph.items()
        ]
        return f"{head}\n{''.join(tasks)}"

    return text


def doit_text(graph: Graph) -> str:
    rows = [
        f"def task_{name}(): return {{'actions': [{command!r}], 'task_dep': {needs!r}, 'verbosity': 2}}\n"
        for name, (needs, command) in graph.items()
    ]
    return "".join(rows)


def task_text(graph: Graph) -> str:
    rows = [f"  {name}: {{deps: {needs}, cmds: ['{command}']}}\n" for name, (needs, command) in graph.items()]
    return f"version: '3'\nsilent: true\ntasks:\n{''.join(rows)}"


def just_text(graph: Graph) -> str:
    rows = [f"[parallel]\n{name}: {' '.join(needs)}\n    @{command}\n" for name, (needs, command) in graph.items()]
    return "\n".join(rows)


def nox_text(graph: Graph) -> str:
    rows = [
        f"@nox.session(venv_backend='none', requires={needs!r}, allow_parallel=True)\n"
        f"def {name}(s): s.run('sh', '-c', {command!r}, external=True)\n"
        for name, (needs, command) in graph.items()
    ]
    return f"import nox\n{''.join(rows)}"


def tools(others: Path) -> dict[str, Tool]:
    """Return the tools to compare; `others` holds the programs of all but ours."""
    ours = invoke_text("from ci.engine.step import step", "step(timeout_s=600, ")
    stock = invoke_text("from invoke import task", "task(")
    doit, task, just, nox = (str(others / name) for name in ("doit", "task", "just", "nox"))
    inv = str(others / "inv")
    return {
        "ours": Tool("tasks.py", ours, [str(ROOT / ".venv/bin/inv")], ["--list"]),
        "stock": Tool("tasks.py", stock, [inv], ["--list"]),
        "doit": Tool("dodo.py", doit_text, [doit, "-n", "4", "-P", "thread"], ["list"]),
        "task": Tool("Taskfile.yml", task_text, [task], ["--list-all"]),
        "just": Tool("justfile", just_text, [just], ["--list"]),
        "nox": Tool("noxfile.py", nox_text, [nox, "-s"], ["-l"], ("-j", "4")),
    }


def prepare(tool: str, how: Tool, folder: Path) -> Path:
    """Return a folder in which `tool` knows all graphs."""
    home = folder / tool
    home.mkdir()
    every = {name: task for graph in graphs(tool).values() for name, task in graph.items()}
    (home / how.file).write_text(how.text(every), encoding="utf-8")
    if tool == "ours":
        (home / "invoke.yaml").write_text(SETTINGS, encoding="utf-8")
        (home / how.file).write_text(how.text(every) + LATE, encoding="utf-8")
    compileall.compile_dir(home, quiet=1)
    return home


def command(how: Tool, scenario: str) -> list[str]:
    if scenario == "start":
        return [how.argv[0], *how.listing]
    return [*how.argv, scenario, *(how.side_by_side if scenario in ("sleeps", "diamond") else ())]


def environment(home: Path) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(home), "PYTHONPATH": str(ROOT), "NO_COLOR": "1"}


def start(argv: list[str], home: Path) -> subprocess.Popen[bytes]:
    null = subprocess.DEVNULL
    return subprocess.Popen(argv, cwd=home, env=environment(home), stdin=null, stdout=null, stderr=null)


def measure(argv: list[str], home: Path) -> Cost:
    """Run `argv` to its end; its size is the one of its largest process."""
    began = time.perf_counter()
    process = start(argv, home)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{argv} in {home} ended with {process.returncode}")
    return Cost(time.perf_counter() - began, used.ru_maxrss / 1024)


def idle_percent(argv: list[str], home: Path) -> float:
    """Return what of a core the tool itself takes while its task sleeps, from the kernel's own clock of each thread."""
    with start(argv, home) as process:
        threading.Event().wait(2)
        before = ran_ns(process.pid)
        threading.Event().wait(2)
        after = ran_ns(process.pid)
    return (after - before) / 2e9 * 100


def ran_ns(pid: int) -> int:
    threads = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads)


def install(folder: Path) -> Path:
    """Return the programs of the others, installed below `folder`."""
    venv.create(folder, with_pip=True)
    pip = [str(folder / "bin/python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, *OTHERS], check=True)
    return folder / "bin"


def compare(rounds: int, folder: Path, others: Path) -> None:
    known = tools(others)
    compileall.compile_dir(ROOT / "ci/engine", quiet=1)
    homes = {name: prepare(name, how, folder) for name, how in known.items()}
    for scenario in ("start", "sleeps", "diamond", "fan", "chain", "output"):
        costs: dict[str, list[Cost]] = {name: [] for name in known}
        for _ in range(rounds):
            for name, how in known.items():
                costs[name].append(measure(command(how, scenario), homes[name]))
        report(scenario, costs)
    deadlines(20 * rounds, homes["ours"])
    idle = {name: min(idle_percent(command(how, "idle"), homes[name]) for _ in range(2)) for name, how in known.items()}
    print("\nidle, % of a core: ", ", ".join(f"{name} {percent:.3f}" for name, percent in idle.items()))


def deadlines(runs: int, home: Path) -> None:
    """Tell how long it took to enforce them, without the start of inv, and how many processes they left behind."""
    inv = [str(ROOT / ".venv/bin/inv")]
    nothing = min(took([*inv, "fan0"], home) for _ in range(5))
    taken = [took([*inv, "late"], home) - nothing for _ in range(runs)]
    print(
        f"\ndeadline: min {min(taken):.2f} s, median {statistics.median(taken):.2f} s, max {max(taken):.2f} s; "
        f"{survivors()} survivors of {runs} runs"
    )


def took(argv: list[str], home: Path) -> float:
    began = time.perf_counter()
    start(argv, home).wait()
    return time.perf_counter() - began


def survivors() -> int:
    found = 0
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found += process.read_bytes().split(b"\0")[:2] == [word.encode() for word in FOREVER]
        except OSError:  # it has ended meanwhile
            continue
    return found


def report(scenario: str, costs: Mapping[str, list[Cost]]) -> None:
    print(f"\n{scenario:<10}{'min s':>8}{'median s':>10}{'x stock min':>13}{'x median':>10}{'RSS MB':>8}")
    base = [cost.seconds for cost in costs["stock"]]
    for name, taken in costs.items():
        seconds = [cost.seconds for cost in taken]
        low, middle = min(seconds), statistics.median(seconds)
        ratios = f"{low / min(base):>13.2f}{middle / statistics.median(base):>10.2f}"
        print(f"  {name:<8}{low:>8.3f}{middle:>10.3f}{ratios}{max(cost.rss_mb for cost in taken):>8.0f}", flush=True)


def main(rounds: int, others: Path | None) -> None:
    print(f"rounds: {rounds}, load average: {os.getloadavg()[0]:.1f}, cores: {os.cpu_count()}")
    with tempfile.TemporaryDirectory() as folder:
        compare(rounds, Path(folder), others or install(Path(folder, "venv")))


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 5, Path(sys.argv[2], "bin") if sys.argv[2:] else None)
