"""From tests to slices: which candidates have evidence, and which images they are about."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from errlens.analysis.findings.causes.slices.bands import LARGEST, Bands
from errlens.analysis.findings.causes.slices.evidence import ALL, LOW, VALUE, Candidates, Strata
from errlens.analysis.findings.causes.slices.words import threshold_of
from errlens.analysis.findings.scored import Scored

_KEPT: Final = 20  # candidates of a column, the strongest
_REACH: Final = 2.5  # times more, or fewer, images than in the tail that was tested
_STEEPNESS: Final = 0.7  # 0.5 is the strongest test; more leaves out images that dilute the slice


class Tested(NamedTuple):
    """One candidate of a column; `at` is the code of a value."""

    bands: Bands
    side: str
    at: int
    class_index: int
    n: int
    p_value: float
    strength: float
    level: float
    is_enough: bool
    n_tests: int = 0

    @property
    def q_value(self) -> float:
        """The p-value, corrected for all that was tried."""
        return min(1.0, self.p_value * self.n_tests)

    @property
    def is_evidence(self) -> bool:
        """Tell whether it is more than chance, and worth a word."""
        return self.is_enough and self.q_value <= self.level


class Slice(NamedTuple):
    """Images of a slice, the most extreme first, and those beyond its threshold.

    `parts` tells strata apart, shape (n,): 0 all others, 1 inside, 2 the neighbours beyond the
    threshold, which may have some of its errors. `also` are other names of the same images.
    """

    tested: Tested
    edge: float | str | None
    images: NDArray[np.int64]
    parts: NDArray[np.int8]
    q_value: float = 1.0
    also: tuple["Slice", ...] = ()

    def shares(self, other: "Slice") -> float:
        """Return the share of the images of the smaller of both that are in both."""
        both = np.count_nonzero((self.parts == 1) & (other.parts == 1))
        return both / min(len(self.images), len(other.images))


def tested_in(all_bands: Sequence[Bands], strata: Strata, n_classes: int) -> list[Tested]:
    """Return the strongest candidates of each column, their p corrected for what was tried.

    Those over all classes and those within one are corrected apart. Tests count whose errors could
    be evidence, were all images inside wrong as far as their classes have errors: how many that is
    does not depend on which of the images are wrong (R. E. Tarone, Biometrics 46 (1990) 515-522).
    """
    kept: list[Tested] = []
    n_errors = int(strata.errors.sum())
    n_tests = {True: 0, False: 0}
    for bands in all_bands:
        of_column: list[Tested] = []
        for part in bands.candidates(strata, n_classes):
            possible = part.where(part.possible >= part.least(n_errors))
            is_overall = bool((part.class_index == ALL).all())
            n_tests[is_overall] += len(possible.n)
            few = possible.where(np.argsort(-possible.strength, kind="stable")[:_KEPT])
            of_column += _each(bands, few, few.excess >= few.least(n_errors))
        for overall in (True, False):
            same = [
                candidate for candidate in of_column if (candidate.class_index == ALL) == overall
            ]
            kept += sorted(same, key=lambda candidate: -candidate.strength)[:_KEPT]
    return [candidate._replace(n_tests=n_tests[candidate.class_index == ALL]) for candidate in kept]


def _each(bands: Bands, few: Candidates, is_enough: NDArray[np.bool_]) -> list[Tested]:
    columns = (
        few.side, few.at, few.class_index, few.n.astype(int), few.p_value, few.strength,
        few.level, is_enough,
    )  # fmt: skip
    values = zip(*(column.tolist() for column in columns), strict=True)
    return [Tested(bands, *each) for each in values]


def as_slice(tested: Tested, strata: Strata, scored: Scored) -> Slice:
    """Return the images of a candidate; the threshold of a tail moves to where errors get normal.

    The tail that was tested only says that there is something: few faults touch just 10 % of the
    images.
    """
    column = tested.bands.column
    is_meant = (
        np.ones(len(scored), bool)
        if tested.class_index == ALL
        else scored.label == tested.class_index
    )
    parts = np.zeros(len(scored), np.int8)
    if column.codes is not None and tested.side == VALUE:
        images = np.flatnonzero(is_meant & (column.codes == tested.at))
        images = images[np.argsort(-np.nan_to_num(scored.confidence[images]), kind="stable")]
        parts[images] = 1
        return Slice(tested, column.values[tested.at], _wrong_first(images, scored), parts)
    order = np.empty(0) if column.order is None else column.order
    sign = 1 if tested.side == LOW else -1
    members = np.flatnonzero(is_meant & ~np.isnan(order))
    members = members[np.argsort(sign * order[members], kind="stable")]
    along = sign * order[members]
    k = _where_errors_get_normal(along, members, strata, tested.n)
    edge, inside = threshold_of(along, k, is_date=column.is_date)
    parts[members[inside : 2 * inside]] = 2
    parts[members[:inside]] = 1
    return Slice(tested, sign * edge, _wrong_first(members[:inside], scored), parts)


def _where_errors_get_normal(
    along: NDArray[np.float64], members: NDArray[np.int64], strata: Strata, n_tested: int
) -> int:
    """Return after how many images a tail is to end, from the most extreme on.

    Args:
        along: Ascending values, shape (m,).
        members: Their images.
        strata: What they are compared within.
        n_tested: How many are in the tail that was tested.
    """
    rate = strata.rate[strata.of_image[members]]
    excess = np.cumsum(strata.wrong[members] - rate)
    sizes = np.arange(1, len(members) + 1)
    variance = np.cumsum(rate * (1 - rate)) * (1 - sizes / (len(members) + 1))
    steep = excess / np.maximum(variance, 1e-9) ** _STEEPNESS
    ends = np.append(along[1:] > along[:-1], False)
    ends &= (sizes >= n_tested / _REACH) & (sizes <= max(n_tested, LARGEST * len(members)))
    ends &= sizes <= _REACH * n_tested
    return int(sizes[ends][np.argmax(steep[ends])])


def _wrong_first(images: NDArray[np.int64], scored: Scored) -> NDArray[np.int64]:
    return images[np.argsort(~scored.wrong[images], kind="stable")]
