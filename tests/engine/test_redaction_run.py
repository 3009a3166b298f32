"""A run tells no secret anywhere: not on stdout, stderr or GitHub, not in its journal, not in a log."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote

import pytest

from tests.engine.project import Project, Said

TYPED, NAMED, GIVEN, OWN = "prod:happy-otter-123|typed/token+42", "named variable's", "given-by-call-7", "own://pattern"
TASKS = f"""
KEY = Secret({TYPED!r})
@step(timeout_s=20)
def chatter(c) -> str:
    named = os.environ["A_TOKEN"]
    c.run("printf 'a %s' typed/; sleep .05; printf 'token+42\\\\n%s\\\\n' $KEY; printenv KEY | base64 >&2",
          env={{"KEY": KEY, "B_PASSWORD": {GIVEN!r}}})
    c.run("printenv B_PASSWORD >&2; printenv A_TOKEN THE_DSN; true", env={{"B_PASSWORD": {GIVEN!r}, "A_TOKEN": named,
          "THE_DSN": os.environ["THE_DSN"]}}, echo=True)
    c.run(f"echo '{{KEY.reveal()}}'", echo=True)
    print(named[:5], end="")
    print(named[5:])
    print(named, file=sys.stderr)
    print({{"json": named}}, KEY.reveal().encode())
    sys.stderr.buffer.write(named.encode())
    return named
@step(timeout_s=20, pre=[chatter])
def deploy(c, url: str = ""):
    print(url)
    {{failure}}
"""
FAILURES = {  # what the last step does -> the exit code
    "print(KEY.reveal())": 0,
    "raise Problems([InputError(f'{KEY.reveal()} is wrong', os.environ['A_TOKEN'])])": 2,
    "raise KeyError(KEY.reveal(), os.environ['A_TOKEN'])": 1,
    "c.run('echo $KEY; exit 3', env={'KEY': KEY}, hide=True)": 3,
    "raise Exit(KEY.reveal(), code=7)": 7,
}
WORDS = ("typed/token+42", NAMED, GIVEN, OWN)
FORMS = {form for word in WORDS for form in (word, quote(word, safe=""), base64.b64encode(word.encode()).decode()[:-4])}


def leaks(text: str) -> list[str]:
    return [form for form in FORMS if form in text or json.dumps(form)[1:-1] in text]


def run(project: Project, failure: str, **env: str) -> Said:
    project.write("invoke.yaml", "tasks:\n  executor_class: ci.engine.executor.Executor\n  secrets: ['*_DSN']\n")
    project.tasks(TASKS.replace("{failure}", failure))
    return project.inv("deploy", f"--url=https://host/?{quote(NAMED)}", A_TOKEN=NAMED, THE_DSN=OWN, **env)


@pytest.mark.parametrize(("failure", "code"), FAILURES.items())
def test_a_run_tells_no_secret(project: Project, failure: str, code: int) -> None:
    said = run(project, failure)
    files = [path for path in (project.root / ".lockstep/runs").rglob("*") if path.is_file()]
    told = [said.stdout, said.stderr, *(path.read_text(encoding="utf-8") for path in files)]
    assert (said.code, len(files), [leaks(text) for text in told]) == (code, 3, [[]] * 5)


def test_github_is_told_each_secret_before_anything_else(project: Project) -> None:
    said = run(project, "pass", GITHUB_ACTIONS="true")
    lines = said.stderr.splitlines()
    first = [line for line in lines[: lines.index("::group::chatter")] if not line.startswith("::add-mask::")]
    shown = "\n".join(line for line in lines if not line.startswith("::add-mask::"))
    masked = {line.removeprefix("::add-mask::") for line in lines if line.startswith("::add-mask::")}
    assert (first, leaks(shown), masked) == ([], [], set(WORDS))
