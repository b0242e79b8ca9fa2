"""Patches of an atlas: what of their photos points of a layer show, as the network is fed them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from errlens.attribution.explained_model import ExplainedModel
from errlens.attribution.photos import as_picture
from errlens.data.photos.images import Unread, quiet_pillow
from errlens.data.photos.loading import available_cores, in_order
from errlens.model.asking.hiding import AskedImage, load_asked
from errlens.model.classifier import Classifier
from errlens.network.receptive_field import ReceptiveField, receptive_fields
from errlens.network.units.crops import LEAST, PixelBox, cut
from errlens.network.units.patches import OUTSIDE
from errlens.run.places import MAX_FILE_MB

MOST: Final = 1 / 2  # of the shorter side of the input: the side of a patch

Pixels = NDArray[np.uint8]  # (height, width, 3)
Place = tuple[int, int]  # row and column on the map of a layer


class PatchBoxes(NamedTuple):
    """Says which box of the input shows a place of a layer with `grid` rows and columns of places.

    It is square, and its middle is that of the place, unless it had to be moved for all of it to be
    inside. Its side is that of the receptive field where this is at least an eighth of the longer
    side of the input, for less cannot be recognised, and at most half of the shorter one: of a
    larger field the middle counts the most (W. Luo et al., "Understanding the effective receptive
    field in deep convolutional neural networks", 2016), and all places would show nearly the whole
    photo.

    >>> PatchBoxes(None, (4, 4), (64, 64)).of((1, 3))
    PixelBox(top=8, left=32, bottom=40, right=64)
    """

    field: ReceptiveField | None
    grid: tuple[int, int]
    size: tuple[int, int]

    @property
    def side(self) -> int:
        """How many pixels of the input a patch has along each side."""
        least, most = round(LEAST * max(self.size)), round(MOST * min(self.size))
        own = most if self.field is None else max(self.field.size)
        return max(1, min(max(own, least), most))

    def of(self, place: Place) -> PixelBox:
        """Return the box of a place."""
        top, left = (self._start(axis, at) for axis, at in enumerate(place))
        return PixelBox(top, left, top + self.side, left + self.side)

    def _start(self, axis: int, at: int) -> int:
        """Return the first pixel of a box along an axis."""
        field, size = self.field, self.size[axis]
        if field is None:
            middle = (at + 0.5) * size / self.grid[axis]
        else:
            middle = field.offset[axis] + field.stride[axis] * at + field.size[axis] / 2
        return min(max(0, round(middle - self.side / 2)), size - self.side)


def patch_boxes(classifier: Classifier, layer: str, grid: tuple[int, int]) -> PatchBoxes:
    """Return which boxes show the places of a layer.

    Where its receptive field is not known, or not the same all over the map, places share the input
    evenly.
    """
    model = ExplainedModel.of(classifier)
    _, height, width = model.size
    field = receptive_fields(model.module, model.size).fields.get(layer)
    if field is not None and (field.whole or not field.regular):
        field = None
    return PatchBoxes(field, grid, (height, width))


def patches(
    classifier: Classifier,
    images: Mapping[int, AskedImage],
    wanted: Mapping[int, Sequence[PixelBox]],
    *,
    advance: Callable[[int], object] = lambda _images: None,
    workers: int | None = None,
    max_mb: int = MAX_FILE_MB,
) -> Iterator[tuple[int, list[Pixels] | str]]:
    """Yield images, by their numbers, with the patches wanted of each, or why it cannot be read.

    Each photo is decoded once, some at a time in threads. A patch has as many pixels as its box.

    Args:
        classifier: Says how photos are prepared; the network is not run.
        images: The photos, by their numbers.
        wanted: Boxes in pixels of the input, by the numbers of the photos.
        advance: Is told of each photo that is done.
        workers: Threads, if not one for each core.
        max_mb: Megabytes of a file above which it is not read.
    """
    work = partial(_of_photo, classifier, images, wanted, max_mb)
    with quiet_pillow():
        for number, found in in_order(work, wanted, workers=workers or available_cores()):
            advance(1)
            yield number, found


def _of_photo(
    classifier: Classifier,
    images: Mapping[int, AskedImage],
    wanted: Mapping[int, Sequence[PixelBox]],
    max_mb: int,
    number: int,
) -> tuple[int, list[Pixels] | str]:
    loaded = load_asked(classifier.preparation, images[number], max_mb=max_mb)
    if isinstance(loaded, Unread):
        return number, loaded.reason
    photo = as_picture(loaded.value, classifier)
    return number, [np.asarray(cut(photo, box, OUTSIDE), np.uint8) for box in wanted[number]]


def resized(pixels: Pixels, side: int) -> Pixels:
    """Return a square picture with `side` pixels along each side."""
    image = Image.fromarray(pixels)
    return np.asarray(image.resize((side, side), Image.Resampling.LANCZOS))
