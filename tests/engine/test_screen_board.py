"""The board on a terminal: it stays below the log, fits any width, and is gone in the end."""

from __future__ import annotations

import threading

import pytest

from ci.engine.board import Board
from ci.engine.channel import Channel
from ci.engine.redaction import Redactor
from ci.engine.summary import Row
from tests.engine.terminal import Terminal, pictures, widest

WHEEL = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"


class Seat:
    """A board before a person."""

    def __init__(self, columns: int = 80, height: int = 24, **environ: str) -> None:
        self.terminal = Terminal(columns, height)
        channel = Channel(self.terminal.stream)
        self.board = Board(Redactor(), channel, channel, {"TERM": "xterm-256color", **environ})

    def pictures(self) -> list[list[str]]:
        return pictures(self.terminal.written())


def rows(picture: list[str]) -> list[str]:
    """Return the rows of the board in a picture, the wheel and the time left out."""
    board = [row for row in picture if row[:1] and row[0] in WHEEL]
    return [" ".join(word for word in row[2:].split() if word not in ("s", "0.0", "0.1", "0.2")) for row in board]


def test_the_board_is_gone_in_the_end_and_the_log_stays() -> None:
    seat = Seat()
    seat.board.begin(["a", "typecheck"])
    seat.board.started("a")
    seat.board.started("typecheck")
    seat.board.show("a", "one\n")
    seat.board.show("typecheck", "\x1b[31mtwo\x1b[0m\n\n")
    seat.board.result("result\n")
    seat.board.ended("a", "done", "", 0.1)
    seat.board.show("typecheck", "three")
    seat.board.end([Row("a", 0.1, "done")], [], [])
    log = ["── a", "── typecheck", "a │ one", "typecheck │ two", "typecheck │ ", "result", "typecheck │ three"]
    assert seat.pictures()[-1] == [*log, "── summary", "  a     0.1 s  done", ""]


def test_a_row_is_title_time_and_last_line_and_the_last_one_counts() -> None:
    seat = Seat()
    seat.board.begin(["a", "long-title", "deploy"])
    seat.board.started("a")
    seat.board.started("long-title")
    seat.board.show("a", "one\n")
    seat.board.show("long-title", "two\nthree\n\n")
    seat.board.result("a result\n")  # is shown with the next picture, at once
    seat.board.ended("a", "done", "", 0.1)
    seat.board.result("another\n")
    seat.board.ended("long-title", "failed", "", 0.1)
    seat.board.result("the last\n")
    seat.board.end([], [], ["deploy"])
    seen = [(rows(picture), picture[-2]) for picture in seat.pictures()]
    assert [
        (["a one", "long-title three"], "2 running, 1 waiting, 0 done") in seen,
        (["long-title three"], "1 running, 1 waiting, 1 done") in seen,
        ([], "1 waiting, 1 done, 1 failed") in seen,
    ] == [True] * 3


def test_a_progress_bar_is_seen_in_its_row() -> None:
    seat = Seat()
    seat.board.begin(["a", "b"])
    seat.board.started("a")
    for part in ("one\n", " 5%\r", "\x1b[2K10%\r"):
        seat.board.show("a", part)
    seat.board.result("result\n")
    seat.board.show("a", "done\n")
    seat.board.end([], [], [])
    shown = seat.pictures()
    assert (["a 10%"] in map(rows, shown), shown[-1]) == (True, ["── a", "a │ one", "result", "a │ done", ""])


@pytest.mark.parametrize(("columns", "height"), [(20, 10), (8, 5), (1, 2), (50, 24), (200, 60)])
def test_no_row_is_wider_than_the_terminal_and_the_log_keeps_some_lines(columns: int, height: int) -> None:
    seat = Seat(columns, height)
    titles = [f"task-日本語-{number}" for number in range(20)]
    seat.board.begin(titles)
    for title in titles:
        seat.board.started(title)
        seat.board.show(title, "日本語" * 40 + "\n")
    seat.board.result("result\n")
    seat.board.end([], [], [])
    boards = [picture[picture.index("result") + 1 :] for picture in seat.pictures()[:-1] if "result" in picture]
    assert [(widest(board) < max(2, columns), len(board) <= max(2, height)) for board in boards] == [
        (True, True) for _ in boards
    ]
    assert boards


def test_a_terminal_that_becomes_narrower_loses_no_line() -> None:
    seat = Seat(80)
    seat.board.begin(["a", "b"])
    seat.board.started("a")
    seat.board.show("a", "x" * 60 + "\n")
    seat.board.result("before\n")  # draws a row of some 79 columns, which 20 columns wrap into four
    seat.terminal.resize(20)
    seat.board.result("after\n")
    seat.board.end([], [], [])
    written = seat.terminal.written()
    assert "\x1b[5A\x1b[Jafter\n" in written or "\x1b[6A\x1b[Jafter\n" in written


def test_200_lines_a_second_and_far_more_are_shown_whole_and_in_order() -> None:
    seat = Seat()
    titles = ["a", "b", "c"]
    seat.board.begin(titles)

    def work(title: str) -> None:
        seat.board.started(title)
        for number in range(3000):
            seat.board.show(title, f"{number} of ")
            seat.board.show(title, f"{title}\n")
        seat.board.ended(title, "done", "", 1.0)

    threads = [threading.Thread(target=work, args=(title,)) for title in titles]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seat.board.end([], [], [])
    log = seat.pictures()[-1]
    expected = {title: [f"{title} │ {number} of {title}" for number in range(3000)] for title in titles}
    assert {title: [line for line in log if line.startswith(f"{title} │")] for title in titles} == expected


def test_colours_are_left_out_where_nobody_wants_them() -> None:
    seat = Seat(NO_COLOR="1")
    seat.board.begin(["a", "b"])
    seat.board.started("a")
    seat.board.show("a", "\x1b[31mred\x1b[0m\n")
    seat.board.result("result\n")
    seat.board.end([], [], [])
    written = seat.terminal.written()
    assert ("\x1b[31m" in written, "\x1b[36m" in written, "a │ red\n" in written) == (False, False, True)


def test_a_task_has_the_terminal_to_itself() -> None:
    seat = Seat()
    seat.board.begin(["a", "approve"])
    seat.board.started("approve")
    with seat.board.paused():
        seat.board.show("approve", "sure? ")
    seat.board.ended("approve", "done", "", 0.1)
    seat.board.end([Row("approve", 0.1, "done")], [], [])
    expected = ["── approve", "sure? ", "── summary", "  approve     0.1 s  done", ""]
    assert seat.pictures()[-1] == expected


def test_one_task_needs_no_board() -> None:
    seat = Seat()
    seat.board.begin(["a"])
    seat.board.started("a")
    seat.board.show("a", "prompt: ")
    seat.board.ended("a", "done", "", 0.1)
    seat.board.end([Row("a", 0.1, "done")], [], [])
    assert seat.terminal.written() == "── a\nprompt: \n── summary\n  a     0.1 s  done\n"


def test_a_result_without_an_end_of_line_does_not_spoil_the_board() -> None:
    seat = Seat()
    seat.board.begin(["a", "b"])
    seat.board.started("a")
    seat.board.result("no end")
    seat.board.ended("a", "done", "", 0.1)
    seat.board.end([Row("a", 0.1, "done")], [], ["b"])
    expected = ["── a", "no end", "── summary", "  a     0.1 s  done", "  not run: b", ""]
    assert seat.pictures()[-1] == expected
