"""What can go wrong, told one way: what is wrong with the value, then the next thing to do."""

from collections.abc import Sequence


class LockstepError(Exception):
    """
    Say what is wrong in one sentence; `hint` is the next thing to type or do.

    Raise a subclass: it decides the exit code. Only the executor turns one into text.
    """

    exit_code = 3

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class InputError(LockstepError):
    """Refuse: the input or the configuration is wrong."""

    exit_code = 2


class Unfinished(LockstepError):
    """Give up: a command failed, a deadline passed, a cloud did not answer."""

    exit_code = 3


class CheckFailed(LockstepError):
    """Report that a check was made and found problems."""

    exit_code = 4


class Problems(InputError):
    """Refuse for several reasons at once, so that they are mended in one go."""

    def __init__(self, problems: Sequence[LockstepError]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


def text(error: LockstepError) -> str:
    """Return the one form in which an error is shown, without a final newline."""
    if isinstance(error, Problems):
        return "\n".join(text(problem) for problem in error.problems)
    shown = f"error: {error}"
    return f"{shown}\n  hint: {error.hint}" if error.hint else shown
