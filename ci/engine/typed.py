"""What the flags of a step take, as the annotations of its parameters say."""

import types
import typing
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from inspect import Parameter
from pathlib import Path, PurePath
from typing import Annotated, Any, Literal, Union

from ci.errors import InputError, LockstepError

KNOWN = "str, int, float, bool, Path, a Literal, a list of one of them, any of them or None"
HELP = {"float": "a number", "Path": "a path", "bool": "true or false"}  # where the flag itself does not show its type


@dataclass(frozen=True)
class Choices:
    """
    Say, as in `Annotated[str, Choices(names)]`, that a flag takes one of some values.

    A function is called only when a value is given, or help asked for.
    """

    values: Callable[[], Iterable[Any]] | tuple[Any, ...]

    def known(self) -> dict[str, Any]:
        """Return each value by the word for it."""
        return {str(value): value for value in (self.values if isinstance(self.values, tuple) else self.values())}


@dataclass(frozen=True)
class Form:
    """What one flag takes."""

    kind: str  # the name of its type
    read: Callable[[str], Any]  # raises ValueError for a word that is none
    choices: Choices | None = None
    is_list: bool = False  # may be given more than once
    is_switch: bool = False  # is given without a value

    def value(self, flag: str, word: Any) -> Any:
        """Return what `word` means for `flag`; raise InputError if it means nothing."""
        if self.choices:
            return _choice(flag, word, self.choices.known())
        try:
            return self.read(word)
        except ValueError:
            raise InputError(f"{flag} takes {self.kind}, not {word!r}") from None

    def help(self) -> str:
        """Return what a help text should add."""
        parts = [self._choices_help() if self.choices else "" if self.is_switch else HELP.get(self.kind, "")]
        return ", ".join(filter(None, [*parts, "may be repeated" if self.is_list else ""]))

    def accepts(self, other: "Form") -> bool:
        """Return whether one flag can be both: of the same type, and with no other choices."""
        same = replace(self, read=str, choices=None) == replace(other, read=str, choices=None)
        return same and (not self.choices or not other.choices or self.choices == other.choices)

    def _choices_help(self) -> str:
        try:
            return f"one of {', '.join(self.choices.known())}" if self.choices else ""
        except LockstepError as error:  # a help text is needed most where something is broken
            return f"which ones cannot be told: {error}"


def of_kind(kind: Any) -> Form:
    """Return the form of a flag that Invoke took for one of `kind`, by its default."""
    if kind is list:
        return Form("str", str, is_list=True)
    if kind is bool:
        return Form("bool", bool, is_switch=True)
    return _plain(Path if issubclass(kind, PurePath) else kind)


def of_parameter(parameter: Parameter, body: Any) -> Form | None:
    """
    Return the form that the annotation of a parameter names, or None where it says nothing: the default decides.

    Raises:
        InputError: no flag can take that.
    """
    annotation = _annotation(parameter, body)
    if annotation in (Parameter.empty, Any, object):
        return None
    form = _form(annotation)
    if form is None:
        raise InputError(f"no flag can take {annotation}, as {parameter.name} wants it to", f"annotate it as {KNOWN}")
    return of_kind(bool) if form.kind == "bool" and isinstance(parameter.default, bool) else form


def _annotation(parameter: Parameter, body: Any) -> Any:
    """Return the annotation itself also where `from __future__ import annotations` has made it a string."""
    if not isinstance(parameter.annotation, str):
        return parameter.annotation
    try:
        return eval(parameter.annotation, getattr(body, "__globals__", {}))  # the code of tasks.py, which we run anyway
    except (AttributeError, NameError, SyntaxError, TypeError) as error:
        raise InputError(
            f"the annotation of {parameter.name} means nothing: {error}", "import it in tasks.py"
        ) from error


def _form(annotation: Any) -> Form | None:
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Annotated:
        form, choices = _form(inner[0]), next((one for one in inner[1:] if isinstance(one, Choices)), None)
        return replace(form, choices=choices) if form and choices else form
    if origin in (Union, types.UnionType):
        kinds = [one for one in inner if one is not types.NoneType]
        return _form(kinds[0]) if len(kinds) == 1 else None
    if origin is Literal:
        return Form(type(inner[0]).__name__, str, Choices(inner))
    if list in (annotation, origin):
        item = _form(inner[0]) if inner else _plain(str)
        return replace(item, is_list=True) if item else None
    return _plain(annotation) if annotation in (str, int, float, bool, Path) else None


def _plain(kind: Any) -> Form:
    readers: dict[Any, Callable[[str], Any]] = {bool: _truth, Path: _path}
    return Form(kind.__name__, readers.get(kind, kind))


def _truth(word: str) -> bool:
    if word not in ("true", "false"):
        raise ValueError(word)
    return word == "true"


def _path(word: str) -> Path:
    """Return what a person means by a path: one from where inv was called, though steps run elsewhere."""
    return Path(word).absolute()


def _choice(flag: str, word: str, known: dict[str, Any]) -> Any:
    if word in known:
        return known[word]
    import difflib  # only here: every start of inv would pay for it

    near = difflib.get_close_matches(word, known, 1)
    hint = f"did you mean {near[0]}?" if near else ""
    raise InputError(f"{flag} takes one of {', '.join(known)}, not {word!r}", hint)
