"""What an attribution method says of one image: a signed map, and what it explains."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


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
    `completeness_gap` is, for methods whose maps should add up to a difference of scores, how far
    they are from it, as a share of that difference; None for others.
    """

    values: NDArray[np.float32]
    method: str
    target: Target
    score: float
    layer: str | None = None
    baseline: str | None = None
    completeness_gap: float | None = None
    unit: str = "logits"

    def __post_init__(self) -> None:
        if self.values.ndim != 2 or self.values.dtype != np.float32:
            raise TypeError(f"a map is a float32 matrix, not {self.values.dtype}")
        if not np.isfinite(self.values).all():
            raise ValueError(f"{self.method}: the map is not finite")


class NoMap(NamedTuple):
    """Why a method has no map of an image."""

    method: str
    target: Target
    reason: str
