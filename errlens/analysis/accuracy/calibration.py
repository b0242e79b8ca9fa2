"""How far confidence and accuracy agree: reliability bins and calibration errors."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

BINS = 15


class ReliabilityBin(NamedTuple):
    """Images whose confidence lies in (low, high]; means are None where there are none."""

    low: float
    high: float
    n: int
    confidence: float | None
    accuracy: float | None


def reliability(
    confidence: NDArray[np.floating], correct: NDArray[np.bool_], *, bins: int = BINS
) -> list[ReliabilityBin]:
    """Compare mean confidence with accuracy in bins of equal width over [0, 1].

    Both arrays have one entry an image.
    """
    edges = np.linspace(0, 1, bins + 1)
    place = np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, bins - 1)
    n = np.bincount(place, minlength=bins)
    sums = [np.bincount(place, weights=values, minlength=bins) for values in (confidence, correct)]
    means = [
        [float(total / count) if count else None for total, count in zip(column, n, strict=True)]
        for column in sums
    ]
    lows, highs = edges[:-1].tolist(), edges[1:].tolist()
    return [ReliabilityBin(*row) for row in zip(lows, highs, n.tolist(), *means, strict=True)]


def expected_calibration_error(bins: list[ReliabilityBin]) -> float | None:
    """Return the mean gap between confidence and accuracy, each bin weighted by its images.

    M. P. Naeini, G. F. Cooper, M. Hauskrecht, AAAI 2015. None without images.
    """
    total = sum(each.n for each in bins)
    if not total:
        return None
    gaps = (each.n * abs((each.confidence or 0) - (each.accuracy or 0)) for each in bins)
    return sum(gaps) / total


def equal_mass_bins(
    confidence: NDArray[np.floating], correct: NDArray[np.bool_], *, bins: int = BINS
) -> list[ReliabilityBin]:
    """Compare confidence with accuracy in bins that hold equally many images, give or take one.

    Equal confidences are taken in the order given.
    """
    order = np.argsort(confidence, kind="stable")
    groups = [group for group in np.array_split(order, bins) if len(group)]
    return [
        ReliabilityBin(
            float(confidence[group[0]]),
            float(confidence[group[-1]]),
            len(group),
            float(confidence[group].mean()),
            float(correct[group].mean()),
        )
        for group in groups
    ]
