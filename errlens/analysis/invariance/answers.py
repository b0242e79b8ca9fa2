"""What a network says of images under transforms, as arrays."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Step(NamedTuple):
    """A transform by name, and a size of it."""

    transform: str
    size: float


@dataclass(frozen=True, kw_only=True)
class Answers:
    """What is said of n images at s steps, by l layers.

    `at` are the places of the images among those asked about; `unread` says why others could not
    be. `label` are classes, shape (n,), `NO_CLASS` where there is none; `followed` are the classes
    whose probability is told. `pred` and `probability` have the shape (n, s), `euclidean` and
    `cosine` (n, s, l): distances of the features of a layer from those of the image as it is.
    Where outputs are not finite, `pred` is `NO_CLASS` and `probability` nan.
    """

    steps: Sequence[Step]
    layers: Sequence[str]
    at: NDArray[np.intp]
    label: NDArray[np.int32]
    followed: NDArray[np.int32]
    pred: NDArray[np.int32]
    probability: NDArray[np.float64]
    euclidean: NDArray[np.float64]
    cosine: NDArray[np.float64]
    unread: Mapping[int, str]

    def __len__(self) -> int:
        return len(self.at)

    @property
    def labelled(self) -> bool:
        """Whether the class of each image is known."""
        return bool((self.label >= 0).all())

    def of(self, transform: str) -> NDArray[np.intp]:
        """Return the places of a transform's steps."""
        return np.array(
            [at for at, step in enumerate(self.steps) if step.transform == transform], np.intp
        )
