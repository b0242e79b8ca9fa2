"""Whether the activity of a map falls where the projection of its strongest unit is hidden."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

_ROUNDING: Final = 1e-9  # of a correlation


class Match(NamedTuple):
    """How falls of the activity and hidden shares of a projection go together over n positions.

    `correlation` is Spearman's. `p_value` is how often it is as high when one map is shifted over
    the other, around its edges: neighbouring squares hide much the same, so positions are no
    independent observations, and a shift keeps that. `hidden` is the share of the projection's
    energy under the square that hides most of it, and `lost_there` the share of the activity that
    falls there; `lost_median` is the median over all squares. Shares lost are None of an activity
    that is not above zero.
    """

    n: int
    correlation: float
    p_value: float
    hidden: float
    lost_there: float | None
    lost_median: float | None


def match(
    falls: NDArray[np.floating], energy: NDArray[np.floating], activity: float
) -> Match | None:
    """Hold the falls of an activity against the energy of a projection under each square.

    Args:
        falls: Of the activity, shape (rows, columns).
        energy: Share of the energy of the projection under each square, of the same shape.
        activity: Of the image as it is.

    Returns:
        None where one of both is the same at all positions, or not finite.

    >>> seen = np.zeros((5, 5)); seen[1, 3] = 0.6; seen[1, 2] = 0.2
    >>> match(10 * seen, seen, 12.0).correlation, match(10 * seen, seen, 12.0).p_value
    (1.0, 0.04)
    """
    known = np.isfinite(falls).all() and np.isfinite(energy).all()
    if not known or np.ptp(falls) == 0 or np.ptp(energy) == 0:
        return None
    correlations = _shifted(_standardized(falls), _standardized(energy))
    found = float(correlations.flat[0])
    most = int(np.argmax(energy))
    lost = falls / activity if activity > 0 else None
    return Match(
        n=falls.size,
        correlation=min(1.0, round(found, 12)),
        p_value=float((correlations >= found - _ROUNDING).mean()),
        hidden=float(energy.flat[most]),
        lost_there=None if lost is None else float(lost.flat[most]),
        lost_median=None if lost is None else float(np.median(lost)),
    )


def _standardized(values: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return ranks with mean 0 and a sum of squares of 1."""
    ranks: NDArray[np.float64] = rankdata(values).reshape(values.shape)
    centred = ranks - ranks.mean()
    standardized: NDArray[np.float64] = centred / np.sqrt(np.square(centred).sum())
    return standardized


def _shifted(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the correlation under each shift around the edges, without one first."""
    spectrum = np.fft.rfft2(first) * np.conj(np.fft.rfft2(second))
    correlations: NDArray[np.float64] = np.fft.irfft2(spectrum, s=first.shape)
    return correlations
