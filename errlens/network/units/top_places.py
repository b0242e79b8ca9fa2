"""The images in which channels fire the most, found as they come by."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from errlens.network.units.maxima import Maxima

NO_IMAGE: Final = -1


class TopPlaces:
    """Keeps the few images with the highest activation of each channel, one place an image.

    An image counts where a channel is above zero in it. Of images with the same activation the one
    that comes first stays. All arrays have the shape (channels, top), the highest first; where
    there are fewer images, `values` are minus infinity and `images` are `NO_IMAGE`.

    >>> top = TopPlaces(channels=1, top=2)
    >>> for value in (3.0, 5.0, 3.0):
    ...     top.add(np.array([top.seen]), Maxima(np.array([[value]]), np.array([[7]])))
    >>> top.images.tolist(), top.values.tolist(), top.fires.tolist()
    ([[1, 0]], [[5.0, 3.0]], [3])
    """

    def __init__(self, channels: int, top: int) -> None:
        self.values: NDArray[np.float32] = np.full((channels, top), -np.inf, np.float32)
        self.images: NDArray[np.int64] = np.full((channels, top), NO_IMAGE, np.int64)
        self.places: NDArray[np.int32] = np.zeros((channels, top), np.int32)
        self.fires: NDArray[np.int64] = np.zeros(channels, np.int64)  # in how many images
        self.at_highest: NDArray[np.int64] = np.zeros(channels, np.int64)  # images that tie there
        self.seen = 0

    def add(self, images: NDArray[np.integer], maxima: Maxima) -> None:
        """Take note of what a few more images do; `images` are their numbers, shape (n,)."""
        self.seen += len(images)
        fires = (maxima.values > 0).T  # not where it is not a number
        self.fires += fires.sum(axis=1)
        new = np.where(fires, maxima.values.T, -np.inf).astype(np.float32)
        highest = np.maximum(self.values[:, 0], new.max(axis=1, initial=-np.inf))
        self.at_highest *= highest == self.values[:, 0]
        self.at_highest += (fires & (new == highest[:, None])).sum(axis=1)
        (better,) = np.nonzero((new > self.values[:, -1:]).any(axis=1))
        if not len(better):
            return
        numbers = np.broadcast_to(np.asarray(images), new.shape)
        values = np.concatenate([self.values[better], new[better]], axis=1)
        images_then = np.concatenate([self.images[better], numbers[better]], axis=1)
        places = np.concatenate([self.places[better], maxima.places.T[better]], axis=1)
        # Stable: of equal ones the first to come stays first.
        order = np.argsort(-values, axis=1, kind="stable")[:, : self.values.shape[1]]
        self.values[better] = np.take_along_axis(values, order, axis=1)
        self.images[better] = np.where(
            np.isneginf(self.values[better]),
            NO_IMAGE,
            np.take_along_axis(images_then, order, axis=1),
        )
        self.places[better] = np.take_along_axis(places, order, axis=1)

    def strongest(self, n: int) -> NDArray[np.intp]:
        """Return the channels with the highest activation of all; ties by number."""
        return np.argsort(-self.values[:, 0], kind="stable")[:n]
