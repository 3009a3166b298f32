"""One run has one set of values: which flags a task takes, which were given, and what each call is bound to."""

import inspect
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from invoke.exceptions import Exit
from invoke.parser.argument import Argument
from invoke.parser.context import ParserContext
from invoke.tasks import Call, Task

from ci import errors
from ci.errors import InputError


class Parameter(NamedTuple):
    """A parameter of a run, and the task that declared it first."""

    task: Task[Any]
    argument: Argument


class Flag(Argument):
    """A flag that is given at most once, with a value of its default's type."""

    def __init__(self, source: Argument, *, positional: bool) -> None:
        self._given = False
        super().__init__(
            names=source.names[:1],
            kind=source.kind,
            default=source.default,
            help=source.help,
            positional=positional,
            optional=source.optional,
            incrementable=source.incrementable,
            attr_name=source.attr_name,
        )

    @property
    def kind(self) -> Any:
        """
        Return the type of the value or, once one was given, `list`.

        Invoke's parser hands a second value only to a list: for any other flag, it takes the word after a repeated
        flag for the name of a task, and runs that.
        """
        return list if self._given and self._kind is not bool else self._kind

    @kind.setter
    def kind(self, kind: Any) -> None:
        self._kind = kind

    @property
    def got_value(self) -> bool:
        """Return whether the command line gave a value, an empty one included."""
        return self._given

    def set_value(self, value: Any, cast: bool = True) -> None:
        """Take a value from the command line, or end the run."""
        if self._kind is list or self.incrementable:
            super().set_value(value, cast)
        elif self._given:
            raise _refusal(f"--{self.names[0]} is given twice", "give it once: one run has one value for it")
        else:
            self.raw_value, self._value = value, self._cast(value) if cast else value
        self._given = True

    def _cast(self, value: Any) -> Any:
        try:
            return self._kind(value)
        except ValueError:
            raise _refusal(f"--{self.names[0]} takes {self._kind.__name__}, not {value!r}", "") from None


def title(task: Task[Any]) -> str:
    """Return a task's name as the command line knows it."""
    return task.name.replace("_", "-")


def arguments(task: Task[Any]) -> list[Argument]:
    """
    Return the flags of `task` and of everything that runs with it, its own first.

    Raises:
        InputError: two tasks disagree about a flag.
    """
    found = parameters(_closure(task))
    return [Flag(item.argument, positional=item.argument.positional and item.task is task) for item in found.values()]


def parameters(tasks: Iterable[Task[Any]]) -> dict[str, Parameter]:
    """Return all parameters of `tasks` by name; raise InputError if two tasks disagree about one."""
    found: dict[str, Parameter] = {}
    for task in tasks:
        for argument in _own(task):
            known = found.setdefault(str(argument.name), Parameter(task, argument))
            if (known.argument.kind, known.argument.default) != (argument.kind, argument.default):
                raise InputError(
                    f"{title(known.task)} and {title(task)} disagree about --{argument.names[0]}: "
                    f"{_declared(known.argument)} and {_declared(argument)}",
                    "give both the same type and default in tasks.py",
                )
            known.argument.help = known.argument.help or argument.help
    return found


def given(contexts: Iterable[ParserContext]) -> dict[str, Any]:
    """Return the values that the command line gives, for whichever task; two for one name are an InputError."""
    values: dict[str, Any] = {}
    for context in contexts:
        for argument in context.args.values():
            name = str(argument.name)
            if _is_given(argument) and values.setdefault(name, argument.value) != argument.value:
                raise InputError(
                    f"--{argument.names[0]} has two values, {values[name]!r} and {argument.value!r}",
                    "one run has one value for it: give it once, or run inv twice",
                )
    return values


def bind(call: Call, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return every argument of `call`: what it says itself, else what the run was given, else the default."""
    signature = call.task.argspec(call.task.body)
    try:
        explicit = signature.bind_partial(*call.args, **call.kwargs).arguments
    except TypeError as error:
        raise InputError(f"{title(call.task)} is called wrongly in tasks.py: {error}") from error
    bound = {}
    for name, parameter in signature.parameters.items():
        if name in explicit and name in values and explicit[name] != values[name]:
            raise InputError(
                f"{title(call.task)} is called with {name}={explicit[name]!r}, "
                f"but the command line says {name}={values[name]!r}",
                f"leave out --{name.replace('_', '-')}",
            )
        value = explicit.get(name, values.get(name, parameter.default))
        if value is inspect.Parameter.empty:
            raise InputError(f"{title(call.task)} needs a value for {name}", f"add --{name.replace('_', '-')}=...")
        bound[name] = value
    return bound


def _closure(task: Task[Any]) -> list[Task[Any]]:
    """Return `task` and all that runs with it."""
    found: list[Task[Any]] = []
    todo = [task]
    while todo:
        one = todo.pop(0)
        if not any(one is other for other in found):
            found.append(one)
            todo += [item.task if isinstance(item, Call) else item for item in (*one.pre, *one.post)]
    return found


def _own(task: Task[Any]) -> list[Argument]:
    """Return the flags of `task` alone. Invoke uses the help texts up while it builds them, so give them back."""
    kept = dict(task.help)
    try:
        return Task.get_arguments(task, ignore_unknown_help=True)
    finally:
        task.help = kept


def _is_given(argument: Argument) -> bool:
    # One that counts starts out with its default, which Invoke then takes for given.
    return argument.got_value and not (argument.incrementable and argument.value == argument.default)


def _declared(argument: Argument) -> str:
    return "no default" if argument.default is None else repr(argument.default)


def _refusal(message: str, hint: str) -> Exit:
    """Return what ends Invoke's parser in our form: it would answer an InputError with a traceback."""
    error = InputError(message, hint)
    return Exit(errors.text(error), code=error.exit_code)
