"""The functions that a Python program calls, through Convex's client for Python or over HTTP."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator

from ci.contract import names
from ci.contract.source import Unread
from ci.contract.uses import Use
from ci.contract.values import HOME

METHODS = {"query", "mutation", "action", "subscribe"}
_CLIENT = re.compile(r"\bConvex\w*Client\b")


def uses(data: bytes) -> Iterator[Use]:
    """
    Yield what a file calls.

    Raises:
        Unread: this Python cannot parse it.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of escapes that a later Python refuses
            tree = ast.parse(data)
    except SyntaxError as error:
        where = f", near line {error.lineno}" if error.lineno else ""
        raise Unread(f"has syntax that this Python does not know{where}: it was not read") from error
    except ValueError as error:
        raise Unread(f"is no Python: {error}") from error
    except MemoryError as error:  # so the parser says that it was nested too deeply
        raise Unread("is nested too deeply to be read") from error
    yield from _Program(tree, data).calls()


class _Program:
    def __init__(self, tree: ast.Module, data: bytes) -> None:
        self._nodes = list(ast.walk(tree))
        self._starts = [0]
        for line in data.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))
        given = [(node.targets, node.value) for node in self._nodes if isinstance(node, ast.Assign)]
        self._texts = {
            target.id: value for targets, value in given for target in targets if isinstance(target, ast.Name)
        }
        made = {_last(target) for targets, value in given if _CLIENT.search(ast.unparse(value)) for target in targets}
        typed = {
            (_last(node.target) if isinstance(node, ast.AnnAssign) else node.arg)
            for node in self._nodes
            if isinstance(node, ast.AnnAssign | ast.arg) and node.annotation
            if _CLIENT.search(ast.unparse(node.annotation))
        }
        self._clients = (made | typed) - {""}

    def calls(self) -> Iterator[Use]:
        for node in self._nodes:
            if not isinstance(node, ast.Call):
                continue
            if isinstance(node.func, ast.Attribute) and node.func.attr in METHODS and node.args:
                client = _last(node.func.value) in self._clients or bool(_CLIENT.search(ast.unparse(node.func.value)))
                yield from self._named(node.args[0], "string", surely=client)
            yield from self._posted(node)

    def _named(self, given: ast.expr, form: str, *, surely: bool) -> Iterator[Use]:
        said, whole = self._said(given)
        path = names.function_path(said, default=surely) if whole else None
        if path is not None:
            yield self._use(given, path, form)
        elif surely and not whole:
            yield self._use(given, names.prefix(said), "dynamic")

    def _said(self, node: ast.expr) -> tuple[str, bool]:
        """Return the text that an expression stands for, or how it begins, and whether that is all of it."""
        match node:
            case ast.Constant(str(said)):
                return said, True
            case ast.JoinedStr([ast.Constant(str(said)), *_]):
                return said, False
            case ast.BinOp(left, ast.Add()):
                return self._said(left)[0], False
            case ast.Name(name) if isinstance(self._texts.get(name), ast.Constant):
                return self._said(self._texts[name])
        return "", False

    def _posted(self, call: ast.Call) -> Iterator[Use]:
        parts = [part for one in [*call.args, *(word.value for word in call.keywords)] for part in ast.walk(one)]
        addresses = [part for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str)]
        for address in addresses:
            if found := names.RUN_PATH.search(str(address.value)):
                yield self._use(address, (*found[1].split("/"), found[2]), "http")
        if any(names.ENDPOINT.search(str(address.value)) for address in addresses):
            for part in (part for part in parts if isinstance(part, ast.Dict)):
                for key, value in zip(part.keys, part.values, strict=True):
                    if isinstance(key, ast.Constant) and key.value == "path":
                        yield from self._named(value, "http", surely=True)

    def _use(self, node: ast.expr, path: tuple[str, ...], form: str) -> Use:
        return Use(self._starts[node.lineno - 1] + node.col_offset, HOME, path, form, "public")


def _last(node: ast.expr) -> str:
    """Return the last part of a dotted name."""
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
