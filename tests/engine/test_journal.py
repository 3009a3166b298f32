"""The journal of a run is readable whatever ends it, holds no secret, and is told by `listed` and `shown`."""

from __future__ import annotations

import json
import os
import re
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ci.engine import history, journal
from ci.engine.history import Told
from ci.engine.journal import Journal
from ci.engine.redaction import Redactor
from ci.errors import InputError, Unfinished
from ci.secret import Secret
from tests.engine.project import REPOSITORY, Project, Said

SECRET = "hunter2-is-long"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / ".lockstep/runs"


def begun(folder: Path, keep: int = 50) -> Journal:
    redactor = Redactor()
    redactor.add(SECRET)
    run = Journal(folder, redactor, keep=keep)
    run.begin(argv=["deploy", "--target", "production"], values={"target": "production"}, order=["a", "b"], commit="c0")
    return run


def whole(folder: Path) -> Journal:
    run = begun(folder)
    run.started("a", {"target": "production", "where": Path("x")})
    run.command("a", "git", 0, 0.25)
    run.command("a", "bun", 1, 1.5)
    run.log("a", "first\n")
    run.log("a", "second ✓\n")
    run.ended("a", "done", "2 found", 2.0, 0)
    run.started("b", {})
    run.ended("b", "failed", "", 0.5, 4)
    run.end(4)
    return run


def plain(text: str, run: Journal) -> str:
    """Return what was told, with the times of this run as 0."""
    times = re.sub(r"\d+\.\d s", "0.0 s", re.sub(r"20\d\d-\d\d-\d\d [\d:]{8} UTC", "WHEN", text))
    return times.replace(str(run.folder), "FOLDER").replace(run.id, "ID")


def test_a_run_is_told(folder: Path) -> None:
    run = whole(folder)
    assert plain(history.listed(folder), run) == "ID  WHEN  failed (4)           0.0 s  deploy --target production"
    assert plain(history.shown(folder, run.id), run).splitlines() == [
        "run      ID",
        "what     deploy --target production",
        "when     WHEN",
        "outcome  failed (4), 0.0 s",
        "commit   c0",
        "values   target='production'",
        "folder   FOLDER",
        "── a 0.0 s  2 found  (a.log)",
        "      git exited with 0 after 0.0 s",
        "      bun exited with 1 after 0.0 s",
        "── b 0.0 s  failed",
    ]
    assert (run.folder / "a.log").read_text(encoding="utf-8") == "first\nsecond ✓\n"


def test_a_run_is_told_in_json(folder: Path) -> None:
    run = whole(folder)
    said = json.loads(history.shown(folder, "last", "json"))
    assert (said["version"], said["run"]["tasks"]) == (
        1,
        [
            {
                "task": "a",
                "values": {"target": "production", "where": "x"},
                "state": "done",
                "commands": [
                    {"program": "git", "exited": 0, "seconds": 0.25},
                    {"program": "bun", "exited": 1, "seconds": 1.5},
                ],
                "note": "2 found",
                "seconds": 2.0,
                "exit_code": 0,
                "log": "a.log",
            },
            {
                "task": "b",
                "values": {},
                "state": "failed",
                "commands": [],
                "note": "",
                "seconds": 0.5,
                "exit_code": 4,
                "log": "",
            },
        ],
    )
    assert json.loads(history.listed(folder, "json"))["runs"][0].items() <= said["run"].items()
    assert (said["run"]["id"], said["run"]["outcome"], said["run"]["order"]) == (run.id, "failed", ["a", "b"])


@pytest.mark.parametrize(("code", "outcome"), [(0, "done"), (3, "failed"), (130, "interrupted"), (143, "interrupted")])
def test_the_exit_code_is_the_outcome(folder: Path, code: int, outcome: str) -> None:
    begun(folder).end(code)
    assert [run.outcome for run in history.kept(folder)] == [outcome]


def test_a_cut_at_any_byte_leaves_all_lines_before_it(folder: Path) -> None:
    run = whole(folder)
    path = run.folder / journal.NAME
    data = path.read_bytes()
    ends = [place for place, byte in enumerate(data) if byte == ord("\n")]
    for size in range(len(data)):
        path.write_bytes(data[:size])
        told = history.read(run.folder)
        # A line that lacks only its end is whole.
        assert (len(told.lines), told.is_running) == (sum(size >= end for end in ends), False)
        assert told.outcome == ("unreadable" if size < ends[0] else "killed" if size < ends[-1] else "failed")
        assert history.shown(folder, "last").startswith(f"run      {run.id}\n")
        assert json.loads(history.listed(folder, "json"))["runs"][0]["id"] == run.id


