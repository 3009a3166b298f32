"""A shell text -> the simple commands that it may run, in order, each with what it sees and what hides its failure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ci.audit import grammar
from ci.audit.folders import ROOT, joined
from ci.audit.model import Env, Guard, Place, Question, Swallow, Text

if TYPE_CHECKING:
    from tree_sitter import Node

MAX_SIZE = 200_000  # characters of one shell text
MAX_COMMANDS = 2_000  # of one shell text, loops and functions unrolled
MAX_DEPTH = 60
MAX_TURNS = 16  # of a `for` over words that are known

_SHRUGS = frozenset(
    ("true", ":", "echo", "printf", "continue", "break", "cat", "ls", "pwd", "date", "rm", "mkdir", "touch", "sleep")
)
_QUERIES = frozenset(
    ("[", "[[", "test", "grep", "egrep", "command", "which", "type", "git", "gh", "jq", "diff", "cmp", "hash", "docker")
)
_NAME = re.compile(r"\b(?:secrets|env|vars|inputs)\.([A-Za-z_][\w-]*)")
_OUTPUTS = re.compile(r"GITHUB_(OUTPUT|ENV)|GITHUB_STEP_SUMMARY")
_STATUS = re.compile(r"\$\?|\$\{\?\}|PIPESTATUS")

Sink = tuple[Swallow, ...]  # what becomes of a failure: () when it ends the script with a failure


@dataclass(frozen=True)
class Origin:
    """Where a shell text stands: a block of lines from `at` on, or a single value, all of whose commands are `at`."""

    at: Place
    is_block: bool = True

    def place(self, row: int, column: int) -> Place:
        """Return the place of a row and a column of the text, both from 0."""
        if not self.is_block:
            return self.at
        return Place(self.at.path, self.at.line + row, self.at.column + column)


@dataclass(frozen=True)
class Scene:
    """What a shell text starts with; `reader` gives the text of a file that it sources."""

    env: Env = field(default_factory=Env)
    folder: str | None = ""
    is_errexit: bool = False
    is_pipefail: bool = False
    arguments: tuple[str, ...] = ()
    script: str = ""  # the file that the text is, from the root
    reader: Callable[[str], str | None] | None = None


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
class _Source:
    """The text that is being read."""

    text: grammar.Shell
    origin: Origin
    script: str = ""

    def place(self, node: Node) -> Place:
        return self.origin.place(*self.text.position(node))


@dataclass(frozen=True)
class _Mode:
    """How a statement stands: what becomes of its failure, at its end and in the middle of an `&&`."""

    hard: Sink = ()
    soft: Sink = ()
    is_checked: bool = False  # in a condition, where `set -e` is off
    feeds: tuple[str, ...] = ()

    def within(self, sink: Sink) -> _Mode:
        return _Mode(sink, sink, True, self.feeds)


@dataclass
class _Shell:
    scene: Scene
    found: list[Command] = field(default_factory=list)
    limits: list[str] = field(default_factory=list)
    depth: int = 0

    def __post_init__(self) -> None:
        self.env = self.scene.env
        self.folder = self.scene.folder
        self.is_errexit, self.is_pipefail = self.scene.is_errexit, self.scene.is_pipefail
        self.is_exporting = False
        self.guards: tuple[Guard, ...] = ()
        self.functions: dict[str, tuple[Node, _Source]] = {}
        self.known: dict[str, tuple[str, ...] | None] = {"@": self.scene.arguments, "*": self.scene.arguments}
        self.asks: dict[str, frozenset[str]] = {}
        self.calls: tuple[str, ...] = ()
        for number, word in enumerate(self.scene.arguments, 1):
            self.known[str(number)] = (word,)

    # --- statements ---------------------------------------------------------------------------------------------

    def read(self, text: str, origin: Origin, script: str = "", mode: _Mode | None = None) -> None:
        source = _Source(grammar.Shell(text), origin, script or self.scene.script)
        with self.inside(source):
            self.sequence(source.text.root.children, mode or _Mode())

    @contextmanager
    def inside(self, source: _Source) -> Iterator[None]:
        before = getattr(self, "source", source)
        self.source = source
        yield
        self.source = before

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
            return replace(mode, hard=() if is_errexit else mode.hard)
        if _STATUS.search(self.source.text.of(after).split("\n")[0]):
            return _Mode((), (), mode.is_checked, mode.feeds)
        if is_errexit:
            return _Mode((), self.hides("`&&` that is not the last line: `set -e` does not stop for it", node))
        sink = self.hides("what follows runs all the same: no `set -e`", node)
        return _Mode(sink, sink, mode.is_checked, mode.feeds)

    def hides(self, how: str, node: Node) -> Sink:
        return (Swallow(how, self.source.place(node)),)

    def statement(self, node: Node, mode: _Mode) -> bool:
        if self.depth >= MAX_DEPTH or len(self.found) >= MAX_COMMANDS:
            self.limit(f"more than {MAX_COMMANDS:,} commands, or deeper than {MAX_DEPTH} levels")
            return False
        self.depth += 1
        try:
            walk = getattr(self, f"_{node.type}", None)
            return bool(walk(node, mode)) if walk else self.sequence(node.children, mode)
        finally:
            self.depth -= 1

    def limit(self, why: str) -> None:
        if why not in self.limits:
            self.limits.append(why)

    def _list(self, node: Node, mode: _Mode) -> bool:
        left, operator, right = node.children[0], node.children[1].type, node.children[-1]
        if operator == "&&":
            self.statement(left, mode.within(mode.soft))
            with self.guarded(self.asked(left)):
                ends = self.statement(right, mode)
        else:
            shrug = self.is_shrug(right)
            self.statement(left, mode.within(self.hides(f"`|| {self.brief(right)}`", right) if shrug else ()))
            with self.guarded(self.asked(left, negated=True) or self.failing(left)):
                ends = self.statement(right, mode)
        if ends and self.leaves_well(right):
            self.guards += self.asked(left, negated=operator == "&&")
        return False

    def _pipeline(self, node: Node, mode: _Mode) -> None:
        parts = [n for n in node.children if n.is_named]
        for number, part in enumerate(parts):
            is_last = number == len(parts) - 1
            sink = mode.soft if is_last or self.is_pipefail else self.hides(f"`| {self.brief(parts[-1])}`", part)
            if _STATUS.search(self.source.text.rest(node).split("\n")[0]):
                sink = ()
            feeds = mode.feeds if is_last else tuple(self.source.text.of(parts[number + 1]).split()[:2])
            hard = mode.hard if is_last or self.is_pipefail else sink
            with self.apart():
                self.statement(part, _Mode(hard, sink, mode.is_checked, feeds))

    def _negated_command(self, node: Node, mode: _Mode) -> None:
        self.sequence(node.children, mode.within(()))

    def _redirected_statement(self, node: Node, mode: _Mode) -> bool:
        body = node.child_by_field_name("body")
        first = len(self.found)
        ends = self.statement(body, mode) if body else False
        for redirect in node.children_by_field_name("redirect"):
            self.redirect(redirect, first, mode)
        return ends

    def redirect(self, node: Node, first: int, mode: _Mode) -> None:
        writes, given = _redirected(node, self.source.text)
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
            self.sequence(node.children, mode)

    def _if_statement(self, node: Node, mode: _Mode) -> None:
        branches = _branches(node)
        asked: tuple[Guard, ...] = ()
        after: tuple[Guard, ...] = ()
        for number, (conditions, body) in enumerate(branches):
            rest = branches[number + 1 :]
            if conditions:
                self.sequence(conditions, mode.within(self.otherwise(conditions, body, rest)))
            own = self.guard(conditions, negated=False) if conditions else ()
            with self.guarded(asked + own):
                ends = self.sequence(body, mode)
            asked += self.guard(conditions, negated=True) if conditions else ()
            if ends and body and self.leaves_well(body[-1]) and number == len(after):
                after = asked
        self.guards += after

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

    def _while_statement(self, node: Node, mode: _Mode) -> None:
        conditions = node.children_by_field_name("condition")
        self.sequence(conditions, mode.within(()))
        body = node.child_by_field_name("body")
        if body:
            self.sequence(body.children, mode)

    def _for_statement(self, node: Node, mode: _Mode) -> None:
        variable, body = node.child_by_field_name("variable"), node.child_by_field_name("body")
        name = self.source.text.of(variable) if variable else ""
        words = [self.value(n) for n in node.children_by_field_name("value")]
        turns = [word for value in words for word in (value or ())]
        if None in words or not turns or len(turns) > MAX_TURNS:
            turns = []
        each: list[tuple[str, ...] | None] = [(turn,) for turn in turns]
        for turn in each or [None]:
            self.known[name] = turn
            if body:
                self.sequence(body.children, mode)

    def _c_style_for_statement(self, node: Node, mode: _Mode) -> None:
        body = node.child_by_field_name("body")
        if body:
            self.sequence(body.children, mode)

    def _case_statement(self, node: Node, mode: _Mode) -> None:
        value = node.child_by_field_name("value")
        for item in (n for n in node.children if n.type == "case_item"):
            patterns = item.children_by_field_name("value")
            text = f"case {self.written(value) if value else ''} in {' | '.join(map(self.source.text.of, patterns))}"
            names = self.names([value] if value else [])
            with self.guarded((Guard(text, names, self.source.place(item)),)):
                self.sequence([n for n in item.children if n.is_named and n not in patterns], mode)

    def _function_definition(self, node: Node, _mode: _Mode) -> None:
        name, body = node.child_by_field_name("name"), node.child_by_field_name("body")
        if name and body:
            self.functions[self.source.text.of(name)] = (body, self.source)

    def _test_command(self, node: Node, mode: _Mode) -> None:
        self.substitutions(node, mode)

    # --- commands -----------------------------------------------------------------------------------------------

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

    def assign(self, node: Node, *, exported: bool) -> None:
        name_node, value = node.child_by_field_name("name"), node.child_by_field_name("value")
        name = self.source.text.of(name_node) if name_node else ""
        self.known[name] = self.value(value) if value else ("",)
        self.asks[name] = self.names([value] if value else [])
        if exported or self.is_exporting or name in self.env.values:
            self.put(name, Text(self.written(value) if value else "", self.source.place(node)))

    def put(self, name: str, value: Text) -> None:
        self.env = replace(self.env, values={**self.env.values, name: value})

    def ask(self, text: str, node: Node) -> None:
        question = Question(text, self.source.place(node))
        self.env = replace(self.env, questions=(*self.env.questions, question))

    def _unset_command(self, node: Node, _mode: _Mode) -> None:
        gone = {self.source.text.of(n) for n in node.children if n.type in ("variable_name", "word")}
        self.env = replace(self.env, values={k: v for k, v in self.env.values.items() if k not in gone})
        for name in gone:
            self.known.pop(name, None)

    def _command(self, node: Node, mode: _Mode) -> bool:
        self.substitutions(node, mode)
        words = [n for n in node.children if n.type == "command_name"] + node.children_by_field_name("argument")
        argv = tuple(word for n in words for word in self.words(n))
        before = self.env
        for child in node.children:
            if child.type == "variable_assignment":
                name, value = child.child_by_field_name("name"), child.child_by_field_name("value")
                if name:
                    text = Text(self.written(value) if value else "", self.source.place(child))
                    self.put(self.source.text.of(name), text)
        ends = self.act(argv, node, mode) if argv else False
        if not (argv and argv[0] in ("source", ".", "export", "cd", "set", "eval")):
            self.env = before
        return ends

    def act(self, argv: tuple[str, ...], node: Node, mode: _Mode) -> bool:
        """Do what the shell itself does; anything else is a command."""
        head, rest = argv[0], argv[1:]
        if head in self.functions:
            self.call(head, rest, mode)
        elif head in ("cd", "pushd"):
            self.change(node, rest)
        elif head == "set":
            self.settings(rest)
        elif head in ("exit", "return"):
            return True
        elif head in ("source", "."):
            self.sourced(node, mode)
        elif head == "eval" and rest and "$" not in "".join(rest):
            self.read(" ".join(rest), Origin(self.source.place(node), is_block=False), mode=mode)
        elif head == "eval":
            self.ask(f"which variables does `{self.brief(node)}` set?", node)
            self.emit(argv, node, mode)
        else:
            self.emit(argv, node, mode)
        return False

    def emit(self, argv: tuple[str, ...], node: Node, mode: _Mode) -> None:
        writes: tuple[str, ...] = ()
        for child in node.children:
            if child.type.endswith("_redirect"):
                writes += _redirected(child, self.source.text)[0]
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
        body, source = self.functions[name]
        known, guards, calls = dict(self.known), self.guards, self.calls
        self.known |= {"@": arguments, "*": arguments, **{str(n): (w,) for n, w in enumerate(arguments, 1)}}
        self.calls = (*calls, name)
        with self.inside(source):
            self.sequence(body.children, mode)
        self.known, self.guards, self.calls = known, guards, calls

    def change(self, node: Node, rest: tuple[str, ...]) -> None:
        arguments = [n for n in node.children_by_field_name("argument") if not self.written(n).startswith("-")]
        if not arguments:
            self.folder = None if rest else self.folder
            return
        value = self.value(arguments[0])
        self.folder = joined(self.folder, value[0]) if value and len(value) == 1 else None

    def settings(self, words: tuple[str, ...]) -> None:
        for number, word in enumerate(words):
            on = word.startswith("-")
            if word[:1] not in "-+" or word.startswith("--"):
                break
            letters = word[1:]
            if "e" in letters:
                self.is_errexit = on
            if "a" in letters:
                self.is_exporting = on
            if "o" in letters and number + 1 < len(words):
                self.option(words[number + 1], on=on)

    def option(self, name: str, *, on: bool) -> None:
        if name == "pipefail":
            self.is_pipefail = on
        elif name == "errexit":
            self.is_errexit = on

    def sourced(self, node: Node, mode: _Mode) -> None:
        arguments = node.children_by_field_name("argument")
        value = self.value(arguments[0]) if arguments else None
        path = joined(self.folder, value[0]) if value and len(value) == 1 else None
        text = self.scene.reader(path) if path and self.scene.reader else None
        if path is None or text is None or path in self.calls or len(self.calls) >= 8:
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

    # --- conditions ---------------------------------------------------------------------------------------------

    @contextmanager
    def guarded(self, guards: tuple[Guard, ...]) -> Iterator[None]:
        before = self.guards
        self.guards = before + guards
        yield
        self.guards = before

    @contextmanager
    def apart(self) -> Iterator[None]:
        before = (self.env, self.folder, self.is_errexit, self.is_pipefail, self.guards, dict(self.known))
        yield
        self.env, self.folder, self.is_errexit, self.is_pipefail, self.guards, self.known = before

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

    # --- words --------------------------------------------------------------------------------------------------

    def words(self, node: Node) -> tuple[str, ...]:
        """Return the words that one becomes: a variable that is known, alone, by its value; others as written."""
        inner = node.children[0] if node.type in ("command_name", "string") and node.named_child_count == 1 else node
        if inner.type in ("string", "command_name") and inner.named_child_count == 1:
            inner = inner.named_children[0]
        if node.type == "string" and inner is node.children[0]:
            inner = node.named_children[0] if self.is_only_variable(node) else node
        if inner.type in ("simple_expansion", "expansion") and (value := self.value(inner)) is not None:
            is_quoted = node.type == "string" and "@" not in self.source.text.of(inner)
            return value if is_quoted else tuple(word for part in value for word in part.split())
        whole = self.value(node)
        return whole if whole and any(ROOT in word for word in whole) else (self.written(node),)

    def is_only_variable(self, node: Node) -> bool:
        return len(self.source.text.of(node)) == len(self.source.text.of(node.named_children[0])) + 2

    def written(self, node: Node) -> str:
        return self.source.text.written(node)

    def value(self, node: Node) -> tuple[str, ...] | None:
        """Return what a word becomes, as far as the text alone tells; None when it does not."""
        kind = node.type
        if kind == "array":
            parts = [self.value(n) for n in node.named_children]
            return None if None in parts else tuple(word for part in parts for word in (part or ()))
        if kind in ("simple_expansion", "expansion"):
            return self.variable(node)
        if kind == "command_substitution":
            return self.output(node)
        if kind in ("concatenation", "command_name") or (kind == "string" and node.named_child_count):
            return self.composed(node)
        text = self.written(node)
        return None if "$" in text and "${{" not in text and kind != "raw_string" else (text,)

    def composed(self, node: Node) -> tuple[str, ...] | None:
        """Return the value of a word of several parts."""
        made = ""
        text, position = self.source.text, node.start_byte
        for child in node.named_children:
            made += text.between(position, child.start_byte).replace('"', "")
            value = (text.of(child),) if child.type == "string_content" else self.value(child)
            if value is None:
                return None
            if len(node.named_children) == 1 and len(value) != 1:
                return value
            made += " ".join(value)
            position = child.end_byte
        return (made + text.between(position, node.end_byte).replace('"', ""),)

    def variable(self, node: Node) -> tuple[str, ...] | None:
        text = self.source.text.of(node).strip("${}").removesuffix("[@]").removesuffix("[*]")
        if text == "PWD":
            return None if self.folder is None else (f"{ROOT}/{self.folder}",)
        if text == "GITHUB_WORKSPACE":
            return (ROOT,)
        if text in ("0", "BASH_SOURCE[0]", "BASH_SOURCE") and self.source.script:
            return (f"{ROOT}/{self.source.script}",)
        name, _, default = text.partition(":-")
        if name in self.known:
            return self.known[name]
        return (default,) if default and "$" not in default and name not in self.env.values else None

    def output(self, node: Node) -> tuple[str, ...] | None:
        """Return what the commands print that tell a script where it is."""
        text = " ".join(self.source.text.of(node).strip("$()`").split())
        if "rev-parse --show-toplevel" in text:
            return (ROOT,)
        if text in ("pwd", "pwd -P"):
            return None if self.folder is None else (f"{ROOT}/{self.folder}",)
        inner = [n for n in node.named_children if n.type in ("command", "list")]
        if len(inner) != 1:
            return None
        if inner[0].type == "list":
            return self.entered(inner[0])
        arguments = inner[0].children_by_field_name("argument")
        value = self.value(arguments[-1]) if arguments else None
        if text.startswith("dirname") and value and "/" in value[0]:
            return (value[0].rpartition("/")[0],)
        return value if text.startswith(("realpath", "readlink -f")) and value else None

    def entered(self, node: Node) -> tuple[str, ...] | None:
        """Return the folder of `cd X && pwd`."""
        change, *_, last = node.named_children
        arguments = [n for n in change.children_by_field_name("argument") if not self.written(n).startswith("-")]
        if not self.written(change).startswith("cd ") or not self.written(last).startswith("pwd") or not arguments:
            return None
        value = self.value(arguments[-1])
        folder = joined(self.folder, value[0]) if value else None
        return None if folder is None else (f"{ROOT}/{folder}",)


def _is_well(words: Sequence[str]) -> bool:
    """Tell whether words are an `exit` or `return` that reports success."""
    return words[:1] in (["exit"], ["return"]) and words[1:2] in ([], ["0"], ["0;"])


def _branches(node: Node) -> list[tuple[list[Node], list[Node]]]:
    """Return the conditions and the bodies of an `if`; those of `else` have no condition."""
    found: list[tuple[list[Node], list[Node]]] = []
    conditions: list[Node] = []
    body: list[Node] = []
    is_body = False
    for child in node.children:
        if child.type == "then":
            is_body = True
        elif child.type in ("elif_clause", "else_clause"):
            found.append((conditions, body))
            conditions, body = [], []
            inner = _branches(child)
            found += inner
            is_body = False
        elif child.type == "else":
            is_body = True
        elif child.is_named and child.type != "comment":
            (body if is_body else conditions).append(child)
    return [*found, (conditions, body)] if conditions or body else found


def _redirected(node: Node, text: grammar.Shell) -> tuple[tuple[str, ...], str]:
    """Return where a redirection writes to, and the heredoc that it gives."""
    writes: tuple[str, ...] = ()
    given = ""
    if node.type == "file_redirect":
        operator = next((n.type for n in node.children if n.type in (">", ">>", "&>", ">|", "&>>")), "")
        descriptor = next((text.of(n) for n in node.children if n.type == "file_descriptor"), "1")
        destination = node.child_by_field_name("destination")
        if operator and destination and descriptor == "1":
            writes = (text.written(destination),)
    for child in node.children:
        if child.type == "heredoc_body":
            given = text.of(child)
        elif child.type == "file_redirect":
            writes += _redirected(child, text)[0]
    return writes, given
