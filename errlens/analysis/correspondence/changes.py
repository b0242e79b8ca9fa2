"""How features change when a part of an image is hidden, and as much of it elsewhere, as arrays."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

PLACES: Final = "places"
CHANNELS: Final = "channels"


class Units(NamedTuple):
    """Features of a layer whose changes are compared.

    `kind` is `PLACES` for each channel at each place, and `CHANNELS` for the mean of each channel
    over all places, which does not know where anything is. Of `total` units, `n` are compared.
    """

    layer: str
    kind: str
    n: int
    total: int


@dataclass(frozen=True, kw_only=True)
class PartChanges:
    """What hiding one part changes in n images; and hiding k regions elsewhere, one at a time.

    `at` are the places of the images among those asked about, shape (n,), and `left_out` says why
    others are not among them. `boxes`, int64 of shape (n, 1 + k, 4), are top, left, bottom and
    right in pixels as fed: of the part, then of the regions. `signs` are int8 of shape (n, 1 + k,
    units), for each kind of units: 1 where hiding lowers a feature, -1 where it raises it, else 0.
    `sizes`, shape (n, 1 + k, kinds), are the Euclidean lengths of the same changes.
    `probability`, shape (n, 2 + k), is that of the class followed: of the image as it is, with the
    part hidden, and with each region. `of_object`, shape (n, 1 + k), is the share of what is hidden
    that belongs to the object; nan where no outline tells.
    """

    part: str
    at: NDArray[np.intp]
    boxes: NDArray[np.int64]
    signs: Sequence[NDArray[np.int8]]
    sizes: NDArray[np.float64]
    probability: NDArray[np.float64]
    of_object: NDArray[np.float64]
    left_out: Mapping[int, str]

    def __len__(self) -> int:
        return len(self.at)

    @property
    def outlined(self) -> NDArray[np.bool_]:
        """Of which images the regions lie in the object, shape (n,)."""
        return np.isfinite(self.of_object[:, 0])


@dataclass(frozen=True, kw_only=True)
class Changes:
    """What hiding parts changes: of each part, for the same kinds of units.

    `size` is (height, width) as fed. `unread` says which images could not be asked about, by their
    place; `labelled` whether the class followed is the true one of all images.
    """

    units: Sequence[Units]
    parts: Sequence[PartChanges]
    size: tuple[int, int]
    unread: Mapping[int, str]
    labelled: bool

    @cached_property
    def compared(self) -> list[int]:
        """The kinds of units, by their place, without those that change exactly as a later one.

        So do the means of a last map, where they are what the last layer is fed.
        """
        return [
            first
            for first, units in enumerate(self.units)
            if not any(
                other.n == units.n
                and all(np.array_equal(part.signs[first], part.signs[later]) for part in self.parts)
                for later, other in enumerate(self.units[first + 1 :], first + 1)
            )
        ]
