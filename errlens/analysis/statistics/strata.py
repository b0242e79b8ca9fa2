"""More errors than expected, held against images of the same class: Mantel and Haenszel's test."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, ndtr


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
    tail of `corrected_tail`: given how many images of a stratum are chosen and how many are wrong,
    the wrong ones among the chosen are hypergeometric.

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


class Explained(NamedTuple):
    """What a choice of images explains: `errors` more than if they were as the others.

    `variance` is that of `errors` where the choice explains nothing.
    """

    observed: int
    errors: float
    variance: float


def explained_errors(
    chosen: NDArray[np.bool_], wrong: NDArray[np.bool_], strata: NDArray[np.integer]
) -> Explained:
    """Return how many errors end if a choice of images is as often wrong as the others.

    The excess of `excess_errors` counts the choice among what is expected of its strata, which is
    right for a test; here the others alone are what is expected. By the difference of risks common
    to all strata: S. Greenland, J. M. Robins, Biometrics 41 (1985) 55-68. Images of strata that
    are chosen as a whole have no others, and explain nothing.

    Args:
        chosen: Shape (n,).
        wrong: Shape (n,).
        strata: Whole numbers from 0 on, shape (n,).

    >>> wrong = np.array([True, True, False, False, False, True, False, False])
    >>> explained_errors(np.arange(8) < 4, wrong, np.zeros(8, int)).errors
    1.0
    """
    found = excess_errors(chosen, wrong, strata)
    n = np.bincount(strata).astype(float)
    inside = np.bincount(strata[chosen], minlength=len(n))
    with np.errstate(invalid="ignore"):
        weight = np.nan_to_num(inside * (n - inside) / n).sum()
    compared = inside[inside < n].sum()
    factor = compared / weight if weight else 0.0
    observed = int(found.observed[0])
    errors = float((found.observed - found.expected)[0] * factor)
    return Explained(observed, min(errors, observed), float(found.variance[0]) * factor**2)


def corrected_tail(
    observed: NDArray[np.float64], expected: NDArray[np.float64], variance: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the one-sided tail of at least so many; without variance nothing can differ: 1.

    The larger of two approximations: the normal one with continuity correction, and the binomial
    distribution of the same mean and variance. Few errors are skewed: of 5 expected, 16 or more
    come 50 times as often as the normal tail says. A sum of hypergeometric numbers is one of
    independent trials (J. Pitman, Journal of Combinatorial Theory A 77 (1997) 279-303), which the
    binomial follows closely where they are few.

    >>> corrected_tail(np.array([16.0]), np.array([5.0]), np.array([4.9])).round(6)
    array([5.5e-05])
    """
    mean, spread = np.maximum(expected, 1e-300), np.clip(variance, 0, expected)
    hits = np.maximum(observed, 1.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        deviations = (observed - expected - 0.5) / np.sqrt(variance)
        of_a_trial = np.maximum((mean - spread) / mean, 1e-9)  # towards the Poisson distribution
        trials = mean / of_a_trial
        binomial = np.where(
            hits <= trials, betainc(hits, np.maximum(trials - hits, 0) + 1, of_a_trial), 0.0
        )
    tail = np.maximum(ndtr(-np.nan_to_num(deviations)), np.where(observed > 0, binomial, 1.0))
    return np.where(variance > 0, tail, 1.0)
