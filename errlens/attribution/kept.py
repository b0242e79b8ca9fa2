"""What was made of an image, kept for the one who asks next."""

from collections import deque
from typing import Final, Generic, TypeVar

import torch
from torch import Tensor

MOST_BYTES: Final = (
    64 * 2**20
)  # of all that is kept; a sweep of 100 masks and 1000 classes has 1 MB

Made = TypeVar("Made")


class Kept(Generic[Made]):
    """Keeps the last things that were made of images, each until it is asked for."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._kept: deque[tuple[Tensor, object, Made, int]] = deque()

    @property
    def size(self) -> int:
        """In bytes."""
        return sum(size for *_, size in self._kept)

    def keep(self, image: Tensor, how: object, made: Made, *, size: int) -> None:
        """Keep what was made of an image, and let the oldest go.

        Args:
            image: Shape (channels, height, width).
            how: What decides, besides the image, what is made of it.
            made: What was made.
            size: Of that, in bytes; the image comes on top.
        """
        self._kept.append((image, how, made, image.nbytes + size))
        while self.size > self._most_bytes:
            self._kept.popleft()

    def take(self, image: Tensor, how: object) -> Made | None:
        """Return what was made of an image in this way, if it is kept, and keep it no longer."""
        for at, (of_image, by, made, _) in enumerate(self._kept):
            if by == how and torch.equal(of_image, image):
                del self._kept[at]
                return made
        return None
