"""Whether a condition of a shell text holds, as far as its variables are known."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from ci.audit import grammar
from ci.audit.model import Truth
from ci.audit.settings import Settings

if TYPE_CHECKING:
    from tree_sitter import Node

MAX_FUNCTIONS = 1_000  # of one shell text that are asked how they end, each as often as it is called

_NOT: dict[Truth, Truth] = {"yes": "no", "no": "yes", "maybe": "maybe"}
_ENDS: dict[str, Truth] = {"true": "yes", ":": "yes", "false": "no"}
_IS_MAIN = re.compile(r"BASH_SOURCE(\[0\])?\}?\"?\s*==?\s*\"?\$\{?0\b")


class Truths(Settings):
    """What conditions come to, at one point of a shell text."""

    asked_functions = 0

    def holds(self, nodes: Sequence[Node]) -> Truth:
        """Return whether the condition of an `if` holds; that a file is run, not sourced, does not where it is."""
        if _IS_MAIN.search(self.source.text.of(nodes[0])):
            return "maybe" if self.source.script == self.scene.script else "no"
        return self.truth(nodes[-1])

    def truth(self, node: Node) -> Truth:
        """Return whether a statement succeeds."""
        if node.type == "list":
            return _both(self.truth(node.children[0]), self.truth(node.children[-1]), node.children[1].type)
        if node.type == "negated_command":
            return _NOT[self.truth(node.named_children[0])]
        if node.type == "test_command" and node.named_child_count == 1:
            return self.compared(node.named_children[0])
        if node.type == "case_statement":
            taken, is_known = self.cases(node)
            inside = [n for one in taken for n in one.named_children if n.type != "comment"]
            return self.truth(inside[-1]) if is_known and inside else "maybe"
        return self.ended(node) if node.type == "command" else "maybe"

    def cases(self, node: Node) -> tuple[list[Node], bool]:
        """Return the branches of a `case` that may be taken, and whether it is known which: one at most."""
        items = [n for n in node.children if n.type == "case_item"]
        value = node.child_by_field_name("value")
        text = self.known_text(value) if value else None
        if text is None:
            return items, False
        for number, item in enumerate(items):
            patterns = [self.written(n) for n in item.children_by_field_name("value")]
            if any("$" in one or "(" in one for one in patterns):
                return items[number:], False
            if any(fnmatchcase(text, one) for one in patterns):
                return [item], True
        return [], True

    def compared(self, node: Node) -> Truth:
        """Return whether what stands in `[ ]` holds."""
        parts = node.named_children
        if node.type == "parenthesized_expression" and len(parts) == 1:
            return self.compared(parts[0])
        if node.type == "unary_expression":
            return self.unary(self.source.text.of(node.children[0]), parts[-1])
        if node.type != "binary_expression" or len(node.children) != 3:
            return "maybe"
        left, operator, right = node.children[0], self.source.text.of(node.children[1]), node.children[-1]
        if operator in ("&&", "||"):
            return _both(self.compared(left), self.compared(right), operator)
        one, other = self.known_text(left), self.known_text(right)
        if operator not in ("=", "==", "!=") or one is None or other is None or re.search(r"[*?\[]", other):
            return "maybe"
        return "yes" if (one == other) == (operator != "!=") else "no"

    def unary(self, operator: str, node: Node) -> Truth:
        if operator == "!":
            return _NOT[self.compared(node)]
        text = self.known_text(node)
        if operator not in ("-z", "-n") or text is None:
            return "maybe"
        return "yes" if (text == "") == (operator == "-z") else "no"

    def ended(self, node: Node) -> Truth:
        """Return whether a command succeeds: one that says so, or a function that ends in a condition."""
        words = self.source.text.of(node).split()
        if words[:1] in (["return"], ["exit"]):
            return "yes" if words[1:] == ["0"] else "no" if words[1:] and words[1].isdigit() else "maybe"
        if not words or words[0] not in self.functions or words[0] in self.calls:
            return _ENDS.get(" ".join(words), "maybe")
        self.asked_functions += 1
        if self.asked_functions > MAX_FUNCTIONS:
            return "maybe"
        arguments = tuple(word for n in node.children_by_field_name("argument") for word in self.words(n))
        with self.apart(), self.called(words[0], arguments):
            statements = [n for n in self.functions[words[0]][0].named_children if n.type != "comment"]
            return self.returned(statements) or (self.truth(statements[-1]) if statements else "maybe")

    def returned(self, statements: Sequence[Node]) -> Truth | None:
        """Return with what a function ends in some of its statements, None when it goes on behind them."""
        return next(filter(None, map(self.returned_by, statements)), None)

    def returned_by(self, node: Node) -> Truth | None:
        kind, text = node.type, self.source.text
        if kind in ("declaration_command", "variable_assignment"):
            for one in [node] if kind == "variable_assignment" else node.named_children:
                if one.type == "variable_assignment":
                    self.assign(one, exported=False)
            return None
        if kind == "list":
            holds = self.truth(node.children[0])
            return self.if_so(holds if node.children[1].type == "&&" else _NOT[holds], node.children[-1:])
        if kind == "if_statement":
            return self.returned_by_one([(self.holds(a) if a else "yes", body) for a, body in grammar.branches(node)])
        if kind == "case_statement":
            taken, is_known = self.cases(node)
            return self.returned_by_one([("yes" if is_known else "maybe", one.named_children) for one in taken])
        self.unsure |= {*text.assigned(node), *text.of(node).split()}  # a loop, a call, `read x`
        ends = re.search(r"\b(?:return|exit)\b", text.of(node))
        return (self.ended(node) if kind == "command" else "maybe") if ends else None

    def returned_by_one(self, branches: Sequence[tuple[Truth, Sequence[Node]]]) -> Truth | None:
        """Return with what a function ends in the first branch whose condition holds."""
        is_sure: Truth = "yes"
        for holds, body in branches:
            found = self.if_so(_both(is_sure, holds, "&&"), body)
            if found or holds == "yes":
                return found
            is_sure = _both(is_sure, _NOT[holds], "&&")
        return None

    def if_so(self, holds: Truth, statements: Sequence[Node]) -> Truth | None:
        """Return with what a function ends in statements that run under a condition."""
        found = None if holds == "no" else self.returned(statements)
        return "maybe" if found and holds == "maybe" else found


def _both(left: Truth, right: Truth, operator: str) -> Truth:
    decides: Truth = "no" if operator == "&&" else "yes"
    if decides in (left, right):
        return decides
    return left if left == right else "maybe"
