"""How alike two representations of the same images are: linear centred kernel alignment.

S. Kornblith, M. Norouzi, H. Lee, G. Hinton, "Similarity of Neural Network Representations
Revisited", ICML 2019, section 3, with the unbiased estimate of the criterion of independence by
L. Song, A. Smola, A. Gretton, J. Bedo, K. Borgwardt, JMLR 13 (2012), equation 5. The plain one
calls any two representations alike that have more channels than there are images.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

LEAST_IMAGES: Final = 4  # below, the unbiased estimate does not exist
_NOTHING: Final = 1e-12  # of the squared energy of a representation: rounding


def linear_cka(first: NDArray[np.floating], second: NDArray[np.floating]) -> float:
    """Return how alike two representations are: 1 where equal, about 0 where they share nothing.

    Turning or reflecting a representation, scaling all of it or adding a constant to a channel
    changes nothing. No matrix of images by images is made. Not a number with fewer than four
    images, or where a representation is the same for all images.

    Args:
        first: Shape (n, channels).
        second: Shape (n, other channels).

    >>> turned = np.array([[0.0, -1.0], [1.0, 0.0]])
    >>> seen = np.array([[1.0, 2.0], [3.0, 1.0], [0.0, 5.0], [2.0, 2.0], [4.0, 0.0]])
    >>> round(linear_cka(seen, 3 * seen @ turned + 7), 6)
    1.0
    """
    if len(first) < LEAST_IMAGES:
        return float("nan")
    a, b = _Centred(first), _Centred(second)
    own_a, own_b = _independence(a, a), _independence(b, b)
    if min(own_a - _NOTHING * a.energy**2, own_b - _NOTHING * b.energy**2) <= 0:
        return float("nan")
    return float(_independence(a, b) / np.sqrt(own_a * own_b))


class _Centred:
    """A representation without its mean; `squares` are the diagonal of its kernel, shape (n,)."""

    def __init__(self, values: NDArray[np.floating]) -> None:
        exact = np.asarray(values, np.float64)
        largest = np.abs(exact).max(initial=0)
        scaled = exact / largest if largest > 0 else exact  # squares of squares stay in range
        self.values = scaled - scaled.mean(axis=0)
        self.squares = np.square(self.values).sum(axis=1)
        self.energy = float(self.squares.sum())


def _independence(a: _Centred, b: _Centred) -> float:
    """Return the unbiased estimate of the Hilbert-Schmidt criterion, times n * (n - 3).

    With kernels K and L without their diagonals, and centred values, whose kernels sum to zero over
    each row, K 1 is the diagonal with its sign changed.
    """
    n = len(a.values)
    products = np.square(a.values.T @ b.values).sum() - a.squares @ b.squares
    of_sums = a.energy * b.energy / ((n - 1) * (n - 2))
    return float(products + of_sums - 2 / (n - 2) * (a.squares @ b.squares))
