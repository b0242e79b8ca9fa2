"""What `--sizes`, `--positions`, `--from` and `--to` say."""

import math
from collections.abc import Sequence
from typing import Final

from errlens.analysis.atlas.pasting.placing import CENTER, CORNERS, GRID, Position
from errlens.classes.names import ClassNames
from errlens.errors import UnfitOption, which_of

MOST_SIZES: Final = 100
EVERY_CLASS: Final = "all"
_NAMED: Final = {"corners": CORNERS, "center": (CENTER,), "grid": GRID}


def asked_sizes(text: str) -> list[float]:
    """Return the sizes meant, ascending, each once.

    Raises:
        UnfitOption: It says none, or one that is no share.

    >>> asked_sizes("0.3, 0.1"), asked_sizes("0:0.2:0.05")
    ([0.1, 0.3], [0.0, 0.05, 0.1, 0.15, 0.2])
    """
    form = "shares such as 0.1,0.3, or 0:0.8:0.05 for all of them from 0 to 0.8"
    spans = ":" in text
    numbers = _numbers(text.split(":" if spans else ","))
    if numbers is None or (spans and (len(numbers) != 3 or numbers[2] <= 0)):
        raise UnfitOption(f"--sizes {text!r} says no sizes", hint=form)
    if spans:
        first, last, step = numbers
        steps = math.floor((last - first) / step + 1e-9)
        if not 0 <= steps < MOST_SIZES:
            raise UnfitOption(f"--sizes {text!r}: 1 to {MOST_SIZES} sizes, no more", hint=form)
        numbers = [round(first + step * number, 9) for number in range(steps + 1)]
    if not all(0 <= size <= 1 for size in numbers):
        raise UnfitOption(
            f"--sizes {text!r}: from 0 to 1, which is as large as the shorter side of the input"
        )
    return sorted(set(numbers))


def asked_positions(text: str) -> list[Position]:
    """Return the positions meant.

    Raises:
        UnfitOption: It says none, or one outside of the image.

    >>> [position.name for position in asked_positions("0.25,0.5")]
    ['0.25,0.5']
    """
    if text.strip() in _NAMED:
        return list(_NAMED[text.strip()])
    numbers = _numbers(text.split(","))
    if numbers is None or len(numbers) != 2:
        raise UnfitOption(
            f"--at {text!r} says no place", hint="corners, center, grid, or as in 0.8,0.2"
        )
    if not all(0 <= share <= 1 for share in numbers):
        raise UnfitOption(
            f"--at {text!r} lies outside of the image: shares of the way across and down go "
            "from 0 to 1"
        )
    across, down = numbers
    return [Position(f"{across:g},{down:g}", across, down)]


def asked_class(name: str, classes: ClassNames, *, option: str) -> int:
    """Return the class that a name means.

    Raises:
        UnfitOption: There is none of that name.
    """
    index = classes.called(name)
    if index is None:
        raise UnfitOption(f"{option} {name!r} names no class", hint=which_of(name, classes.names))
    return index


def asked_origins(names: Sequence[str] | None, classes: ClassNames, to: int) -> list[int]:
    """Return the classes whose images are pasted into; all but `to` where none is named.

    Raises:
        UnfitOption: There is none of a name, or it is `to`.
    """
    every = [index for index in range(len(classes)) if index != to]
    if not names or (list(names) == [EVERY_CLASS] and classes.called(EVERY_CLASS) is None):
        return every
    origins = list(dict.fromkeys(asked_class(name, classes, option="--from") for name in names))
    if to in origins:
        raise UnfitOption(f"--from and --to both name {classes[to]!r}: nothing could be turned")
    return origins


def _numbers(texts: Sequence[str]) -> list[float] | None:
    try:
        numbers = [float(text) for text in texts]
    except ValueError:
        return None
    return numbers if all(map(math.isfinite, numbers)) else None
