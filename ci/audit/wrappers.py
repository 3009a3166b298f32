"""Command lines that run another: `env A=1 x`, `timeout 60 x`, `doppler run -- x`, `bash -c "x"` -> x."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass

from ci.audit import arguments

_SHELLS = {"bash", "sh", "zsh", "dash", "ash"}
_ASSIGNMENT = re.compile(r"^([A-Za-z_]\w*)=(.*)$", re.DOTALL)

# wrapper -> its options that take a value; the command is what comes after its options and `_OPERANDS` words
_PLAIN: dict[str, frozenset[str]] = {
    "sudo": frozenset(("-u", "-g", "-h", "-p", "-C", "-D", "--user", "--group", "--chdir")),
    "time": frozenset(("-f", "-o", "--format", "--output")),
    "command": frozenset(),
    "builtin": frozenset(),
    "exec": frozenset(("-a",)),
    "nohup": frozenset(),
    "setsid": frozenset(),
    "caffeinate": frozenset(("-t", "-w")),
    "nice": frozenset(("-n", "--adjustment")),
    "ionice": frozenset(("-c", "-n", "-p")),
    "stdbuf": frozenset(("-i", "-o", "-e")),
    "unbuffer": frozenset(),
    "timeout": frozenset(("-k", "-s", "--kill-after", "--signal")),
    "gtimeout": frozenset(("-k", "-s", "--kill-after", "--signal")),
    "xvfb-run": frozenset(("-n", "-s", "-e", "-f", "-p", "-w", "--server-num", "--server-args", "--error-file")),
    "dbus-run-session": frozenset(),
    "xargs": frozenset(("-n", "-P", "-I", "-L", "-d", "-a", "-s", "-E", "--max-args", "--max-procs", "--delimiter")),
    "flock": frozenset(("-w", "-E", "--timeout")),
    "retry": frozenset(("-t", "-d", "-m", "--tries", "--times", "--delay", "--min", "--max", "--until", "-c")),
    "cross-env": frozenset(),
    "cross-env-shell": frozenset(),
    "corepack": frozenset(),
    "poetry": frozenset(),
    "uv": frozenset(("--python", "--with", "--project", "--directory", "-p")),
    "pipenv": frozenset(),
    "bundle": frozenset(),
    "direnv": frozenset(),
    "vp": frozenset(),
}
_OPERANDS = {"timeout": 1, "gtimeout": 1, "flock": 1, "direnv": 1}

# wrapper -> the word that must come first, and then is no part of the command
_VERBS = {
    "poetry": ("run",),
    "uv": ("run",),
    "pipenv": ("run",),
    "bundle": ("exec",),
    "vp": ("exec", "dlx"),
    "direnv": ("exec",),
    "mise": ("exec", "x"),
    "devbox": ("run",),
    "corepack": ("pnpm", "yarn", "npm"),
}

# What puts variables into the environment of what it runs, that the repository does not tell; with their first words.
_LOADERS: dict[str, tuple[str, ...]] = {
    "doppler": ("run",),
    "op": ("run",),
    "infisical": ("run",),
    "varlock": ("run",),
    "phase": ("run",),
    "teller": ("run",),
    "bws": ("run",),
    "dmno": ("run",),
    "akeyless": ("run",),
    "chamber": ("exec",),
    "aws-vault": ("exec",),
    "sops": ("exec-env",),
    "dotenvx": ("run",),
    "dotenv": (),
    "dotenv-cli": (),
    "env-cmd": (),
    "envchain": (),
    "with-env": (),
    "dotenv-flow": (),
}
_LOADER_OPTIONS = arguments.some(
    "-e -f -c -p -v -fv --file --env-file --env --config --project --path --token --environments --projectId --domain "
    "--account --scope --environment --app"
)
_LOADER_OPERANDS = {"chamber": 1, "aws-vault": 1, "sops": 1, "envchain": 1}


@dataclass(frozen=True)
class Inner:
    """
    What a wrapper runs: words, or a shell text, or a script of the repository with its arguments.

    `sets` are the variables that it puts before, `unsets` those that it takes away ("*": all); `loads` says which tool
    brings others.
    """

    argv: tuple[str, ...] = ()
    text: str = ""
    script: tuple[str, ...] = ()
    sets: tuple[tuple[str, str], ...] = ()
    unsets: tuple[str, ...] = ()
    folder: str = ""
    options: str = ""  # of a shell: the letters and names that it is started with
    loads: str = ""


def inner(argv: tuple[str, ...]) -> Inner | None:
    """Return what a command line runs when it is a wrapper, else None."""
    head = posixpath.basename(argv[0])
    rest = argv[1:]
    if head in ("env", "cross-env", "cross-env-shell"):
        return _env(rest)
    if head == "command" and rest[:1] in (("-v",), ("-V",)):
        return None  # asks only where it is
    if head in _SHELLS:
        return _shell(rest)
    if head in _LOADERS:
        return _loader(head, rest)
    if head == "vp" and rest[:1] == ("run",) and len(rest) > 1:
        package, _, task = rest[1].rpartition("#")
        return Inner(("npm", "run", task, *(("-w", package) if package else ()), *rest[2:]))
    if (
        head in ("npx", "bunx", "pnpx")
        and rest
        and rest[0] in ("dotenv", "dotenvx", "env-cmd", "cross-env", "dotenv-cli")
    ):
        return inner(rest)
    if head.partition("@")[0] == "static-hosting" and rest[:1] == ("deploy",):
        return Inner(text=_whole_site(rest))
    if head in ("nix", "nix-shell", "devenv"):
        return _nix(rest)
    if head in ("mise", "devbox"):
        return _after_dashes(head, rest)
    if head not in _PLAIN:
        return None
    return _plain(head, rest)


def _whole_site(words: tuple[str, ...]) -> str:
    """
    Return what the one command does that ships both halves to Convex.

    Source: @convex-dev/static-hosting 0.2.1, dist/cli/deploy.js and args.js, read 2026-11-22.
    """
    build = "" if "--skip-build" in words else arguments.value(words, "--build-command") or "npm run build"
    deploy = "" if "--skip-convex" in words else "convex deploy"
    return " && ".join(filter(None, (build, deploy, "static-hosting upload")))


def _plain(head: str, words: tuple[str, ...]) -> Inner | None:
    verbs = _VERBS.get(head)
    if head == "corepack":
        return Inner(words) if words[:1] and words[0].split("@")[0] in ("pnpm", "yarn", "npm") else None
    if verbs:
        if words[:1] not in [(verb,) for verb in verbs]:
            return None
        words = words[1:]
    words = _skipped(words, _PLAIN[head])[_OPERANDS.get(head, 0) :]
    if head == "retry":
        while words and re.fullmatch(r"\d+[smh]?", words[0]):
            words = words[1:]
    if head in ("sudo", "xargs"):
        return _env(words) if words else None
    return Inner(_undashed(words)) if words else None


def _skipped(words: tuple[str, ...], valued: frozenset[str]) -> tuple[str, ...]:
    """Return the words behind the options."""
    while words and words[0].startswith("-") and words[0] != "-":
        if words[0] == "--":
            return words[1:]
        words = words[2:] if words[0] in valued else words[1:]
    return words


def _undashed(words: tuple[str, ...]) -> tuple[str, ...]:
    return words[1:] if words[:1] == ("--",) else words


def _env(words: tuple[str, ...]) -> Inner | None:
    sets: list[tuple[str, str]] = []
    unsets: list[str] = []
    folder = ""
    while words:
        word = words[0]
        if assignment := _ASSIGNMENT.match(word):
            sets.append((assignment[1], assignment[2]))
        elif word in ("-u", "--unset", "-C", "--chdir"):
            if word in ("-u", "--unset"):
                unsets += words[1:2]
            else:
                folder = "".join(words[1:2])
            words = words[1:]
        elif word.startswith("--unset="):
            unsets.append(word.partition("=")[2])
        elif word.startswith("-u"):
            unsets.append(word[2:])
        elif word in ("-i", "-", "--ignore-environment"):
            unsets.append("*")
        elif not word.startswith("-"):
            break
        words = words[1:]
    return Inner(words, sets=tuple(sets), unsets=tuple(unsets), folder=folder) if words else None


def _shell(words: tuple[str, ...]) -> Inner | None:
    options = ""
    while words and words[0][:1] in "-+" and words[0] not in ("-", "--"):
        word, words = words[0], words[1:]
        if word.startswith("--"):
            continue
        options += word[1:]
        if word.endswith("o") and words:
            options, words = f"{options} {words[0]} ", words[1:]
        if "c" in word[1:] and words:
            return Inner(text=words[0], script=words[2:], options=options)
    return Inner(script=words, options=options) if words else None


def _loader(head: str, words: tuple[str, ...]) -> Inner | None:
    if "--" in words:
        return Inner(words[words.index("--") + 1 :], loads=head)
    if text := arguments.value(words, "--command"):
        return Inner(text=text, loads=head)
    verbs = _LOADERS[head]
    if verbs and words[:1] != verbs:
        return None
    words = words[len(verbs) :]
    while words and words[0].startswith("-"):
        takes = words[0] in _LOADER_OPTIONS and (head, words[0]) != ("dotenv", "-c")  # whose value is optional
        words = words[2:] if takes else words[1:]
    words = words[_LOADER_OPERANDS.get(head, 0) :]
    if len(words) == 1 and " " in words[0]:
        return Inner(text=words[0], loads=head)
    return Inner(words, loads=head) if words else None


def _nix(words: tuple[str, ...]) -> Inner | None:
    for number, word in enumerate(words):
        if word in ("-c", "--command", "--run", "--"):
            rest = words[number + 1 :]
            return Inner(text=rest[0]) if len(rest) == 1 and " " in rest[0] else Inner(rest)
    return None


def _after_dashes(head: str, words: tuple[str, ...]) -> Inner | None:
    if words[:1] in [(verb,) for verb in _VERBS[head]] and "--" in words:
        return Inner(words[words.index("--") + 1 :])
    return None
