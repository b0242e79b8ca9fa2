"""An image under a square that hides one part of it after the other: all that one sweep gives.

M. D. Zeiler, R. Fergus, "Visualizing and Understanding Convolutional Networks", ECCV 2014, section
4.2 and figure 7.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from errlens.classes.names import NO_CLASS

MOST_VALUES: Final = 4_000_000  # probabilities of an image up to which those of all classes stay
LIKELIEST: Final = 5  # classes of the image as it is that stay in any case


class Extreme(NamedTuple):
    """The lowest or highest value over all positions, and the first position with it.

    `x` and `y` are the middle of the square there, in pixels of the input.
    """

    value: float
    row: int
    column: int
    x: float
    y: float


@dataclass(frozen=True, kw_only=True)
class Occluded:
    """One image under a square at rows x columns positions.

    `boxes` are int64 of shape (rows, columns, 4): top, left, bottom, right in pixels of the input,
    of `size` (height, width), without the last two. `classes` are the k whose probabilities are
    kept, ascending; `probabilities` has the shape (rows, columns, k), and `unoccluded` those of the
    image as it is, shape (k,). `pred` is the most probable class by position, `NO_CLASS` where the
    outputs are not finite, and `pred_unoccluded` that of the image as it is. `followed` is the
    class whose probability is told, one of `classes`. `activity` is a channel of a layer summed
    over its map, float32 of shape (rows, columns).
    """

    boxes: NDArray[np.int64]
    size: tuple[int, int]
    classes: NDArray[np.int64]
    probabilities: NDArray[np.float32]
    unoccluded: NDArray[np.float32]
    pred: NDArray[np.int64]
    pred_unoccluded: int
    followed: int
    activity: NDArray[np.float32]
    activity_unoccluded: float

    @property
    def n(self) -> int:
        """How many positions there are."""
        return self.pred.size

    def probability_of(self, index: int) -> tuple[NDArray[np.float32], float]:
        """Return the probability of a class that is kept, by position and of the image as it is."""
        at = int(np.searchsorted(self.classes, index))
        return self.probabilities[:, :, at], float(self.unoccluded[at])

    @cached_property
    def probability(self) -> NDArray[np.float32]:
        """The probability of the class followed by position, shape (rows, columns)."""
        return self.probability_of(self.followed)[0]

    @property
    def probability_unoccluded(self) -> float:
        """The same of the image as it is."""
        return self.probability_of(self.followed)[1]

    @property
    def confidence(self) -> float:
        """The probability of what is predicted of the image as it is."""
        return self.probability_of(self.pred_unoccluded)[1]

    def falls_of(self, index: int) -> NDArray[np.float32]:
        """Return how far the probability of a class falls by position; negative where it rises."""
        values, unoccluded = self.probability_of(index)
        return np.float32(unoccluded) - values

    @property
    def activity_falls(self) -> NDArray[np.float32]:
        """How far the activity falls at each position; negative where it rises."""
        return np.float32(self.activity_unoccluded) - self.activity

    @property
    def other_label(self) -> NDArray[np.bool_]:
        """Where another class is predicted than of the image as it is; not where none is."""
        other: NDArray[np.bool_] = self.finite & (self.pred != self.pred_unoccluded)
        return other

    @property
    def finite(self) -> NDArray[np.bool_]:
        """Where the outputs are finite."""
        finite: NDArray[np.bool_] = self.pred != NO_CLASS
        return finite

    def winners(self) -> list[tuple[int, int]]:
        """Return the classes that are predicted somewhere with how often; most often first."""
        names, counts = np.unique(self.pred[self.pred != NO_CLASS], return_counts=True)
        order = np.argsort(-counts, kind="stable")
        return list(zip(names[order].tolist(), counts[order].tolist(), strict=True))

    def lowest(self, values: NDArray[np.floating]) -> Extreme:
        """Return where a map over the positions is lowest; nan counts as nothing."""
        return self._at(values, int(np.nanargmin(values)))

    def highest(self, values: NDArray[np.floating]) -> Extreme:
        """Return where a map over the positions is highest; nan counts as nothing."""
        return self._at(values, int(np.nanargmax(values)))

    def _at(self, values: NDArray[np.floating], place: int) -> Extreme:
        row, column = divmod(place, values.shape[1])
        top, left, bottom, right = self.boxes[row, column].tolist()
        middle = (left + right) / 2, (top + bottom) / 2
        return Extreme(float(values[row, column]), row, column, *middle)


def kept_classes(
    unoccluded: NDArray[np.floating], pred: NDArray[np.int64], followed: int
) -> NDArray[np.int64]:
    """Return the classes whose probabilities are kept at all positions, ascending.

    These are all, unless that would be more than `MOST_VALUES` numbers: then what is predicted
    anywhere, the likeliest of the image as it is, and the class followed.

    >>> kept_classes(np.array([0.2, 0.7, 0.1]), np.array([[1, 0]]), 1)
    array([0, 1, 2])
    """
    if unoccluded.size * pred.size <= MOST_VALUES:
        return np.arange(unoccluded.size)
    likeliest = np.argsort(-unoccluded, kind="stable")[:LIKELIEST]
    named = np.concatenate([pred[pred != NO_CLASS], likeliest, [followed]])
    return np.unique(named).astype(np.int64)
