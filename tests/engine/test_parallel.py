"""Steps that do not need each other run side by side, as many as may; what needs to be alone is."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from tests.engine.project import Project, Said

MEET = "until test -e {}; do sleep 0.01; done"


def meeting(*names: str, rest: str = "") -> str:
    """Return steps that end only when all of them run at once."""
    command = "touch {name}; " + "; ".join(MEET.format(name) for name in names)
    return "".join(f"@step(timeout_s=20)\ndef {name}(c): c.run({command.format(name=name)!r})\n" for name in names) + (
        rest or f"@step(timeout_s=5, pre=[{', '.join(names)}])\ndef all(c): print('all')\n"
    )


def journal(project: Project) -> list[dict[str, object]]:
    """Return the lines of the one run."""
    (path,) = (project.root / ".lockstep/runs").glob("*/journal.jsonl")
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_steps_that_do_not_need_each_other_run_at_once(project: Project) -> None:
    project.tasks(meeting("a", "b", "d"))
    said = project.inv("all")
    assert (said.code, said.stdout) == (0, "all\n")
    rows = "  a       0.0 s  done\n  b       0.0 s  done\n  d       0.0 s  done\n  all     0.0 s  done\n"
    assert said.stderr.startswith(f"── a\n── b\n── d\n── all\n── summary\n{rows}  critical path: ")


def test_no_more_run_at_once_than_may(project: Project) -> None:
    alone = "test ! -e running && touch running && sleep 0.1 && rm running"
    project.tasks(f"""
@step(timeout_s=20)
def a(c): c.run({alone!r})
@step(timeout_s=20)
def b(c): c.run({alone!r})
@step(timeout_s=20, pre=[a, b])
def both(c): ...
""")
    project.write("invoke.yaml", "tasks: {executor_class: ci.engine.executor.Executor, jobs: 1}")
    expected = (
        "── a\n── b\n── both\n── summary\n  a        0.0 s  done\n  b        0.0 s  done\n  both     0.0 s  done\n"
    )
    assert project.inv("both") == Said(0, "", expected)
    assert project.inv("both", INVOKE_TASKS_JOBS="2").code == 3


@pytest.mark.parametrize(
    ("setting", "text"),
    [
        ("jobs: 0", "tasks.jobs is 0\n  hint: make it how many tasks may run at a time: 1 or more"),
        ("jobs: many", "tasks.jobs is 'many'\n  hint: make it how many tasks may run at a time: 1 or more"),
        ("on_failure: panic", "tasks.on_failure is 'panic'\n  hint: make it drain or kill: what becomes of the tasks"),
        ("grace_s: -1", "tasks.grace_s is -1\n  hint: make it a number of seconds, 0 or more"),
        ("grace_s: [1]", "tasks.grace_s is [1]\n  hint: make it a number of seconds, 0 or more"),
        ("secrets: A_*", "tasks.secrets is 'A_*'\n  hint: make it a list of texts"),
        ("path: 7", "tasks.path is 7\n  hint: make it a list of texts"),
    ],
)
def test_a_setting_that_means_nothing_is_one_line(project: Project, setting: str, text: str) -> None:
    project.tasks("@step(timeout_s=5)\ndef go(c): print('MUST NOT RUN')\n")
    project.write("invoke.yaml", f"tasks: {{executor_class: ci.engine.executor.Executor, {setting}}}")
    said = project.inv("go")
    assert (said.code, said.stdout, said.stderr[: len(text) + 7]) == (2, "", f"error: {text}")


def test_a_variable_with_a_setting_that_means_nothing_is_one_line(project: Project) -> None:
    project.tasks("@step(timeout_s=5)\ndef go(c): print('MUST NOT RUN')\n")
    assert project.inv("go", INVOKE_TASKS_JOBS="two") == Said(
        2, "", "error: tasks.jobs is 'two'\n  hint: make it how many tasks may run at a time: 1 or more\n"
    )


FAILING = """
@step(timeout_s=20)
def bad(c): c.run("until test -e slow.up; do sleep 0.01; done; exit 9")
@step(timeout_s=20)
def slow(c):
    c.run("touch slow.up; until test -e on; do sleep 0.01; done; sleep 0.2")
    print("finished")
@step(timeout_s=20)
def late(c):
    c.run("until test -e slow.up; do sleep 0.01; done; sleep 0.3; touch on")
    raise CheckFailed("late")
