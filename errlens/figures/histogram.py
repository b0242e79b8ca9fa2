"""A small histogram of two groups over one another, as pixels: a tile among photos."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from errlens.figures.gallery import COLOURS, SIDE
from errlens.figures.paper.sheet import Pixels

HEIGHT: Final = 120  # pixels
BINS: Final = 20
_WHITE: Final = 255
_INK: Final = 60
_TAIL: Final = 0.5  # per cent at either end that share the outer bins


def histogram_pixels(
    wrong: NDArray[np.floating], right: NDArray[np.floating], *, mark: float | None = None
) -> Pixels:
    """Draw how often values come among what is wrong, upwards, and what is right, downwards.

    Each group is scaled to its own highest bar; bars are of equal width from the lowest to the
    highest value but for half a per cent at either end.

    Args:
        wrong: Values of the errors; nan is left out.
        right: Values of the right images.
        mark: A value to be marked by a line.

    Returns:
        Shape (HEIGHT, SIDE, 3).

    >>> histogram_pixels(np.arange(10.0), np.arange(5.0)).shape
    (120, 200, 3)
    """
    wrong, right = (values[np.isfinite(values)] for values in (wrong, right))
    low, high = limits(np.concatenate([wrong, right]))
    paper = np.full((HEIGHT, SIDE, 3), _WHITE, np.uint8)
    middle = HEIGHT // 2
    edges = np.linspace(0, SIDE, BINS + 1).round().astype(int)
    for values, colour, up in ((wrong, "wrong", True), (right, "right", False)):
        bars, _ = np.histogram(np.clip(values, low, high), bins=BINS, range=(low, high))
        heights = np.ceil(bars / max(bars.max(), 1) * (middle - 2)).astype(int)
        for left, end, height in zip(edges[:-1], edges[1:], heights, strict=True):
            rows = slice(middle - height, middle) if up else slice(middle + 1, middle + 1 + height)
            paper[rows, left : end - 1] = COLOURS["wrong" if colour == "wrong" else "right"]
    paper[middle] = _INK
    if mark is not None and low <= mark <= high:
        paper[:, min(SIDE - 1, round((mark - low) / (high - low) * SIDE))] = _INK
    return paper


def limits(values: NDArray[np.floating]) -> tuple[float, float]:
    """Return the values at the ends of the axis.

    >>> limits(np.array([])), limits(np.array([2.0, 2.0]))
    ((0.0, 1.0), (1.5, 2.5))
    """
    if not len(values):
        return 0.0, 1.0
    low, high = np.percentile(values, [_TAIL, 100 - _TAIL])
    return (float(low), float(high)) if low < high else (float(low) - 0.5, float(high) + 0.5)
