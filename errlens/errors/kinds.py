"""What all failures have in common, and the ways in which a process ends."""

from collections.abc import Sequence
from typing import Final

from errlens.errors.words import shortened

LONGEST_MESSAGE: Final = 2000  # characters; what was read may be a value of a million


class ErrlensError(Exception):
    """A failure that ends as one sentence and a hint instead of a traceback.

    `code` are the lines of a command or program that the hint ends with.
    """

    exit_code = 70

    def __init__(self, message: str, *, hint: str = "", code: Sequence[str] = ()) -> None:
        super().__init__(shortened(message, most=LONGEST_MESSAGE))
        self.hint = shortened(hint, most=LONGEST_MESSAGE)
        self.code = list(code)


class UsageError(ErrlensError):
    """The command line or the configuration asks for something that cannot be done."""

    exit_code = 2


class InputError(ErrlensError):
    """Something the command was given to read is not what it needs."""

    exit_code = 3


class TooManyBadInputs(InputError):
    """More inputs failed than `--max-bad` allows; everything has been written all the same."""


class GateFailed(ErrlensError):
    """The run was measured, and falls short of what was asked; everything has been written."""

    exit_code = 1


class Interrupted(ErrlensError):
    """The user stopped the work; what was finished is kept."""

    exit_code = 130
