"""The temperature that makes probabilities mean what they say, found without the images it is for.

C. Guo et al., On Calibration of Modern Neural Networks, ICML 2017: the logits are divided by one
number. Where some labels may be wrong, a few of those under a model that is sure would outweigh all
others: then the likelihood allows for them.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

FOLDS: Final = 5
MOST: Final = 5_000  # images that one number is fitted to
WRONG_LABELS: Final = 0.03  # share of labels that may be any class
_BOUNDS: Final = (np.log(0.05), np.log(20.0))


def temperatures(
    logits: NDArray[np.floating],
    label: NDArray[np.integer],
    *,
    wrong_labels: float = WRONG_LABELS,
    seed: int = 0,
) -> NDArray[np.float64]:
    """Return the temperature for each image, fitted to images of the other folds; shape (n,).

    Args:
        logits: Shape (n, k), of any offset a row; rows that are not finite are fitted to nowhere.
        label: Shape (n,), from 0 to k - 1.
        wrong_labels: The share of labels that may be any class.
        seed: Deals the images out to the folds.
    """
    n = len(label)
    folds = np.random.default_rng(seed).permutation(n) % FOLDS
    finite = np.isfinite(logits).all(axis=1)
    found = np.ones(n)
    for fold in range(min(FOLDS, n)):
        others = np.flatnonzero((folds != fold) & finite)[:: 1 + n // MOST]
        if len(others):
            found[folds == fold] = temperature(
                logits[others], label[others], wrong_labels=wrong_labels
            )
    return found


def temperature(
    logits: NDArray[np.floating],
    label: NDArray[np.integer],
    *,
    wrong_labels: float = WRONG_LABELS,
) -> float:
    """Return the temperature under which these labels are likeliest, from 0.05 to 20."""
    wide = logits.astype(np.float64)
    own = np.arange(len(label)), label
    chance = wrong_labels / wide.shape[1]

    def loss(log_t: float) -> float:
        probability = np.exp(log_softmax(wide / np.exp(log_t), axis=1)[own])
        return float(-np.log((1 - wrong_labels) * probability + chance).mean())

    return float(np.exp(minimize_scalar(loss, bounds=_BOUNDS, method="bounded").x))


def certainty_logits(confidence: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return logits of "right" and "wrong", shape (n, 2), where only the confidence is known.

    With label 0 for right and 1 for wrong they have a temperature like any others.
    """
    sure = np.clip(confidence.astype(np.float64), 1e-7, 1 - 1e-7)
    return np.stack([np.log(sure), np.log1p(-sure)], axis=1)
