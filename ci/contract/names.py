"""Functions that are named in text, as "a/b:c", and what `convex run` is told to run."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tree_sitter import Node

from ci.contract import syntax
from ci.contract.uses import Use
from ci.contract.values import HOME

_NAME = re.compile(r"^(?P<module>[\w$][\w$-]*(?:/[\w$-]+)*)(?:\.[cm]?[jt]sx?)?:(?P<name>[A-Za-z_$][\w$]*)$")
_MODULE = re.compile(r"^[\w$][\w$-]*(?:/[\w$-]+)*(?:\.js)?$")
ENDPOINT = re.compile(r"/api/(?:query|mutation|action|function|query_at_ts|run)\b")
RUN_PATH = re.compile(r"/api/run/([\w$/.-]+?)/([A-Za-z_$][\w$]*)(?:[?#].*)?$")
LONGEST_COMMAND_BYTES = 1000  # before `convex run` on its line; what lies further off is not looked at
# Up to where the command ends, or $(...) around it.
_RUN = re.compile(rb"\bconvex(?:@[\w.^~-]+)?\s+run\b(?P<rest>(?:\\\r?\n|\([^()\n]*\)|[^\n\r;&|`()])*)")
# What stands before a command: nothing or the end of another one, then a launcher and assignments.
_COMMAND = re.compile(
    rb"(?:^|[;&|(){}`=:!@]|--|\b(?:then|do|else|exec|run|env|time|if))\s*"
    rb"(?:(?:npx|bunx|pnpx|pnpm|yarn|npm|bun|exec|dlx|x|--yes|-y|[A-Z_]+=\S*)\s+)*(?:[\w./@-]*/)?$"
)
_LAUNCHED = re.compile(rb"\b(?:npx|bunx|pnpx)\s+$")
_WORD = re.compile(rb"""(?:"(?:\\.|[^"\\])*"|'[^']*'|\$\([^()]*\)|\\\r?\n|[^\s"'])+""")
# Source: the options of `convex run` that take a value (npm-packages/convex/src/cli/lib/command.ts); read 2026-11-22.
_VALUED = {"--identity", "--url", "--admin-key", "--preview-name", "--deployment-name", "--deployment", "--env-file",
           "--codegen", "--typecheck"}  # fmt: skip
_ELSEWHERE = {"--component", "--component-path", "--inline-query"}  # these run no function of the app


def function_path(name: str, *, default: bool = False) -> tuple[str, ...] | None:
    """
    Return the path that a name such as "a/b:c" or "a/b.js:c" stands for.

    Args:
        default: "a/b" alone names the module's default export.
    """
    if matched := _NAME.match(name):
        return (*matched["module"].split("/"), matched["name"])
    if default and _MODULE.match(name):
        return (*name.removesuffix(".js").split("/"), "default")
    return None


def run(data: bytes, *, comments: bool = True, start: int = 0) -> Iterator[Use]:
    """
    Yield the functions that `convex run` is told to run in a script; a sentence that mentions it runs nothing.

    Args:
        comments: lines may begin, or end, with a # comment.
        start: where in its file the script starts.
    """
    for match in _RUN.finditer(data):
        nearby = max(match.start() - LONGEST_COMMAND_BYTES, 0)
        line = data[max(data.rfind(b"\n", nearby, match.start()) + 1, nearby) : match.start()]
        if comments and re.search(rb"(?:^|\s)#", line):
            continue
        begins = (_COMMAND.search(line) or _LAUNCHED.search(line)) is not None
        for at, word in _arguments(match["rest"], match.start("rest")):
            known, variable, _ = word.partition("$")
            path = None if variable else _commanded(word, default=begins)
            if path:
                yield Use(start + at, HOME, path, "run", "internal")
            elif variable and begins:
                yield Use(start + at, HOME, prefix(known), "dynamic", "internal")


def run_in_source(root: Node, data: bytes) -> Iterator[Use]:
    """Yield what `convex run` is told to run in the strings of a source file that begin with the command."""
    for match in _RUN.finditer(data):
        node = syntax.string_around(root, match.start())
        if node is not None and _COMMAND.search(data[node.start_byte + 1 : match.start()]):
            for use in run(data[match.start() : node.end_byte - 1], comments=False, start=match.start()):
                if use.path[-1:] != ("default",):  # "convex run failed" is a sentence
                    yield use


def _arguments(rest: bytes, start: int) -> Iterator[tuple[int, str]]:
    """Yield the first argument of `convex run` that is no option, with its place."""
    skip = False
    for match in _WORD.finditer(rest):
        word = match[0].decode(errors="replace")
        bare = word.strip("\"'\\\n\r ")
        option = bare.partition("=")[0]
        if option in _ELSEWHERE or bare.startswith("#"):
            return
        if skip or not bare or bare.startswith("-"):
            skip = not skip and bare in _VALUED
            continue
        yield start + match.start() + (word[0] in "\"'"), bare
        return


def _commanded(word: str, *, default: bool) -> tuple[str, ...] | None:
    """
    Return the path that an argument of `convex run` stands for.

    Source: parseFunctionName of the CLI: api.a.b, a/b:c, a/b for the default export, convex/a.ts:b; read 2026-11-22.
    """
    if word.startswith(("api.", "internal.")):
        parts = tuple(word.split(".")[1:])
        return parts if len(parts) >= 2 else None
    word = word.removeprefix("./").removeprefix("convex/")
    return function_path(word, default=default)


def prefix(known: str) -> tuple[str, ...]:
    """Return the path that the beginning of a name stands for."""
    return tuple(part for part in known.partition(":")[0].split("/") if part)
