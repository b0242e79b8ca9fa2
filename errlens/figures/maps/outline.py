"""The outline of a map's strongest area: a light line beside a dark one, seen on any photo."""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from errlens.choices import Upsampling
from errlens.data.photos.preprocess import Box
from errlens.figures.maps.overlay import FINE, placed
from errlens.figures.paper.sheet import Pixels

STRONGEST: Final = 0.2  # of all that a map holds, for and against, is inside of the outline
MOST: Final = 0.5  # of a picture: what covers more is no area to be pointed at
SMOOTHED: Final = 1 / 40  # of the sides of a fine map: its single pixels are no area
LIGHT: Final = 2  # pixels of the light line, inside
DARK: Final = 1  # pixels of the dark line, outside
DASH: Final = 4  # pixels of a dash where the area speaks against


def outlined(
    shown: Pixels, values: NDArray[np.float32], *, box: Box | None, upsampling: Upsampling
) -> Pixels:
    """Return a picture, shape (H, W, 3), with an outline of the strongest area of the map on it.

    It is solid where the area speaks for the target, and dashed where it speaks against it, which
    can be told without colours. `box` and `upsampling` are as `overlay` has them.
    """
    strength, signs = np.abs(values), values
    if values.size >= FINE:
        width = [SMOOTHED * side for side in values.shape]
        strength, signs = (ndimage.gaussian_filter(drawn, width) for drawn in (strength, signs))
    rows, columns, fitted = placed(signs, shown.shape[:2], box, upsampling)
    if values.size >= FINE:
        _, _, strength = placed(strength, shown.shape[:2], box, upsampling)
        inside = strongest_area(strength)
    else:
        inside = strongest_area(np.abs(fitted))
    if not inside.any():
        return shown
    whole = shown.copy()
    whole[rows, columns] = edged(whole[rows, columns], inside, dashed=fitted < 0)
    return whole


def edged(
    picture: Pixels, inside: NDArray[np.bool_], *, dashed: bool | NDArray[np.bool_] = False
) -> Pixels:
    """Return a picture, shape (H, W, 3), with a light line along the inner edge of an area in it.

    Outside of that runs a dark one. Where it is `dashed`, lines have gaps.
    """
    outer = ndimage.binary_dilation(inside, iterations=DARK) & ~inside
    inner = inside & ~ndimage.binary_erosion(inside, iterations=LIGHT, border_value=1)
    y, x = np.indices(inside.shape)
    drawn = ~np.asarray(dashed) | ((x // DASH + y // DASH) % 2 == 0)
    lined = picture.copy()
    lined[outer & drawn] = 0
    lined[inner & drawn] = 255
    return lined


def strongest_area(strength: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return which pixels are the strongest that together hold a fifth of all there is.

    Those as strong as the weakest of them count as well. None where that is half of the picture or
    more, as of a map that is the same everywhere.

    Args:
        strength: At least 0, shape (H, W).

    >>> strongest_area(np.float32([[0, 1, 2], [1, 5, 1]])).astype(int)
    array([[0, 0, 0],
           [0, 1, 0]])
    """
    falling = np.sort(strength, axis=None)[::-1].astype(np.float64)
    if not falling.size or not falling[0] > 0:
        return np.zeros(strength.shape, np.bool_)
    # Divided first: the sum of the largest numbers there are would be infinite.
    sums = (falling / falling[0]).cumsum()
    level = falling[np.searchsorted(sums, STRONGEST * sums[-1])]
    inside: NDArray[np.bool_] = strength >= np.float32(level)
    return inside if inside.mean() < MOST else np.zeros_like(inside)
