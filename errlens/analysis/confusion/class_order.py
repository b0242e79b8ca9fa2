"""Two orders of the same class names: which of them do the predictions agree with?"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from errlens.analysis.statistics.significance import sign_test

ALPHA: Final = 0.01


class OrderHits(NamedTuple):
    """How many of `n` images are right in the order in use, and how many in another one.

    `favours` is `ours` or `theirs` where a one-sided sign test between them has p < 0.01, else
    None: the images do not tell.
    """

    ours: int
    theirs: int
    n: int
    favours: str | None


def compare_orders(
    label: NDArray[np.integer], pred: NDArray[np.integer], theirs: NDArray[np.integer]
) -> OrderHits:
    """Count the images that are right in either order of the class names.

    Args:
        label: Class index of each image, shape (n,).
        pred: Predicted output of each image, shape (n,).
        theirs: The class index that each output has in the other order, shape (classes,).

    >>> compare_orders(np.repeat([0, 1], 10), np.repeat([0, 1], 10), np.array([1, 0])).favours
    'ours'
    """
    right = pred == label
    right_else = theirs[pred] == label
    ours, theirs_hits = int(right.sum()), int(right_else.sum())
    alone = int(np.sum(right & ~right_else)), int(np.sum(right_else & ~right))
    favours = None
    if sign_test(*alone) < ALPHA:
        favours = "ours"
    elif sign_test(*reversed(alone)) < ALPHA:
        favours = "theirs"
    return OrderHits(ours, theirs_hits, len(label), favours)
