"""Commands called from Python: quiet, and with their hints below the traceback.

Nothing heavy is imported before a call.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any


def made(kind: type[Any], given: Mapping[str, Any]) -> Any:
    """Make the options of a command; what is None was not given."""
    from errlens.commands.options.python import options_from

    wanted = {name: value for name, value in given.items() if value is not None}
    return options_from(kind, {"quiet": True, **wanted})


@contextmanager
def hints_as_notes() -> Iterator[None]:
    """Show the hint of a failure below its traceback."""
    from errlens.errors import ErrlensError

    try:
        yield
    except ErrlensError as error:
        for note in filter(None, (error.hint and f"hint: {error.hint}", *error.code)):
            error.add_note(note)
        raise
