"""Directions of activations, freed of what all activations have in common.

S. Carter et al., "Activation Atlas", Distill (2019), multiply the mean of a cell by the inverse of
the second moments of all activations. Channels that are always 0 make that matrix singular, so a
ridge is added here.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

_AT_ONCE: Final = 4096  # rows that are widened to float64


def second_moments(activations: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the mean of the products of channels, A^T A / N, of activations (n, channels).

    >>> second_moments(np.array([[1.0, 0.0], [3.0, 0.0]])).tolist()
    [[5.0, 0.0], [0.0, 0.0]]
    """
    n, channels = activations.shape
    total: NDArray[np.float64] = np.zeros((channels, channels))
    for start in range(0, n, _AT_ONCE):
        part = activations[start : start + _AT_ONCE].astype(np.float64)
        total += part.T @ part
    total /= n
    return total


def whitened(
    means: NDArray[np.floating], moments: NDArray[np.float64], *, ridge: float
) -> NDArray[np.float32]:
    """Return the directions of cells, shape (m, channels), of length 1.

    That of a cell without any activation is 0.

    Args:
        means: Mean activations of cells, shape (m, channels).
        moments: Those of all activations, see `second_moments`.
        ridge: What is added to the diagonal, as a share of its mean; above 0.

    >>> whitened(np.array([[2.0, 1.0]]), np.diag([4.0, 1.0]), ridge=1e-9).round(3)
    array([[0.447, 0.894]], dtype=float32)
    """
    channels = len(moments)
    added = ridge * np.trace(moments) / channels or 1.0  # nothing but dead channels
    directions = np.linalg.solve(moments + added * np.eye(channels), means.T.astype(np.float64)).T
    lengths = np.linalg.norm(directions, axis=1, keepdims=True)
    unit: NDArray[np.float32] = (directions / np.where(lengths > 0, lengths, 1)).astype(np.float32)
    return unit
