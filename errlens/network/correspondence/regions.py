"""Where a part lies in what the network is fed, and regions of its size that lie elsewhere."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from errlens.attribution.masks import Box
from errlens.data.photos.preprocess import Box as PhotoBox

MOST_OVERLAP: Final = 0.25  # with the part, as a share of a region
LEAST_COVERED: Final = 0.75  # of the object, as a share of what the part has of it
LEAST_INSIDE: Final = 0.25  # of a part, that lies in the outline of the object
LEAST_SEEN: Final = 0.5  # of a part, that is not cropped away


def as_fed(box: PhotoBox, input_box: PhotoBox, size: tuple[int, int]) -> tuple[Box, float]:
    """Return where a box of a photo lies in the input, and which share of it the input shows.

    Args:
        box: Left, top, right, bottom in pixels of the photo.
        input_box: Where in the photo the input lies, likewise.
        size: (height, width) of the input, in pixels.

    >>> as_fed((10, 10, 30, 20), (20, 0, 60, 40), (20, 20))
    (Box(top=5, left=0, bottom=10, right=5), 0.5)
    """
    left, right, across = _span(box[0], box[2], input_box[0], input_box[2], size[1])
    top, bottom, down = _span(box[1], box[3], input_box[1], input_box[3], size[0])
    return Box(top, left, bottom, right), across * down


def _span(first: float, last: float, start: float, end: float, side: int) -> tuple[int, int, float]:
    """Return the first pixel of an edge and that after its last, and which share is seen."""
    scale = side / (end - start)
    low, high = np.clip([(first - start) * scale, (last - start) * scale], 0, side)
    begin = min(round(low), side - 1)
    return begin, max(begin + 1, round(high)), float((high - low) / ((last - first) * scale))


def shares_inside(inside: NDArray[np.float32], height: int, width: int) -> NDArray[np.float64]:
    """Return which share of a rectangle lies inside, for each place of its upper left corner.

    Args:
        inside: The share of each pixel that does, shape (H, W).
        height: Of the rectangle, in pixels; at most H.
        width: Likewise, at most W.

    Returns:
        Shape (H - height + 1, W - width + 1).
    """
    total = np.pad(inside.astype(np.float64).cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))
    upper, lower = total[:-height], total[height:]
    sums = lower[:, width:] - lower[:, :-width] - upper[:, width:] + upper[:, :-width]
    shares: NDArray[np.float64] = sums / (height * width)
    return shares


def regions_elsewhere(
    part: Box, inside: NDArray[np.float32], k: int, random: np.random.Generator
) -> NDArray[np.int64] | None:
    """Draw regions of a part's size and shape, as likely each, that lie inside and elsewhere.

    At most a quarter of a region is common with the part, and at least three quarters as much of it
    lies inside as of the part.

    Args:
        part: In pixels of the input.
        inside: The share of each pixel that lies in the object, shape (H, W).
        k: How many, all different.
        random: Draws.

    Returns:
        Shape (k, 4), each a `Box`; None where there are fewer.
    """
    height, width = part.bottom - part.top, part.right - part.left
    shares = shares_inside(inside, height, width)
    rows, columns = (np.arange(side) for side in shares.shape)
    common = np.outer(
        (height - np.abs(rows - part.top)).clip(min=0),
        (width - np.abs(columns - part.left)).clip(min=0),
    )
    least = LEAST_COVERED * shares[part.top, part.left] - 1e-9
    places = np.argwhere((shares >= least) & (common <= MOST_OVERLAP * height * width))
    if len(places) < k:
        return None
    corners = places[random.choice(len(places), k, replace=False)]
    return np.concatenate([corners, corners + np.array([height, width])], axis=1)