@step(timeout_s=20, pre=[slow])
def after(c): print("MUST NOT RUN")
@step(timeout_s=20, pre=[bad, slow, late, after])
def all(c): print("MUST NOT RUN")
"""


def test_after_a_failure_what_runs_may_finish_and_every_failure_is_told(project: Project) -> None:
    project.tasks(FAILING)
    said = project.inv("all")
    assert (said.code, said.stdout) == (3, "")
    told = [line for line in said.stderr.splitlines() if not line.startswith("──")]
    assert told[:3] == ["error: bad: until exited with 9", "error: late", "slow │ finished"]
    assert told[-1] == "  not run: after, all"


def test_after_a_failure_what_runs_is_ended_where_that_is_asked_for(project: Project) -> None:
    project.tasks(FAILING)
    project.write("invoke.yaml", "tasks: {executor_class: ci.engine.executor.Executor, on_failure: kill}")
    said = project.inv("all")
    rows = {line for line in said.stderr.splitlines() if line.startswith("  ")}
    assert (said.code, said.stdout, said.stderr.count("error: ")) == (3, "", 1)
    assert {"  slow     0.0 s  interrupted", "  late     0.0 s  interrupted", "  not run: after, all"} <= rows


def test_tasks_named_one_after_the_other_run_so_with_all_that_they_need(project: Project) -> None:
    project.tasks("""
@step(timeout_s=5)
def shared(c): print("shared")
@step(timeout_s=5)
def slow(c):
    time.sleep(0.2)
    print("slow")
@step(timeout_s=5, pre=[shared, slow])
def clean(c): print("clean")
@step(timeout_s=5)
def quick(c): print("quick")
@step(timeout_s=5, pre=[quick, shared])
def build(c): print("build")
""")
    said = project.inv("clean", "build")
    headings = [line[3:] for line in said.stderr.splitlines() if line.startswith("── ")]
    assert (said.stdout, headings[2:]) == ("clean\nbuild\n", ["clean", "quick", "build", "summary"])
    assert sorted(headings[:2]) == ["shared", "slow"]


def test_a_post_task_that_was_named_before_its_owner_comes_after_it(project: Project) -> None:
    project.tasks("""
@step(timeout_s=5)
def report(c): print("report")
@step(timeout_s=5, post=[report])
def build(c): print("build")
""")
    assert project.inv("report", "build").stdout == "build\nreport\n"


def test_the_longest_way_to_the_end_goes_first(project: Project) -> None:
    project.tasks("""
@step(timeout_s=5)
def short(c): ...
@step(timeout_s=5)
def root(c): ...
@step(timeout_s=5, pre=[root])
def middle(c): ...
@step(timeout_s=5, pre=[short, middle])
def all(c): ...
""")
    said = project.inv("all", INVOKE_TASKS_JOBS="1").stderr
    assert [line[3:] for line in said.splitlines() if line.startswith("── ")][:2] == ["root", "short"]


def test_a_step_for_the_terminal_is_alone_in_the_main_thread_with_stdin(project: Project) -> None:
    project.tasks("""
import threading
@step(timeout_s=20)
def side(c): c.run("touch side; sleep 0.3; rm side")
@step(timeout_s=20)
def other(c): c.run("touch other; sleep 0.3; rm other")
@step(timeout_s=20, terminal=True)
def ask(c):
    print(os.path.exists("side") or os.path.exists("other"), threading.current_thread() is threading.main_thread())
    print("read", repr(sys.stdin.read()))
@step(timeout_s=20, pre=[ask, side, other])
def all(c): ...
""")
    said = project.inv("all")
    assert (said.code, said.stdout) == (0, "")
    assert "── ask\nFalse True\nread ''\n── all\n" in said.stderr


def test_a_plain_task_is_alone_in_the_main_thread_at_its_place(project: Project) -> None:
    project.tasks("""
import threading
@step(timeout_s=20)
def first(c): c.run("sleep 0.2; touch first")
@task
def plain(c):
    print(os.path.exists("first"), threading.current_thread() is threading.main_thread())
    time.sleep(0.2)
    open("plain", "w").close()
@step(timeout_s=20)
def second(c): print(os.path.exists("plain"))
@task(pre=[first, plain, second])
def all(c): ...
""")
    said = project.inv("all")
    assert (said.code, said.stdout) == (0, "True True\n")
    assert "── second\nsecond │ True\n" in said.stderr


def test_lines_of_steps_that_run_at_once_never_mix(project: Project) -> None:
    count, text = 2000, "x" * 60
    project.write("noise.py", f"for i in range({count}): print('{text}', end=''); print('{text}')\n")
    names = ("a", "b", "d")
    noisy = "".join(
        f"@step(timeout_s=40)\ndef {name}(c):\n"
        f"    c.run(f'{{sys.executable}} -u noise.py')\n"
        f"    exec(open('noise.py').read())\n"
        for name in names
    )
    project.tasks(f"{noisy}@step(timeout_s=5, pre=[a, b, d])\ndef all(c): ...\n")
    lines = [line for line in project.inv("all").stderr.splitlines() if "│" in line]
    assert sorted(lines) == sorted(f"{name} │ {text}{text}" for name in names for _ in range(2 * count))


def test_what_a_thread_of_a_step_prints_is_of_a_step(project: Project) -> None:
    project.tasks("""
from concurrent.futures import ThreadPoolExecutor
@step(timeout_s=5)
def go(c):
    with ThreadPoolExecutor(1) as pool: list(pool.map(print, ["a", "b"]))
    sys.stdout.buffer.write(b"bytes\\n")
