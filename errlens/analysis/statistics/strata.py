"""More errors than expected, held against images of the same class: Mantel and Haenszel's test."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr


class Excess(NamedTuple):
    """Errors in each of k choices of images, against those expected stratum by stratum.

    Arrays of shape (k,); `p_value` is one-sided, of so many errors or more.
    """

    observed: NDArray[np.float64]
    expected: NDArray[np.float64]
    variance: NDArray[np.float64]
    p_value: NDArray[np.float64]


def excess_errors(
    chosen: NDArray[np.bool_], wrong: NDArray[np.bool_], strata: NDArray[np.integer]
) -> Excess:
    """Compare the errors of choices of images with what chance leaves there, within strata.

    N. Mantel, W. Haenszel, Journal of the National Cancer Institute 22 (1959) 719-748, with the
    continuity correction: given how many images of a stratum are chosen and how many are wrong, the
    wrong ones among the chosen are hypergeometric.

    Args:
        chosen: Shape (k, n), or (n,) for one choice.
        wrong: Shape (n,).
        strata: Whole numbers from 0 on, shape (n,); the true classes, as a rule.

    >>> wrong = np.array([True, True, False, False, False, False])
    >>> found = excess_errors(wrong, wrong, np.zeros(6, int))
    >>> found.observed.tolist(), found.expected.round(3).tolist()
    ([2.0], [0.667])
    """
    choices = np.atleast_2d(chosen)
    n_strata = int(strata.max(initial=-1)) + 1
    n = np.bincount(strata, minlength=n_strata).astype(float)
    errors = np.bincount(strata, weights=wrong, minlength=n_strata)
    inside = np.array([np.bincount(strata[each], minlength=n_strata) for each in choices], float)
    observed = (choices & wrong).sum(axis=1).astype(float)
    with np.errstate(invalid="ignore", divide="ignore"):
        rate = np.nan_to_num(errors / n)
        spread = np.nan_to_num(rate * (1 - rate) * inside * (n - inside) / (n - 1), posinf=0.0)
    expected, variance = inside @ rate, spread.sum(axis=1)
    return Excess(observed, expected, variance, corrected_tail(observed, expected, variance))


def corrected_tail(
    observed: NDArray[np.float64], expected: NDArray[np.float64], variance: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the one-sided normal tail of at least so many, with continuity correction.

    Without variance nothing can differ: 1.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        deviations = (observed - expected - 0.5) / np.sqrt(variance)
    return np.where(variance > 0, ndtr(-np.nan_to_num(deviations)), 1.0)
