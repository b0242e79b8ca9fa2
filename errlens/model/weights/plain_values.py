"""Plain values of ordinary size: all that is taken from a file beside its weights."""

import math
import re
from collections.abc import Iterator
from typing import Final

from errlens.errors import shortened

LARGEST_NUMBER: Final = 1_000_000  # a single one, or those of a list together
LARGEST_IMAGE: Final = 4096  # pixels a side
MOST_VALUES: Final = 256  # in a list
_TEXT: Final = re.compile(r"[\w.+\- ]{0,40}", re.ASCII)


def is_plain(value: object, depth: int = 0) -> bool:
    """Tell whether a value is a finite number, a truth value, a short text or a list of them."""
    # Of exactly these types: what looks like a number may be an object that only pretends.
    if type(value) in (list, tuple):
        return (
            depth < 2
            and len(value) <= MOST_VALUES  # type: ignore[arg-type]
            and all(is_plain(item, depth + 1) for item in value)  # type: ignore[attr-defined]
        )
    if type(value) is float:
        return math.isfinite(value)
    if type(value) is str:
        return bool(_TEXT.fullmatch(value))
    if type(value) is int:
        return value.bit_length() <= 64
    return value is None or type(value) is bool


def numbers(value: object) -> Iterator[float]:
    """Yield the numbers of a plain value."""
    if isinstance(value, list | tuple):
        for item in value:
            yield from numbers(item)
    elif isinstance(value, int | float):
        yield value


def shown_value(value: object) -> str:
    """Write a value so that no message is long, and none fails to be made."""
    if type(value) is str:
        return shortened(repr(value[:200]), most=60)
    if is_plain(value):
        return shortened(repr(value), most=60)
    kind = type(value).__name__
    return f"a {kind}" + (f" of {len(value)}" if isinstance(value, list | tuple | dict) else "")
