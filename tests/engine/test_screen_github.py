"""GitHub Actions: a group a task, one after the other, secrets masked first, and errors beside the code."""

from __future__ import annotations

from pathlib import Path

import pytest

from ci import annotation
from ci.engine import places
from ci.engine.channel import Channel
from ci.engine.github import GitHub
from ci.engine.places import Place
from ci.engine.redaction import Redactor
from ci.engine.summary import Row
from ci.errors import CheckFailed, Problems, Unfinished
from tests.engine.terminal import Pipe

PYTHON = """\
Traceback (most recent call last):
  File "/repo/tasks.py", line 7, in go
    convex.push(site)
    ~~~~~~~~~~~^^^^^^
  File "<string>", line 1, in <module>
  File "ci/convex.py", line 42, in push
    raise KeyError("bug")
KeyError: 'bug'
"""
OXLINT = """\
  \u00d7 eslint(no-unused-vars): Variable 'x' is declared but never used.
   ╭─[src/a.ts:1:7]
 1 │ const x = 1;
   ╰────
"""


class Job:
    """A screen as a job on GitHub has it."""

    def __init__(self, folder: Path) -> None:
        self.redactor = Redactor()
        self.err = Pipe(folder / "err")
        self.screen = GitHub(self.redactor, Channel(self.err.stream), Channel(self.err.stream))


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Job:
    monkeypatch.chdir(tmp_path)
    return Job(tmp_path)


def test_secrets_are_masked_before_anything_is_said(job: Job) -> None:
    job.redactor.add("hunter22", "line 1%\r\nline two")
    job.screen.begin(["a"])
    job.screen.started("a")
    job.redactor.add("hunter23")
    job.screen.show("a", "hello\n")
    masks = "::add-mask::hunter22\n::add-mask::line two\n"
    assert job.err.written() == f"{masks}::group::a\n::add-mask::hunter23\nhello\n"


def test_a_task_is_shown_live_and_those_beside_it_afterwards(job: Job) -> None:
    job.screen.begin(["a", "b", "c", "live"])
    for title in ("a", "b", "c"):
        job.screen.started(title)
    for title, text in [("c", "c1\n"), ("a", "a1\n"), ("b", "b1"), ("a", "a2"), ("c", "c2\n")]:
        job.screen.show(title, text)
    job.screen.ended("c", "done", "", 1.0)
    job.screen.ended("a", "done", "", 1.0)
    job.screen.show("b", "b2")
    job.screen.ended("b", "done", "", 1.0)
    job.screen.end([Row("a", 1.0, "done")], [], [])
    job.screen.started("live")
    job.screen.show("live", "yes\n")
    job.screen.ended("live", "done", "", 0.0)
    groups = {"a": "a1\na2\n", "c": "c1\nc2\n", "b": "b1b2\n"}
    expected = "".join(f"::group::{title}\n{text}::endgroup::\n" for title, text in groups.items())
    assert job.err.written() == f"{expected}── summary\n  a     1.0 s  done\n── live\nyes\n"


def test_an_error_stands_below_its_group_and_beside_the_code(job: Job) -> None:
    Path("apps/web/src").mkdir(parents=True)
    Path("apps/web/src/a.ts").touch()
    job.redactor.add("hunter22")
    job.screen.begin(["a", "b"])
    job.screen.started("a")
    job.screen.started("b")
    job.screen.show("b", "web: src/a.ts(12,5): error TS2322: 100% wrong\n")
    job.screen.error("b", CheckFailed("tsc exited with 2", "mend hunter22"))
    job.screen.ended("b", "failed", "", 1.0)
    job.screen.ended("a", "done", "", 1.0)
    job.screen.end([], [], [])
    assert job.err.written().splitlines() == [
        *(
            "::add-mask::hunter22",
            "::group::a",
            "::endgroup::",
            "::group::b",
            "web: src/a.ts(12,5): error TS2322: 100% wrong",
            "::endgroup::",
        ),
        *("error: tsc exited with 2", "  hint: mend ***"),
        "::error title=b::tsc exited with 2%0A  hint: mend ***",
        "::error file=apps/web/src/a.ts,line=12,col=5,title=b::TS2322: 100%25 wrong",
    ]


def test_each_problem_of_an_error_is_an_annotation(job: Job) -> None:
    job.screen.error("a", Problems([Unfinished("x"), CheckFailed("src/b.tsx:3:1 calls what is missing", "add it")]))
    assert job.err.written().splitlines()[3:] == [
        "::error title=a::x",
        "::error file=src/b.tsx,line=3,col=1,title=a::calls what is missing",
    ]


def test_a_bug_is_an_annotation(job: Job) -> None:
    job.screen.say(PYTHON.rstrip())
    assert job.err.written() == f"{PYTHON}::error file=ci/convex.py,line=42::KeyError: 'bug'\n"


def test_a_run_that_is_cut_off_leaves_no_group_open(job: Job) -> None:
    job.screen.begin(["a", "b"])
    job.screen.started("a")
    job.screen.started("b")
    job.screen.show("b", "half")
    job.screen.end([], [], [])
    assert job.err.written() == "::group::a\n::endgroup::\n::group::b\nhalf\n::endgroup::\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("src/a.ts(1,2): error TS1: no\r\n", [Place("src/a.ts", "1", "2", "TS1: no")]),
        ("\x1b[96msrc/a.ts\x1b[0m:1:2 - error TS1: no\n", [Place("src/a.ts", "1", "2", "TS1: no")]),
        (
            OXLINT,
            [Place("src/a.ts", "1", "7", "eslint(no-unused-vars): Variable 'x' is declared but never used.")],
        ),
        (PYTHON, [Place("ci/convex.py", "42", "", "KeyError: 'bug'")]),
        ('  File "x.py", line 3\n    a b\n     ^\nSyntaxError: no\n', [Place("x.py", "3", "", "SyntaxError: no")]),
        (f"src/a.ts(1,2): error TS1: {'x ' * 1000}\n", []),
        ("ci/a.py:4: error: no\nci/a.py:4: note\n", [Place("ci/a.py", "4", "", "error: no")]),
        (
            f"web:lint: {OXLINT}".replace("\n", "\nweb:lint: "),
            [Place("src/a.ts", "1", "7", OXLINT.splitlines()[0][4:])],
        ),
        ("app/[id]/page.tsx:4:1: E1 no", [Place("app/[id]/page.tsx", "4", "1", "E1 no")]),
        ("listening on 127.0.0.1:3210\nhttps://host.dev:80/ at 10:11:12 done\n", []),
    ],
)
def test_places_are_found_in_what_tools_say(text: str, expected: list[Place]) -> None:
    assert places.find(text) == expected


def test_what_would_end_a_command_is_escaped() -> None:
    assert annotation.command("error", "a%b\r\nc:,", file="x,y:z%\n", line="") == (
        "::error file=x%2Cy%3Az%25%0A::a%25b%0D%0Ac:,"
    )
