"""A map of images as small photos: as many as find room without covering one another."""

from collections.abc import Mapping
from typing import Final

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from errlens.figures.gallery import COLOURS, Correctness
from errlens.figures.network.embedding.feature_map import frame_of
from errlens.figures.paper.places import Place
from errlens.figures.paper.sheet import (
    DIM,
    GAP,
    PAD,
    TEXT,
    Pixels,
    Sheet,
    Title,
    house_style,
    line_height,
    wrapped,
)

SIZE: Final = (1400, 1000)  # pixels of the map
SIDE: Final = 72  # pixels of a photo with its frame
FRAME: Final = 3
_BETWEEN: Final = 4  # pixels that are free between two photos
_MARK: Final = 1.6  # points of a dot in the place of a photo


def with_room(places: NDArray[np.float64], order: NDArray[np.integer]) -> NDArray[np.int64]:
    """Return which images are shown as photos, in the order in which they were put.

    One after the other is put at its place if no earlier photo would be covered.

    Args:
        places: Where images are on the map, shape (n, 2).
        order: Which come first, as numbers of images.
    """
    at = _pixels(places)
    taken: list[int] = []
    centres = np.empty((0, 2))
    for number in order.tolist():
        if not (np.abs(centres - at[number]) < SIDE + _BETWEEN).all(axis=1).any():
            taken.append(number)
            centres = np.vstack([centres, at[number]])
    return np.array(taken, np.int64)


def draw_photo_map(
    places: NDArray[np.float64],
    photos: Mapping[int, tuple[Pixels, Correctness]],
    *,
    title: str,
    legend: str,
) -> Figure:
    """Draw photos at their places, and a dot for each image without one.

    Args:
        places: Where all n images are, shape (n, 2).
        photos: By the number of an image: as `with_room` chose them.
        title: Long ones are wrapped.
        legend: How to read it.
    """
    with house_style():
        width, height = SIZE
        heading = Title(title, width)
        lines = wrapped(legend, width, size=TEXT)
        top = PAD + heading.height + line_height(TEXT) * len(lines) + GAP
        sheet = Sheet(width + 2 * PAD, top + height + PAD)
        heading.draw(sheet)
        for number, line in enumerate(lines):
            y = PAD + heading.height + number * line_height(TEXT)
            sheet.text(PAD, y, line, size=TEXT, color=DIM)
        paper, pictures = sheet.blank(), []
        at = _pixels(places) + np.array([PAD, top])
        covered = np.zeros(len(at), bool)
        for number, (photo, correctness) in photos.items():
            box = _paste(paper, photo, correctness, at[number])
            pictures.append(box)
            left, upper, right, lower = box
            covered |= ((at >= (left, upper)) & (at <= (right, lower))).all(axis=1)
        sheet.margins.plot(*at[~covered].T, ".", color="0.6", markersize=_MARK)
        sheet.underlay(paper, pictures)
        return sheet.finished()


def _pixels(places: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the middle of each image in pixels, from the upper left corner of the map."""
    room = SIDE / 2
    (left, right), (low, high) = frame_of(places)
    across = (places[:, 0] - left) / (right - left)
    down = (high - places[:, 1]) / (high - low)
    return np.stack([room + across * (SIZE[0] - SIDE), room + down * (SIZE[1] - SIDE)], axis=1)


def _paste(
    paper: Pixels, photo: Pixels, correctness: Correctness, middle: NDArray[np.float64]
) -> Place:
    """Put a photo with its frame on the paper, and return where it is."""
    small = Image.fromarray(photo)
    inner = SIDE - 2 * FRAME
    small.thumbnail((inner, inner), Image.Resampling.LANCZOS)
    width, height = small.width + 2 * FRAME, small.height + 2 * FRAME
    x, y = round(float(middle[0]) - width / 2), round(float(middle[1]) - height / 2)
    box = paper[y : y + height, x : x + width]
    box[:] = COLOURS[correctness]
    box[FRAME:-FRAME, FRAME:-FRAME] = np.asarray(small)
    return (x, y, x + width, y + height)
