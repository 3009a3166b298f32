"""A step's commands get a short, named base and what the call declares, nothing else."""

from __future__ import annotations

from pathlib import Path

from ci.engine import environment
from tests.engine.project import Project

ROOT = Path("/checkout")
FIXED = {
    "HOME": "/checkout/.lockstep/home",
    "NODE_COMPILE_CACHE": "/checkout/.lockstep/cache/node",
    "GIT_CONFIG_COUNT": "1",
    "GIT_CONFIG_KEY_0": "safe.directory",
    "GIT_CONFIG_VALUE_0": "/checkout",
}
CACHES = {"BUN_INSTALL_CACHE_DIR": "/users/me/.bun/install/cache", "npm_config_cache": "/users/me/.npm"}


def test_of_an_empty_environment_only_the_fixed_part_is_left() -> None:
    assert environment.base({}, ROOT, []) == {**FIXED, "PATH": "/bin:/usr/bin"}


def test_only_named_variables_are_passed() -> None:
    passed = {
        "LANG": "C.UTF-8",
        "LC_ALL": "C",
        "TZ": "UTC",
        "TERM": "dumb",
        "NO_COLOR": "1",
        "TMPDIR": "/fast",
        "CI": "true",
        "GITHUB_ACTIONS": "true",
        "SSL_CERT_FILE": "/ca.pem",
        "SSL_CERT_DIR": "/ca",
        "NODE_EXTRA_CA_CERTS": "/ca.pem",
    }
    kept_out = {
        "CONVEX_DEPLOY_KEY": "prod:a|b",
        "NODE_OPTIONS": "--require x",
        "XDG_CACHE_HOME": "/c",
        "npm_config_registry": "http://r",
        "GIT_DIR": "/elsewhere",
        "LD_PRELOAD": "x.so",
        "USER": "me",
    }
    outer = {**passed, **kept_out, "PATH": "/usr/bin", "HOME": "/users/me"}
    expected = {**FIXED, **CACHES, **passed, "PATH": "/checkout/tools:/checkout/node/.bin:/usr/bin"}
    assert environment.base(outer, ROOT, ["tools", "node/.bin"]) == expected


def test_caches_that_the_user_moved_stay_where_they_are() -> None:
    moved = {"BUN_INSTALL_CACHE_DIR": "/cache/bun", "npm_config_cache": "/cache/npm"}
    base = environment.base({**moved, "HOME": "/users/me", "BUN_INSTALL": "/bun"}, ROOT, [])
    assert {name: base[name] for name in moved} == moved


def test_bun_installed_elsewhere_keeps_its_cache_there() -> None:
    base = environment.base({"HOME": "/users/me", "BUN_INSTALL": "/bun", "NPM_CONFIG_CACHE": "/cache/npm"}, ROOT, [])
    assert (base["BUN_INSTALL_CACHE_DIR"], base["npm_config_cache"]) == ("/bun/install/cache", "/cache/npm")


def test_loopback_is_kept_off_the_proxies_in_either_spelling() -> None:
    proxies = {"HTTPS_PROXY": "http://proxy:3128", "http_proxy": "http://proxy:3128", "all_proxy": "socks5://proxy"}
    hosts = {"NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost"}
    assert environment.base(proxies, ROOT, []) == {**FIXED, **proxies, **hosts, "PATH": "/bin:/usr/bin"}


def test_hosts_that_are_off_the_proxies_already_stay_so() -> None:
    base = environment.base({"no_proxy": "intra, localhost", "NO_PROXY": ".corp,intra"}, ROOT, [])
    hosts = ".corp,intra,localhost,127.0.0.1"
    assert (base["NO_PROXY"], base["no_proxy"]) == (hosts, hosts)


def test_registry_settings_are_those_of_the_package_managers() -> None:
    settings = {
        "npm_config_registry": "http://r",
        "NPM_CONFIG_USERCONFIG": "/npmrc",
        "BUN_CONFIG_REGISTRY": "http://r",
        "UV_DEFAULT_INDEX": "http://r",
        "PIP_INDEX_URL": "http://r",
    }
    outer = {**settings, "HOME": "/users/me", "CONVEX_DEPLOY_KEY": "prod:a|b"}
    assert environment.registries(outer) == settings


def test_the_users_npmrc_is_named_since_home_is_another() -> None:
    assert environment.registries({"HOME": "/users/me"}) == {"npm_config_userconfig": "/users/me/.npmrc"}
    assert environment.registries({}) == {}


def test_a_command_sees_the_base_and_what_its_call_declares(project: Project) -> None:
    project.tasks("""
@step(timeout_s=5)
def look(c): c.run("env", env={"DECLARED": "yes", "KEY": Secret("word")}, out_stream=sys.stdout)
""")
    project.write("invoke.yaml", "tasks:\n  executor_class: ci.engine.executor.Executor\n  path: [tools/bin]\n")
    outer = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
    said = project.inv("look", CONVEX_DEPLOY_KEY="prod:a|b", DECLARED="no", **outer)
    seen = dict(line.split("=", 1) for line in said.stdout.splitlines())
    of_the_shell = {name: seen.pop(name, "") for name in ("OLDPWD", "PWD", "SHLVL", "_")}
    assert seen.pop("LOCKSTEP_RUN")  # the mark by which the run finds what it started
    base = environment.base({**outer, "HOME": str(project.home)}, project.root, ["tools/bin"])
    assert (seen, of_the_shell["PWD"]) == ({**base, "DECLARED": "yes", "KEY": "***"}, str(project.root))


def test_a_login_of_the_user_is_not_seen_and_home_is_there(project: Project) -> None:
    project.tasks("""
@step(timeout_s=5)
def look(c):
    print(c.run("cat ~/.convex/config.json || echo none; cd ~ && pwd", hide=True).stdout)
""")
    (project.home / ".convex").mkdir()
    (project.home / ".convex/config.json").write_text("a login")
    assert project.inv("look").stdout == f"none\n{project.root}/.lockstep/home\n\n"


def test_only_a_step_that_asks_sees_registry_settings(project: Project) -> None:
    project.tasks("""
def look(c): print(c.run("echo $npm_config_registry $npm_config_userconfig", hide=True).stdout, end="")
@step(timeout_s=5)
def lint(c): look(c)
@step(timeout_s=5, registry=True)
def install(c): look(c)
""")
    said = project.inv("lint", "install", npm_config_registry="http://127.0.0.1:9")
    assert said.stdout == f"\nhttp://127.0.0.1:9 {project.home}/.npmrc\n"


def test_a_secret_is_revealed_to_the_process_and_to_nothing_else(project: Project) -> None:
    project.tasks("""
@step(timeout_s=5)
def look(c):
    result = c.run("echo ${#KEY}", env={"KEY": Secret("word-of-mouth")}, hide=True)
    print(result.stdout.strip(), result.env["KEY"], "word-of-mouth" in repr(vars(result)))
""")
    assert project.inv("look").stdout == "13 *** False\n"
    said = project.inv("-e", "look")
    assert "word-of-mouth" not in said.stdout + said.stderr


def test_a_plain_task_keeps_the_environment_of_the_user(project: Project) -> None:
    project.tasks("""
@task
def look(c): c.run("echo $HOME $MINE")
""")
    assert project.inv("look", MINE="1").stdout == f"{project.home} 1\n"