""")
    said = project.inv("go")
    assert (sorted(said.stdout.split()), said.stderr) == (
        ["a", "b", "bytes"],
        "── go\n── summary\n  go     0.0 s  done\n",
    )


def test_commands_of_one_step_may_run_at_once(project: Project) -> None:
    project.tasks(f"""
from concurrent.futures import ThreadPoolExecutor
@step(timeout_s=20)
def go(c):
    commands = ["touch a; {MEET.format("b")}", "touch b; {MEET.format("a")}"]
    with ThreadPoolExecutor() as pool: print([result.exited for result in pool.map(c.run, commands)])
""")
    assert project.inv("go").stdout == "[0, 0]\n"


def test_the_journal_has_the_tasks_and_the_commands_of_a_run(project: Project) -> None:
    project.tasks("""
@step(timeout_s=5)
def first(c, target="sandbox"): c.run("echo said; exit 3", warn=True)
@step(timeout_s=5, pre=[first])
def second(c): raise InputError("no key")
""")
    assert project.inv("second", "--target", "x").code == 2
    lines = journal(project)
    shown = [
        {name: line[name] for name in ("event", "task", "state", "program", "exited", "exit_code") if name in line}
        for line in lines
    ]
    assert shown == [
        {"event": "begin"},
        {"event": "started", "task": "first"},
        {"event": "command", "task": "first", "program": "echo", "exited": 3},
        {"event": "ended", "task": "first", "state": "done", "exit_code": 0},
        {"event": "started", "task": "second"},
        {"event": "ended", "task": "second", "state": "failed", "exit_code": 2},
        {"event": "end", "exit_code": 2},
    ]
    assert (lines[0]["values"], lines[0]["argv"]) == ({"target": "x"}, ["second", "--target", "x"])
    (log,) = (project.root / ".lockstep/runs").glob("*/first.log")
    assert log.read_text() == "said\n"


def test_no_secret_is_shown_or_kept_whatever_way_it_takes(project: Project) -> None:
    project.tasks("""
typed = Secret("typed-secret-value")
@step(timeout_s=5)
def go(c):
    c.run("printf 'named-sec'; sleep 0.05; echo 'ret-value'; echo $PASS", env={"PASS": typed}, echo=True)
    c.run("echo $MY_TOKEN; exit 9", env={"MY_TOKEN": "declared-secret-value"}, hide=True, warn=True)
    print(typed.reveal(), "declared-secret-value")
    sys.stderr.write("named-secret-value\\n")
    raise ValueError(f"bad {typed.reveal()} named-secret-value")
""")
    said = project.inv("go", DEPLOY_KEY="named-secret-value")
    kept = "".join(path.read_text() for path in (project.root / ".lockstep/runs").glob("*/*"))
    assert [
        value for value in ("named", "typed", "declared") if f"{value}-secret" in said.stdout + said.stderr + kept
    ] == []
    assert said.stdout == "*** ***\n"
    assert said.stderr.endswith("ValueError: bad *** ***\n")


@pytest.mark.parametrize("seed", range(30))
def test_any_graph_keeps_its_order(project: Project, seed: int) -> None:
    chance = random.Random(seed)
    names = [f"t{number}" for number in range(12)]
    pres = {name: chance.sample(names[:number], min(number, chance.randrange(4))) for number, name in enumerate(names)}
    post = {name: f"p{number}" for number, name in enumerate(names) if chance.random() < 0.3}
    project.tasks(
        "def note(text): os.write(fd, text.encode())\n"
        "fd = os.open('notes', os.O_CREAT | os.O_WRONLY | os.O_APPEND)\n"
        + "".join(_noting(name, [], "") for name in post.values())
        + "".join(_noting(name, pres[name], post.get(name, "")) for name in names)
    )
    first, second = chance.sample(names, 2)
    assert project.inv(first, second, INVOKE_TASKS_JOBS=str(chance.randrange(1, 6))).code == 0
    notes = Path(project.root, "notes").read_text().split()
    began = {note[1:]: at for at, note in enumerate(notes) if note[0] == "+"}
    ended = {note[1:]: at for at, note in enumerate(notes) if note[0] == "-"}
    closure = _closure(first, pres)
    expected = closure | _closure(second, pres)
    assert set(began) == expected | {post[name] for name in expected if name in post}
    earlier = [(need, name) for name in expected for need in pres[name]]
    earlier += [(name, post[name]) for name in expected if name in post]
    earlier += [(post[need], name) for name in expected for need in pres[name] if need in post]
    earlier += [(one, other) for one in closure for other in expected - closure]
    assert [pair for pair in earlier if ended[pair[0]] > began[pair[1]]] == []


def _noting(name: str, pre: list[str], post: str) -> str:
    body = f"    note('+{name} ')\n    time.sleep(0.005)\n    note('-{name} ')\n"
    return f"@step(timeout_s=20, pre=[{', '.join(pre)}], post=[{post}])\ndef {name}(c):\n{body}"


def _closure(name: str, pres: dict[str, list[str]]) -> set[str]:
    return {name}.union(*(_closure(need, pres) for need in pres[name]))
