"""Put together what single images say of a part."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from errlens.analysis.correspondence.changes import PartChanges


class OfPart(NamedTuple):
    """What hiding a part of one image does, and k regions elsewhere; see `PartChanges`."""

    boxes: NDArray[np.int64]
    of_object: NDArray[np.float64]
    signs: Sequence[NDArray[np.int8]]  # of each kind of units
    sizes: NDArray[np.float64]
    probability: NDArray[np.float64]


class OfImage(NamedTuple):
    """What is said of one image, by its place: of its parts, and why others are left out."""

    at: int
    parts: Mapping[str, OfPart]
    left_out: Mapping[str, str]


def collected(part: str, images: Sequence[OfImage], *, kinds: int, regions: int) -> PartChanges:
    """Return what hiding a part does in all images that have it.

    Args:
        part: Its name.
        images: In the order of their places.
        kinds: How many kinds of units there are.
        regions: How many were hidden elsewhere in each image.
    """
    having = [(image.at, image.parts[part]) for image in images if part in image.parts]
    of_parts = [of_part for _, of_part in having]
    some = bool(of_parts)
    return PartChanges(
        part=part,
        at=np.array([at for at, _ in having], np.intp),
        boxes=np.array([each.boxes for each in of_parts], np.int64).reshape(-1, 1 + regions, 4),
        signs=[np.stack([each.signs[kind] for each in of_parts]) for kind in range(kinds) if some],
        sizes=np.array([each.sizes for each in of_parts]).reshape(-1, 1 + regions, kinds),
        probability=np.array([each.probability for each in of_parts]).reshape(-1, 2 + regions),
        of_object=np.array([each.of_object for each in of_parts]).reshape(-1, 1 + regions),
        left_out={image.at: image.left_out[part] for image in images if part in image.left_out},
    )
