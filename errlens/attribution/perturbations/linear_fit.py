"""A line through scores: ridge regression with weights, and how well it fits."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]


class LinearFit(NamedTuple):
    """What each feature adds to each score.

    `coefficients` have the shape (features, t). `r_squared`, shape (t,), is the share of the
    weighted variance of a score that the fit foretells of a sample which it has not seen: 1 at
    best, below 0 where it is worse than the mean, and not a number without variance.
    """

    coefficients: Matrix
    r_squared: Matrix


def ridge(features: Matrix, scores: Matrix, weights: Matrix, *, penalty: float) -> LinearFit:
    """Fit scores by a weighted sum of features and a constant that has no penalty.

    Each sample is foretold by the fit to all others, in closed form: its residual over one less
    its leverage. What is fitted by as many coefficients as there are samples would else look
    perfect.

    Args:
        features: Shape (n, features).
        scores: Shape (n, t).
        weights: Of the samples, shape (n,), not negative.
        penalty: On the squares of the coefficients, in the unit of the weights.

    >>> fit = ridge(np.eye(3), np.array([[1.0], [2.0], [4.0]]), np.ones(3), penalty=1e-9)
    >>> fit.coefficients.ravel().round(3).tolist()
    [-1.333, -0.333, 1.667]
    """
    shares = weights / weights.sum()
    x, y = features - shares @ features, scores - shares @ scores
    inverse = np.linalg.inv(x.T @ (weights[:, None] * x) + penalty * np.eye(x.shape[1]))
    coefficients = inverse @ x.T @ (weights[:, None] * y)
    leverage = shares + weights * np.einsum("ij,jk,ik->i", x, inverse, x, optimize=True)
    unseen = (y - x @ coefficients) / np.maximum(1 - leverage, np.finfo(float).eps)[:, None]
    variance = shares @ y**2
    known = variance > 0
    unexplained = shares @ unseen**2 / np.where(known, variance, 1.0)
    return LinearFit(coefficients, np.where(known, 1 - unexplained, np.nan))
