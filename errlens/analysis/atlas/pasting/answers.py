"""What a network says of images with patches pasted into them, as arrays."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from errlens.analysis.atlas.pasting.placing import Position

SUSPECT: Final = "suspect"
NOISE: Final = "noise"
OTHER: Final = "other"


class PatchFacts(NamedTuple):
    """What a patch is, beside its pixels.

    `kind` is suspect, noise or other: what is tested, noise made of it, and a crop of an image of
    another class. `suspect` is the number of the suspect, from 1 on, that it is or is made of; 0 of
    crops, which all suspects share. `class_name` is the class of the image that it was cut from and
    `row` that image, where these are known.
    """

    kind: str
    suspect: int = 0
    class_name: str | None = None
    row: int | None = None

    @property
    def name(self) -> str:
        """How tables call it."""
        return f"{self.kind}:{self.class_name}" if self.kind == OTHER else self.kind


@dataclass(frozen=True, kw_only=True)
class Answers:
    """What is said of n images with p patches at s sizes and l positions.

    `at` are the places of the images among those asked about; `unread` says why others could not
    be. `to` is the class that patches are suspected of raising, `own` that of each image, shape
    (n,). `own_before` is its probability, `odds_before` are the log-odds of `to`, and `pred_before`
    what is predicted of the images as they are, all (n,); `own_after`, `odds_after` and
    `pred_after` the same under the patches, (n, p, s, l).
    """

    patches: Sequence[PatchFacts]
    sizes: Sequence[float]
    positions: Sequence[Position]
    to: int
    at: NDArray[np.intp]
    own: NDArray[np.int32]
    own_before: NDArray[np.float64]
    odds_before: NDArray[np.float64]
    pred_before: NDArray[np.int32]
    own_after: NDArray[np.float64]
    odds_after: NDArray[np.float64]
    pred_after: NDArray[np.int32]
    unread: Mapping[int, str]

    def __len__(self) -> int:
        return len(self.at)

    @property
    def to_before(self) -> NDArray[np.float64]:
        """The probability of `to` of each image as it is, shape (n,)."""
        return np.asarray(expit(self.odds_before), np.float64)

    @property
    def to_after(self) -> NDArray[np.float64]:
        """The same under the patches, shape (n, p, s, l)."""
        return np.asarray(expit(self.odds_after), np.float64)

    @property
    def flipped(self) -> NDArray[np.bool_]:
        """Whether `to` is predicted under the patch, and was not before; shape (n, p, s, l)."""
        before = self.pred_before[:, None, None, None]
        return np.asarray((self.pred_after == self.to) & (before != self.to))

    @property
    def visible(self) -> NDArray[np.bool_]:
        """At which sizes something is pasted at all, shape (s,)."""
        return np.array(self.sizes) > 0
