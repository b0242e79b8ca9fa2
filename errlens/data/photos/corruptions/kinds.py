"""The corruptions of ImageNet-C, by their names, in five severities.

D. Hendrycks and T. Dietterich, "Benchmarking Neural Network Robustness to Common Corruptions and
Perturbations", ICLR 2019. The constants are those they published for pictures of 224 pixels; all
code is our own.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final

import numpy as np
from PIL import Image

from errlens.data.photos.corruptions import blur, digital, noise, weather
from errlens.data.photos.corruptions.drawing import SIDE, Draw, Pixels, picture_of, pixels_of

SEVERITIES: Final = (1, 2, 3, 4, 5)


@dataclass(frozen=True, kw_only=True)
class Corruption:
    """What is done to a picture, at each severity.

    Attributes:
        name: That of the publication.
        family: noise, blur, weather or digital.
        make: What is done to the values of a picture.
        how: The constants of each severity.
        of_colour: It changes nothing of a picture in shades of grey.
        further: It is none of the fifteen that make the mean, but one for choosing settings.
    """

    name: str
    family: str
    make: Callable[[Pixels, Any, Draw], Pixels]
    how: tuple[Any, Any, Any, Any, Any]
    of_colour: bool = False
    further: bool = False

    def apply(self, picture: Image.Image, severity: int, *, seed: int = 0) -> Image.Image:
        """Return the corrupted picture, of the same size and mode; the same one at severity 0.

        What is random depends on the seed, the corruption, the severity and the pixels of the
        picture alone.

        Args:
            picture: Of mode RGB or L.
            severity: 0 to 5.
            seed: Any whole number.
        """
        if not severity:
            return picture
        draw = Draw(self._random(picture, severity, seed), min(picture.size) / SIDE)
        return picture_of(self.make(pixels_of(picture), self.how[severity - 1], draw))

    def _random(self, picture: Image.Image, severity: int, seed: int) -> np.random.Generator:
        of_all = f"{seed} {self.name} {severity} {picture.mode} {picture.size}".encode()
        digest = blake2b(of_all + picture.tobytes(), digest_size=16).digest()
        return np.random.default_rng(int.from_bytes(digest, "little"))


_IN_ORDER: Final = (
    Corruption(
        name="gaussian_noise",
        family="noise",
        make=noise.gaussian,
        how=(0.08, 0.12, 0.18, 0.26, 0.38),
    ),
    Corruption(name="shot_noise", family="noise", make=noise.shot, how=(60, 25, 12, 5, 3)),
    Corruption(
        name="impulse_noise",
        family="noise",
        make=noise.impulse,
        how=(0.03, 0.06, 0.09, 0.17, 0.27),
    ),
    Corruption(name="defocus_blur", family="blur", make=blur.defocus, how=(3, 4, 6, 8, 10)),
    Corruption(
        name="glass_blur",
        family="blur",
        make=blur.glass,
        how=((0.7, 1, 2), (0.9, 2, 1), (1, 2, 3), (1.1, 3, 2), (1.5, 4, 2)),
    ),
    Corruption(
        name="motion_blur",
        family="blur",
        make=blur.motion,
        how=((10, 3), (15, 5), (15, 8), (15, 12), (20, 15)),
    ),
    Corruption(
        name="zoom_blur",
        family="blur",
        make=blur.zoom,
        how=((1.11, 0.01), (1.16, 0.01), (1.21, 0.02), (1.26, 0.02), (1.31, 0.03)),
    ),
    Corruption(
        name="snow",
        family="weather",
        make=weather.snow,
        how=(
            (0.1, 0.3, 3, 0.5, 10, 4, 0.8),
            (0.2, 0.3, 2, 0.5, 12, 4, 0.7),
            (0.55, 0.3, 4, 0.9, 12, 8, 0.7),
            (0.55, 0.3, 4.5, 0.85, 12, 8, 0.65),
            (0.55, 0.3, 2.5, 0.85, 12, 12, 0.55),
        ),
    ),
    Corruption(
        name="frost",
        family="weather",
        make=weather.frost,
        how=((1, 0.4), (0.8, 0.6), (0.7, 0.7), (0.65, 0.7), (0.6, 0.75)),
    ),
    Corruption(
        name="fog",
        family="weather",
        make=weather.fog,
        how=((1.5, 2), (2, 2), (2.5, 1.7), (2.5, 1.5), (3, 1.4)),
    ),
    Corruption(
        name="brightness",
        family="weather",
        make=weather.brightness,
        how=(0.1, 0.2, 0.3, 0.4, 0.5),
    ),
    Corruption(
        name="contrast", family="digital", make=digital.contrast, how=(0.4, 0.3, 0.2, 0.1, 0.05)
    ),
    Corruption(
        name="elastic_transform",
        family="digital",
        make=digital.elastic,
        how=(
            (488, 170.8, 24.4),
            (488, 19.52, 48.8),
            (12.2, 2.44, 4.88),
            (17.08, 2.44, 4.88),
            (29.28, 2.44, 4.88),
        ),
    ),
    Corruption(
        name="pixelate", family="digital", make=digital.pixelate, how=(0.6, 0.5, 0.4, 0.3, 0.25)
    ),
    Corruption(
        name="jpeg_compression", family="digital", make=digital.jpeg, how=(25, 18, 15, 10, 7)
    ),
    Corruption(
        name="speckle_noise",
        family="noise",
        make=noise.speckle,
        how=(0.15, 0.2, 0.35, 0.45, 0.6),
        further=True,
    ),
    Corruption(
        name="gaussian_blur", family="blur", make=blur.gaussian, how=(1, 2, 3, 4, 6), further=True
    ),
    Corruption(
        name="saturate",
        family="digital",
        make=digital.saturate,
        how=((0.3, 0), (0.1, 0), (2, 0), (5, 0.1), (20, 0.2)),
        of_colour=True,
        further=True,
    ),
)
CORRUPTION_OF: Final[Mapping[str, Corruption]] = {each.name: each for each in _IN_ORDER}
CORRUPTIONS: Final = tuple(each for each in _IN_ORDER if not each.further)
