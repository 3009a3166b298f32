"""The graph of the tasks, read from their own `pre` and `post`: as text, for Mermaid, or as JSON."""

import difflib
import inspect
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from invoke.collection import Collection
from invoke.main import program
from invoke.tasks import Call, Task

from ci.engine import values
from ci.engine.step import Step
from ci.errors import InputError

VERSION = 1  # of the JSON
Names = dict[Task[Any], str]


@dataclass(frozen=True)
class Box:
    """A task in the diagram, and the names of those before and after it."""

    name: str
    task: Task[Any]
    pre: list[str]
    post: list[str]


def draw(task: str = "", form: str = "text") -> str:
    """
    Return the diagram of all tasks, or of `task` and what runs with it, as text, mermaid or json.

    Raises:
        InputError: there is no such task or form, or `task` was named as one to run.
    """
    named = [str(context.name) for context in program.tasks]
    if named[1:]:
        raise InputError(f"{named[1]} is named as a task to run, after {named[0]}", f"inv {named[0]} --task {named[1]}")
    writers = {"text": _text, "mermaid": _mermaid, "json": _json}
    if form not in writers:
        raise InputError(f"--format takes text, mermaid or json, not {form!r}")
    return writers[form](boxes(program.collection, task))


def boxes(collection: Collection, task: str = "") -> list[Box]:
    """Return `task` and what runs with it, or all tasks; each after what comes before it, where there is no circle."""
    names = {collection[name]: name for name in reversed(collection.task_names)}
    found: dict[Task[Any], Box] = {}
    for one in [_named(collection, task)] if task else [collection[name] for name in collection.task_names]:
        _visit(one, names, found, ())
    return list(found.values())


def _named(collection: Collection, name: str) -> Task[Any]:
    try:
        found: Task[Any] = collection[name]
    except KeyError:
        near = difflib.get_close_matches(name, collection.task_names, 1)
        raise InputError(f"no task is called {name!r}", f"did you mean {near[0]}?" if near else "inv --list") from None
    return found


def _visit(task: Task[Any], names: Names, found: dict[Task[Any], Box], path: Sequence[Task[Any]]) -> None:
    if task in found or task in path:
        return
    pre, post = _tasks(task.pre), _tasks(task.post)
    for one in pre:
        _visit(one, names, found, (*path, task))
    found[task] = Box(_name(task, names), task, [_name(one, names) for one in pre], [_name(one, names) for one in post])
    for one in post:
        _visit(one, names, found, ())


def _tasks(items: Iterable[Any]) -> list[Task[Any]]:
    return list(dict.fromkeys(item.task if isinstance(item, Call) else item for item in items))


def _name(task: Task[Any], names: Names) -> str:
    """Return the name that the command line has for it, or its own where it has none."""
    return names.get(task) or values.title(task)


def _text(found: list[Box]) -> str:
    width = max(len(box.name) for box in found)
    return "\n".join(f"{box.name:<{width}}  {'; '.join(_facts(box))}".rstrip() for box in found)


def _facts(box: Box) -> list[str]:
    promise = box.task.promise if isinstance(box.task, Step) else None
    facts = {
        f"after {', '.join(box.pre)}": box.pre,
        f"then {', '.join(box.post)}": box.post,
        f"changes {promise.changes}" if promise else "": promise and promise.changes != "nothing",
        "alone, at the terminal": promise and promise.terminal,
        "last of all, also after a failure": promise and promise.always,
    }
    return [fact for fact, is_so in facts.items() if is_so]


def _mermaid(found: list[Box]) -> str:
    ids = {box.name: f"t{number}" for number, box in enumerate(found, 1)}
    lines = [f'{ids[box.name]}["{box.name}"]' for box in found]
    lines += [f"{ids[one]} --> {ids[box.name]}" for box in found for one in box.pre]
    lines += [f"{ids[box.name]} -.-> {ids[one]}" for box in found for one in box.post]
    return "\n".join(["graph LR", *(f"  {line}" for line in lines)])


def _json(found: list[Box]) -> str:
    return json.dumps({"version": VERSION, "tasks": [_object(box) for box in found]}, indent=2)


def _object(box: Box) -> dict[str, Any]:
    promise = vars(box.task.promise) if isinstance(box.task, Step) else None
    doc = inspect.cleandoc(box.task.__doc__ or "")
    return {"task": box.name, "help": doc, "pre": box.pre, "post": box.post, "promise": promise}
