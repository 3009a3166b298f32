"""stdout is for the results of what was named on the command line; the rest goes to stderr."""

from __future__ import annotations

import hashlib

from tests.engine.project import LIFELINE, Lifeline, Project, Said


def test_stdout_has_only_what_the_named_steps_print(project: Project) -> None:
    project.tasks("""
@step(timeout_s=5)
def first(c): print("first")
@step(timeout_s=5, pre=[first])
def second(c):
    print("second")
    c.run("echo child; echo complaint >&2")
    print("second", file=sys.stderr)
@step(timeout_s=5)
def third(c): print("third")
""")
    rows = "".join(f"  {title:<6}     0.0 s  done\n" for title in ("first", "second", "third"))
    second = "── second\nsecond │ child\nsecond │ complaint\nsecond │ second\n"
    headings = f"── first\nfirst │ first\n{second}── third\n── summary\n"
    assert project.inv("second", "third") == Said(0, "second\nthird\n", headings + rows)


def test_the_summary_shows_the_line_that_a_step_returns(project: Project) -> None:
    project.tasks("""
@step(timeout_s=5)
def push(c) -> str: return "already so: 12 functions"
@step(timeout_s=5, pre=[push])
def deploy_all(c) -> None: ...
""")
    expected = (
        "── push\n── deploy-all\n── summary\n  push           0.0 s  already so: 12 functions\n"
        "  deploy-all     0.0 s  done\n"
    )
    assert project.inv("deploy-all") == Said(0, "", expected)


def test_hidden_output_is_only_returned(project: Project) -> None:
    project.tasks("""
@step(timeout_s=5)
def go(c):
    result = c.run("echo out; echo err >&2", hide=True)
    print([result.stdout, result.stderr])
    print([c.run("echo out; echo err >&2", hide="out").stdout])
""")
    expected = "── go\nerr\n── summary\n  go     0.0 s  done\n"
    assert project.inv("go") == Said(0, "['out\\n', 'err\\n']\n['out\\n']\n", expected)


def test_output_goes_to_the_stream_that_the_call_names(project: Project) -> None:
    project.tasks("""
@step(timeout_s=5)
def go(c): c.run("echo a result; echo err >&2", out_stream=sys.stdout)
""")
    assert project.inv("go") == Said(0, "a result\n", "── go\nerr\n── summary\n  go     0.0 s  done\n")


def test_characters_survive_being_written_in_parts(project: Project) -> None:
    project.tasks("""
@step(timeout_s=20)
def go(c):
    split = r"printf '\\xe6\\x97'; printf '\\xa5'; "
    result = c.run(split + r"yes 日本語 | head -c 300000; printf '\\xff'", hide=True)
    print(result.stdout.count("\\ufffd"), result.stdout[0], len(result.stdout))
""")
    assert project.inv("go").stdout == "1 日 120002\n"


def test_of_a_long_output_the_last_part_is_kept(project: Project) -> None:
    project.tasks("""
@step(timeout_s=40)
def go(c):
    result = c.run("seq 1 3000000", hide=True)
    first, _, kept = result.stdout.partition("\\n")
    print(first, len(kept) // 10**6, kept.endswith("2999999\\n3000000\\n"))
""")
    assert project.inv("go").stdout == "[lockstep: the beginning of this output was dropped] 8 True\n"


def test_a_long_output_is_shown_whole(project: Project) -> None:
    project.tasks("""
@step(timeout_s=40)
def go(c): c.run("seq 1 200000")
""")
    said = project.inv("go")
    shown = said.stderr.removeprefix("── go\n").partition("── summary")[0]
    expected = "".join(f"{number}\n" for number in range(1, 200001))
    assert hashlib.sha256(shown.encode()).digest() == hashlib.sha256(expected.encode()).digest()


def test_a_child_reads_nothing_and_has_no_terminal(project: Project) -> None:
    project.tasks("""
@step(timeout_s=5)
def go(c): print(repr(c.run("cat; tty; ps -o tty= -p $$", hide=True, warn=True).stdout.split("\\n")))
""")
    assert project.inv("go").stdout == "['not a tty', '?', '']\n"


def test_what_needs_an_input_is_left_to_invokes_own_runner(project: Project) -> None:
    project.tasks("""
import io
@step(timeout_s=20)
def go(c):
    result = c.run("cat; echo $KEY", in_stream=io.StringIO("given\\n"), env={"KEY": Secret("word")}, hide=True)
    print(result.stdout.split(), result.env["KEY"])
    print(c.run("test -t 1 && echo terminal", pty=True, hide=True).stdout.split())
    with c.run("echo later", asynchronous=True) as promise: pass
    c.run("touch dry", dry=True)
    print(c.run(r"printf '\\xe9'", encoding="latin-1", hide=True).stdout, os.path.exists("dry"))
    c.run("exit 9", pty=True)
""")
    assert project.inv("go") == Said(
        3,
        "['given', '***'] ***\n['terminal']\né False\n",
        "── go\n$ touch dry\nerror: go: exit exited with 9\n── summary\n  go     0.0 s  failed\n",
    )


def test_a_reader_that_has_left_does_not_stop_a_run(project: Project, lifeline: Lifeline) -> None:
    project.tasks(f"""
@step(timeout_s=20)
def first(c): c.run("{LIFELINE} until test -e on; do :; done; echo unread; echo unread")
@step(timeout_s=20, pre=[first])
def second(c):
    c.run("echo unread")
    print("done")
""")
    inv = project.start("second")
    lifeline.await_up()
    assert inv.stderr
    inv.stderr.close()
    project.write("on", "")
    assert (inv.communicate(timeout=20)[0], inv.returncode) == ("done\n", 0)
