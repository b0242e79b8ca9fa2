"""Errors of all tails and values of a column, over all classes and within each, against chance.

An image is never compared with others than those of its stratum: its class, and within that the
slices found before. Counting goes by cells, so that millions of images are counted once a column.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from errlens.analysis.findings.causes.slices.columns import Column
from errlens.analysis.findings.causes.slices.evidence import (
    ALL,
    HIGH,
    LOW,
    VALUE,
    Candidates,
    Strata,
)

SHARES: Final = (0.05, 0.1, 0.2, 0.3, 0.5)  # of the images, at either end
LARGEST: Final = 0.6  # of the images, where many are equal; beyond it the others are the slice

_CUTS: Final = 4 * len(SHARES)  # at either end; before and behind images that are equal
_NOWHERE: Final = _CUTS + 1  # the band of images without a number


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
            yield from _values(self.column.codes, strata, n_classes)


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
    grouped, sorted_order = group[ascending], order[ascending]
    opens = np.append(True, grouped[1:] != grouped[:-1])[:n]
    differs = opens | np.append(True, sorted_order[1:] != sorted_order[:-1])[:n]
    begins, bounds = np.flatnonzero(opens), np.append(np.flatnonzero(differs), n)
    size = np.diff(np.append(begins, n))
    cuts = np.zeros(n + 1, np.int32)
    for share in (*SHARES, *(1 - share for share in SHARES if share != 0.5)):
        wanted = begins + np.clip(np.rint(share * size).astype(int), 1, np.maximum(size - 1, 1))
        behind = np.searchsorted(bounds, wanted, side="right")
        first_equal = bounds[behind - 1]
        cuts[first_equal] = 1
        cuts[bounds[behind[wanted != first_equal]]] = 1
    cuts[np.append(begins, n)] = 0
    below = np.cumsum(cuts[:n], dtype=np.int32)
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
    cells, wrong_cells = (
        np.bincount(keys, minlength=(_NOWHERE + 1) * n_strata).reshape(-1, n_strata)[:_NOWHERE]
        for keys in (key, key[strata.wrong])
    )
    known, known_wrong = cells.sum(axis=0), wrong_cells.sum(axis=0)
    size = np.bincount(group_of, strata.n, minlength=n_groups)
    each_stratum = np.arange(n_strata)
    low, low_wrong = np.zeros_like(known), np.zeros_like(known)
    for cut in range(_NOWHERE - 1):
        low, low_wrong = low + cells[cut], low_wrong + wrong_cells[cut]
        here = np.bincount(group_of, cells[cut], minlength=n_groups)
        beyond = np.bincount(group_of, known - low, minlength=n_groups)
        for side, inside, wrong in (
            (LOW, low, low_wrong),
            (HIGH, known - low, known_wrong - low_wrong),
        ):
            tails = _summed(
                np.full(n_groups, side),
                np.full(n_groups, cut),
                class_indices,
                _Cells(inside, wrong, each_stratum, group_of),
                strata,
            )
            yield tails.where((here > 0) & (beyond > 0) & (tails.n <= LARGEST * size))


def _values(codes_of: NDArray[np.int32], strata: Strata, n_classes: int) -> Iterator[Candidates]:
    """Count the errors of each value, over all and by class."""
    has_one = codes_of >= 0
    key = codes_of[has_one] * np.int64(len(strata.n)) + strata.of_image[has_one]
    cells, inside = np.unique(key, return_counts=True)
    wrong_cells, wrong_inside = np.unique(key[strata.wrong[has_one]], return_counts=True)
    wrong = np.zeros(len(cells), np.int64)
    wrong[np.searchsorted(cells, wrong_cells)] = wrong_inside
    code, stratum = np.divmod(cells, len(strata.n))
    codes, at = np.unique(code, return_inverse=True)
    nowhere = np.full(len(codes), ALL)
    found = _Cells(inside, wrong, stratum, at)
    yield _summed(np.full(len(codes), VALUE), codes, nowhere, found, strata)
    if n_classes > 1:
        key = code * n_classes + strata.classes[stratum]
        of_class, at = np.unique(key, return_inverse=True)
        codes, classes = np.divmod(of_class, n_classes)
        found = found._replace(group=at)
        yield _summed(np.full(len(codes), VALUE), codes, classes, found, strata)


class _Cells(NamedTuple):
    """Images of a stratum and, of those, the wrong ones; `group` says of which slice they are."""

    inside: NDArray[np.int64]
    wrong: NDArray[np.int64]
    stratum: NDArray[np.int64]
    group: NDArray[np.int64]


def _summed(
    side: NDArray[np.str_],
    at: NDArray[np.int64],
    class_index: NDArray[np.int64],
    cells: _Cells,
    strata: Strata,
) -> Candidates:
    """Return the slices that cells add up to."""

    def total(values: NDArray[np.integer] | NDArray[np.float64]) -> NDArray[np.float64]:
        sums = np.bincount(cells.group, values.astype(np.float64), minlength=len(at))
        return sums.astype(np.float64, copy=False)

    inside, stratum = cells.inside, cells.stratum
    expected = total(inside * strata.rate[stratum])
    return Candidates(
        side,
        at,
        class_index,
        n=total(inside),
        observed=total(cells.wrong),
        expected=expected,
        variance=total(strata.spread[stratum] * inside * (strata.n[stratum] - inside)),
        possible=total(np.minimum(inside, strata.errors[stratum])) - expected,
    )
