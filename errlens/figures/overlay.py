"""Maps over images, as pixels: where a map is neutral the photo is as it was."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Final

import numpy as np
from matplotlib import colormaps
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]  # (height, width, 3)

# The ends of ColorBrewer's RdBu, which colour-blind readers can tell apart. Its middle is left out:
# white over a photo would be a veil, so between the ends there is the photo itself.
RED: Final = (202, 0, 32)
BLUE: Final = (5, 113, 176)

SEEN: Final = 0.99  # of the cells: the others have full colour

RED_BLUE: Final = "red-blue"
DEFAULT: Final = {True: RED_BLUE, False: "inferno"}  # for signed maps, and for others
FADING: Final = (RED_BLUE, "inferno", "magma", "viridis")
# Without a colour that reads as nothing: these cover the whole image, as MATLAB shows maps.
COVERING: Final = ("jet", "turbo")


def colormap_names() -> list[str]:
    """Return the names of all colour maps.

    >>> colormap_names()
    ['inferno', 'jet', 'magma', 'red-blue', 'turbo', 'viridis']
    """
    return sorted((*FADING, *COVERING))


def common_scale(maps: Iterable[NDArray[np.floating]]) -> float:
    """Return the absolute value that 99 % of the cells of some maps do not exceed.

    Of a map with a value for each pixel a few are so large that all others could not be seen beside
    them; of a small map this is the largest. 1.0 if there is none but zero.

    >>> common_scale([np.array([[0.5, -3.0]]), np.array([[2.0]])])
    3.0
    """
    cells = np.concatenate([np.abs(one).ravel() for one in maps] or [np.zeros(1)])
    most = float(np.quantile(cells, SEEN, method="higher"))
    return most or float(cells.max()) or 1.0


def overlay(
    image: Pixels,
    values: NDArray[np.float32],
    *,
    scale: float,
    alpha: float = 0.5,
    colormap: str | None = None,
    signed: bool = True,
) -> Pixels:
    """Return an image with a map over it.

    By default positive is red and negative blue, or, without a sign, bright is high. The opacity
    grows with the absolute value, up to `alpha`; with jet or turbo it is `alpha` everywhere.

    Args:
        image: As fed, shape (H, W, 3).
        values: The map, shape (h, w), in raw units. Each of its cells covers its share of the
            image; in between it is interpolated.
        scale: The positive value of full colour. Colours go from its negative, or from 0 if not
            `signed`; what is beyond is as at the end.
        alpha: The opacity of full colour, from 0 to 1.
        colormap: One of `colormap_names()`.
        signed: Whether negative values mean something.

    Returns:
        Pixels of shape (H, W, 3).
    """
    colours, opacity = _table(colormap or DEFAULT[signed], signed)
    height, width = image.shape[:2]
    # Pillow's pixels are areas: the corners of both pictures meet, not the centres of their pixels.
    fitted = Image.fromarray(values).resize((width, height), Image.Resampling.BILINEAR)
    steps = Image.fromarray(_steps(np.asarray(fitted) / np.float64(scale), signed))
    mask = steps.point(np.rint(opacity * (255 * alpha)).astype(int).tolist())
    steps.putpalette(colours)
    mixed = Image.composite(steps.convert("RGB"), Image.fromarray(image), mask)
    return np.array(mixed)


def _steps(shares: NDArray[np.float64], signed: bool) -> NDArray[np.uint8]:  # noqa: FBT001
    """Return the rows of the table for values as shares of the scale.

    With a sign row 128 is zero and there are as many above as below, so row 0 is not used.
    """
    low, step = (-1, 127) if signed else (0, 255)
    rows: Pixels = np.rint(shares.clip(low, 1) * step + 128 * signed).astype(np.uint8)
    return rows


@lru_cache(maxsize=16)
def _table(name: str, signed: bool) -> tuple[bytes, NDArray[np.float64]]:  # noqa: FBT001
    """Return the colours of 256 steps, as bytes of R, G, B, and their opacity, from 0 to 1."""
    if name not in colormap_names():
        raise ValueError(f"no colour map {name!r}; there are {', '.join(colormap_names())}")
    low, step = (-1.0, 127) if signed else (0.0, 255)
    shares = np.maximum((np.arange(256) - 128 * signed) / step, low)
    if name == RED_BLUE:
        colours = np.where(shares[:, None] < 0, BLUE, RED).astype(np.uint8)
    else:
        colours = colormaps[name]((shares - low) / (1 - low), bytes=True)[:, :3]
    return colours.tobytes(), np.ones(256) if name in COVERING else np.abs(shares)
