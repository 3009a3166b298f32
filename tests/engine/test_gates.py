"""Nothing but the call itself says how a step runs its commands."""

from __future__ import annotations

import pytest

from tests.engine.project import Project, Said

GATE = """
@step(timeout_s=5, checks=True)
def gate(c: Context) -> None:
    c.run("echo shown; exit 5")

@step(timeout_s=5, pre=[gate])
def deploy(c: Context) -> None:
    print("MUST NOT RUN")

@task
def plain(c):
    c.run("echo shown; exit 5")
    print("went on")
"""
STOPPED = Said(
    4,
    "",
    "── gate\ngate │ shown\nerror: gate: echo exited with 5\n── summary\n  gate     0.0 s  failed\n  not run: deploy\n",
)
LOOSE = """
run: {warn: true, pty: true, hide: both, shell: /bin/false, replace_env: true, dry: true, env: {PLANTED: "1"}}
timeouts: {command: 1}
tasks: {dedupe: false}
"""


@pytest.mark.parametrize(
    ("flag", "name"),
    [
        ("-w", "warn-only"),
        ("-p", "pty"),
        ("--hide=both", "hide"),
        ("-T1", "command-timeout"),
        ("--no-dedupe", "no-dedupe"),
        ("--config=other.yaml", "config"),
    ],
)
def test_core_flags_that_would_open_a_gate_are_refused(project: Project, flag: str, name: str) -> None:
    project.tasks(GATE)
    project.write("other.yaml", LOOSE)
    assert project.inv(flag, "deploy") == Said(
        2, "", f"error: --{name} is not for steps: each says itself how its commands run\n  hint: leave it out\n"
    )


@pytest.mark.parametrize("name", ["WARN", "PTY", "REPLACE_ENV", "DRY"])
def test_variables_of_invoke_open_no_gate(project: Project, name: str) -> None:
    project.tasks(GATE)
    assert project.inv("deploy", **{f"INVOKE_RUN_{name}": "1"}) == STOPPED


def test_the_shell_and_dedupe_of_the_environment_are_not_heeded(project: Project) -> None:
    project.tasks(GATE)
    said = project.inv("deploy", INVOKE_RUN_SHELL="/bin/false", INVOKE_RUN_HIDE="both", INVOKE_TASKS_DEDUPE="")
    assert said == STOPPED


def test_the_users_own_configuration_opens_no_gate(project: Project) -> None:
    project.tasks(GATE)
    (project.home / ".invoke.yaml").write_text(LOOSE)
    assert project.inv("deploy") == STOPPED


def test_the_projects_configuration_opens_no_gate(project: Project) -> None:
    project.tasks(GATE)
    project.write("invoke.yaml", LOOSE.replace("{dedupe: false}", "{executor_class: ci.engine.executor.Executor}"))
    assert project.inv("deploy") == STOPPED


def test_a_runtime_configuration_of_the_environment_has_no_say(project: Project) -> None:
    project.tasks(GATE)
    project.write("runtime.yaml", LOOSE)
    assert project.inv("deploy", INVOKE_RUNTIME_CONFIG="runtime.yaml") == STOPPED


def test_the_users_configuration_puts_nothing_in_the_environment(project: Project) -> None:
    project.tasks("""
@step(timeout_s=5)
def look(c: Context) -> None:
    print(repr(c.run("echo $PLANTED", hide=True).stdout), dict(c.config.run.env.items()))
""")
    (project.home / ".invoke.yaml").write_text(LOOSE)
    assert project.inv("look").stdout == "'\\n' {}\n"


def test_the_call_itself_may_ask_for_anything(project: Project) -> None:
    project.tasks("""
@step(timeout_s=5)
def look(c: Context) -> None:
    result = c.run("echo out; echo err >&2; exit 5", warn=True, hide=True)
    print(result.exited, result.stdout.strip(), result.stderr.strip(), result.ok)
""")
    assert project.inv("look").stdout == "5 out err False\n"


def test_plain_tasks_keep_the_meaning_of_invoke(project: Project) -> None:
    project.tasks(GATE)
    assert project.inv("plain") == Said(5, "shown\n", "")
    assert project.inv("-w", "plain") == Said(0, "shown\nwent on\n", "")
    assert project.inv("plain", INVOKE_RUN_WARN="1") == Said(0, "shown\nwent on\n", "")


def test_what_the_project_configures_reaches_a_step(project: Project) -> None:
    project.tasks("""
@step(timeout_s=5)
def look(c: Context) -> None: print(c.app.name)
""")
    project.write("invoke.yaml", "app: {name: example}\ntasks: {executor_class: ci.engine.executor.Executor}\n")
    (project.home / ".invoke.yaml").write_text("app: {name: other}\n")
    assert project.inv("look").stdout == "example\n"


def test_echo_shows_the_commands_of_a_step(project: Project) -> None:
    project.tasks(GATE)
    said = project.inv("-e", "gate")
    assert (said.code, said.stdout, said.stderr.splitlines()[:3]) == (
        4,
        "",
        ["── gate", "$ echo shown; exit 5", "shown"],
    )
