"""The energy-based pointing game: how much of the evidence lies where the object is.

H. Wang et al., "Score-CAM: Score-Weighted Visual Explanations for Convolutional Neural Networks",
CVPR workshops 2020, section 4.3: the proportion of the energy of a map that falls inside a region.
Here only positive values, which speak for the score, count as energy.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.stats import wilcoxon


def energy_inside(values: NDArray[np.float32], region: NDArray[np.float32] | None) -> float | None:
    """Return the proportion of the positive energy of a map that lies inside a region.

    Args:
        values: A map of shape (h, w), of any size.
        region: The share of each pixel that is inside, shape (height, width), 0 to 1.

    Returns:
        0 to 1; None without a region, or where nothing is positive.

    >>> energy_inside(np.float32([[1, 3], [-5, 0]]), np.float32([[0, 1], [1, 1]]))
    0.75
    """
    if region is None:
        return None
    positive = values.clip(min=0)
    # Each cell covers its share of the image; one larger than a pixel does so evenly.
    height, width = region.shape
    if positive.shape != region.shape:
        resized = Image.fromarray(positive).resize((width, height), Image.Resampling.BOX)
        positive = np.asarray(resized)
    total = float(positive.sum(dtype=np.float64))
    if total <= 0:
        return None
    return float((positive * region).sum(dtype=np.float64)) / total


class Evidence(NamedTuple):
    """Shares of the evidence of n images held against the shares of area they would have by chance.

    `share` and `area` are means over the images, `lift` is their ratio. `p_value` is two-sided: how
    often shares of evidence spread evenly differ as much from the areas, in Wilcoxon's signed-rank
    test of the differences. `lift` and `p_value` are None where there is nothing to divide or test.
    """

    n: int
    share: float
    area: float
    lift: float | None
    p_value: float | None


def held_against_area(shares: Sequence[float], areas: Sequence[float]) -> Evidence:
    """Say whether evidence lies in a region more than the region's area explains.

    Args:
        shares: Of the evidence in the region, one for each of at least one image.
        areas: Of the image in the region.

    >>> held_against_area([0.6, 0.7, 0.8, 0.7, 0.6, 0.9], [0.5, 0.3, 0.5, 0.4, 0.4, 0.6]).p_value
    0.03125
    >>> held_against_area([0.5, 0.7], [0.5, 0.7])
    Evidence(n=2, share=0.6, area=0.6, lift=1.0, p_value=None)
    """
    share, area = float(np.mean(shares)), float(np.mean(areas))
    # Rounded: differences that are alike but for the last digit are ties.
    above = np.round(np.subtract(shares, areas), 12)
    p_value = float(wilcoxon(above).pvalue) if above.any() else None
    return Evidence(len(above), share, area, share / area if area > 0 else None, p_value)
