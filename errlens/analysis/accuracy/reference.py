"""What a metric has to be held against: knowing nothing, and what calibration could reach."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from errlens.analysis.accuracy.calibration import (
    ReliabilityBin,
    expected_calibration_error,
    reliability,
)

_AT_ONCE: Final = 10_000  # rows of logits


def prior_nll(n: NDArray[np.integer]) -> float:
    """Return the NLL of giving each class the share of the images that it has; `n` are its images.

    >>> round(prior_nll(np.array([5, 5])), 4)
    0.6931
    """
    shares = n[n > 0] / n.sum()
    return float(-(shares * np.log(shares)).sum())


def prior_brier(n: NDArray[np.integer]) -> float:
    """Return the Brier score, summed over classes, of the same.

    >>> prior_brier(np.array([5, 5]))
    0.5
    """
    return float(1 - ((n / n.sum()) ** 2).sum())


def ece_by_chance(bins: Sequence[ReliabilityBin]) -> float:
    """Return the ECE to expect of so many images where confidences are true.

    The share of right ones among n images of true confidence c is about normal around c, with
    variance c (1 - c) / n; its mean distance from c is that of half a normal distribution.

    >>> round(ece_by_chance([ReliabilityBin(0.0, 1.0, 100, 0.5, 0.4)]), 4)
    0.0399
    """
    known = [(each.n, each.confidence) for each in bins if each.n and each.confidence is not None]
    total = sum(n for n, _ in known)
    spread = (n * np.sqrt(max(c * (1 - c), 0.0) / n) for n, c in known)
    return float(np.sqrt(2 / np.pi) * sum(spread) / total) if total else 0.0


def ece_at(
    logits: NDArray[np.floating], label: NDArray[np.integer], temperature: NDArray[np.floating]
) -> float | None:
    """Return the ECE of logits, shape (n, classes), divided by a temperature each, shape (n,)."""
    confidence, correct = np.empty(len(label)), np.empty(len(label), bool)
    for start in range(0, len(label), _AT_ONCE):
        block = slice(start, start + _AT_ONCE)
        prob = softmax(logits[block].astype(np.float64) / temperature[block, None], axis=1)
        confidence[block] = prob.max(axis=1)
        correct[block] = prob.argmax(axis=1) == label[block]
    return expected_calibration_error(reliability(confidence, correct))
