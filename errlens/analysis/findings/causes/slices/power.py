"""How many images it takes to find a slice."""

import math
from typing import Final

import numpy as np
from scipy.special import ndtri

from errlens.analysis.findings.causes.slices.evidence import ALPHA, LEAST_EXCESS
from errlens.analysis.statistics.strata import corrected_tail

_SHARE: Final = 0.1  # of the images are inside
_TIMES: Final = 2  # as often wrong as others
_POWER: Final = 0.8  # of such slices are found
_MOST: Final = 10_000_000


def enough_images(rate: float, n_tests: int) -> int | None:
    """Return how many images show, in 8 of 10 cases, a slice of 10 % with twice the error rate.

    Where more than every second image is wrong, twice as many cannot be: then half of those that
    would be right are wrong, too.

    Args:
        rate: The share of errors in all images.
        n_tests: How many slices are tried.

    >>> enough_images(0.15, 500), enough_images(0.02, 500)
    (2900, 26000)
    """
    if not 0 < rate < 1:
        return None
    others = rate / (1 - _SHARE + _TIMES * _SHARE)
    if _TIMES * others > (1 + others) / 2:
        others = (rate - _SHARE / 2) / (1 - _SHARE / 2)
    inside = min(_TIMES * others, (1 + others) / 2)
    n = 2 ** np.arange(0, math.log2(_MOST), 0.05)
    drawn = n * _SHARE
    observed = drawn * inside + ndtri(1 - _POWER) * np.sqrt(drawn * inside * (1 - inside))
    expected = drawn * rate
    variance = drawn * (1 - _SHARE) * rate * (1 - rate)
    p_value = corrected_tail(observed, expected, variance)
    does = (p_value * n_tests <= ALPHA) & (observed - expected >= LEAST_EXCESS)
    if not does.any():
        return None
    return int(float(f"{n[np.argmax(does)]:.1e}"))
