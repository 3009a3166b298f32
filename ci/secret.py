"""A value that no screen, log or journal may show."""

from collections.abc import Callable
from typing import NoReturn

_values: dict[str, None] = {}
_listeners: list[Callable[[str], object]] = []


def heed(listener: Callable[[str], object]) -> None:
    """Tell `listener` every value that is a Secret's, or will be: for who takes them out of what others print."""
    _listeners.append(listener)
    for value in list(_values):
        listener(value)


class Secret:
    """
    Carry a secret value, which prints as `***`.

    It is no `str`, and neither pickle nor JSON takes it: its value leaves only through `reveal`, which is called
    where bytes leave the process.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value
        if value not in _values:
            _values[value] = None
            for listener in _listeners:
                listener(value)

    def reveal(self) -> str:
        """Return the value itself."""
        return self._value

    def __str__(self) -> str:
        return "***"

    __repr__ = __str__

    def __format__(self, spec: str) -> str:
        return format("***", spec)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._value == other._value

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __bool__(self) -> bool:
        return bool(self._value)

    # A copy of something that cannot change is itself; the copy module would go through pickle's door otherwise.
    def __copy__(self) -> "Secret":
        return self

    def __deepcopy__(self, memo: object) -> "Secret":
        return self

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a Secret is not written to anything: reveal() it where its bytes leave the process")
