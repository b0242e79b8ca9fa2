"""What tells that two pictures look alike: a coarse picture, and a hash of its coarse waves."""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

COARSE: Final = 32  # pixels along each side of the coarse picture
_WAVES: Final = 8  # of the lowest frequencies, along each side
_DECIMALS: Final = 6  # what is beyond is the error of the sums, as all that a blank picture has


def coarse_of(grey: Image.Image) -> NDArray[np.uint8]:
    """Return a grey image squashed to 32 x 32 pixels: uint8 of shape (32, 32)."""
    return np.asarray(grey.resize((COARSE, COARSE), Image.Resampling.BOX))


def phash(coarse: NDArray[np.uint8]) -> bytes:
    """Return 64 bits that pictures have in common, but for a few, where they look alike.

    They say which of the 8 x 8 lowest frequencies of the cosine transform are above their median,
    row by row, the constant first (Zauner, "Implementation and Benchmarking of Perceptual Image
    Hash Functions", 2010). A picture without structure has but one bit: contrast tells these.

    >>> ramp = np.tile(np.arange(32, dtype=np.uint8), (32, 1))
    >>> phash(ramp).hex(), phash(np.full((32, 32), 9, np.uint8)).hex()
    ('8000000000000000', '8000000000000000')
    """
    waves = np.round(_COSINES @ coarse @ _COSINES.T, _DECIMALS)
    middle = np.sort(waves, axis=None)[31:33].mean()
    return np.packbits(waves > middle).tobytes()


def _cosines() -> NDArray[np.float64]:
    """Return the lowest waves of the cosine transform (DCT-II), one a row."""
    places = np.arange(COARSE) + 0.5
    return np.cos(np.pi / COARSE * np.outer(np.arange(_WAVES), places))


_COSINES: Final = _cosines()
