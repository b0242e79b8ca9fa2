"""Errors of all tails and values of a column, over all classes and within each, against chance.

An image is never compared with others than those of its stratum: its class, and within that the
slices found before. Counting goes by cells, so that millions of images are counted once a column.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from errlens.analysis.findings.causes.slice_columns import Column
from errlens.analysis.statistics.strata import corrected_tail

ALPHA: Final = 0.01  # of a false alarm, whatever was tried
LEAST_EXCESS: Final = 10  # errors more than expected
LEAST_IN_CLASS: Final = 6
SHARES: Final = (0.05, 0.1, 0.2, 0.3, 0.5)  # of the images, at either end
LARGEST: Final = 0.6  # of the images, where many are equal; beyond it the others are the slice

LOW: Final = "low"
HIGH: Final = "high"
VALUE: Final = "value"
ALL: Final = -1  # instead of a class

_CUTS: Final = 4 * len(SHARES)  # at either end; before and behind images that are equal
_NOWHERE: Final = _CUTS + 1  # the band of images without a number


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

    @property
    def least(self) -> NDArray[np.int64]:
        """The excess below which a slice is not worth a word."""
        return np.where(self.class_index == ALL, LEAST_EXCESS, LEAST_IN_CLASS)

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
        return Candidates(*(values[which] for values in self))


@dataclass(frozen=True)
class Bands:
    """A column cut at the ends of its tails: over all images, and class by class.

    Band b of an image is how many of the cuts lie below it, uint8, shape (n,).
    """

    column: Column
    overall: NDArray[np.uint8] | None
    in_class: NDArray[np.uint8] | None

    @classmethod
    def of(cls, column: Column, label: NDArray[np.int32]) -> Self:
        """Cut a column."""
        if column.order is None:
            return cls(column, None, None)
        known = np.flatnonzero(~np.isnan(column.order)).astype(np.int32)
        order = column.order[known]
        ascending = np.argsort(order, kind="stable")
        overall = _bands(order, ascending, np.zeros(len(order), np.int32))
        by_class = ascending[np.argsort(label[known][ascending], kind="stable")]
        in_class = _bands(order, by_class, label[known])
        whole = np.full((2, len(column.order)), _NOWHERE, np.uint8)
        whole[0, known], whole[1, known] = overall, in_class
        return cls(column, whole[0], whole[1])

    def candidates(self, strata: Strata, n_classes: int) -> Iterator[Candidates]:
        """Count the errors of all slices of the column."""
        if self.overall is not None and self.in_class is not None:
            one = np.zeros(len(strata.n), np.int64)
            yield from _tails(self.overall, strata, one, np.array([ALL]))
            if n_classes > 1:
                yield from _tails(self.in_class, strata, strata.classes, np.arange(n_classes))
        if self.column.codes is not None:
            yield from _values(self.column, strata, n_classes)


def _bands(
    order: NDArray[np.float64], ascending: NDArray[np.int64], group: NDArray[np.int32]
) -> NDArray[np.uint8]:
    """Cut the images of each group at the ends of its tails, between images that are not equal.

    Args:
        order: Shape (n,).
        ascending: The images by group, and by order within it.
        group: Of each image, shape (n,).
    """
    n = len(order)
    at = np.arange(n)
    grouped, sorted_order = group[ascending], order[ascending]
    opens = np.append(True, grouped[1:] != grouped[:-1])[:n]
    new = opens | np.append(True, sorted_order[1:] != sorted_order[:-1])[:n]
    begins = np.flatnonzero(opens)
    size = np.diff(np.append(begins, n))
    first_equal = np.append(np.maximum.accumulate(np.where(new, at, 0)), n)
    bounds = np.append(np.flatnonzero(new), n)
    next_other = np.append(bounds[np.searchsorted(bounds, at, side="right")], n)
    cuts = np.zeros(n + 1, np.int64)
    for share in (*SHARES, *(1 - share for share in SHARES if share != 0.5)):
        wanted = begins + np.clip(np.rint(share * size).astype(int), 1, np.maximum(size - 1, 1))
        wanted = np.minimum(wanted, n)
        equal = wanted != first_equal[wanted]
        cuts[first_equal[wanted]] = 1
        cuts[next_other[wanted[equal]]] = 1
    cuts[np.append(begins, n)] = 0
    below = np.cumsum(cuts[:n])
    within = below - np.repeat(below[begins], size) if n else below
    bands = np.empty(n, np.uint8)
    bands[ascending] = within
    return bands


def _tails(
    bands: NDArray[np.uint8],
    strata: Strata,
    group_of: NDArray[np.int64],
    class_indices: NDArray[np.int64],
) -> Iterator[Candidates]:
    """Count the errors below and above each cut, by groups of strata."""
    n_strata, n_groups = len(strata.n), len(class_indices)
    key = bands * np.int64(n_strata) + strata.of_image
    cells = [
        np.bincount(keys, minlength=(_NOWHERE + 1) * n_strata).reshape(-1, n_strata)[:_NOWHERE]
        for keys in (key, key[strata.wrong])
    ]
    known = [counts.sum(axis=0) for counts in cells]
    size = np.bincount(group_of, strata.n, minlength=n_groups)
    rate, spread = strata.rate, strata.spread
    low = [np.zeros(n_strata, np.int64) for _ in range(2)]
    for cut in range(_NOWHERE - 1):
        filled = np.bincount(group_of, cells[0][cut + 1 :].sum(axis=0), minlength=n_groups) > 0
        changed = np.bincount(group_of, cells[0][cut], minlength=n_groups) > 0
        low = [below + counts[cut] for below, counts in zip(low, cells, strict=True)]
        high = [all_ - below for all_, below in zip(known, low, strict=True)]
        for side, (inside, wrong) in ((LOW, low), (HIGH, high)):
            sums = [
                np.bincount(group_of, values, minlength=n_groups)
                for values in (
                    inside,
                    wrong,
                    inside * rate,
                    spread * inside * (strata.n - inside),
                    np.minimum(inside, strata.errors),
                )
            ]
            real = filled & changed & (sums[0] <= LARGEST * size)
            yield Candidates(
                np.full(n_groups, side),
                np.full(n_groups, cut),
                class_indices,
                *sums[:4],
                sums[4] - sums[2],
            ).where(real)


def _values(column: Column, strata: Strata, n_classes: int) -> Iterator[Candidates]:
    """Count the errors of each value, over all and by class."""
    assert column.codes is not None
    has_one = column.codes >= 0
    key = column.codes[has_one] * np.int64(len(strata.n)) + strata.of_image[has_one]
    cells, inside = np.unique(key, return_counts=True)
    wrong_cells, wrong_inside = np.unique(key[strata.wrong[has_one]], return_counts=True)
    wrong = np.zeros(len(cells), np.int64)
    wrong[np.searchsorted(cells, wrong_cells)] = wrong_inside
    code, stratum = np.divmod(cells, len(strata.n))
    contributions = (
        inside,
        wrong,
        inside * strata.rate[stratum],
        strata.spread[stratum] * inside * (strata.n[stratum] - inside),
        np.minimum(inside, strata.errors[stratum]),
    )
    of_class = code * n_classes + strata.classes[stratum]
    for group, is_overall in ((code, True), (of_class, False)) if n_classes > 1 else (
        (code, True),
    ):
        groups, at = np.unique(group, return_inverse=True)
        sums = [np.bincount(at, values, minlength=len(groups)) for values in contributions]
        codes, classes = (
            (groups, np.full(len(groups), ALL)) if is_overall else np.divmod(groups, n_classes)
        )
        yield Candidates(
            np.full(len(groups), VALUE), codes, classes, *sums[:4], sums[4] - sums[2]
        )
