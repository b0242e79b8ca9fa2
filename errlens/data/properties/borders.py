"""Uniform borders: bars above and below, beside, or a frame, each of one colour."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

# What JPEG makes of a bar of one colour: luma within so many shades but for a few pixels of a line,
# and colour, which is stored coarsely, within more in the mean. The outermost line is away from
# where the photo begins: held to less, it is a clear sky only half as often.
_OUTERMOST: Final = 8
_LUMA: Final = 12
_UNLIKE: Final = 0.06  # share of a line
_CHROMA: Final = 16


class Borders(NamedTuple):
    """How far a border of one colour reaches in from each side, as a share of that extent."""

    top: float = 0.0
    right: float = 0.0
    bottom: float = 0.0
    left: float = 0.0

    @property
    def area(self) -> float:
        """The share of the picture that is border."""
        inside = max(0.0, 1 - self.top - self.bottom) * max(0.0, 1 - self.left - self.right)
        return 1 - inside


def find_borders(image: Image.Image, luma: NDArray[np.uint8]) -> Borders:
    """Return the borders of an RGB image, of which `luma` are the shades of grey.

    One that is of one colour is all border, from the top. Bars above and below are looked
    for first, then bars beside what is left between them.

    >>> letterboxed = Image.new("RGB", (8, 8))
    >>> letterboxed.paste(Image.linear_gradient("L").resize((8, 4)), (0, 2))
    >>> find_borders(letterboxed, np.asarray(letterboxed.convert("L")))
    Borders(top=0.25, right=0.0, bottom=0.25, left=0.0)
    """
    height, width = luma.shape
    edges = (luma[0], luma[-1], luma[:, 0], luma[:, -1])
    if not any(_is_uniform(edge) for edge in edges):
        # As in most photos; a frame, too, has an edge that is.
        return Borders()
    pixels = np.asarray(image.convert("YCbCr"))
    top, bottom = _both_ends(pixels)
    between = pixels[top : height - bottom].swapaxes(0, 1)
    left, right = _both_ends(between) if between.size else (0, 0)
    return Borders(top / height, right / width, bottom / height, left / width)


def _both_ends(lines: NDArray[np.uint8]) -> tuple[int, int]:
    """Return how many lines from the first on, and from the last, are border; none is both."""
    first = _depth(lines)
    return first, min(_depth(lines[::-1]), len(lines) - first)


def _is_uniform(line: NDArray[np.uint8]) -> bool:
    """Tell whether a line of luma is of one shade."""
    return bool(_alike(line[np.newaxis], _median(line), _OUTERMOST)[0])


def _median(values: NDArray[np.uint8]) -> NDArray[np.int16]:
    """Return the upper median along the first axis; numpy's own takes long for a few values."""
    middle: NDArray[np.int16] = np.sort(values, axis=0)[len(values) // 2].astype(np.int16)
    return middle


def _alike(luma: NDArray[np.uint8], shade: NDArray[np.int16], within: int) -> NDArray[np.bool_]:
    """Tell which lines, the rows of an array, are of a shade, within so many shades."""
    away = np.abs(luma - shade) > within
    return np.asarray(np.count_nonzero(away, axis=1) <= _UNLIKE * luma.shape[1])


def _depth(lines: NDArray[np.uint8]) -> int:
    """Return how many lines of (lines, pixels, YCbCr) from the first on are of its one colour."""
    if not _is_uniform(lines[0, :, 0]):
        return 0
    colour = _median(lines[0])
    chroma = np.abs(lines[:, :, 1:] - colour[1:]).mean(axis=1).max(axis=1)
    same = _alike(lines[:, :, 0], colour[0], _LUMA) & (chroma <= _CHROMA)
    return len(same) if same.all() else int(same.argmin())
