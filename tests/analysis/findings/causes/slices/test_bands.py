"""Counting by cells gives what counting every slice by itself gives."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from errlens.analysis.findings.causes.slices.bands import LARGEST, SHARES, Bands
from errlens.analysis.findings.causes.slices.columns import read_column
from errlens.analysis.findings.causes.slices.evidence import ALL, HIGH, LOW, VALUE, Strata
from errlens.analysis.statistics.strata import excess_errors


def drawn(seed, n=300, classes=3):
    rng = np.random.default_rng(seed)
    label = rng.integers(0, classes, n).astype(np.int32)
    return rng, label, rng.random(n) < 0.2 + 0.1 * label


def all_candidates(cells, label, strata, n_classes=4):
    column = read_column(pd.Series(cells), "column")
    bands = Bands.of(column, label)
    return column, [*bands.candidates(strata, n_classes)]


def slices_by_hand(column, label, n_classes):
    """Yield every tail and value there is, with its side and class."""
    for class_index in (ALL, *range(n_classes)):
        meant = (label == class_index) | (class_index == ALL)
        order = np.where(meant, column.order, np.nan)
        for edge in np.unique(order[~np.isnan(order)]):
            yield LOW, class_index, order <= edge
            yield HIGH, class_index, order >= edge
        for code in range(len(column.values)):
            yield VALUE, class_index, meant & (column.codes == code)


@pytest.mark.parametrize("ties", [False, True])
def test_each_candidate_is_a_slice_counted_by_hand(ties):
    rng, label, wrong = drawn(0)
    cells = rng.integers(0, 7, 300) if ties else rng.normal(size=300)
    cells = np.where(rng.random(300) < 0.1, np.nan, cells)
    earlier = rng.integers(0, 2, 300)
    strata = Strata.of_classes(label, wrong).split(earlier)
    column, found = all_candidates(cells, label, strata)
    by_hand = {
        (side, class_index, int(chosen.sum())): excess_errors(chosen, wrong, label * 2 + earlier)
        for side, class_index, chosen in slices_by_hand(column, label, 3)
        if side != VALUE
    }
    n_tails = 0
    for part in found:
        for at, side in enumerate(part.side):
            if side != VALUE:
                expected = by_hand[side, part.class_index[at], part.n[at]]
                assert part.observed[at] == expected.observed[0]
                assert part.expected[at] == pytest.approx(expected.expected[0])
                assert part.variance[at] == pytest.approx(expected.variance[0])
                n_tails += 1
    assert n_tails > 30


def test_values_are_counted_over_all_and_within_each_class():
    rng, label, wrong = drawn(1)
    cells = rng.choice(["A", "B", "C"], 300)
    column, found = all_candidates(cells, label, Strata.of_classes(label, wrong))
    counted = {
        (int(part.class_index[at]), column.values[part.at[at]]): part.observed[at]
        for part in found
        for at in range(len(part.n))
    }
    for class_index in (ALL, 0, 1, 2):
        for value in "ABC":
            chosen = (cells == value) & ((label == class_index) | (class_index == ALL))
            assert counted[class_index, value] == (chosen & wrong).sum()
    assert len(counted) == 12


@given(st.lists(st.integers(0, 12), min_size=30, max_size=80), st.integers(0, 5))
def test_no_tail_parts_equal_images_or_is_most_of_them(cells, seed):
    rng = np.random.default_rng(seed)
    label = rng.integers(0, 2, len(cells)).astype(np.int32)
    wrong = rng.random(len(cells)) < 0.3
    column, found = all_candidates(cells, label, Strata.of_classes(label, wrong), 2)
    if column.order is None:
        return
    sizes = {(s, c, int(chosen.sum())) for s, c, chosen in slices_by_hand(column, label, 2)}
    for part in found:
        for at, side in enumerate(part.side):
            if side != VALUE:
                of = (
                    len(cells)
                    if part.class_index[at] == ALL
                    else (label == part.class_index[at]).sum()
                )
                assert (side, part.class_index[at], part.n[at]) in sizes
                assert 0 < part.n[at] <= LARGEST * of


def test_without_ties_the_tails_are_the_shares_said():
    _, label, wrong = drawn(2, n=1000)
    cells = np.random.default_rng(3).permutation(1000) + 0.5
    _, found = all_candidates(cells, label, Strata.of_classes(label, wrong))
    overall = [part for part in found if len(part.n) and part.class_index[0] == ALL]
    low = [part.n[0] for part in overall if part.side[0] == LOW]
    assert low == [1000 * share for share in SHARES]


def test_a_rare_value_above_most_equal_ones_is_a_tail():
    _, label, wrong = drawn(4)
    cells = np.where(np.arange(300) % 100 < 4, np.arange(300) + 0.5, 0.0)
    _, found = all_candidates(cells, label, Strata.of_classes(label, wrong))
    overall = [part for part in found if len(part.n) and part.class_index[0] == ALL]
    assert {(part.side[0], part.n[0]) for part in overall if part.side[0] != VALUE} == {
        (HIGH, 12.0)
    }
