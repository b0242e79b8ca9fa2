"""What an attribution method says of one image: a signed map, and what it explains."""

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

LARGE_GAP: Final = 0.05  # of completeness: a map with more is not to be read as adding up
LEAST_R_SQUARED: Final = 0.5  # of a fit: a map with less shows little of the network


@dataclass(frozen=True)
class Target:
    """A score of a classifier: the logit of a class or, with `against`, a difference of logits.

    `name` says what the class is to the image: predicted, true, a class by name, or a difference.
    Both are class indices.
    """

    name: str
    wanted: int
    against: int | None = None

    def __post_init__(self) -> None:
        if self.wanted == self.against:
            raise ValueError("a class has no difference to itself")

    def score(self, logits: NDArray[np.floating]) -> float:
        """Return the score of this target, from logits of shape (classes,).

        >>> Target("why 1 rather than 0", 1, against=0).score(np.array([1.0, 3.5]))
        2.5
        """
        minus = 0.0 if self.against is None else logits[self.against]
        return float(logits[self.wanted] - minus)


@dataclass(frozen=True)
class Attribution:
    """Where in an image the evidence for a score is.

    `values` is a float32 map of shape (h, w), measured in `unit`, signed: positive speaks for the
    target. Its size is the method's own, from that of the input to that of a layer's grid; it
    covers the input as fed. `score` is the score explained, a logit or a probability.
    `total` is what the map should add up to, of methods that promise that; None of others. `signed`
    is false of methods that have no negative values. `layer_words` says what the layer is, where
    that is known. `absorbed` is what of the score biases and the like have kept, of methods that
    share it out: with the map it adds up to the score. `r_squared` is, of methods that fit
    something to the scores, the share of their variance that the fit explains.
    """

    values: NDArray[np.float32]
    method: str
    target: Target
    score: float
    layer: str | None = None
    baseline: str | None = None
    total: float | None = None
    unit: str = "logits"
    signed: bool = True
    layer_words: str | None = None
    absorbed: float | None = None
    r_squared: float | None = None

    def __post_init__(self) -> None:
        if self.values.ndim != 2 or self.values.dtype != np.float32:
            raise TypeError(f"a map is a float32 matrix, not {self.values.dtype}")
        if not np.isfinite(self.values).all():
            raise ValueError(f"{self.method}: the map is not finite")

    @property
    def completeness_gap(self) -> float | None:
        """How far the map is from what it should add up to, as a share of that; None if not known.

        >>> values, target = np.float32([[1.0, 0.5]]), Target("true", 0)
        >>> Attribution(values, "some", target, 7.0, total=2.0).completeness_gap
        0.25
        """
        if not self.total:
            return None
        return abs(float(self.values.sum(dtype=np.float64)) - self.total) / abs(self.total)

    @property
    def fits_poorly(self) -> bool:
        """Whether what was fitted explains too little of the scores to be believed."""
        return self.r_squared is not None and self.r_squared < LEAST_R_SQUARED


class NoMap(NamedTuple):
    """Why a method has no map of an image."""

    method: str
    target: Target
    reason: str
