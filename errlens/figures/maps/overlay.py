"""Maps over images, as pixels: where a map is neutral the photo is as it was."""

import math
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final

import numpy as np
from matplotlib import colormaps
from numpy.typing import NDArray
from PIL import Image

from errlens.choices import Upsampling
from errlens.data.photos.preprocess import Box
from errlens.figures.paper.sheet import Pixels

_RESAMPLING: Final = {
    # Enlarged by Pillow's box a cell is a rectangle of one colour; made smaller, none is left out.
    "nearest": Image.Resampling.BOX,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
}

# Of middle lightness (CIELAB L* 53 to 57): below them black fur gets lighter, and snow darker. Red
# and blue are told apart by colour-blind readers, too. Between the ends of a signed map there is
# the photo itself: white over a photo would be a veil.
RED: Final = (240, 56, 62)
BLUE: Final = (28, 138, 240)
PURPLE: Final = (196, 84, 222)

SEEN: Final = 0.99  # of the cells of a fine map: the others have full colour
FINE: Final = 64 * 64  # cells; grids of layers and of masks are coarser

RED_BLUE: Final = "red-blue"
ONE_COLOUR: Final = "purple"
DEFAULT: Final = {True: RED_BLUE, False: ONE_COLOUR}  # for signed maps, and for others
FADING: Final = (RED_BLUE, ONE_COLOUR, "inferno", "magma", "viridis")
# Without a colour that reads as nothing: these cover the whole image, as MATLAB shows maps.
COVERING: Final = ("jet", "turbo")


def colormap_names() -> list[str]:
    """Return the names of all colour maps.

    >>> colormap_names()
    ['inferno', 'jet', 'magma', 'purple', 'red-blue', 'turbo', 'viridis']
    """
    return sorted((*FADING, *COVERING))


def common_scale(maps: Iterable[NDArray[np.floating]]) -> float:
    """Return the absolute value at which the colours of some maps end.

    It is the largest there is. Only of a map with a value for each pixel a few are so large that
    all others could not be seen beside them: it counts with what 99 % of its cells do not exceed.
    1.0 if there is none but zero.

    >>> common_scale([np.array([[0.5, -3.0]]), np.array([[2.0]])])
    3.0
    """
    cells = [np.abs(values).ravel() for values in maps if values.size]
    seen = max((_seen(map_cells) for map_cells in cells), default=0.0)
    return seen or max((float(map_cells.max()) for map_cells in cells), default=0.0) or 1.0


def _seen(cells: NDArray[np.floating]) -> float:
    """Return the absolute value of one map at which its colours may end."""
    if cells.size < FINE:
        return float(cells.max())
    return float(np.quantile(cells, SEEN, method="higher"))


def overlay(  # noqa: PLR0913 - one name for each thing that can be chosen
    image: Pixels,
    values: NDArray[np.float32],
    *,
    scale: float,
    alpha: float = 0.5,
    colormap: str | None = None,
    signed: bool = True,
    upsampling: Upsampling = "bilinear",
    box: Box | None = None,
) -> Pixels:
    """Return an image with a map over it.

    By default positive is red and negative blue or, without a sign, high is purple. The opacity
    grows with the absolute value, up to `alpha`; with jet or turbo it is `alpha` everywhere. Where
    the map does not reach, the image is grey and of half the contrast, in all colour maps.

    Args:
        image: Shape (H, W, 3).
        values: The map, shape (h, w), in raw units. Each of its cells covers its share of the box.
        scale: The positive value of full colour. Colours go from its negative, or from 0 if not
            `signed`; what is beyond is as at the end.
        alpha: The opacity of full colour, from 0 to 1.
        colormap: One of `colormap_names()`.
        signed: Whether negative values mean something.
        upsampling: What is between the middles of cells; with nearest they have edges. Bicubic
            overshoots beside steep ones.
        box: Where the map lies: left, top, right, bottom in pixels of the image, of which it may
            cover a part, or reach beyond. By default it covers the image. A pixel is in it if its
            middle is.

    Returns:
        Pixels of shape (H, W, 3).
    """
    table = _table(colormap or DEFAULT[signed], signed)
    rows, columns, fitted = placed(values, image.shape[:2], box, upsampling)
    shown = _unseen(image)
    if fitted.size:
        steps = _steps(fitted / np.float64(scale), signed)
        shown[rows, columns] = _coloured(image[rows, columns], steps, *table, alpha)
    return shown


