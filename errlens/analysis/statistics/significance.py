"""How likely something is by chance: tails, exact tests and false discovery rates."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import bdtr, betaln, gammaln
from scipy.stats import binom

_BLOCK: Final = 2**15  # terms that are added up at once


def beta_binomial_tail(
    least: ArrayLike, n: ArrayLike, alpha: ArrayLike, beta: ArrayLike
) -> NDArray[np.float64]:
    """Return P(X >= least) of X ~ BetaBin(n, alpha, beta), for arrays of one shape.

    Accurate to a relative error of about 1e-9 however small it is: terms are added away from the
    bulk of the distribution, never taken from one.

    Args:
        least: 0 to n.
        n: Trials.
        alpha: At least 1.
        beta: At least 1.

    >>> float(beta_binomial_tail(1, 1, 1, 3))  # the chance of the first kind is 1 in 4
    0.25
    """
    least, n, alpha, beta = np.broadcast_arrays(
        *(np.asarray(values, np.float64) for values in (least, n, alpha, beta))
    )
    shape = least.shape
    least, n, alpha, beta = (values.ravel() for values in (least, n, alpha, beta))
    above = least > n * alpha / (alpha + beta)
    tail = np.empty(len(least))
    tail[above] = _sum_up(least[above], n[above], alpha[above], beta[above])
    # From least - 1 downwards is the same with successes and failures exchanged.
    rest = ~above
    below = _sum_up(n[rest] - least[rest] + 1, n[rest], beta[rest], alpha[rest])
    tail[rest] = 1 - below
    return np.clip(tail, 0, 1).reshape(shape)


def benjamini_hochberg(p_value: NDArray[np.float64], *, tests: int) -> NDArray[np.float64]:
    """Return the smallest false discovery rate at which each test would be reported.

    Y. Benjamini, Y. Hochberg, Journal of the Royal Statistical Society B 57 (1995) 289-300. Of
    `tests` in all, those that are not among `p_value`, shape (n,), have p = 1.

    >>> benjamini_hochberg(np.array([0.01, 0.02]), tests=10).tolist()
    [0.1, 0.1]
    """
    order = np.argsort(p_value, kind="stable")
    scaled = p_value[order] * tests / np.arange(1, len(p_value) + 1)
    q_value = np.empty(len(p_value))
    q_value[order] = np.minimum.accumulate(scaled[::-1])[::-1]
    return np.minimum(q_value, 1)


def strongest_first(columns: Mapping[str, Any], **conclusions: Any) -> pd.DataFrame:
    """Return a table of tests with their q-values, the smallest `p_value` first; ties as they come.

    Args:
        columns: What is tested, with `p_value`; that and the q-value stand behind all others.
        conclusions: Columns that come last.
    """
    table = pd.DataFrame(columns)
    p_value = table.pop("p_value")
    q_value = benjamini_hochberg(p_value.to_numpy(), tests=len(p_value))
    table = table.assign(p_value=p_value, q_value=q_value, **conclusions)
    return table.sort_values("p_value", kind="stable", ignore_index=True)


def sign_test(more: ArrayLike, less: ArrayLike) -> NDArray[np.float64]:
    """Return how likely `more` of all are at least so many, were more and less equally likely.

    >>> float(sign_test(5, 0))  # 1 in 32
    0.03125
    """
    hits, misses = np.asarray(more, np.int64), np.asarray(less, np.int64)
    return np.asarray(binom.sf(hits - 1, hits + misses, 0.5), np.float64)


def mcnemar_exact(broken: ArrayLike, fixed: ArrayLike) -> NDArray[np.float64]:
    """Return how likely a split of discordant pairs at least as uneven is, for arrays of one shape.

    The exact two-sided test of Q. McNemar, Psychometrika 12 (1947) 153-157: by chance, each of the
    pairs falls on either side with a probability of one half.

    >>> float(mcnemar_exact(0, 5))  # twice 1 in 32
    0.0625
    """
    lost, won = np.asarray(broken, np.int64), np.asarray(fixed, np.int64)
    # The two tails meet where both sides are alike.
    return np.asarray(np.minimum(1.0, 2 * bdtr(np.minimum(lost, won), lost + won, 0.5)))


def _sum_up(
    start: NDArray[np.float64],
    n: NDArray[np.float64],
    alpha: NDArray[np.float64],
    beta: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the sum of the probabilities of start, start + 1, ... n; 0 beyond n."""
    total = np.zeros(len(start))
    active = np.flatnonzero(start <= n)
    x, n, a, b = start[active], n[active], alpha[active], beta[active]
    term = np.exp(
        gammaln(n + 1) - gammaln(x + 1) - gammaln(n - x + 1)
        + betaln(x + a, n - x + b) - betaln(a, b)
    )  # fmt: skip
    while len(active):
        steps = np.arange(np.clip(_BLOCK // len(active), 1, _BLOCK // 8))
        at = x[:, None] + steps
        left = np.maximum(n[:, None] - at, 0)  # 0 from the last term on: no ratio after it
        ratio = left * (at + a[:, None]) / ((at + 1) * (np.maximum(left - 1, 0) + b[:, None]))
        terms = term[:, None] * np.cumprod(ratio, axis=1)
        total[active] += term + terms[:, :-1].sum(axis=1)
        going = terms[:, -1] > total[active] * np.finfo(float).eps
        active, term, x = active[going], terms[going, -1], x[going] + len(steps)
        n, a, b = n[going], a[going], b[going]
    return total
