"""How far a map can be believed: what is near in it should be near in truth, and the reverse.

J. Venna, S. Kaski, "Neighborhood preservation in nonlinear projection methods: An experimental
study", ICANN 2001, equation 1.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from errlens.analysis.embedding.distances import nearest_points, ranks_of

MOST_POINTS: Final = 2_000  # that figures are taken of
MOST_NEIGHBOURS: Final = 10


class Trust(NamedTuple):
    """Figures of a map, over n points and the k nearest of each among these.

    `trustworthiness` is 1 where all that are near in the map are near in truth; `kept` is the share
    of the k truly nearest that are among the k nearest in the map, `by_chance` what a map at random
    would keep. All are nan where there are fewer than four points.
    """

    trustworthiness: float
    kept: float
    by_chance: float
    n: int
    k: int


def trust(
    values: NDArray[np.floating], drawn: NDArray[np.floating], *, seed: int, most: int = MOST_POINTS
) -> Trust:
    """Hold a map against the vectors that it is of.

    Args:
        values: Shape (n, d).
        drawn: Where they are on the map, shape (n, 2).
        seed: Decides which points are taken where there are more than `most`.
        most: Points.
    """
    n = len(values)
    if n > most:
        taken = np.sort(np.random.default_rng(seed).choice(n, most, replace=False))
        values, drawn, n = values[taken], drawn[taken], most
    k = min(MOST_NEIGHBOURS, (n - 1) // 2)
    if n < 4:
        return Trust(np.nan, np.nan, np.nan, n, max(k, 0))
    seen = nearest_points(drawn, most=k).places
    true_ranks = ranks_of(values, seen)
    beyond = np.maximum(true_ranks - k, 0).sum()
    return Trust(
        trustworthiness=float(1 - 2 * beyond / (n * k * (2 * n - 3 * k - 1))),
        kept=float((true_ranks <= k).mean()),
        by_chance=k / (n - 1),
        n=n,
        k=k,
    )
