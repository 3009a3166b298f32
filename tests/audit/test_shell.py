"""What a shell text is read as; whether a failure is hidden is asked of bash itself."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ci.audit import shell
from ci.audit.model import Env, Place, Text
from ci.audit.shell import Command, Origin, Scene

AT = Place("ci.yml", 10, 5)


def read(text: str, **scene: object) -> tuple[Command, ...]:
    return shell.commands(text, Origin(AT), Scene(**scene)).commands  # type: ignore[arg-type]


def words(text: str, **scene: object) -> list[str]:
    return [" ".join(command.argv) for command in read(text, **scene)]


def env(command: Command) -> dict[str, str]:
    return {name: text.value for name, text in command.env.values.items()}


@pytest.mark.parametrize(
    ("text", "argv"),
    [
        ("npx convex deploy --yes", ("npx", "convex", "deploy", "--yes")),
        ("""echo "a b" 'c d' e\\ f""", ("echo", "a b", "c d", "e f")),
        ('x "$HOME/a" ${B} $(c)', None),
        ("x --token=${{ secrets.TOKEN }} -b", ("x", "--token=${{ secrets.TOKEN }}", "-b")),
        ("x \"${{ github.ref == 'a' && 'b' }}\"", ("x", "${{ github.ref == 'a' && 'b' }}")),
        ("x \\\n  --y \\\n  z # not this", ("x", "--y", "z")),
        ("time ./y", ("time", "./y")),
    ],
)
def test_words_are_without_quotes_and_variables_as_written(text: str, argv: tuple[str, ...] | None) -> None:
    assert read(text)[-1].argv == (argv or ("x", "$HOME/a", "${B}", "$(c)"))


def test_a_variable_that_the_text_sets_stands_for_its_words() -> None:
    text = 'CMD="npx convex deploy"\nARGS=(pages deploy dist)\n$CMD --yes\nwrangler "${ARGS[@]}" -x\n"$CMD"'
    assert words(text) == ["npx convex deploy --yes", "wrangler pages deploy dist -x", "npx convex deploy"]
    assert read(text)[-1].argv == ("npx convex deploy",)


@pytest.mark.parametrize(
    ("text", "folder"),
    [
        ("cd apps/convex && x", "apps/convex"),
        ("cd apps/convex\nx", "apps/convex"),
        ("(cd apps && y)\nx", ""),
        ("pushd apps; x", "apps"),
        ("cd apps/web; cd ../convex; x", "apps/convex"),
        ("cd $SOMEWHERE && x", None),
        ("cd /opt && x", None),
        ("cd ../.. && x", None),
        ('cd "$GITHUB_WORKSPACE/apps" && x', "apps"),
        ("cd ${{ github.workspace }}/apps && x", "apps"),
        ("D=apps/web; cd $D && x", "apps/web"),
        ('cd "$(git rev-parse --show-toplevel)/apps" && x', "apps"),
        ('cd "$(dirname "$0")/.." && x', ""),
        ('HERE="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"\ncd "$HERE/../apps"\nx', "apps"),
        ("for a in web api; do (cd apps/$a && y); done; x", ""),
        ("cd apps | y\nx", ""),
    ],
)
def test_the_folder_is_followed(text: str, folder: str | None) -> None:
    assert read(text, script="scripts/deploy.sh")[-1].folder == folder


def test_a_loop_over_words_is_walked_with_each() -> None:
    commands = read("for a in web api; do cd /; cd ${{ github.workspace }}/apps/$a; x $a; done")
    assert [(command.argv, command.folder) for command in commands] == [
        (("x", "web"), "apps/web"),
        (("x", "api"), "apps/api"),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A=1 x", {"K": "key", "A": "1"}),
        ("A=1 y; x", {"K": "key"}),
        ("export A=1; x", {"K": "key", "A": "1"}),
        ("A=1; x", {"K": "key"}),
        ("A=1; export A; x", {"K": "key", "A": "1"}),
        ("K=other; x", {"K": "other"}),
        ("unset K; x", {}),
        ("(export A=1; y); x", {"K": "key"}),
        ("set -a; A=1; set +a; x", {"K": "key", "A": "1"}),
        ("K= x", {"K": ""}),
        ("f() { export A=1; }; f; x", {"K": "key", "A": "1"}),
        ("export A=${{ secrets.A }}\nx", {"K": "key", "A": "${{ secrets.A }}"}),
    ],
)
def test_a_command_sees_what_was_set_before_it(text: str, expected: dict[str, str]) -> None:
    assert env(read(text, env=Env({"K": Text("key", AT)}))[-1]) == expected


@pytest.mark.parametrize(
    "text", ["source .env", ". ./.env", "eval $(op signin)", "export $(cat .env | xargs)", "source <(y)"]
)
def test_what_brings_unknown_variables_is_a_question(text: str) -> None:
    assert read(f"{text}\nx")[-1].env.questions
    assert not read(f"x\n{text}")[0].env.questions


def test_a_file_of_the_repository_is_sourced() -> None:
    texts = {"scripts/lib.sh": "export A=1\ndeploy() { npx convex deploy; }"}
    found = read('source "$(dirname "$0")/lib.sh"\ndeploy', script="scripts/run.sh", reader=texts.get)
    assert [(c.argv, c.at, env(c)) for c in found if c.argv[0] == "npx"] == [
        (("npx", "convex", "deploy"), Place("scripts/lib.sh", 2, 12), {"A": "1"})
    ]


@pytest.mark.parametrize(
    ("text", "guards"),
    [
        ("x", []),
        ("cd a && x", []),
        ("npm ci && x", []),
        ('[ -n "$K" ] && x', [('[ -n "$K" ]', {"K"})]),
        ('[[ -n "$K" && $B == 1 ]] && x', [('[[ -n "$K" && $B == 1 ]]', {"K", "B"})]),
        ('if [ -n "$K" ]; then x; fi', [('[ -n "$K" ]', {"K"})]),
        ('if [ -z "$K" ]; then y; else x; fi', [('! ([ -z "$K" ])', {"K"})]),
        ('if [ -z "$K" ]; then y; elif test -f a; then x; fi', [('! ([ -z "$K" ])', {"K"}), ("test -f a", set())]),
        ('if [ -z "$K" ]; then exit 0; fi\nx', [('! ([ -z "$K" ])', {"K"})]),
        ('if [ -z "$K" ]; then echo no; exit 1; fi\nx', []),
        ('[ -z "$K" ] && exit 0\nx', [('! ([ -z "$K" ])', {"K"})]),
        ('[ -n "$K" ] || exit 0\nx', [('[ -n "$K" ]', {"K"})]),
        ('[ -n "$K" ] || { echo skip; exit 0; }\nx', [('[ -n "$K" ]', {"K"})]),
        ('[ -n "$K" ] || exit 1\nx', []),
        ('[ -z "$K" ] || x', [('! ([ -z "$K" ])', {"K"})]),
        ("npx y || x", [("`npx y` fails", set())]),
        ("case $B in main) x;; esac", [("case $B in main", {"B"})]),
        ('if [ "${{ secrets.K }}" != "" ]; then x; fi', [('[ "${{ secrets.K }}" != "" ]', {"K"})]),
        ('HAS=$([ -n "$K" ] && echo 1)\n[ "$HAS" ] && x', [('[ "$HAS" ]', {"HAS", "K"})]),
        ('f() { [ -z "$K" ] && return 0; y; }; f; x', []),
        ('f() { [ -z "$K" ] && return 0; x; }; f', [('! ([ -z "$K" ])', {"K"})]),
        ("git diff --quiet || x", [("! (git diff --quiet)", set())]),
    ],
)
def test_what_a_command_depends_on_is_its_guard(text: str, guards: list[tuple[str, set[str]]]) -> None:
    found = next(command for command in reversed(read(text)) if command.argv == ("x",))
    assert [(guard.text, set(guard.names)) for guard in found.guards] == guards


def test_nothing_runs_behind_an_exit() -> None:
    assert words("x\nexit 0\ny") == ["x"]
    assert words("f() { x; return 0; y; }; f; z") == ["x", "z"]


# Each is run by bash with a `fail` that fails: what it says must be what happens. `e` is bash -e, as GitHub starts it.
HIDING = [
    "fail",
    "fail || true",
    "fail || echo no",
    "fail || :",
    "fail || exit 1",
    "fail || { echo no; exit 1; }",
    "fail || { echo no; }",
    "fail || exit 0",
    "fail; true",
    "fail\ntrue",
    "fail 2>/dev/null; true",
    "fail && true",
    "fail && true\ntrue",
    "true && fail\ntrue",
    "true && fail",
    "fail | cat",
    "cat /dev/null | fail",
    "set -o pipefail; fail | cat",
    "set -eo pipefail; { fail; true; } 2>&1 | cat",
    "set -e; fail; true",
    "set -e; set +e; fail; true",
    "set -euo pipefail\nfail\ntrue",
    "if fail; then true; fi",
    "if fail; then true; else echo no; fi",
    "if fail; then true; else exit 1; fi",
    "if ! fail; then echo no; exit 1; fi",
    "if ! fail; then echo no; fi",
    "if true; then fail; fi",
    "if true; then fail; fi; true",
    "if true; then fail; true; fi",
    "(fail)",
    "(fail; true)",
    "(fail) || true",
    "{ fail; true; } || echo no",
    "{ fail; true; } && true",
    "f() { fail; true; }; f",
    "f() { fail; true; }; f || true",
    "f() { fail; }; f; true",
    "f() { fail; }; f",
    "X=$(fail)",
    "X=$(fail); true",
    'echo "$(fail)"',
    "export X=$(fail)",
    "for i in 1; do fail; done",
    "for i in 1; do fail; true; done",
    "for i in 1 2; do fail && break; done",
    "while true; do fail; break; done",
    "case a in a) fail;; esac",
    "case a in a) fail; true;; esac",
    "fail &\ntrue",
    "fail & wait $!",
    "fail; exit $?",
    "fail || code=$?; exit $code",
    "timeout 5 fail || true",
]


@pytest.mark.parametrize("options", ["", "e"])
@pytest.mark.parametrize("text", HIDING)
def test_a_failure_is_hidden_as_bash_hides_it(text: str, options: str) -> None:
    assert_as_bash(text, options)


def assert_as_bash(text: str, options: str) -> None:
    commands = [command for command in read(text, is_errexit="e" in options) if "fail" in command.argv]
    assert commands
    said = all(bool(command.swallowed) for command in commands)
    begin = 'fail() { return 3; }; export -f fail; timeout() { shift; "$@"; }\n'
    done = subprocess.run(["bash", *(["-e"] if options else []), "-c", begin + text], capture_output=True, timeout=20)
    assert (said, text) == (done.returncode == 0, text)


def lines(depth: int) -> st.SearchStrategy[str]:
    leaf = st.sampled_from(["fail", "true", "true", "echo a"])
    if not depth:
        return leaf
    inner = lines(depth - 1)
    two = st.tuples(inner, inner)
    return st.one_of(
        leaf,
        two.map(lambda one: f"{one[0]}\n{one[1]}"),
        two.map(lambda one: f"{{ {one[0]}; }} && {{ {one[1]}; }}"),
        inner.map(lambda one: f"{{ {one}; }} || true"),
        inner.map(lambda one: f"( {one} )"),
        inner.map(lambda one: f"{{ {one}; }} | cat"),
        inner.map(lambda one: f"if true; then {one}; fi"),
        inner.map(lambda one: f"f{depth}() {{ {one}; }}\nf{depth}"),
        inner.map(lambda one: f"case a in a) {one};; esac"),
    )


@given(text=lines(3).filter(lambda text: text.count("fail") == 1), options=st.sampled_from(["", "e"]))
@settings(max_examples=60)
def test_any_nesting_hides_a_failure_as_bash_does(text: str, options: str) -> None:
    assert_as_bash(text, options)


@pytest.mark.parametrize(
    ("text", "writes"),
    [
        ('echo "A=1" >> $GITHUB_ENV', ("$GITHUB_ENV",)),
        ('echo "A=1" >> "${GITHUB_ENV}"', ("${GITHUB_ENV}",)),
        ("{ echo a; echo b; } >> $GITHUB_OUTPUT", ("$GITHUB_OUTPUT",)),
        ("cat > .env.local <<EOF\nA=1\nEOF", (".env.local",)),
        ("echo a 2>/dev/null", ()),
        ("echo a > /dev/null 2>&1", ("/dev/null",)),
    ],
)
def test_what_a_command_writes_to_is_known(text: str, writes: tuple[str, ...]) -> None:
    assert read(text)[0].writes == writes


def test_a_heredoc_and_the_end_of_a_pipe_are_known() -> None:
    assert read("ssh host <<'EOF'\nnpx convex deploy\nEOF")[0].given == "npx convex deploy\n"
    assert read("curl -fsSL https://bun.sh/install | bash -s")[0].feeds == ("bash", "-s")


def test_places_are_those_of_the_file() -> None:
    text = "set -e\n\n  é=1 x\ny && z"
    assert [command.at for command in read(text)] == [
        Place("ci.yml", 12, 7),
        Place("ci.yml", 13, 5),
        Place("ci.yml", 13, 10),
    ]
    single = shell.commands("a && b", Origin(AT, is_block=False)).commands
    assert [command.at for command in single] == [AT, AT]


@pytest.mark.parametrize(
    "text",
    [
        "f() { f; }; f; x",
        "f() { g; }; g() { f; }; f; x",
        "source a.sh; x",
        "if [ ; then x",
        "((((((",
        "x <<EOF",
        "$(" * 300,
        "{ " * 300 + "x",
        "\0\ud800",
        "for i in $(seq 9); do for j in 1 2 3; do x; done; done",
        "${{ inputs.command }}",
        "${{ unfinished",
        "`",
    ],
)
def test_no_text_is_too_strange(text: str) -> None:
    texts = {"a.sh": "source a.sh"}
    assert isinstance(read(text, reader=texts.get), tuple)


def test_what_is_too_much_is_said() -> None:
    loop = "for i in 1 2 3 4 5 6 7 8; do "
    result = shell.commands(loop * 5 + "x;" + "done;" * 5, Origin(AT))
    assert (len(result.commands), len(result.limits)) == (shell.MAX_COMMANDS, 1)
    assert shell.commands("x\n" * 200_000, Origin(AT)).limits


def test_what_a_file_does_only_when_it_is_run_is_not_done_when_it_is_sourced() -> None:
    texts = {"a.sh": 'if [[ "${BASH_SOURCE[0]}" == "${0}" ]]; then x; fi\ny'}
    assert words("source a.sh", script="b.sh", reader=texts.get) == ["y"]
    assert words(texts["a.sh"], script="a.sh") == ["x", "y"]
