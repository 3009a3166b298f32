"""What a shell sets by its own verbs: variables, the folder that it is in, its options."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ci.audit.conditions import Conditions
from ci.audit.folders import joined
from ci.audit.model import Question, Text

if TYPE_CHECKING:
    from tree_sitter import Node


class Settings(Conditions):
    """What changes what the shell knows, at one point of its text."""

    def assign(self, node: Node, *, exported: bool) -> None:
        """Set a variable of the shell, which those that it starts see if it is exported."""
        name_node, value = node.child_by_field_name("name"), node.child_by_field_name("value")
        name = self.source.text.of(name_node) if name_node else ""
        new = self.assigned(value) if value else ("",)
        if new is not None and "+=" in (child.type for child in node.children):
            before = self.known.get(name)
            is_list = value is not None and value.type == "array"
            new = None if before is None else (*before, *new) if is_list else ("".join((*before, *new)),)
        self.known[name] = new
        self.unsure -= {name}
        self.asks[name] = self.names([value] if value else [])
        if exported or self.is_exporting or name in self.env.values:
            self.put(name, Text(self.written(value) if value else "", self.source.place(node)))

    def assigned(self, node: Node) -> tuple[str, ...] | None:
        """Return what a variable becomes; of another one also what the step sets it to."""
        text = self.known_text(node) if (value := self.value(node)) is None else None
        return value if text is None else (text,)

    def put(self, name: str, value: Text) -> None:
        """Set a variable that commands see."""
        self.env = replace(self.env, values={**self.env.values, name: value})

    def ask(self, text: str, node: Node) -> None:
        """Say that others may be set, by what was not followed."""
        question = Question(text, self.source.place(node))
        self.env = replace(self.env, questions=(*self.env.questions, question))

    def forget(self, node: Node) -> None:
        """Take back the variables of an `unset`."""
        gone = {self.source.text.of(n) for n in node.children if n.type in ("variable_name", "word")}
        self.env = replace(self.env, values={k: v for k, v in self.env.values.items() if k not in gone})
        for name in gone:
            self.known.pop(name, None)

    def taken(self, words: Sequence[str]) -> None:
        """Do what `read` and its like do: what is in their variables is not known."""
        self.unsure |= set(words)

    def change(self, node: Node, rest: tuple[str, ...]) -> None:
        """Do what `cd` does."""
        arguments = [n for n in node.children_by_field_name("argument") if not self.written(n).startswith("-")]
        if not arguments:
            self.folder = None if rest else self.folder
            return
        value = self.value(arguments[0])
        self.folder = joined(self.folder, value[0]) if value and len(value) == 1 else None

    def options(self, words: tuple[str, ...]) -> None:
        """Do what `set` does; the name behind `-o` is its next word."""
        for word, following in zip(words, (*words[1:], ""), strict=True):
            if word == "--" or word[:1] not in ("-", "+"):
                continue
            letters, named = word[1:], following if "o" in word[1:] else ""
            if "e" in letters or named == "errexit":
                self.is_errexit = word[0] == "-"
            if "a" in letters or named == "allexport":
                self.is_exporting = word[0] == "-"
            if named == "pipefail":
                self.is_pipefail = word[0] == "-"
