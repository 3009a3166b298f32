"""A shell text -> the simple commands that it may run, in order, each with what it sees and what hides its failure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ci.audit import grammar
from ci.audit.conditions import Sink
from ci.audit.folders import joined
from ci.audit.model import Env, Guard, Place, Text
from ci.audit.truths import Truths
from ci.audit.words import Origin, Scene, Source

if TYPE_CHECKING:
    from tree_sitter import Node

__all__ = ["Command", "Origin", "Result", "Scene", "commands"]

MAX_SIZE = 200_000  # characters of one shell text
MAX_COMMANDS = 2_000  # of one shell text, loops and functions unrolled
MAX_DEPTH = 60
MAX_NESTING = 200  # levels of the grammar's tree: an `&&` more is a level more
MAX_TURNS = 16  # of a `for` over words that are known

_TAKES = frozenset(("read", "mapfile", "readarray", "getopts", "printf", "let"))  # a variable that they are told
_STATUS = re.compile(r"\$\?|\$\{\?\}|PIPESTATUS")


@dataclass(frozen=True)
class Command:
    """A simple command; `argv` is without quotes, its variables as written, its assignments in `env` already."""

    argv: tuple[str, ...]
    at: Place
    env: Env
    folder: str | None
    guards: tuple[Guard, ...] = ()
    swallowed: Sink = ()
    writes: tuple[str, ...] = ()  # what its output goes to: files, $GITHUB_ENV
    feeds: tuple[str, ...] = ()  # the command that reads its output through a pipe
    given: str = ""  # the heredoc that it reads
    is_errexit: bool = False


@dataclass(frozen=True)
class Result:
    """The commands of a text, and why some of it was not followed."""

    commands: tuple[Command, ...]
    limits: tuple[str, ...] = ()


def commands(text: str, origin: Origin, scene: Scene | None = None) -> Result:
    """Return the commands of a bash (or sh) text."""
    if len(text) > MAX_SIZE:
        return Result((), (f"a shell text of more than {MAX_SIZE:,} characters",))
    shell = _Shell(scene or Scene())
    shell.read(text, origin)
    return Result(tuple(shell.found), tuple(shell.limits))


@dataclass(frozen=True)
class _Mode:
    """How a statement stands: what becomes of its failure, at its end and in the middle of an `&&`."""

    hard: Sink = ()
    soft: Sink = ()
    is_checked: bool = False  # in a condition, where `set -e` is off
    feeds: tuple[str, ...] = ()
    exits: Sink = ()  # what becomes of a failure that ends the shell, or the subshell, that it is in

    def within(self, sink: Sink) -> _Mode:
        return _Mode(sink, sink, True, self.feeds)


class _Shell(Truths):
    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self.found: list[Command] = []
        self.limits: set[str] = set()
        self.depth = 0
        self.calls_made = 0

    def read(self, text: str, origin: Origin, script: str = "", mode: _Mode | None = None) -> None:
        source = Source(grammar.parsed(text), origin, script or self.scene.script)
        if source.text.is_deeper(MAX_NESTING):
            self.limits.add(f"a shell text of more than {MAX_NESTING} levels")
            return
        with self.inside(source):
            self.sequence(source.text.root.children, mode or _Mode())

    def sequence(self, nodes: Sequence[Node], mode: _Mode) -> bool:
        """Walk statements; tell whether they end in `exit` or `return`, after which nothing runs."""
        statements = [n for n in nodes if n.is_named and n.type not in ("comment", "heredoc_body")]
        for number, node in enumerate(statements):
            is_last = number == len(statements) - 1
            after = None if is_last else statements[number + 1]
            background = node.next_sibling is not None and node.next_sibling.type == "&"
            if self.statement(node, self.stands(node, after, background, mode)):
                return True
        return False

    def stands(self, node: Node, after: Node | None, background: bool, mode: _Mode) -> _Mode:
        is_errexit = self.is_errexit and not mode.is_checked
        if background:
            rest = self.source.text.rest(node)
            return mode.within(() if re.search(r"\bwait\s+(-n|\"?\$)", rest) else self.hides("`&`", node))
        if after is None:
            return replace(mode, hard=mode.exits if is_errexit else mode.hard)
        if _STATUS.search(self.source.text.of(after).split("\n")[0]):
            return replace(mode, hard=(), soft=())
        if is_errexit and node.type == "list" and self.source.text.of(node.children[-1]).startswith("cd "):
            return replace(mode, hard=mode.exits)  # `cd a && x && cd ..`: what follows is in the wrong place
        if is_errexit:
            passed = self.hides("`&&` that is not the last line: `set -e` does not stop for it", node)
            return replace(mode, hard=mode.exits, soft=passed)
        sink = self.hides("what follows runs all the same: no `set -e`", node)
        return replace(mode, hard=sink, soft=sink)

    def statement(self, node: Node, mode: _Mode) -> bool:
        if self.depth >= MAX_DEPTH or len(self.found) >= MAX_COMMANDS:
            self.limits.add(f"more than {MAX_COMMANDS:,} commands, or deeper than {MAX_DEPTH} levels")
            return False
        self.depth += 1
        try:
            walk = getattr(self, f"_{node.type}", None)
            return bool(walk(node, mode)) if walk else self.sequence(node.children, mode)
        finally:
            self.depth -= 1

    def _list(self, node: Node, mode: _Mode) -> bool:
        left, is_and, right = node.children[0], node.children[1].type == "&&", node.children[-1]
        holds = self.truth(left)
        if is_and:
            self.statement(left, mode.within(mode.soft))
            guards = self.asked(left)
        else:
            shrug = self.is_shrug(right)
            self.statement(left, mode.within(self.hides(f"`|| {self.brief(right)}`", right) if shrug else ()))
            guards = self.asked(left, negated=True) or self.failing(left)
        if holds == ("no" if is_and else "yes"):
            return False
        with self.guarded(guards):
            ends = self.statement(right, mode)
        if ends and self.leaves_well(right):
            self.guards += self.asked(left, negated=is_and)
        return ends and holds != "maybe"

    def _pipeline(self, node: Node, mode: _Mode) -> None:
        parts = [n for n in node.children if n.is_named]
        for number, part in enumerate(parts):
            is_last = number == len(parts) - 1
            sink = mode.soft if is_last or self.is_pipefail else self.hides(f"`| {self.brief(parts[-1])}`", part)
            if _STATUS.search(self.source.text.rest(node).split("\n")[0]):
                sink = ()
            feeds = mode.feeds if is_last else tuple(self.source.text.of(parts[number + 1]).split())
            hard = mode.hard if is_last or self.is_pipefail else sink
            with self.apart():
                self.statement(part, _Mode(hard, sink, mode.is_checked, feeds, hard))

    def _negated_command(self, node: Node, mode: _Mode) -> None:
        self.sequence(node.children, mode if mode.is_checked else mode.within(()))

    def _redirected_statement(self, node: Node, mode: _Mode) -> bool:
        body = node.child_by_field_name("body")
        first = len(self.found)
        ends = self.statement(body, mode) if body else False
        for redirect in node.children_by_field_name("redirect"):
            self.redirect(redirect, first, mode)
        return ends

    def redirect(self, node: Node, first: int, mode: _Mode) -> None:
        writes, given = grammar.redirected(node, self.source.text)
        for number in range(first, len(self.found)):
            is_end = number == len(self.found) - 1
            command = self.found[number]
            in_braces = node.parent is not None and node.parent.children[0].type in ("compound_statement", "subshell")
            if is_end or in_braces:
                self.found[number] = replace(
                    command, writes=command.writes + writes, given=given if is_end and given else command.given
                )
        if node.type == "heredoc_redirect":
            behind = [n for n in node.children if n.type in ("pipeline", "list", "command")]
            self.sequence(behind, mode)

    def _compound_statement(self, node: Node, mode: _Mode) -> bool:
        if node.children and node.children[0].type == "((":
            return False
        return self.sequence(node.children, mode)

    def _subshell(self, node: Node, mode: _Mode) -> None:
        with self.apart():
            self.sequence(node.children, replace(mode, exits=mode.hard))

    def _if_statement(self, node: Node, mode: _Mode) -> bool:
        branches = grammar.branches(node)
        asked: tuple[Guard, ...] = ()
        after: tuple[Guard, ...] = ()
        for number, (conditions, body) in enumerate(branches):
            rest = branches[number + 1 :]
            holds = self.holds(conditions) if conditions else "maybe"
            if holds == "no":
                continue
            if conditions:
                self.sequence(conditions, mode.within(self.otherwise(conditions, body, rest)))
            own = self.guard(conditions, negated=False) if conditions else ()
            with self.guarded(asked + own):
                ends = self.sequence(body, mode)
            if holds == "yes":
                return ends
            asked += self.guard(conditions, negated=True) if conditions else ()
            if ends and body and self.leaves_well(body[-1]) and number == len(after):
                after = asked
        self.guards += after
        return False

    def _while_statement(self, node: Node, mode: _Mode) -> None:
        conditions = node.children_by_field_name("condition")
        self.sequence(conditions, mode.within(()))
        self.body(node, mode)

    def body(self, node: Node, mode: _Mode) -> None:
        """Walk the body of a loop, which may have run before."""
        body = node.child_by_field_name("body")
        if body:
            self.unsure |= set(self.source.text.assigned(body))
            with self.perhaps():
                self.sequence(body.children, mode)

    def _for_statement(self, node: Node, mode: _Mode) -> None:
        variable = node.child_by_field_name("variable")
        name = self.source.text.of(variable) if variable else ""
        words = [self.value(n) for n in node.children_by_field_name("value")]
        turns = [word for value in words for word in (value or ())]
        if None in words or not turns or len(turns) > MAX_TURNS:
            turns = []
        each: list[tuple[str, ...] | None] = [(turn,) for turn in turns]
        for turn in each or [None]:
            self.known[name] = turn
            self.body(node, mode)

    _c_style_for_statement = body

    def _case_statement(self, node: Node, mode: _Mode) -> None:
        value = node.child_by_field_name("value")
        taken, is_known = self.cases(node)
        for item in taken:
            patterns = item.children_by_field_name("value")
            inside = [n for n in item.children if n.is_named and n not in patterns]
            if is_known:
                self.sequence(inside, mode)
                continue
            text = f"case {self.written(value) if value else ''} in {' | '.join(map(self.source.text.of, patterns))}"
            names = self.names([value] if value else [])
            with self.guarded((Guard(text, names, self.source.place(item)),)):
                self.sequence(inside, mode)

    def _function_definition(self, node: Node, _mode: _Mode) -> None:
        name, body = node.child_by_field_name("name"), node.child_by_field_name("body")
        if name and body:
            self.functions[self.source.text.of(name)] = (body, self.source)

    def _test_command(self, node: Node, mode: _Mode) -> None:
        self.substitutions(node, mode)

    def _variable_assignments(self, node: Node, mode: _Mode) -> None:
        for child in node.children:
            self._variable_assignment(child, mode)

    def _variable_assignment(self, node: Node, mode: _Mode) -> None:
        self.substitutions(node, mode, is_assignment=True)
        self.assign(node, exported=False)

    def _declaration_command(self, node: Node, mode: _Mode) -> None:
        self.substitutions(node, mode)
        words = [self.source.text.of(n) for n in node.children]
        exported = words[0] == "export" or (words[0] in ("declare", "typeset") and "-x" in words)
        for child in node.children:
            if child.type == "variable_assignment":
                self.assign(child, exported=exported)
            elif exported and child.type == "variable_name" and (value := self.known.get(self.source.text.of(child))):
                self.put(self.source.text.of(child), Text(" ".join(value), self.source.place(child)))
            elif exported and child.type in ("command_substitution", "string", "simple_expansion"):
                self.ask(f"which variables does `{self.brief(node)}` set?", node)

    def _unset_command(self, node: Node, _mode: _Mode) -> None:
        self.forget(node)

    def _command(self, node: Node, mode: _Mode) -> bool:
        self.substitutions(node, mode)
        words = [n for n in node.children if n.type == "command_name"] + node.children_by_field_name("argument")
        argv = tuple(word for n in words for word in self.words(n))
        before, is_prefixed = self.env, False
        for child in node.children:
            if child.type == "variable_assignment":
                name, value = child.child_by_field_name("name"), child.child_by_field_name("value")
                if name:
                    is_prefixed = True
                    text = Text(self.written(value) if value else "", self.source.place(child))
                    self.put(self.source.text.of(name), text)
        ends = bool(argv) and self.act(argv, node, mode)
        self.env = before if is_prefixed else self.env
        return ends

    def act(self, argv: tuple[str, ...], node: Node, mode: _Mode) -> bool:
        """Do what the shell itself does; anything else is a command."""
        head, rest = argv[0], argv[1:]
        if head in self.functions:
            self.call(head, rest, mode)
        elif head in ("cd", "pushd"):
            self.change(node, rest)
        elif head in _TAKES:
            self.taken(rest)
        elif head == "set":
            self.options(rest)
        elif head in ("exit", "return"):
            return True
        elif head in ("source", "."):
            self.sourced(node, mode)
        elif head == "eval" and rest and "$" not in "".join(rest):
            self.read(" ".join(rest), Origin(self.source.place(node), is_block=False), mode=mode)
        elif head == "eval":
            self.is_open = True
            self.ask(f"which variables does `{self.brief(node)}` set?", node)
            self.emit(argv, node, mode)
        else:
            self.emit(argv, node, mode)
        return False

    def emit(self, argv: tuple[str, ...], node: Node, mode: _Mode) -> None:
        writes: tuple[str, ...] = ()
        for child in node.children:
            if child.type.endswith("_redirect"):
                writes += grammar.redirected(child, self.source.text)[0]
        self.found.append(
            Command(
                argv,
                self.source.place(node),
                self.env,
                self.folder,
                self.guards,
                mode.hard,
                writes,
                mode.feeds,
                is_errexit=self.is_errexit,
            )
        )

    def call(self, name: str, arguments: tuple[str, ...], mode: _Mode) -> None:
        if name in self.calls or len(self.calls) >= 8:
            return  # it calls itself
        self.calls_made += 1
        if self.calls_made > MAX_COMMANDS:
            self.limits.add(f"more than {MAX_COMMANDS:,} calls of functions")
            return
        guards = self.guards
        with self.called(name, arguments):
            self.sequence(self.functions[name][0].children, mode)
        self.guards = guards

    def sourced(self, node: Node, mode: _Mode) -> None:
        arguments = node.children_by_field_name("argument")
        value = self.value(arguments[0]) if arguments else None
        path = joined(self.folder, value[0]) if value and len(value) == 1 else None
        text = self.scene.reader(path) if path and self.scene.reader else None
        if path is None or text is None or path in self.calls or len(self.calls) >= 8:
            self.is_open = True
            self.ask(f"which variables does `{self.brief(node)}` set?", node)
            return
        calls, self.calls = self.calls, (*self.calls, path)
        self.read(text, Origin(Place(path)), path, mode)
        self.calls = calls

    def substitutions(self, node: Node, mode: _Mode, *, is_assignment: bool = False) -> None:
        """Walk the `$( )` below a node, whose failures are seen only in a plain assignment."""
        for child in node.children:
            if child.type in ("command_substitution", "process_substitution"):
                sink = mode.hard if is_assignment else self.hides(f"inside `$( )` of `{self.brief(node)}`", node)
                with self.apart():
                    self.sequence(child.children, mode.within(sink))
            elif child.child_count and child.type != "variable_assignment":
                self.substitutions(child, mode, is_assignment=is_assignment)
            elif child.child_count:
                self.substitutions(child, mode)
