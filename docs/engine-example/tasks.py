"""A release in small: every kind of step, and every kind of value. It needs nothing but a shell."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from invoke.context import Context
from invoke.tasks import task

from ci.engine import diagram, history
from ci.engine.step import step
from ci.engine.typed import Choices
from ci.errors import CheckFailed

HERE = Path(__file__).resolve().parent


def names() -> list[str]:
    """Return the targets; it is called only when a target is given, or help asked for."""
    return (HERE / "targets.txt").read_text(encoding="utf-8").split()


TargetName = Annotated[str, Choices(names)]


@step(timeout_s=60)
def install(c: Context) -> None:
    """Fetch what everything else needs."""
    c.run("echo fetched 3 packages")


@step(pre=[install], timeout_s=60, checks=True)
def lint(c: Context, most: int = 10) -> str:
    """Look for mistakes."""
    found = int(c.run("echo 7", hide=True).stdout)
    if found > most:
        raise CheckFailed(f"{found} mistakes, {most} are allowed", f"mend them, or pass --most {found}")
    return f"{found} mistakes, {most} are allowed"


@step(pre=[install], timeout_s=60)
def build(c: Context, mode: Literal["debug", "small"] = "small", only: list[str] = []) -> None:  # noqa: B006 - never changed
    """Build all parts, or some."""
    for part in only or ["api", "web"]:
        c.run(f"echo built {part}, {mode}")


@step(timeout_s=10, always=True)
def live(c: Context, target: TargetName = "staging") -> None:
    """Say what is live, whatever happened."""
    print(f"{target} is up")


@step(pre=[lint, build], post=[live], timeout_s=60, changes="backend", help={"target": "where to"})
def release(c: Context, target: TargetName = "staging") -> str:
    """Release to a target."""
    c.run("echo pushed with $RELEASE_TOKEN", env={"RELEASE_TOKEN": "not-for-your-eyes"})
    return f"released to {target}"


@task
def runs(c: Context, show: str = "", format: str = "text") -> None:
    """List the last runs, or tell one."""
    folder = HERE / history.FOLDER
    print(history.shown(folder, show, format) if show else history.listed(folder, format))


@task
def graph(c: Context, task: str = "", format: str = "text") -> None:
    """Draw which task comes before which."""
    print(diagram.draw(task, format))
