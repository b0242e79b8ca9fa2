"""Pictures for maps to lie on: inputs as fed, or photos no larger than is needed."""

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from errlens.data.photos.images import Photo, Unread
from errlens.data.photos.preprocess import Box
from errlens.model.classifier import Classifier
from errlens.predictions.table import UNREADABLE

MOST_PIXELS: Final = 50_000_000  # of a photo to be drawn on as it is: it takes 40 bytes for each


class Shown(NamedTuple):
    """A photo to draw on, maybe smaller than it is, and where in it the input lies, in pixels."""

    image: Image.Image
    box: Box


def shown_photo(photo: Photo, side: int, box_in: Callable[[int, int], Box]) -> Shown | Unread:
    """Return a photo in colour with a longest side of at most so many pixels.

    With 0 it is as it is, or there is a reason why so large a one cannot be drawn on. `box_in` says
    where in a photo of some width and height the input lies.
    """
    image = photo.image
    if side == 0 and image.width * image.height > MOST_PIXELS:
        megapixels = image.width * image.height / 1e6
        reason = f"{megapixels:.0f} megapixels are too many to draw on: --on input, or all panels"
        return Unread(UNREADABLE, reason, photo.content_hash)
    share = min(1.0, side / max(image.size)) if side else 1.0
    size = (max(1, round(image.width * share)), max(1, round(image.height * share)))
    small = image.resize(size, Image.Resampling.LANCZOS) if share < 1 else image
    left, top, right, bottom = box_in(*image.size)
    across, down = small.width / image.width, small.height / image.height
    return Shown(small.convert("RGB"), (left * across, top * down, right * across, bottom * down))


def as_picture(value: Any, classifier: Classifier) -> NDArray[np.uint8]:
    """Return an input as a picture; one of the user's own transform by its range."""
    if isinstance(value, Tensor):
        channels = value.float().cpu().numpy().transpose(1, 2, 0)
        low, high = channels.min(), channels.max()
        pixels = np.rint(255 * (channels - low) / max(high - low, 1e-12)).astype(np.uint8)
        return in_colour(pixels, classifier)
    return in_colour(value, classifier)


def picture_of_input(
    image: Tensor, ends: tuple[Tensor, Tensor], classifier: Classifier
) -> NDArray[np.uint8]:
    """Return what the network gets, shape (channels, height, width), as a picture again.

    `ends` are a black and a white pixel as the network gets them, shape (channels,).
    """
    black, white = (pixel.to(image).reshape(-1, 1, 1) for pixel in ends)
    shares = ((image - black) / (white - black)).clamp(0, 1).cpu().numpy()
    return in_colour(np.rint(255 * shares).astype(np.uint8).transpose(1, 2, 0), classifier)


def in_colour(pixels: NDArray[np.uint8], classifier: Classifier) -> NDArray[np.uint8]:
    """Return pixels as fed as red, green and blue."""
    if getattr(classifier.preparation, "bgr", False):
        pixels = pixels[:, :, ::-1]
    picture = pixels if pixels.shape[2] == 3 else np.repeat(pixels[:, :, :1], 3, axis=2)
    return np.ascontiguousarray(picture)