def placed(
    values: NDArray[np.float32], shape: tuple[int, int], box: Box | None, upsampling: Upsampling
) -> tuple[slice, slice, NDArray[np.float32]]:
    """Return the rows and columns of an image of some shape that a map covers, and it in pixels."""
    left, top, right, bottom = box or (0, 0, shape[1], shape[0])
    columns = _within(left, right, shape[1])
    rows = _within(top, bottom, shape[0])
    size = (rows.stop - rows.start, columns.stop - columns.start)
    if not all(size):
        return rows, columns, np.empty(size, np.float32)
    high, wide = values.shape
    across = [wide * share for share in _shares(columns, left, right)]
    down = [high * share for share in _shares(rows, top, bottom)]
    return rows, columns, _resampled(values, across, down, size, upsampling)


def _within(start: float, stop: float, length: int) -> slice:
    """Return the pixels of a side, 0 to `length`, whose middles lie between two places."""
    first, last = (min(max(0, math.ceil(edge - 0.5)), length) for edge in (start, stop))
    return slice(first, max(first, last))


def _shares(pixels: slice, start: float, stop: float) -> list[float]:
    """Return where some pixels begin and end, as shares of the way between two places."""
    shares = [(edge - start) / (stop - start) for edge in (pixels.start, pixels.stop)]
    # Of a box that is a speck in its pixel, the pixel shows enough with a whole map to either side.
    return [min(max(-1.0, share), 2.0) for share in shares]


def _unseen(image: Pixels) -> Pixels:
    """Return an image without colour and with half the contrast: neither white nor black is left.

    Both the brightest and the darkest photo differ from this, whatever the colour map.
    """
    grey = Image.fromarray(image).convert("L").point([64 + level // 2 for level in range(256)])
    return np.array(grey.convert("RGB"))


def _resampled(
    values: NDArray[np.float32],
    across: Sequence[float],
    down: Sequence[float],
    shape: tuple[int, int],
    upsampling: Upsampling,
) -> NDArray[np.float32]:
    """Bring a part of a map, from and to places in cells across and down, to a shape in pixels."""
    # A pixel with its middle in the map may have an edge beyond; there the map goes on as it ends.
    over = max(-across[0], across[1] - values.shape[1], -down[0], down[1] - values.shape[0], 0)
    more = math.ceil(over)
    picture = Image.fromarray(np.pad(values, more, mode="edge") if more else values)
    part = (across[0] + more, down[0] + more, across[1] + more, down[1] + more)
    # Pillow's pixels are areas: the corners of both pictures meet, not the centres of their pixels.
    return np.asarray(picture.resize(shape[::-1], _RESAMPLING[upsampling], box=part))


def _coloured(
    image: Pixels,
    steps: NDArray[np.uint8],
    colours: bytes,
    opacity: NDArray[np.float64],
    alpha: float,
) -> Pixels:
    """Lay the colours of some steps, shape (H, W), over an image of the same size."""
    picture = Image.fromarray(steps)
    mask = picture.point(np.rint(opacity * (255 * alpha)).astype(int).tolist())
    picture.putpalette(colours)
    mixed = Image.composite(picture.convert("RGB"), Image.fromarray(image), mask)
    return np.asarray(mixed)


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
    elif name == ONE_COLOUR:
        colours = np.full((256, 3), PURPLE, np.uint8)
    else:
        colours = colormaps[name]((shares - low) / (1 - low), bytes=True)[:, :3]
    return colours.tobytes(), np.ones(256) if name in COVERING else np.abs(shares)
