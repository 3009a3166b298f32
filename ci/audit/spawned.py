"""The commands that a script of the repository starts, as far as they can be read in its text."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from ci.audit import typescript

if TYPE_CHECKING:
    from tree_sitter import Node

Spawned = tuple[tuple[str, ...], int]

_MATTERS = re.compile(r"\b(?:convex|wrangler|vercel|netlify|turbo|npm|npx|pnpm|yarn|bun|bunx)\b")
_PROGRAM = re.compile(r"(?:npx|bunx|bun|npm|pnpm|yarn|convex|wrangler|vercel|netlify|turbo|cd|bash|sh)\b(?![:/])")
# Functions that start a command, and what people call their own around them. Not what only prints.
_STARTS = re.compile(r"^(?:\$|sh|zx|cmd)$|exec|spawn|run|shell|command", re.IGNORECASE)
_PYTHON_STARTS = {"run", "call", "check_call", "check_output", "Popen", "system", "popen", "getoutput"}


def read(path: str, text: str) -> tuple[Spawned, ...]:
    """
    Return each command that the file starts, and the line where it does; of a shell text, `bash -c` of it.

    A folder that it is started in comes in front as `cd`. Whether the line is ever reached is not known.
    """
    if not _MATTERS.search(text):
        return ()
    if path.endswith(typescript.ENDINGS):
        return tuple(_javascript(path, text))
    return tuple(_python(text)) if path.endswith(".py") else ()


def _javascript(path: str, text: str) -> Iterator[Spawned]:
    constants: dict[str, str] = {}
    for node in typescript.nodes(path, text, "variable_declarator", "call_expression"):
        if node.type == "variable_declarator":
            said = typescript.string(node.child_by_field_name("value"))
            if said is not None:
                constants.setdefault(typescript.of(node.child_by_field_name("name")), said)
        elif argv := _call(node, constants):
            yield argv, node.start_point.row + 1


def _call(node: Node, constants: Mapping[str, str]) -> tuple[str, ...] | None:
    callee, given = node.child_by_field_name("function"), node.child_by_field_name("arguments")
    if callee is None or given is None:
        return None
    if callee.type == "call_expression":
        callee = callee.child_by_field_name("function")  # $({ cwd })`...`
    if callee is not None and callee.type == "member_expression":
        callee = callee.child_by_field_name("property")
    if callee is None or "identifier" not in callee.type or not _STARTS.search(typescript.of(callee)):
        return None
    if given.type == "template_string":
        return _shell(typescript.string(given) or "", None)
    first, *rest = [*(one for one in given.named_children if one.type != "comment"), None]
    words = _words(first, constants)
    if words is None:
        return None
    options = next((one for one in (first, *rest) if one and one.type == "object"), None)
    folder = _folder(options, constants)
    if isinstance(words, str) and rest and rest[0] and rest[0].type == "array":
        words = [words, *(_words(rest[0], constants) or ())]
    return _shell(words, folder) if isinstance(words, str) else _argv(words, folder)


def _words(node: Node | None, constants: Mapping[str, str]) -> str | list[str] | None:
    """Return a command as it is handed over: a shell text, or words; what is computed is a variable."""
    if node is None:
        return None
    if node.type == "object":
        pairs = [one for one in node.named_children if typescript.of(one.child_by_field_name("key")) == "cmd"]
        value = pairs[0].child_by_field_name("value") if pairs else None
        return None if value is None or value.type == "object" else _words(value, constants)
    if node.type != "array":
        return _text(node, constants)
    return [_text(one, constants) or f"${{{typescript.of(one)}}}" for one in node.named_children]


def _text(node: Node | None, constants: Mapping[str, str]) -> str | None:
    said = typescript.string(node)
    return said if said is not None else constants.get(typescript.of(node))


def _folder(options: Node | None, constants: Mapping[str, str]) -> str | None:
    for one in options.named_children if options else ():
        if typescript.of(one.child_by_field_name("key")) == "cwd" or typescript.of(one) == "cwd":
            return _text(one.child_by_field_name("value"), constants) or "$cwd"
    return None


def _shell(text: str, folder: str | None) -> tuple[str, ...] | None:
    if not _PROGRAM.match(text.lstrip()):
        return None
    return "bash", "-c", text if folder is None else f"cd {folder if '$' in folder else shlex.quote(folder)} && {text}"


def _argv(words: Sequence[str], folder: str | None) -> tuple[str, ...] | None:
    if not words or not _PROGRAM.match(words[0]):
        return None
    return tuple(words) if folder is None else _shell(" ".join(_quoted(word) for word in words), folder)


def _quoted(word: str) -> str:
    return f'"{word}"' if word.startswith("${") and word.isprintable() and '"' not in word else shlex.quote(word)


def _python(text: str) -> Iterator[Spawned]:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name not in _PYTHON_STARTS:
            continue
        folder = next((_literal(one.value) or "$cwd" for one in node.keywords if one.arg == "cwd"), None)
        first = node.args[0]
        if isinstance(first, ast.List | ast.Tuple):
            argv = _argv([_literal(one) or "$argument" for one in first.elts], folder)
        else:
            argv = _shell(_literal(first) or "", folder)
        if argv:
            yield argv, node.lineno


def _literal(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None
