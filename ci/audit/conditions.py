"""What a shell text asks before it runs a command, and what hides that a command failed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ci.audit import grammar
from ci.audit.model import Guard, Swallow
from ci.audit.words import Words

if TYPE_CHECKING:
    from tree_sitter import Node

_SHRUGS = frozenset(
    ("true", ":", "echo", "printf", "continue", "break", "cat", "ls", "pwd", "date", "rm", "mkdir", "touch", "sleep")
)
_QUERIES = frozenset(
    ("[", "[[", "test", "grep", "egrep", "command", "which", "type", "git", "gh", "jq", "diff", "cmp", "hash", "docker")
)
_NAME = re.compile(r"\b(?:secrets|env|vars|inputs)\.([A-Za-z_][\w-]*)")
_KEPT = re.compile(r"(?!/dev/|&|\d$)").match  # where something is written that may be read later
_OUTPUTS = re.compile(r"GITHUB_(OUTPUT|ENV)|GITHUB_STEP_SUMMARY")

Sink = tuple[Swallow, ...]  # what becomes of a failure: () when it ends the script with a failure


class Conditions(Words):
    """Guards and swallowed failures, at one point of a shell text."""

    @contextmanager
    def guarded(self, guards: tuple[Guard, ...]) -> Iterator[None]:
        before = self.guards
        self.guards = before + guards
        with self.perhaps():
            yield
        self.guards = before

    def guard(self, nodes: Sequence[Node], *, negated: bool) -> tuple[Guard, ...]:
        text = "; ".join(" ".join(self.source.text.of(n).split()) for n in nodes)
        return (Guard(f"! ({text})" if negated else text, self.names(nodes), self.source.place(nodes[0])),)

    def asked(self, node: Node, *, negated: bool = False) -> tuple[Guard, ...]:
        """Return the guard that the left side of an `&&` or `||` is, when it asks something; a list by its parts."""
        if node.type == "list" and node.children[1].type == "&&" and not negated:
            return self.asked(node.children[0]) + self.asked(node.children[-1])
        inner = node
        while inner.type in ("negated_command", "redirected_statement", "pipeline") and inner.named_child_count:
            inner = inner.named_children[-1] if inner.type == "pipeline" else inner.named_children[0]
        head = self.source.text.of(inner).split()[:1]
        is_test = inner.type == "test_command" or (inner.type == "compound_statement" and "((" in head[0][:2])
        is_list = node.type == "list" and any(self.asked(n) for n in node.named_children)
        if is_test or is_list or (head and head[0] in _QUERIES) or node.type == "negated_command":
            return self.guard([node], negated=negated)
        return ()

    def failing(self, node: Node) -> tuple[Guard, ...]:
        return (Guard(f"`{self.brief(node)}` fails", frozenset(), self.source.place(node)),)

    def names(self, nodes: Sequence[Node]) -> frozenset[str]:
        """Return the variables and secrets that nodes mention, and those that these variables were made of."""
        found: set[str] = set()
        for node in nodes:
            found |= set(self.source.text.variables(node)) | set(_NAME.findall(self.source.text.of(node)))
        return frozenset(found.union(*(self.asks.get(name, frozenset()) for name in found)))

    def is_shrug(self, node: Node) -> bool:
        """Tell whether a statement always succeeds and leaves no trace: `true`, `echo`, `exit 0`."""
        text = self.source.text.of(node)
        if node.type in ("compound_statement", "subshell", "redirected_statement", "list"):
            if _OUTPUTS.search(text):
                return False
            redirects = [n for n in node.named_children if n.type == "file_redirect"]
            if any(_KEPT(place) for n in redirects for place in grammar.redirected(n, self.source.text)[0]):
                return False
            parts = [n for n in node.named_children if n.type not in ("comment", "file_redirect")]
            return bool(parts) and all(self.is_shrug(n) for n in parts)
        words = text.split()
        if node.type != "command" or not words or _OUTPUTS.search(text):  # a broken command may have no word
            return False
        if words[0] in self.functions and words[0] not in self.calls:
            body, source = self.functions[words[0]]
            with self.inside(source):
                return len(self.calls) < 8 and all(self.is_shrug(n) for n in body.named_children)
        return words[0] in _SHRUGS or _is_well(words)

    def leaves_well(self, node: Node) -> bool:
        """Tell whether a statement ends in an `exit` or `return` that reports success."""
        last = node
        while last.type in ("compound_statement", "list", "redirected_statement") and last.named_child_count:
            last = last.named_children[-1]
        return _is_well(self.source.text.of(last).split())

    def brief(self, node: Node) -> str:
        text = " ".join(self.source.text.of(node).split())
        return text if len(text) <= 40 else f"{text[:37]}..."

    def hides(self, how: str, node: Node) -> Sink:
        return (Swallow(how, self.source.place(node)),)

    def otherwise(
        self, conditions: Sequence[Node], body: Sequence[Node], rest: Sequence[tuple[list[Node], list[Node]]]
    ) -> Sink:
        """Return what becomes of a condition that fails: hidden when nothing is done about it."""
        if conditions[-1].type == "negated_command":
            handled = body
        elif rest:
            handled = rest[-1][1]
        else:
            text = " ".join(self.source.text.of(n) for n in body)
            leaves = re.search(r"\b(break|exit|return)\b", text)  # one turn of a retry
            return () if leaves else self.hides("`if` without an `else`", conditions[0])
        if all(self.is_shrug(n) for n in handled):
            return self.hides("`if`, whose other branch goes on", conditions[0])
        return ()


def _is_well(words: Sequence[str]) -> bool:
    """Tell whether words are an `exit` or `return` that reports success."""
    return words[:1] in (["exit"], ["return"]) and words[1:2] in ([], ["0"], ["0;"])