WRITER = f"""
import sys
from pathlib import Path
sys.path.insert(0, {str(REPOSITORY)!r})
from ci.engine.journal import Journal
from ci.engine.redaction import Redactor
run = Journal(Path(sys.argv[1]), Redactor())
run.begin(argv=["deploy"], values={{}}, order=["a"], commit="")
run.started("a", {{}})
run.log("a", "up to here\\n")
print(run.id, flush=True)
sys.stdin.read()
"""


def writer(folder: Path) -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    return subprocess.Popen([sys.executable, "-c", WRITER, str(folder)], stdin=pipe, stdout=pipe, encoding="utf-8")


def test_a_run_that_goes_on_is_told_from_one_that_was_killed(folder: Path) -> None:
    with writer(folder) as process:
        assert process.stdout
        name = process.stdout.readline().strip()
        running = history.read(folder / name)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    killed = history.read(folder / name)
    assert [(told.outcome, told.tasks[0]["state"]) for told in (running, killed)] == [("running",) * 2, ("killed",) * 2]
    assert (folder / name / "a.log").read_text(encoding="utf-8") == "up to here\n"


def test_only_the_newest_are_kept_and_those_that_go_on(folder: Path) -> None:
    first = begun(folder, keep=2)
    ended = [begun(folder, keep=2) for _ in range(3)]
    for run in ended:
        run.end(0)
    last = begun(folder, keep=2)
    (folder / "notes").mkdir()
    (folder / ".20200101-000000-000000-abcd").mkdir()  # what a kill while it was made has left
    newest = begun(folder, keep=2)
    assert sorted(path.name for path in folder.iterdir()) == sorted([first.id, last.id, newest.id, "notes"])
    assert [told.outcome for told in history.kept(folder)] == ["running"] * 3


def test_ids_sort_by_time_and_never_meet(folder: Path) -> None:
    ids = [Journal(folder, Redactor()).id for _ in range(500)]
    assert (len(set(ids)), [name[:22] for name in ids]) == (500, sorted(name[:22] for name in ids))


def test_no_secret_is_written(folder: Path) -> None:
    redactor = Redactor()
    redactor.add(SECRET)
    run = Journal(folder, redactor)
    values = {"note": SECRET, SECRET: [SECRET], "deploy_key": "named-for-what-it-is", "typed": Secret("kept apart")}
    run.begin(argv=["go", f"--note={SECRET}", "--deploy-key=named-for-what-it-is"], values=values, order=[], commit="")
    run.started(SECRET, values)
    run.command("a", SECRET, 0, 0.0)
    run.ended("a", "done", f"pushed with {SECRET}", 0.0, 0)
    run.end(0)
    text = (run.folder / journal.NAME).read_text(encoding="utf-8")
    assert [word for word in (SECRET, "named-for-what-it-is", "kept apart") if word in text] == []
    assert json.loads(text.splitlines()[0])["argv"] == ["go", "--note=***", "--deploy-key=***"]


def test_titles_become_names_of_files_of_their_own(folder: Path) -> None:
    run = begun(folder)
    names = [run.log(title, "x") for title in ("docs.build", "../../etc", "a b", "a_b", "..", "x" * 300, "docs.build")]
    run.end(0)
    assert [path and path.name for path in names] == [
        *("docs.build.log", "_.._etc.log", "a_b.log", "a_b-2.log", "task.log", f"{'x' * 100}.log", "docs.build.log"),
    ]
    assert (run.folder / "docs.build.log").read_text(encoding="utf-8") == "xx"


def test_a_task_without_output_has_no_log(folder: Path) -> None:
    run = begun(folder)
    assert run.log("a", "") is None
    path = run.log("a", "x")
    run.ended("a", "done", "", 0.0, 0)
    run.end(0)
    assert (run.log("a", ""), [item.name for item in run.folder.glob("*.log")]) == (path, ["a.log"])


def in_the_way(folder: Path) -> None:
    folder.parent.parent.mkdir(exist_ok=True)
    folder.parent.write_text("in the way", encoding="utf-8")


def test_a_folder_that_cannot_be_written_is_told_before_anything_runs(folder: Path) -> None:
    in_the_way(folder)
    with pytest.raises(Unfinished, match="Not a directory") as refused:
        begun(folder)
    assert refused.value.hint == f"make {folder} writable, and room on its disk"


