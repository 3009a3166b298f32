"""What a person sees without a terminal: whole lines, each behind the name of its task where there are several."""

from __future__ import annotations

import fcntl
import os
import threading
from pathlib import Path

import pytest

from ci.engine import lines, summary
from ci.engine.board import Board
from ci.engine.channel import Channel
from ci.engine.github import GitHub
from ci.engine.redaction import Redactor
from ci.engine.screen import Screen, screen
from ci.engine.summary import Row
from ci.errors import CheckFailed, Problems, Unfinished
from tests.engine.terminal import Pipe, Terminal


class Pipes:
    """A screen over two pipes."""

    def __init__(self, folder: Path) -> None:
        self.redactor = Redactor()
        self.out, self.err = Pipe(folder / "out"), Pipe(folder / "err")
        self.screen = Screen(self.redactor, Channel(self.out.stream), Channel(self.err.stream))

    def said(self) -> tuple[str, str]:
        return self.out.written(), self.err.written()


@pytest.fixture
def pipes(tmp_path: Path) -> Pipes:
    return Pipes(tmp_path)


def test_a_run_of_one_task_is_shown_as_it_comes(pipes: Pipes) -> None:
    pipes.screen.begin(["build"])
    pipes.screen.started("build")
    for part in ("com", "pil", "ing\r\n", "done"):
        pipes.screen.show("build", part)
    pipes.screen.result("a result")
    pipes.screen.ended("build", "done", "", 1.0)
    pipes.screen.end([Row("build", 1.0, "done", "12 files")], ["build"], [])
    expected = "── build\ncompiling\r\ndone\n── summary\n  build     1.0 s  12 files\n"
    assert pipes.said() == ("a result", expected)


def test_lines_of_several_tasks_are_whole_and_named(pipes: Pipes) -> None:
    pipes.screen.begin(["a", "bc", "deploy"])
    pipes.screen.started("a")
    pipes.screen.started("bc")
    for title, text in [("a", "1\n2"), ("bc", "x\n\n"), ("a", "3\n"), ("bc", "12%\r99%"), ("a", "end"), ("bc", "\r\n")]:
        pipes.screen.show(title, text)
    pipes.screen.ended("a", "done", "", 1.0)
    pipes.screen.ended("bc", "done", "", 1.0)
    pipes.screen.end([], [], [])
    assert pipes.said() == ("", "── a\n── bc\na │ 1\nbc │ x\nbc │ \na │ 23\nbc │ 99%\na │ end\n")


def test_the_last_words_have_no_names_before_them(pipes: Pipes) -> None:
    pipes.screen.begin(["a", "b", "live"])
    pipes.screen.started("a")
    pipes.screen.show("a", "cut")
    pipes.screen.end([Row("a", 0.5, "interrupted")], [], ["b"])
    pipes.screen.started("live")
    pipes.screen.show("live", "yes")
    pipes.screen.ended("live", "done", "", 0.0)
    summed_up = "── summary\n  a     0.5 s  interrupted\n  not run: b\n"
    assert pipes.said() == ("", f"── a\na │ cut\n{summed_up}── live\nyes\n")


def test_threads_do_not_break_each_others_lines(pipes: Pipes) -> None:
    titles = [f"task-{number}" for number in range(4)]
    pipes.screen.begin(titles)

    def write(title: str) -> None:
        text = "".join(f"{title} says {number}\n" for number in range(2000))
        for at in range(0, len(text), 37):
            pipes.screen.show(title, text[at : at + 37])

    threads = [threading.Thread(target=write, args=(title,)) for title in titles]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    shown = pipes.said()[1].splitlines()
    expected = {title: [f"{title} │ {title} says {number}" for number in range(2000)] for title in titles}
    assert {title: [line for line in shown if line.startswith(title)] for title in titles} == expected


def test_results_are_whole_lines_without_names(pipes: Pipes) -> None:
    pipes.screen.begin(["a", "b"])
    for part in ('{"key": ', "1}", "\n", "no end"):
        pipes.screen.result(part)
    pipes.screen.end([], [], [])
    assert pipes.said() == ('{"key": 1}\nno end', "")


