"""From activations to shades: which value is black, and which is white."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

ScaleKind = Literal["tensor", "channel", "shared"]
Maps = NDArray[np.float32]


def scale_ends(maps: Sequence[Maps], kind: ScaleKind, *, signed: bool) -> list[NDArray[np.float64]]:
    """Return the ends of the scale of every channel of every tensor.

    Args:
        maps: Tensors of shape (channels, rows, columns); rows and columns may differ.
        kind: One scale over each `tensor`, over each `channel` in all tensors, or over all tensors,
            `shared`.
        signed: Let the ends be as far from zero on both sides.

    Returns:
        Of each tensor an array of shape (channels, 2): the lowest and the highest value.
    """
    lows = np.array([tensor.min(axis=(1, 2)) for tensor in maps], np.float64)
    highs = np.array([tensor.max(axis=(1, 2)) for tensor in maps], np.float64)
    axis = {"tensor": 1, "channel": 0, "shared": None}[kind]
    lows[:] = lows.min(axis=axis, keepdims=True)
    highs[:] = highs.max(axis=axis, keepdims=True)
    if signed:
        highs = np.maximum(np.abs(lows), np.abs(highs))
        lows = -highs
    return list(np.stack([lows, highs], axis=2))


def as_shares(values: Maps, ends: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return activations as shares of the way from the low end of their scale to the high one.

    Of values that are all alike it is the share of zero where they are zero on a scale with a sign,
    a half, and 0 else.

    Args:
        values: Shape (channels, rows, columns).
        ends: Of each channel, shape (channels, 2).

    >>> as_shares(np.float32([[[-1, 0, 3]]]), np.array([[-1.0, 3.0]]))
    array([[[0.  , 0.25, 1.  ]]])
    """
    low, high = (end[:, None, None] for end in ends.T)
    length = high - low
    within = (values - low) / np.where(length > 0, length, 1)
    shares: NDArray[np.float64] = within.clip(0, 1)
    return shares
