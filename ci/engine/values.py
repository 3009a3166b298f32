"""One run has one set of values: which flags a task takes, which were given, and what each call is bound to."""

import copy
import functools
import inspect
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from invoke.exceptions import Exit
from invoke.parser.argument import Argument
from invoke.parser.context import ParserContext
from invoke.tasks import Call, Task

from ci import errors
from ci.engine import typed
from ci.engine.typed import Form
from ci.errors import InputError, LockstepError


class Parameter(NamedTuple):
    """A parameter of a run, what its flag takes, and the task that declared it first."""

    task: Task[Any]
    argument: Argument
    form: Form


class Flag(Argument):
    """A flag that takes what its form says, at most once unless that is a list."""

    def __init__(self, source: Parameter, *, positional: bool) -> None:
        self._given = False
        self.form = source.form
        argument = source.argument
        super().__init__(
            names=argument.names[:1],
            kind=argument.kind if argument.incrementable else {"int": int}.get(self.form.kind, str),
            default=argument.default,
            help=argument.help,
            positional=positional,
            optional=argument.optional,
            incrementable=argument.incrementable,
            attr_name=argument.attr_name,
        )

    def __deepcopy__(self, memo: object) -> "Flag":
        """Copy what changes: Invoke's parser copies every flag of every task, at every start."""
        twin = copy.copy(self)
        twin._value = copy.copy(self._value)
        return twin

    @property
    def kind(self) -> Any:
        """
        Return what Invoke shows as the type of the value or, once one was given, `list`.

        Invoke's parser hands a second value only to a list: for any other flag, it takes the word after a repeated
        flag for the name of a task, and runs that.
        """
        return bool if self.form.is_switch else list if self._given else self._kind

    @kind.setter
    def kind(self, kind: Any) -> None:
        self._kind = kind

    @property
    def help(self) -> str:
        """Return the help text, with what a value may be."""
        more = self.form.help()
        return f"{self._help or ''} ({more})".strip() if more else self._help or ""

    @help.setter
    def help(self, text: str | None) -> None:
        self._help = text

    @property
    def got_value(self) -> bool:
        """Return whether the command line gave a value, an empty one included."""
        return self._given

    def set_value(self, value: Any, cast: bool = True) -> None:
        """Take a value from the command line, or end the run."""
        if self.incrementable:
            super().set_value(value, cast)
        elif self._given and not self.form.is_list:
            raise _exit(InputError(f"{self._flag} is given twice", "give it once: one run has one value for it"))
        else:
            self.raw_value = value
            meant = self._meant(value) if cast else value
            self._value = [*(self._value or []), meant] if self.form.is_list else meant
        self._given = True

    @property
    def _flag(self) -> str:
        return f"--{self.names[0]}"

    def _meant(self, word: Any) -> Any:
        # What a flag has anyway may be said; the executor shows the help that a required value was taken for.
        if word == self.default or (self.positional and word in ("-h", "--help")):
            return word
        try:
            return self.form.value(self._flag, word)
        except LockstepError as error:
            raise _exit(error) from error


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
    return [Flag(item, positional=item.argument.positional and item.task is task) for item in found.values()]


def parameters(tasks: Iterable[Task[Any]]) -> dict[str, Parameter]:
    """Return all parameters of `tasks` by name; raise InputError if two tasks disagree about one."""
    found: dict[str, Parameter] = {}
    for task in tasks:
        for new in _own(task):
            name = str(new.argument.name)
            known = found.setdefault(name, new)
            if known.argument.default != new.argument.default or not known.form.accepts(new.form):
                raise InputError(
                    f"{title(known.task)} and {title(task)} disagree about --{new.argument.names[0]}: "
                    f"{_declared(known)} and {_declared(new)}",
                    "give both the same type and default in tasks.py",
                )
            known.argument.help = known.argument.help or new.argument.help
            found[name] = known if known.form.choices else known._replace(form=new.form)
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


@functools.cache
def _own(task: Task[Any]) -> list[Parameter]:
    """
    Return the parameters of `task` alone, made once: each task that needs it asks for them.

    Invoke uses the help texts up while it builds them, so they are given back.
    """
    kept = dict(task.help)
    try:
        found = Task.get_arguments(task, ignore_unknown_help=True)
    finally:
        task.help = kept
    return [Parameter(task, argument, _form(task, argument)) for argument in found]


def _form(task: Task[Any], argument: Argument) -> Form:
    """Return what a flag takes: in a plain task, as in Invoke, its default alone decides."""
    parameter = task.argspec(task.body).parameters[str(argument.name)]
    annotated = typed.of_parameter(parameter, task.body) if hasattr(task, "promise") else None
    return annotated or typed.of_kind(argument.kind)


def _is_given(argument: Argument) -> bool:
    # One that counts starts out with its default, which Invoke then takes for given.
    return argument.got_value and not (argument.incrementable and argument.value == argument.default)


def _declared(parameter: Parameter) -> str:
    default = parameter.argument.default
    return f"{parameter.form.kind} without a default" if default is None else repr(default)


def _exit(error: LockstepError) -> Exit:
    """Return what ends Invoke's parser in our form: it would answer a LockstepError with a traceback."""
    return Exit(errors.text(error), code=error.exit_code)
