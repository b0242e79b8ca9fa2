"""One photo measured: everything in one pass, decoded no larger than that takes."""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final

import numpy as np
from PIL import Image

from errlens.data.photos.images import Encoded, Photo, Unread, begin_image, decode_begun
from errlens.data.photos.preprocess import Preprocessing
from errlens.data.properties.borders import find_borders
from errlens.data.properties.colours import colours_of, is_grey
from errlens.data.properties.hashes import coarse_of, phash
from errlens.data.properties.origin import origin_of
from errlens.data.properties.sharpness import sharpness
from errlens.predictions.table import OK

_SIDE: Final = 256  # pixels of the longest side of what is measured
_SPARE: Final = 2  # times as large is a JPEG decoded; its time goes into what comes before that
_VERSION: Final = 1  # of how things are measured; what another one measured is not known


@dataclass(frozen=True)
class Measuring:
    """How photos are measured: as a network is fed them, or else as a person sees them.

    >>> Measuring().measured_as
    '1-as-seen'
    """

    as_fed: Preprocessing | None = None

    @cached_property
    def measured_as(self) -> str:
        """A name that changes with all that changes what is measured of a photo."""
        if self.as_fed is None:
            return f"{_VERSION}-as-seen"
        settings = json.dumps(self.as_fed.as_dict(), sort_keys=True)
        return f"{_VERSION}-{hashlib.sha256(settings.encode()).hexdigest()[:16]}"

    def measure(self, encoded: Encoded) -> Mapping[str, Any] | Unread:
        """Return what is measured of a file, by column of the table; `status` is among it."""
        image = begin_image(encoded)
        if isinstance(image, Unread):
            return image
        about = {"format": image.format, "mode": image.mode}
        # A TIFF forgets its orientation when it is decoded, a PNG may bring it last.
        origin = origin_of(image) if image.format == "TIFF" else None
        photo = decode_begun(
            image,
            encoded.content_hash,
            exif=self.as_fed is None or self.as_fed.exif,
            scale_16bit=self.as_fed is None or self.as_fed.scale_16bit,
            least=self._least(image.size),
        )
        if isinstance(photo, Unread):
            return photo
        origin = origin or origin_of(image)
        return {
            "content_hash": encoded.content_hash,
            "status": OK,
            "measured_as": self.measured_as,
            **about,
            "width": photo.width,
            "height": photo.height,
            "aspect": photo.width / photo.height,
            "exif_orientation": origin.orientation,
            "camera": origin.camera,
            "hour": origin.hour,
            **self._looks(photo),
        }

    def _looks(self, photo: Photo) -> dict[str, Any]:
        grey = photo.image.convert("L")
        small, small_grey = _shrunk(photo.image), _shrunk(grey)
        pixels, luma = np.asarray(small), np.asarray(small_grey)
        borders, coarse = find_borders(small, luma), coarse_of(small_grey)
        # What is shrunk of a grey picture is grey: all of it has to be asked seldom.
        greyscale = is_grey(pixels) and (small is photo.image or is_grey(np.asarray(photo.image)))
        return {
            **colours_of(small, pixels, luma)._asdict(),
            "sharpness": self._sharpness(grey) if self.as_fed else sharpness(luma),
            "greyscale": greyscale,
            "border": borders.area,
            **{f"border_{side}": share for side, share in borders._asdict().items()},
            "phash": phash(coarse),
            "coarse": coarse.tobytes(),
        }

    def _sharpness(self, grey: Image.Image) -> float:
        """Return the sharpness of a photo as it is fed.

        One that is enlarged for the network is measured before, and an edge is as many times as
        wide afterwards.
        """
        shades = self._shades
        try:
            enlarged = max(1.0, math.sqrt(math.prod(_scale(shades, grey.size))))
            height, width = (max(1, round(side / enlarged)) for side in shades.img_size)
            fed = replace(shades, img_size=(height, width)).fit(grey)
        except (ValueError, MemoryError):  # it is too thin or too long to be fed
            return math.nan
        return sharpness(np.asarray(fed)) / enlarged

    @cached_property
    def _shades(self) -> Preprocessing:
        """The preprocessing of shades of grey; a mean is seen where the input is padded with it."""
        if self.as_fed is None:
            raise ValueError("nothing is fed")
        mean = sum(self.as_fed.mean) / len(self.as_fed.mean)
        return replace(self.as_fed, mean=(mean,), std=(1.0,))

    def _least(self, size: tuple[int, int]) -> int:
        """Return how long the shorter side of a photo has to be for what is measured."""
        scale = _SIDE / max(size)
        if self.as_fed is not None:
            try:
                turned = (size, size[::-1]) if self.as_fed.exif else (size,)
                scale = max(scale, *(max(_scale(self.as_fed, sides)) for sides in turned))
            except ValueError:
                return min(size)
        return math.ceil(_SPARE * min(1.0, scale) * min(size))


def _scale(as_fed: Preprocessing, size: tuple[int, int]) -> tuple[float, float]:
    """Return how many pixels of the input there are for one of a photo, across and down.

    Raises:
        ValueError: The photo is so thin that it cannot be fed.
    """
    left, top, right, bottom = as_fed.source_box(*size)
    return as_fed.img_size[1] / (right - left), as_fed.img_size[0] / (bottom - top)


def _shrunk(image: Image.Image) -> Image.Image:
    """Return an image of which no side is longer than what is measured needs it."""
    scale = _SIDE / max(image.size)
    if scale >= 1:
        return image
    size = [max(1, round(scale * side)) for side in image.size]
    return image.resize((size[0], size[1]), Image.Resampling.BOX, reducing_gap=_SPARE)
