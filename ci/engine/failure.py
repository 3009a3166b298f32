"""What Invoke says of a command that failed, said in Lockstep's errors."""

import re
import shlex
import traceback
from typing import Any

from invoke.exceptions import CommandTimedOut, Exit, Failure, UnexpectedExit

from ci.engine.leash import Stopped
from ci.engine.step import Promise
from ci.errors import CheckFailed, LockstepError, Unfinished

TAIL_LINES = 10
NOT_FOUND = 127  # what a shell says of a program that PATH does not have


def told(error: BaseException, title: str, promise: Promise) -> LockstepError | None:
    """Return what the failure of the step `title` means, or None for one that means nothing to us."""
    if isinstance(error, Stopped):
        return Unfinished(f"{title} did not finish within {promise.timeout_s:g} s")
    if not isinstance(error, Failure):
        return None
    message = f"{title}: {program(error.result.command)} {_outcome(error)}{_hidden_tail(error.result)}"
    if not isinstance(error, UnexpectedExit):
        return Unfinished(message)
    hint = "see that it is installed: a step's PATH is the project's tools, then yours"
    kind = CheckFailed if promise.checks and error.result.exited != NOT_FOUND else Unfinished
    return kind(message, hint if error.result.exited == NOT_FOUND else "")


def last_words(error: BaseException) -> tuple[int, str]:
    """Return the exit code of a run that failed with `error`, and what is still to say of it."""
    if isinstance(error, LockstepError):  # said when it happened
        return error.exit_code, ""
    if isinstance(error, Exit):
        return error.code, error.message or ""
    if isinstance(error, UnexpectedExit):  # of a plain task
        return error.result.exited, str(error).strip() if error.result.hide else ""
    if isinstance(error, SystemExit):
        return (error.code, "") if isinstance(error.code, int) else (1 if error.code else 0, str(error.code or ""))
    return 1, "".join(traceback.format_exception(error)).rstrip()


def _outcome(error: Failure) -> str:
    if isinstance(error, UnexpectedExit):
        exited = error.result.exited
        return f"exited with {exited}" if exited >= 0 else f"was ended by signal {-exited}"
    if isinstance(error, CommandTimedOut):
        return f"did not finish within {error.timeout:g} s"
    return f"failed: {error.reason}"


def program(command: str) -> str:
    """Return the name of the program that `command` runs, without its arguments: some things are not for a screen."""
    command = re.sub(r"^(cd (\\.|[^&\\])* && )+", "", command)
    try:
        words = shlex.split(command)
    except ValueError:  # a quote of the shell's that this grammar does not know
        words = command.split()
    words = [word for word in words if not re.match(r"\w+=", word)]
    name = words[0].rpartition("/")[2] if words else "the shell"
    # What an interpreter runs says more than its own name: a package's command, or a module.
    package = re.search(r"/node_modules/((?:@[^/]+/)?[^/]+)/", words[1]) if name == "node" and words[1:] else None
    module = words[2] if name.startswith("python") and words[1:2] == ["-m"] and words[2:] else None
    return package[1] if package else module or name


def _hidden_tail(result: Any) -> str:
    """Return the last lines of what was hidden, since nobody has seen them."""
    hidden = [getattr(result, name) for name in ("stdout", "stderr") if name in result.hide]
    lines = [line for text in hidden for line in text.splitlines()[-TAIL_LINES:] if line.strip()]
    return "".join(f"\n    {line}" for line in lines)