@contextmanager
def full_disk(size_bytes: int) -> Iterator[None]:
    """Let no file grow beyond `size_bytes`, which a write feels as it feels a full disk: first cut, then refused."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)


def test_a_full_disk_stops_no_run_and_loses_no_line_once_there_is_room(folder: Path) -> None:
    run = begun(folder)
    with full_disk((run.folder / journal.NAME).stat().st_size + 20):
        run.started("a", {})
        run.ended("a", "done", "", 0.1, 0)
    assert run.trouble is not None
    assert run.trouble.message == f"cannot write to {run.folder}: File too large"
    assert [line["event"] for line in history.read(run.folder).lines] == ["begin"]
    run.end(0)
    assert [line["event"] for line in history.read(run.folder).lines] == ["begin", "started", "ended", "end"]


def test_a_disk_that_is_full_at_once_leaves_nothing_half_made(folder: Path) -> None:
    with full_disk(20), pytest.raises(Unfinished, match="File too large"):
        begun(folder)
    assert list(folder.iterdir()) == []


def test_a_journal_that_was_not_begun_writes_nothing(folder: Path) -> None:
    run = Journal(folder, Redactor())
    run.started("a", {})
    assert (run.log("a", "x"), folder.exists()) == (None, False)
    run.ended("a", "done", "", 0.0, 0)
    run.end(0)


def told_of(folder: Path, word: str) -> Told | str:
    try:
        return history.shown(folder, word)
    except InputError as error:
        return error.message


def test_a_run_is_found_by_any_part_of_its_id_that_is_its_own(folder: Path) -> None:
    found = [whole(folder), whole(folder)]
    assert history.shown(folder, found[0].id[-11:]).startswith(f"run      {found[0].id}\n")
    assert history.shown(folder, "last").startswith(f"run      {found[1].id}\n")
    assert told_of(folder, found[0].id[:4]) == f"2 runs have '{found[0].id[:4]}' in its id"
    assert told_of(folder, "x") == "no run has 'x' in its id"


def test_without_any_run_there_is_an_empty_list(folder: Path) -> None:
    assert history.listed(folder) == f"no run is recorded in {folder}"
    assert json.loads(history.listed(folder, "json")) == {"version": 1, "runs": []}
    assert told_of(folder, "last") == "no run has 'last' in its id"


def test_an_unknown_format_is_refused(folder: Path) -> None:
    with pytest.raises(InputError, match=r"--format takes text or json \(or, of one run, markdown\), not 'yaml'"):
        history.listed(folder, "yaml")


RECORDED = """
from ci.engine import history

@step(timeout_s=20)
def start(c): c.run("echo started; exit 5", warn=True)
@step(timeout_s=20, pre=[start])
def go(c, how="well"):
    print("up to here")
    if how == "killed": os.kill(os.getpid(), signal.SIGKILL)
    if how == "badly": raise CheckFailed("2 are missing")
@task
def runs(c, show=""):
    print(history.shown(Path(history.FOLDER), show) if show else history.listed(Path(history.FOLDER)))
"""


@pytest.fixture
def recorded(project: Project) -> Project:
    project.tasks(f"from pathlib import Path\n{RECORDED}")
    return project


@pytest.mark.parametrize(
    ("how", "outcome", "state"),
    [("well", "done", "done"), ("badly", "failed (4)", "failed"), ("killed", "killed", "killed")],
)
def test_a_real_run_is_recorded_however_it_ends(recorded: Project, how: str, outcome: str, state: str) -> None:
    recorded.inv("go", "--how", how)
    assert re.sub(r"^\S+  \S+ \S+ UTC|\s+\d\.\d s", "", recorded.inv("runs").stdout) == f"  {outcome}  go --how {how}\n"
    told = re.sub(r"\s?\d\.\d s", "", recorded.inv("runs", "--show", "last").stdout).splitlines()
    why = ["      error: 2 are missing"] if how == "badly" else []
    assert told[-3 - len(why) :] == [
        *("── start  done  (start.log)", "      echo exited with 5 after"),
        *(f"── go  {state}  (go.log)" if state != "killed" else "── go  killed", *why),
    ]
    logs = {path.name: path.read_text(encoding="utf-8") for path in (recorded.root / journal.FOLDER).rglob("*.log")}
    assert logs == {"start.log": "started\n", "go.log": "up to here\n"}


def test_a_run_of_plain_tasks_is_not_recorded(recorded: Project) -> None:
    assert recorded.inv("runs") == Said(0, "no run is recorded in .lockstep/runs\n", "")
    assert not (recorded.root / ".lockstep").exists()


def test_a_journal_that_cannot_be_written_is_told_before_anything_runs(recorded: Project) -> None:
    (recorded.root / ".lockstep").mkdir()
    recorded.write(journal.FOLDER, "in the way")
    said = recorded.inv("go")
    hidden = rf"error: cannot write {recorded.root}/\.lockstep/runs/\.[\d-]+-[0-9a-f]+: Not a directory\n"
    hint = f"  hint: make {recorded.root}/.lockstep/runs writable, and room on its disk\n"
    assert (said.code, said.stdout, re.sub(hidden, "", said.stderr)) == (3, "", hint)
