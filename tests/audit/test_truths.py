"""What a shell text runs when its conditions are about what is known; bash itself is asked whether it does."""

from __future__ import annotations

import subprocess

import pytest

from ci.audit import shell
from ci.audit.model import Env, Place, Text
from ci.audit.shell import Origin, Scene

ENV = {"CI": "true", "EMPTY": "", "STAGE": "prod"}

RUNS = [
    '[ -n "$CI" ] && hit',
    '[ -z "${EMPTY}" ] && hit',
    '[ "$STAGE" = "prod" ] && hit',
    '[[ "$STAGE" == pr* ]] && hit',
    '[ -z "$CI" ] || hit',
    '! [ -z "$CI" ] && hit',
    'if [ "$CI" != "true" ]; then exit 0; fi; hit',
    'if [ -z "$CI" ]; then exit 0; elif [ "$STAGE" = dev ]; then exit 0; else hit; fi',
    'case "$STAGE" in dev) exit 0 ;; pr*) hit ;; esac',
    'case "$STAGE" in dev) exit 0 ;; esac; hit',
    'on=no; for word in a b; do on=yes; done; [ "$on" = yes ] && hit',
    'on=no; while read -r word; do if [ "$on" = yes ]; then hit; fi; on=yes; done < <(printf "a\\nb\\n")',
    'on=no; set_it() { on=yes; }; set_it; [ "$on" = yes ] && hit',
    'on=no; if [ "$(uname)" != x ]; then on=yes; fi; [ "$on" = yes ] && hit',
    'on=no; [ "$(uname)" != x ] && on=yes; [ "$on" = yes ] && hit',
    'on=no; read -r on <<< yes; [ "$on" = yes ] && hit',
    'on=no; eval "on=$(echo yes)"; [ "$on" = yes ] && hit',
    'on=a; on+=b; [ "$on" = ab ] && hit',
    'is() { [ "$1" = prod ]; }; is prod && hit',
    'set -- dev; is() { [ "$1" = prod ]; }; is prod && hit',
    'is() { for one in a b; do [ "$one" = b ] && return 0; done; return 1; }; is && hit',
    'is() { [ -n "$CI" ]; return; }; is && hit',
    'is() { if [ -n "$CI" ]; then :; elif true; then return 1; fi; return 0; }; is && hit',
    'is() { if [ "$(uname)" = x ]; then return 1; else return 0; fi; }; is && hit',
    'is() { local on=no; read -r on <<< yes; [ "$on" = yes ]; }; is && hit',
    'is() { case "$1" in dev) return 1 ;; *) return 0 ;; esac; }; is "$STAGE" && hit',
]
RUNS_NOT = [
    '[ -z "$CI" ] && hit',
    '[ -n "$CI" ] || hit',
    '[ -n "$CI" ] && exit 0; hit',
    '[ "${MODE:-auto}" = sync ] && hit',
    '[ -n "$CI" ] && [ "$STAGE" = dev ] && hit',
    'if [ "$CI" = "true" ]; then exit 0; fi; hit',
    'if [[ -z "$CI" || "$STAGE" == "dev" ]]; then hit; fi',
    'if [ -n "$CI" ]; then :; else hit; fi',
    'case "$STAGE" in dev | test) hit ;; esac',
    'on=no; [ "$on" = yes ] && hit',
    'is() { [ "$1" = prod ]; }; is dev && hit',
    'is() { local mode="${MODE:-auto}"; case "$mode" in on) return 0 ;; esac; [ -z "$CI" ]; }; is && hit',
    'is() { if [ -n "$CI" ]; then return 1; fi; }; is && hit',
]


def hits(text: str) -> bool:
    env = Env({name: Text(value, Place("")) for name, value in ENV.items()})
    found = shell.commands(text, Origin(Place("x")), Scene(env=env)).commands
    return any(command.argv == ("hit",) for command in found)


def hits_in_bash(text: str) -> bool:
    begin = "hit() { echo hit; }\n"
    done = subprocess.run(
        ["bash", "-c", begin + text], env={**ENV, "PATH": "/usr/bin:/bin"}, capture_output=True, timeout=20
    )
    return b"hit" in done.stdout


@pytest.mark.parametrize("text", RUNS)
def test_what_bash_runs_is_reached(text: str) -> None:
    assert (hits(text), hits_in_bash(text)) == (True, True)


@pytest.mark.parametrize("text", RUNS_NOT)
def test_what_a_known_condition_rules_out_is_not_reached(text: str) -> None:
    assert (hits(text), hits_in_bash(text)) == (False, False)


def test_functions_that_ask_each_other_again_and_again_come_to_an_end() -> None:
    functions = "".join(f"f{n}() {{ {' && '.join([f'f{n + 1}'] * 9)}; }}\n" for n in range(60))
    assert hits(f'{functions}f60() {{ [ -n "$CI" ]; }}\nif f0; then hit; fi')
