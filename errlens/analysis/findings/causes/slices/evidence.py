"""What slices are compared within, and how their evidence is judged."""

from dataclasses import dataclass
from typing import Final, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from errlens.analysis.statistics.strata import corrected_tail

# Chance alone would name a slice in 1 of 1,000 runs. Within a class ten times less: airplanes that
# are dark are airplanes on the ground, and what makes such images harder is no fault of theirs.
ALPHA: Final = 0.001
ALPHA_IN_CLASS: Final = 0.0001
LEAST_EXCESS: Final = 10  # errors more than expected
LEAST_IN_CLASS: Final = 6
LEAST_OF_FEW: Final = 5  # where that is half of all errors, or more

LOW: Final = "low"
HIGH: Final = "high"
VALUE: Final = "value"
ALL: Final = -1  # instead of a class


@dataclass(frozen=True)
class Strata:
    """What images are compared within; `of_image` is int32, shape (n,), ordered by class.

    `n` and `errors` count the images of each stratum, `classes` says which class it is of.
    """

    of_image: NDArray[np.int32]
    wrong: NDArray[np.bool_]
    n: NDArray[np.int64]
    errors: NDArray[np.int64]
    classes: NDArray[np.int64]

    @classmethod
    def of_classes(cls, label: NDArray[np.int32], wrong: NDArray[np.bool_]) -> Self:
        """Return the classes that have images."""
        return cls._numbered(label.astype(np.int64), label, wrong)

    @classmethod
    def _numbered(
        cls, key: NDArray[np.int64], label: NDArray[np.int32], wrong: NDArray[np.bool_]
    ) -> Self:
        _, first, of_image, n = np.unique(
            key, return_index=True, return_inverse=True, return_counts=True
        )
        errors = np.bincount(of_image[wrong], minlength=len(n))
        return cls(of_image.astype(np.int32), wrong, n, errors, label[first].astype(np.int64))

    def split(self, part: NDArray[np.integer]) -> Self:
        """Return strata parted further; `part` counts from 0, shape (n,)."""
        key = self.of_image.astype(np.int64) * (int(part.max(initial=0)) + 1) + part
        return self._numbered(key, self.classes[self.of_image].astype(np.int32), self.wrong)

    @property
    def rate(self) -> NDArray[np.float64]:
        """The share of errors of each stratum."""
        return self.errors / self.n

    @property
    def spread(self) -> NDArray[np.float64]:
        """What the variance of a choice is, over the product of those inside and outside it."""
        rate = self.rate
        return rate * (1 - rate) / np.maximum(self.n - 1, 1)


class Candidates(NamedTuple):
    """Slices of one column, as arrays of the same length.

    `at` is the code of a value, or which cut of a tail; `class_index` is that of a slice within one
    class, else `ALL`; `possible` is the excess if all that are inside were wrong as far as can be.
    """

    side: NDArray[np.str_]
    at: NDArray[np.int64]
    class_index: NDArray[np.int64]
    n: NDArray[np.float64]
    observed: NDArray[np.float64]
    expected: NDArray[np.float64]
    variance: NDArray[np.float64]
    possible: NDArray[np.float64]

    @property
    def excess(self) -> NDArray[np.float64]:
        """Errors more than expected."""
        return self.observed - self.expected

    def least(self, n_errors: int) -> NDArray[np.float64]:
        """Return the excess below which a slice is not worth a word, among so many errors."""
        overall = min(LEAST_EXCESS, max(LEAST_OF_FEW, n_errors / 2))
        return np.where(self.class_index == ALL, overall, LEAST_IN_CLASS)

    @property
    def level(self) -> NDArray[np.float64]:
        """The corrected p up to which a slice is evidence."""
        return np.where(self.class_index == ALL, ALPHA, ALPHA_IN_CLASS)

    @property
    def strength(self) -> NDArray[np.float64]:
        """Deviations by which the errors exceed what is expected."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.nan_to_num((self.excess - 0.5) / np.sqrt(self.variance), neginf=0)

    @property
    def p_value(self) -> NDArray[np.float64]:
        """The one-sided chance of so many errors."""
        return corrected_tail(self.observed, self.expected, self.variance)

    def where(self, which: NDArray[np.bool_] | NDArray[np.int64]) -> "Candidates":
        """Return some of them."""
        return Candidates(
            self.side[which],
            self.at[which],
            self.class_index[which],
            self.n[which],
            self.observed[which],
            self.expected[which],
            self.variance[which],
            self.possible[which],
        )
