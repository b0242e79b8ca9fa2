"""Senses of a class: concepts that hardly share a source, as food and flower of the artichoke.

An image that shows one sense of a class shows no other: then points of one concept and points of
another come from different images, far more often than if points were spread over the images at
random.
"""

from itertools import combinations
from typing import Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import gammaln
from scipy.stats import binom

from errlens.analysis.statistics.significance import strongest_first
from errlens.run.csv_tables import NUMBER, TRUTH, WHOLE, Columns

SENSE_COLUMNS: Final[Columns] = {
    "concept_a": WHOLE,
    "concept_b": WHOLE,
    "n_a": WHOLE,  # images of the class with a point of the concept
    "n_b": WHOLE,
    "n_shared": WHOLE,  # with points of both
    "expected": NUMBER,  # of these, if points were spread at random
    "jaccard": NUMBER,  # images with both, of those with either
    "p_value": NUMBER,
    "q_value": NUMBER,
    "separate": TRUTH,
}
MOST_SHARED: Final = 0.05  # of the images of two concepts, where these hardly share a source
_LEVEL: Final = 0.05  # false discovery rate
_LEAST_IMAGES: Final = 10  # of each concept


class Spread(NamedTuple):
    """How many of n images share two concepts, and how many would if points were spread at random.

    `p_value` is the chance of so few or fewer.
    """

    n_shared: int
    expected: float
    p_value: float


def sense_table(concept: NDArray[np.integer], rows: NDArray[np.integer]) -> pd.DataFrame:
    """Return senses.csv: all pairs of concepts with enough images, the least alike first.

    Two concepts are separate where both have at least 10 images, at most 5 % of their images have
    both, and that is less than by chance (Benjamini-Hochberg, 5 %).

    Args:
        concept: Of each point that lies in an image of the class, -1 where it has none.
        rows: Its image.
    """
    images, image = np.unique(rows, return_inverse=True)
    n_points = np.bincount(image, minlength=len(images))
    concepts = np.unique(concept[concept >= 0])
    has = {
        number: np.bincount(image[concept == number], minlength=len(images)) > 0
        for number in concepts.tolist()
    }
    size = {number: int((concept == number).sum()) for number in has}
    common = [number for number in has if has[number].sum() >= _LEAST_IMAGES]
    pairs = list(combinations(common, 2))
    spreads = [
        spread_of(n_points, (size[a], size[b]), n_shared=int((has[a] & has[b]).sum()))
        for a, b in pairs
    ]
    either = [int((has[a] | has[b]).sum()) for a, b in pairs]
    columns = {
        "concept_a": [a for a, _ in pairs],
        "concept_b": [b for _, b in pairs],
        "n_a": [int(has[a].sum()) for a, _ in pairs],
        "n_b": [int(has[b].sum()) for _, b in pairs],
        "n_shared": [spread.n_shared for spread in spreads],
        "expected": [spread.expected for spread in spreads],
        "jaccard": [spread.n_shared / of for spread, of in zip(spreads, either, strict=True)],
        "p_value": np.array([spread.p_value for spread in spreads], np.float64),
    }
    table = strongest_first(columns)
    hardly = table["jaccard"] <= MOST_SHARED
    return table.assign(separate=hardly & (table["q_value"] <= _LEVEL))


def spread_of(n_points: NDArray[np.integer], sizes: tuple[int, int], *, n_shared: int) -> Spread:
    """Return how likely so few images share two concepts, were points spread at random.

    At random, an image with m points has a point of either concept by the hypergeometric
    distribution; images are taken one by one, so that the chance is a little too large: a concept
    that one image took is less likely in the next.

    Args:
        n_points: Points of each image, shape (images,).
        sizes: Points of each of the two concepts.
        n_shared: Images with both.

    >>> spread = spread_of(np.full(40, 4), (60, 60), n_shared=0)
    >>> round(spread.expected, 1), spread.p_value < 1e-9
    (28.2, True)
    """
    total = int(n_points.sum())
    chances = np.ones(1)
    expected = 0.0
    for m, n_images in zip(*np.unique(n_points, return_counts=True), strict=True):
        both = 1 - _without(total, sizes[0], m) - _without(total, sizes[1], m)
        both = float(np.clip(both + _without(total, sum(sizes), m), 0, 1))
        expected += float(n_images * both)
        of_these = binom.pmf(np.arange(n_images + 1), n_images, both)
        chances = np.convolve(chances, of_these)
    return Spread(n_shared, expected, float(min(1.0, chances[: n_shared + 1].sum())))


def _without(total: int, size: int, m: int) -> float:
    """Return the chance that none of m points of an image is of a concept of so many points."""
    if m > total - size:
        return 0.0
    logs = gammaln([total - size + 1, total - m + 1, total - size - m + 1, total + 1])
    return float(np.exp(logs[0] + logs[1] - logs[2] - logs[3]))
