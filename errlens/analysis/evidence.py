"""How much of the evidence lies where the object is: "it looks at the background" as a number."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def evidence_share(values: NDArray[np.float32], region: NDArray[np.float32] | None) -> float | None:
    """Return the share of the positive part of a map that lies in a region.

    Args:
        values: A map of shape (h, w), of any size.
        region: The share of each pixel that is inside, shape (height, width), 0 to 1.

    Returns:
        0 to 1; None without a region, or where nothing is positive.

    >>> evidence_share(np.float32([[1, 3], [-5, 0]]), np.float32([[0, 1], [1, 1]]))
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
