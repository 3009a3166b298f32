"""A dry run tells the waves, what each step changes, and which value reaches whom."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

from invoke.context import Context
from invoke.tasks import Call, Task, call

from ci.engine import dry, graph
from ci.engine.redaction import Redactor
from ci.engine.step import step

quick = partial(step, timeout_s=5)


@quick()
def install(c: Context) -> None: ...


@quick(pre=[install])
def lint(c: Context, level: int = 3) -> None: ...


@quick(pre=[install])
def build(c: Context, mode: str = "fast") -> None: ...


@quick(always=True)
def live(c: Context) -> None: ...


@quick(pre=[lint, build, call(build, mode="slow")], terminal=True)
def approve(c: Context, yes: bool = False) -> None: ...


@quick(pre=[approve], post=[live], changes="backend")
def push(c: Context, target: str = "sandbox") -> None: ...


def body(c: Context) -> None: ...


clean: Task[Any] = Task(body, name="clean")


def test_steps_that_do_not_wait_for_each_other_share_a_wave() -> None:
    nodes = graph.build([Call(push)], {"target": "x"}, dedupe=True)
    assert dry.text(nodes).splitlines() == [
        "  1. install   changes nothing",
        "  2. lint      changes nothing          level=3",
        "  2. build     changes nothing          mode='fast'",
        "  2. build #2  changes nothing          mode='slow'",
        "  3. approve   changes nothing, alone   yes=False",
        "  4. push      changes backend          target='x'",
        "  5. live      changes nothing, always",
    ]


def test_tasks_named_one_after_the_other_keep_their_order() -> None:
    nodes = graph.build([Call(lint), Call(clean), Call(build)], {}, dedupe=True)
    assert [[node.title for node in wave] for wave in dry.waves(nodes)] == [["install"], ["lint"], ["clean"], ["build"]]


def test_the_order_for_the_journal_says_the_same() -> None:
    nodes = graph.build([Call(push)], {}, dedupe=True)
    order = dry.order(nodes)
    assert order[1] == {
        "task": "lint",
        "wave": 2,
        "changes": "nothing",
        "before": ["install"],
        "values": {"level": 3},
    }
    assert [(one["task"], one["wave"], one["changes"]) for one in order[-2:]] == [
        ("push", 4, "backend"),
        ("live", 5, "nothing"),
    ]
    assert json.loads(json.dumps(Redactor().value(order))) == order


def test_a_chain_has_one_task_a_wave() -> None:
    last: Any = install
    for number in range(200):
        last = quick(pre=[last], name=f"t{number}")(body)
    waves = dry.waves(graph.build([Call(last)], {}, dedupe=True))
    assert [len(wave) for wave in waves] == [1] * 201
