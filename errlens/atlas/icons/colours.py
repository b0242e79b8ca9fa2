"""The colours of the user's own photos, in which icons are painted."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from errlens.data.photos.images import quiet_pillow
from errlens.data.photos.loading import Input, Preparation
from errlens.data.photos.preprocess import Preprocessing
from errlens.errors import NoImages, UnfitModel
from errlens.model.asking.hiding import AskedImage, load_asked
from errlens.run.places import MAX_FILE_MB

PHOTOS: Final = 64  # looked at; the colours of more are hardly others
RIDGE: Final = 1e-3  # share of the mean variance added to each channel's
_LEAST: Final = 1e-4  # of the variance added: photos of one grey have none
_EVERY: Final = 4  # pixel of every row and column counts
_DARKEST: Final = 0.05  # of the middle colour, that there is room to either side


class Colours(NamedTuple):
    """Colours as a network is fed them, before mean and deviation: 0 is black, 1 is white.

    `middle` is their mean, shape (channels,); `root` is the symmetric square root of their
    covariance, shape (channels, channels): times independent values of variance 1 it gives values
    of this covariance. Both are float64.
    """

    middle: NDArray[np.float64]
    root: NDArray[np.float64]

    def painted(self, values: Tensor) -> Tensor:
        """Return pixels between 0 and 1 of independent values, shape (n, channels, h, w).

        Near 0 the covariance of pixels is that of the photos: the slope of the sigmoid there is
        taken out.
        """
        middle, root = (
            torch.tensor(numbers, dtype=values.dtype, device=values.device)
            for numbers in (self.middle.reshape(1, -1, 1, 1), self.root)
        )
        slope = middle * (1 - middle)
        mixed = torch.einsum("ij,njhw->nihw", root, values)
        return torch.sigmoid(torch.logit(middle) + mixed / slope)


def colours_of(pixels: NDArray[np.floating], *, ridge: float = RIDGE) -> Colours:
    """Return the colours of pixels, shape (n, channels), between 0 and 1.

    >>> np.round(colours_of(np.array([[0.4, 0.5], [0.6, 0.5]])).root, 2).tolist()
    [[0.1, 0.0], [0.0, 0.01]]
    """
    n, channels = pixels.shape
    mean = np.mean(pixels, axis=0, dtype=np.float64)
    centred = pixels.astype(np.float64) - mean
    covariance = centred.T @ centred / n
    covariance += (ridge * np.trace(covariance) / channels + _LEAST) * np.eye(channels)
    variances, directions = np.linalg.eigh(covariance)
    middle = np.clip(mean, _DARKEST, 1 - _DARKEST)
    return Colours(middle, (directions * np.sqrt(variances)) @ directions.T)


def no_colours() -> UnfitModel:
    """Return the error for networks that are fed what the user's own transform makes."""
    return UnfitModel(
        "icons are made in colours, and what --transform makes of a photo need not have any",
        hint="--icons patches shows parts of photos instead",
    )


def read_colours(
    images: Sequence[AskedImage], preparation: Preparation, *, max_mb: int = MAX_FILE_MB
) -> Colours:
    """Return the colours of photos as fed, of at most `PHOTOS` spread evenly over those given.

    Raises:
        UnfitModel: What is fed are not pixels: the user's own transform made something of them.
        NoImages: None of them can be read.
    """
    if not isinstance(preparation, Preprocessing):
        raise no_colours()
    at = np.unique(np.linspace(0, len(images) - 1, min(PHOTOS, len(images))).round().astype(int))
    with quiet_pillow():
        loaded = [load_asked(preparation, images[number], max_mb=max_mb) for number in at]
    pixels = [
        photo.value[::_EVERY, ::_EVERY].reshape(-1, photo.value.shape[2]) / 255
        for photo in loaded
        if isinstance(photo, Input)
    ]
    if not pixels:
        raise NoImages(
            "none of the photos can be read whose colours icons are painted in",
            hint="--data-root DIR says where the images of a run lie now",
        )
    return colours_of(np.concatenate(pixels))
