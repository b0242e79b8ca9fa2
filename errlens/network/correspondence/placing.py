"""Read an image and place in it what is to be hidden: its parts, and regions elsewhere."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from errlens.attribution.masks import Box
from errlens.data.objects.outlines import RegionSource
from errlens.data.objects.parts import PartBox
from errlens.data.photos.images import Encoded, ImageFile, Photo, Unread, begin_image
from errlens.data.photos.loading import decode_for, prepare_input
from errlens.data.photos.orientation import orientation_of, upright_box
from errlens.data.photos.preprocess import Preprocessing
from errlens.errors import UnfitOption
from errlens.model.asking.hiding import AskedImage
from errlens.model.classifier import Classifier, stack
from errlens.network.correspondence.regions import (
    LEAST_INSIDE,
    LEAST_SEEN,
    as_fed,
    regions_elsewhere,
    shares_inside,
)

CROPPED: Final = "cropped away or beyond the photo"
NO_ROOM: Final = "no room elsewhere"
OUTSIDE: Final = "outside the outline"


class Placed(NamedTuple):
    """Boxes to hide in an input: a part, then k regions elsewhere.

    `of_object`, shape (1 + k), are the shares of them that belong to the object; nan where no
    outline tells.
    """

    boxes: Sequence[Box]
    of_object: NDArray[np.float64]


class Posed(NamedTuple):
    """An input, shape (channels, height, width), its parts, and why others are left out."""

    image: Tensor
    placed: Mapping[str, Placed]
    left_out: Mapping[str, str]


@dataclass(frozen=True)
class Placing:
    """Places parts and as many `regions` elsewhere for each, in the object where it is known."""

    classifier: Classifier
    outlines: RegionSource | None
    regions: int
    max_mb: int

    def of(
        self,
        image: AskedImage,
        path: str,
        boxes: Mapping[str, PartBox],
        *,
        seed: Sequence[int],
    ) -> Posed | Unread:
        """Read an image and place its parts.

        Raises:
            UnfitOption: Where in a photo the input lies is not known.
            InputError: The outline is none.
        """
        used = self.classifier.preparation
        if not isinstance(used, Preprocessing):
            raise UnfitOption("--parts: where a transform of one's own puts a part is not known")
        encoded = ImageFile(image.path, image.content_hash, self.max_mb).read()
        if isinstance(encoded, Unread):
            return encoded
        photo = decode_for(used, encoded)
        if isinstance(photo, Unread):
            return photo
        prepared = prepare_input(photo, used)
        if isinstance(prepared, Unread):
            return prepared
        known = self.outlines.regions(path, used) if self.outlines else None
        outline = None if known is None else known.object
        inside = _photo_alone(photo, used) if outline is None else outline
        placed: dict[str, Placed] = {}
        left_out: dict[str, str] = {}
        for number, (part, where) in enumerate(boxes.items()):
            box, shown = _part_as_fed(where, photo, encoded, used)
            random = np.random.default_rng([*seed, number])
            found = CROPPED if shown < LEAST_SEEN else self._placed(box, inside, random)
            if isinstance(found, str):
                left_out[part] = found
            else:
                unknown = np.nan if outline is None else 1
                placed[part] = found._replace(of_object=found.of_object * unknown)
        tensor = stack([prepared.value], used, self.classifier.device)[0]
        return Posed(tensor, placed, left_out)

    def _placed(
        self, part: Box, inside: NDArray[np.float32], random: np.random.Generator
    ) -> Placed | str:
        """Place regions for a part, or say why there are none."""
        shares = shares_inside(inside, part.bottom - part.top, part.right - part.left)
        if shares[part.top, part.left] < LEAST_INSIDE:
            return OUTSIDE
        elsewhere = regions_elsewhere(part, inside, self.regions, random)
        if elsewhere is None:
            return NO_ROOM
        boxes = [part, *(Box(*corners) for corners in elsewhere.tolist())]
        return Placed(boxes, np.array([shares[box.top, box.left] for box in boxes]))


def _part_as_fed(
    where: PartBox, photo: Photo, encoded: Encoded, used: Preprocessing
) -> tuple[Box, float]:
    """Return where a part lies in the input, and which share of it is not cropped away."""
    size = where.size or photo.image.size
    box = where.box
    if where.size is None and used.exif and photo.traits.turned:
        stored = begin_image(encoded)
        assert not isinstance(stored, Unread)  # noqa: S101 - it was decoded already
        box = upright_box(box, stored.size, orientation_of(stored))
    return as_fed(box, used.source_box(*size), used.img_size)


def _photo_alone(photo: Photo, used: Preprocessing) -> NDArray[np.float32]:
    """Return 1 in each pixel of an input that shows the photo, and 0 where it is padded."""
    width, height = photo.image.size
    box, _ = as_fed((0, 0, width, height), used.source_box(width, height), used.img_size)
    inside = np.zeros(used.img_size, np.float32)
    inside[box.top : box.bottom, box.left : box.right] = 1
    return inside
