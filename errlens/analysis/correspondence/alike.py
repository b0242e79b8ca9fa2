"""How alike changes of features are over images, held against what chance makes of them.

The measure is that of M. D. Zeiler, R. Fergus, "Visualizing and Understanding Convolutional
Networks", ECCV 2014, section 4.4: the Hamming distance of the signs of changes, over all pairs.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

SPREAD: Final = (0.025, 0.975)  # the quantiles that 95 % of draws lie between
_AT_ONCE: Final = 256  # units, so that what is added up stays in a cache

Signs = NDArray[np.int8]


class Alike(NamedTuple):
    """How alike hiding a part changes n images, and hiding regions elsewhere.

    Distances are shares of units whose signs differ, from 0 to 1, averaged over all pairs of
    images. `random_mean` is that of one region an image, averaged over draws of it, and 95 % of the
    draws lie between `random_low` and `random_high`. `p_value` is how often a draw among the part
    and the regions of each image is as alike as the part is. `changed` are shares of units that
    change at all, of the part and of the regions. `strength` is how many times as far hiding the
    part moves features as hiding a region does, in the typical image, and `strong_distance` the
    distance of those regions that move them furthest, one an image. `single`, shape (n,), are
    distances of each image from the others, with the part hidden.
    """

    distance: float
    random_mean: float
    random_low: float
    random_high: float
    p_value: float
    changed: float
    random_changed: float
    strength: float
    strong_distance: float
    single: NDArray[np.float64]


def how_alike(signs: Signs, sizes: NDArray[np.float64], *, permutations: int, seed: int) -> Alike:
    """Return how alike the changes of a part are, and whether chance explains that.

    If the part is nothing special, it might in each image as well have been any of the regions:
    then the distance of the parts is one draw among those of the test, all as likely, and the
    p-value is exact, uniform where there are no ties. It is one-sided: small if parts are alike.

    Args:
        signs: Shape (n, 1 + k, units): -1, 0 and 1, of the part and of k regions; two images and
            one region at least.
        sizes: How far each moves features, shape (n, 1 + k).
        permutations: How many draws.
        seed: Decides what is drawn.
    """
    n, regions = signs.shape[0], signs.shape[1] - 1
    random = np.random.default_rng(seed)
    mixed = random.integers(0, 1 + regions, (permutations, n))
    elsewhere = random.integers(1, 1 + regions, (permutations, n))
    given = np.stack([np.zeros(n, np.int64), 1 + sizes[:, 1:].argmax(axis=1)])
    found = mean_distances(signs, np.concatenate([given, mixed, elsewhere]))
    observed, strong = found[:2]
    null, of_regions = np.split(found[2:], 2)
    low, high = np.quantile(of_regions, SPREAD)
    return Alike(
        distance=float(observed),
        random_mean=float(of_regions.mean()),
        random_low=float(low),
        random_high=float(high),
        # Distances are quotients of whole numbers: equal ones may differ in their last bits.
        p_value=float((1 + (null <= observed + 1e-12).sum()) / (1 + permutations)),
        changed=float((signs[:, 0] != 0).mean()),
        random_changed=float((signs[:, 1:] != 0).mean()),
        strength=_times_as_far(sizes),
        strong_distance=float(strong),
        single=single_distances(signs[:, 0]),
    )


def mean_distances(signs: Signs, choices: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the mean Hamming distance over all pairs of images, for each choice of a vector each.

    It is counted without forming pairs: of m signs of a unit that are equal, m (m - 1) / 2 pairs
    agree.

    Args:
        signs: Shape (n, v, units), of v vectors for each of at least two images.
        choices: Which vector of each image, shape (draws, n).

    >>> signs = np.array([[[1, 1, 0]], [[1, -1, 0]], [[1, 1, 1]]], np.int8)
    >>> mean_distances(signs, np.zeros((1, 3), int))  # 0, 2 and 2 of three pairs differ
    array([0.44444444])
    """
    n, vectors, units = signs.shape
    flat = signs.reshape(n * vectors, units)
    draws = len(choices)
    # Four times as fast as 32 bits, which sums over more images need.
    counts = np.int16 if n <= np.iinfo(np.int16).max else np.int32
    chosen = csr_array(
        (
            np.ones(draws * n, counts),
            (choices + vectors * np.arange(n)).ravel(),
            np.arange(0, draws * n + 1, n),
        ),
        shape=(draws, n * vectors),
    )
    agreeing = np.zeros(draws)  # ordered pairs, an image with itself among them
    for start in range(0, units, _AT_ONCE):
        block = flat[:, start : start + _AT_ONCE].astype(counts)
        total = (chosen @ block).astype(np.float64)  # how many more are 1 than -1
        changed = (chosen @ np.abs(block)).astype(np.float64)
        agreeing += ((total**2 + changed**2) / 2 + (n - changed) ** 2).sum(axis=1)
    distances: NDArray[np.float64] = 1 - (agreeing / units - n) / (n * (n - 1))
    return distances


def single_distances(signs: Signs) -> NDArray[np.float64]:
    """Return the mean Hamming distance of each image from all others, shape (n,).

    Args:
        signs: Shape (n, units), of at least two images.

    >>> single_distances(np.array([[1, 1], [1, -1], [1, 1]], np.int8))
    array([0.25, 0.5 , 0.25])
    """
    n = len(signs)
    equal = np.zeros(n)
    for sign in (-1, 0, 1):
        has = signs == sign
        equal += np.where(has, has.sum(axis=0), 0).mean(axis=1)
    return 1 - (equal - 1) / (n - 1)


def _times_as_far(sizes: NDArray[np.float64]) -> float:
    """Return the median over images of how far a part moves features, by the mean of regions."""
    moving = sizes[sizes[:, 1:].any(axis=1)]
    return float(np.median(moving[:, 0] / moving[:, 1:].mean(axis=1))) if len(moving) else np.nan
