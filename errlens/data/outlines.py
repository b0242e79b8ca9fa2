"""Where the object of an image is, from a file of outlines, brought to the image as fed."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from errlens.data.preprocess import Preprocessing
from errlens.errors import InputError, MissingInput


class Regions(NamedTuple):
    """Shares of each pixel as fed that lie in the object and in its head, shape (height, width).

    None where the file does not say.
    """

    object: NDArray[np.float32] | None
    head: NDArray[np.float32] | None


@dataclass(frozen=True)
class Outlines:
    """Outlines of images by path: `width`, `height`, `pet_polygons` and `head_box_xyxy` of each.

    Polygons are lists of x, y, x, y ... in pixels of the photo; a box is left, top, right, bottom.
    """

    by_path: Mapping[str, Mapping[str, Any]]
    source: Path

    def regions(self, path: str, preprocessing: Preprocessing) -> Regions | None:
        """Return the regions of an image as fed; None where the file has no outline of it.

        A path may stand in the file with the folders above it.

        Raises:
            InputError: The outline is none.
        """
        found = self.by_path.get(path)
        if found is None:
            longer = [key for key in self.by_path if key.endswith(f"/{path}")]
            found = self.by_path[longer[0]] if len(longer) == 1 else None
        if found is None:
            return None
        try:
            size = (int(found["width"]), int(found["height"]))
            polygons = found.get("pet_polygons")
            box = found.get("head_box_xyxy")
            return Regions(
                _as_fed(size, polygons, preprocessing) if polygons else None,
                _as_fed(size, [_corners(box)], preprocessing) if box else None,
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InputError(
                f"{self.source}: the outline of {path!r} is none: {error!r}"
            ) from error


def read_outlines(path: Path) -> Outlines:
    """Read a JSON file of outlines.

    Raises:
        MissingInput: There is no such file.
        InputError: It is no such JSON.
    """
    if not path.is_file():
        raise MissingInput(path, what="--masks")
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"{path} is not JSON: {error}") from error
    if not (isinstance(found, dict) and all(isinstance(one, dict) for one in found.values())):
        raise InputError(f"{path} must hold an outline for each path")
    return Outlines(found, path)


def _as_fed(
    size: tuple[int, int], polygons: Sequence[Sequence[float]], preprocessing: Preprocessing
) -> NDArray[np.float32]:
    """Fill polygons in a picture of the photo's size, and feed that."""
    picture = Image.new("L", size)
    draw = ImageDraw.Draw(picture)
    for polygon in polygons:
        draw.polygon([float(one) for one in polygon], fill=255)
    # One channel, and nothing of the object in a border.
    grey = replace(preprocessing, mean=(0.0,))
    shares: NDArray[np.float32] = np.asarray(grey.fit(picture), np.float32) / np.float32(255)
    return shares


def _corners(box: Sequence[float]) -> list[float]:
    left, top, right, bottom = (float(one) for one in box)
    return [left, top, right - 1, top, right - 1, bottom - 1, left, bottom - 1]
