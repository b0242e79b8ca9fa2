"""Which points of a layer speak for a class, or for one of two: each of them once.

The choice is that of the class atlases of S. Carter et al., "Activation Atlas", Distill (2019),
whose notebooks draw some points twice.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

MOST_OF_CLASS: Final = 3_000  # points that are taken for what they add, beside the class's own
MOST_OF_PAIR: Final = 2_000  # points of each of two classes


class ClassPoints(NamedTuple):
    """The n points of the atlas of a class.

    Attributes:
        table: A row a point: `cell`, the cell of the map that it is in, -1 where it is in none that
            is drawn; `row`, `label`, `place_row` and `place_column` of its image; and `background`,
            the share of its place outside of the object, NaN where that is not known.
        attributions: What they add to each class, shape (n, classes).
        of_class: The class, an index.
        names: Of the classes.
    """

    table: pd.DataFrame
    attributions: NDArray[np.floating]
    of_class: int
    names: Sequence[str]

    @property
    def name(self) -> str:
        """The class."""
        return self.names[self.of_class]

    @property
    def adds(self) -> NDArray[np.float64]:
        """What each point adds to the class, shape (n,)."""
        return self.attributions[:, self.of_class].astype(np.float64)

    def inside(self, cell: int) -> NDArray[np.intp]:
        """Return the points of a cell, as rows of the table."""
        return np.flatnonzero(self.table["cell"] == cell)


def class_points(
    attributions: NDArray[np.floating],
    top_class: NDArray[np.integer],
    of_class: int,
    *,
    most: int = MOST_OF_CLASS,
) -> NDArray[np.int64]:
    """Return the points of a class, ascending: its own, and those that add the most to it.

    Args:
        attributions: What each point adds to each class, shape (points, classes).
        top_class: The class that each point adds the most to, shape (points,).
        of_class: The class, an index.
        most: How many are taken for what they add, of those that add anything; ties by point.

    >>> adds = np.array([[0.1, 0.5], [0.4, 0.2], [0.3, 0.9], [-0.1, -0.2]], np.float32)
    >>> class_points(adds, adds.argmax(axis=1), 0, most=1).tolist()
    [1, 3]
    """
    own = np.flatnonzero(top_class == of_class)
    return np.union1d(own, strongest_points(attributions[:, of_class], most=most))


def pair_points(
    attributions: NDArray[np.floating], pair: tuple[int, int], *, most: int = MOST_OF_PAIR
) -> NDArray[np.int64]:
    """Return the points that add the most to either of two classes, ascending.

    >>> pair_points(np.array([[0.1, 0.5], [0.4, 0.3], [-1.0, -2.0]]), (0, 1), most=2).tolist()
    [0, 1]
    """
    a, b = (strongest_points(attributions[:, of_class], most=most) for of_class in pair)
    return np.union1d(a, b)


def strongest_points(adds: NDArray[np.floating], *, most: int) -> NDArray[np.int64]:
    """Return the points with the largest positive values, largest first; ties by point.

    >>> strongest_points(np.array([0.2, 0.0, 0.3, 0.2]), most=2).tolist()
    [2, 0]
    """
    positive = np.flatnonzero(adds > 0)
    return positive[np.argsort(-adds[positive], kind="stable")[:most]]