def test_what_the_engine_itself_says_is_redacted(pipes: Pipes) -> None:
    pipes.redactor.add("hunter22")
    pipes.screen.begin(["a"])
    pipes.screen.show("a", "mid-line")
    pipes.screen.say("$ curl hunter22")
    pipes.screen.error("a", Problems([CheckFailed("hunter22 is wrong", "use hunter22"), Unfinished("b")]))
    pipes.screen.end([Row("a", 12.34, "failed", "key hunter22")], [], [])
    assert pipes.said()[1] == (
        "mid-line\n$ curl ***\nerror: *** is wrong\n  hint: use ***\nerror: b\n── summary\n  a    12.3 s  key ***\n"
    )


def test_a_task_at_the_terminal_is_shown_as_it_comes(pipes: Pipes) -> None:
    pipes.screen.begin(["a", "approve"])
    pipes.screen.show("a", "1\n2")
    with pipes.screen.paused():
        pipes.screen.show("approve", "sure? ")
    pipes.screen.show("a", "3\n")
    assert pipes.said()[1] == "a │ 1\nsure? \na │ 23\n"


def test_a_line_without_end_does_not_fill_the_memory() -> None:
    held = lines.Lines()
    assert [len(held.feed("x" * 40_000)) for _ in range(4)] == [0, 80_000, 0, 80_000]


def test_nothing_in_a_line_moves_the_cursor() -> None:
    moves = "\x1b[2K\x1b[1;1Hhome \x1b]0;title\x07\x1b]8;;x\x1b\\link \x1b(B\x1b7\x07\x08\x9b"
    line = f"\x1b[31mred\x1b[0m {moves} tab\tend\x1b\n"
    assert [lines.harmless(line, coloured=coloured) for coloured in (True, False)] == [
        "\x1b[31mred\x1b[0m home link  tab\tend\x1b[0m\n",
        "red home link  tab\tend\n",
    ]


def test_a_pipe_that_does_not_block_gets_everything() -> None:
    read_fd, write_fd = os.pipe()
    fcntl.fcntl(write_fd, fcntl.F_SETFL, os.O_NONBLOCK)
    with os.fdopen(read_fd, encoding="utf-8") as reader, os.fdopen(write_fd, "w", encoding="utf-8") as stream:
        writer = threading.Thread(target=Channel(stream).write, args=("x" * 300_000,))
        writer.start()
        read = reader.read(300_000)
        writer.join()
    assert read == "x" * 300_000


def test_a_reader_that_has_left_stops_nothing() -> None:
    read_fd, write_fd = os.pipe()
    os.close(read_fd)
    with os.fdopen(write_fd, "w", encoding="utf-8") as stream:
        channel = Channel(stream)
        for _ in range(2):
            channel.write("unread")
        assert os.path.samestat(os.fstat(stream.fileno()), Path(os.devnull).stat())


def test_the_summary_tells_what_was_so_and_what_took_longest() -> None:
    logs = Path(".lockstep/runs/1")
    rows = [
        Row("preflight", 1.0, "done", "", logs / "preflight.log"),
        Row("typecheck", 12.25, "done", "", logs / "typecheck.log"),
        Row("plan", 0.5, "done", "already so: 12 functions"),
        Row("deploy", 100.0, "failed", "", logs / "deploy.log"),
    ]
    assert summary.table(rows, ["preflight", "typecheck"], ["smoke", "live"]).splitlines() == [
        "── summary",
        "  preflight     1.0 s  done",
        "  typecheck    12.2 s  done",
        "  plan          0.5 s  already so: 12 functions",
        "  deploy      100.0 s  failed",
        "  critical path: preflight, typecheck (13.2 s)",
        "  not run: smoke, live",
        "  logs: .lockstep/runs/1",
    ]


@pytest.mark.parametrize(
    ("is_terminal", "environ", "kind"),
    [
        (False, {"TERM": "xterm"}, Screen),
        (False, {"GITHUB_ACTIONS": "true", "CI": "true"}, GitHub),
        (False, {"GITHUB_ACTIONS": "false"}, Screen),
        (True, {"TERM": "xterm-256color", "NO_COLOR": "1"}, Board),
        (True, {"TERM": "dumb"}, Screen),
        (True, {}, Screen),
        (True, {"TERM": "xterm", "CI": "true"}, Screen),
    ],
)
def test_the_screen_suits_the_place(
    is_terminal: bool, environ: dict[str, str], kind: type[Screen], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Terminal(80) if is_terminal else Pipe(tmp_path / "err")
    monkeypatch.setattr("sys.stderr", place.stream)
    monkeypatch.setattr("sys.stdout", place.stream)
    chosen = type(screen(Redactor(), environ=environ))
    place.written()
    assert chosen is kind
