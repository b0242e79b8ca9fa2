"""Which channels of a layer fire differently on two classes, and on images taken for the other."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import mannwhitneyu, rankdata

from errlens.analysis.statistics.significance import benjamini_hochberg
from errlens.run.csv_tables import NUMBER, TEXT, WHOLE, Columns

FIRING_COLUMNS: Final[Columns] = {
    "rank": WHOLE,  # of the channel, among all of its layer
    "layer": TEXT,
    "channel": WHOLE,  # counted from 0
    "measure": TEXT,  # max or mean over the places of an image
    "comparison": TEXT,  # classes, a_as_b or b_as_a
    "group": TEXT,  # in words, such as: cat taken for dog
    "against": TEXT,  # such as: cat, right
    "n_group": WHOLE,
    "n_against": WHOLE,
    "mean_group": NUMBER,
    "mean_against": NUMBER,
    "auc": NUMBER,  # how likely an image of the group has more than one that it is held against
    "p_value": NUMBER,
    "q_value": NUMBER,
}
MEASURES: Final = ("max", "mean")
CLASSES: Final = "classes"
A_AS_B: Final = "a_as_b"
B_AS_A: Final = "b_as_a"

_MOST_WAYS: Final = 1_000
_ROUNDING: Final = 1e-9  # of rank sums
_FEW: Final = 8  # images of the smaller group, up to which the test is exact where nothing ties


@dataclass(frozen=True)
class Firing:
    """How strongly the c channels of a layer fire on n images.

    `largest` and `mean`, float32 of shape (n, c), are taken over the places of each image; `place`,
    int32 of the same shape, is the number of the place of the largest, row by row, among those of
    `grid`, (rows, columns). `lowest` is the lowest value that any channel has at any place.
    """

    layer: str
    grid: tuple[int, int]
    largest: NDArray[np.float32]
    mean: NDArray[np.float32]
    place: NDArray[np.int32]
    lowest: float

    @property
    def channels(self) -> int:
        """How many channels the layer has."""
        return int(self.largest.shape[1])

    @property
    def rectified(self) -> bool:
        """Whether zero means that a channel does not fire.

        It does where nothing is much below: GELU and SiLU dip to -0.28, a linear layer as far as it
        rises.
        """
        highest = float(self.largest.max(initial=0.0))
        return self.lowest >= -highest / 10

    @property
    def silent(self) -> NDArray[np.float32]:
        """What each channel puts out where it is silenced, shape (c,).

        That is zero, as of a channel that does not fire. Where zero does not mean that, as in a
        linear layer, it is what the channel puts out on average: zero might be more than it ever
        does, and would tell the layers that follow what no image tells them.
        """
        if self.rectified:
            return np.zeros(self.channels, np.float32)
        return np.asarray(self.mean.mean(axis=0, dtype=np.float64), np.float32)


class Groups(NamedTuple):
    """The images of two classes by what they were taken for; each bool of shape (n,)."""

    of_a: NDArray[np.bool_]
    of_b: NDArray[np.bool_]
    right_a: NDArray[np.bool_]
    right_b: NDArray[np.bool_]
    a_as_b: NDArray[np.bool_]
    b_as_a: NDArray[np.bool_]

    @classmethod
    def of(cls, label: NDArray[np.integer], pred: NDArray[np.integer], a: int, b: int) -> "Groups":
        """Tell which images are which, by their class indices, each of shape (n,).

        >>> groups = Groups.of(np.array([0, 0, 1, 2]), np.array([0, 1, 2, 0]), 0, 1)
        >>> groups.a_as_b.tolist(), groups.right_b.tolist()
        ([False, True, False, False], [False, False, False, False])
        """
        of_a, of_b = label == a, label == b
        return cls(
            of_a, of_b, of_a & (pred == a), of_b & (pred == b), of_a & (pred == b),
            of_b & (pred == a),
        )  # fmt: skip

    @property
    def taken_for_other(self) -> NDArray[np.bool_]:
        """The errors between both classes."""
        return self.a_as_b | self.b_as_a


def compare_firing(firing: Firing, groups: Groups, names: tuple[str, str]) -> pd.DataFrame:
    """Return channels.csv of a layer, the channels that differ most in errors first.

    Each channel is compared by the largest value and by the mean of an image: the images of B
    with those of A, those of A that were taken for B with those of A that were right, and likewise
    of B. The test is that of H. B. Mann, D. R. Whitney, Annals of Mathematical Statistics 18
    (1947) 50-60, two-sided; q-values are of all channels and both measures of one comparison.

    Channels are ranked by the smallest p-value of a comparison of errors, then by how far apart
    the means are, in standard deviations, then by their number; where no such comparison can be
    made, by that of the classes. Comparisons without images on one side are left out.

    Args:
        firing: Of images of which the groups are made.
        groups: Which image belongs where.
        names: Of classes A and B.
    """
    a, b = names
    compared = (
        (CLASSES, b, a, groups.of_b, groups.of_a),
        (A_AS_B, f"{a} taken for {b}", f"{a}, right", groups.a_as_b, groups.right_a),
        (B_AS_A, f"{b} taken for {a}", f"{b}, right", groups.b_as_a, groups.right_b),
    )
    tables = [
        _compared(firing, comparison, words, group, against)
        for comparison, *words, group, against in compared
        if group.any() and against.any()
    ]
    if not tables:
        return pd.DataFrame(columns=list(FIRING_COLUMNS))
    table = pd.concat(tables, ignore_index=True)
    order = _order(table, firing.channels)
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(1, len(order) + 1)
    table["rank"] = rank[table["channel"]]
    table = table.sort_values("rank", kind="stable", ignore_index=True)
    return table[list(FIRING_COLUMNS)]


def leading_channels(table: pd.DataFrame, most: int) -> list[int]:
    """Return the first channels of channels.csv, by their rank."""
    return [*dict.fromkeys(table["channel"].tolist())][:most]


def suspects(table: pd.DataFrame, most: int, *, rectified: bool) -> list[int]:
    """Return the channels to silence, the strongest suspect first; none where no error is known.

    Where a channel that does not fire is zero, only those that fire more in errors one way or the
    other than in right images are suspects: silencing one that fires less changes nothing of an
    error.
    """
    errors = table[table["comparison"] != CLASSES]
    if rectified:
        errors = errors[errors["auc"] > 0.5]
    strongest = errors.sort_values(["p_value", "rank"], kind="stable")
    return [int(channel) for channel in strongest["channel"].drop_duplicates().head(most)]


def control_channels(suspected: Sequence[int], channels: int, most: int, *, seed: int) -> list[int]:
    """Draw channels that are no suspects, ascending; fewer where there are no more.

    >>> control_channels([1], 3, 10, seed=0)
    [0, 2]
    """
    others = np.setdiff1d(np.arange(channels), suspected)
    drawn = np.random.default_rng(seed).permutation(others)[:most]
    return [int(channel) for channel in np.sort(drawn)]


def _compared(
    firing: Firing,
    comparison: str,
    words: Sequence[str],
    group: NDArray[np.bool_],
    against: NDArray[np.bool_],
) -> pd.DataFrame:
    """Compare two groups of images by all channels and both measures."""
    of_measure = []
    for measure, values in zip(MEASURES, (firing.largest, firing.mean), strict=True):
        one, other = values[group], values[against]
        auc, p_value = mann_whitney(one, other)
        of_measure.append(
            pd.DataFrame(
                {
                    "channel": np.arange(firing.channels),
                    "measure": measure,
                    "mean_group": one.mean(axis=0, dtype=np.float64),
                    "mean_against": other.mean(axis=0, dtype=np.float64),
                    "auc": auc,
                    "p_value": p_value,
                    "spread": values.std(axis=0, dtype=np.float64),
                }
            )
        )
    table = pd.concat(of_measure, ignore_index=True)
    q_value = benjamini_hochberg(table["p_value"].to_numpy(), tests=len(table))
    return table.assign(
        layer=firing.layer,
        comparison=comparison,
        group=words[0],
        against=words[1],
        n_group=int(group.sum()),
        n_against=int(against.sum()),
        q_value=q_value,
    )


def mann_whitney(
    group: NDArray[np.floating], against: NDArray[np.floating]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Compare columns of values, shapes (n, c) and (m, c), by the test of Mann and Whitney.

    It is exact, also with ties, where there are at most a thousand ways to divide the values, and
    without ties where one side has at most eight; else it is the normal approximation with its
    corrections for ties and continuity.

    Returns:
        How likely a value of the first is larger than one of the second, and the two-sided
        p-value, each of shape (c,). Of a column in which all values are equal they are 0.5 and 1.
    """
    n, m = len(group), len(against)
    both = np.concatenate([group, against])
    if comb(n + m, n) <= _MOST_WAYS:
        return _over_all_ways(rankdata(both, axis=0), n)
    steps = np.diff(np.sort(both, axis=0), axis=0)
    auc, p_value = np.full(group.shape[1], 0.5), np.ones(group.shape[1])
    exact = (steps > 0).all(axis=0) & (min(n, m) <= _FEW)
    near = (steps > 0).any(axis=0) & ~exact
    for columns, method in ((exact, "exact"), (near, "asymptotic")):
        if columns.any():
            tested = mannwhitneyu(group[:, columns], against[:, columns], method=method)
            auc[columns], p_value[columns] = tested.statistic / (n * m), tested.pvalue
    return auc, p_value


def _over_all_ways(
    ranks: NDArray[np.float64], n: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Hold the rank sums of the first n rows against those of any n rows, column by column."""
    rows = len(ranks)
    ways = np.zeros((comb(rows, n), rows))
    for way, chosen in zip(ways, combinations(range(rows), n), strict=True):
        way[list(chosen)] = 1
    off = np.abs(ways @ ranks - n * (rows + 1) / 2)  # the first way is the one that was seen
    above = ranks[:n].sum(axis=0) - n * (n + 1) / 2
    return above / (n * (rows - n)), (off >= off[0] - _ROUNDING).mean(axis=0)


def _order(table: pd.DataFrame, channels: int) -> NDArray[np.intp]:
    """Return the channels, the first in rank first."""
    errors = table[table["comparison"] != CLASSES]
    ranked: Any = errors if len(errors) else table
    apart = (ranked["mean_group"] - ranked["mean_against"]).abs() / ranked["spread"]
    by_channel = ranked.assign(apart=apart.fillna(0.0)).groupby("channel")
    best = by_channel.agg(p_value=("p_value", "min"), apart=("apart", "max"))
    assert len(best) == channels  # noqa: S101 - each channel is in each comparison
    return np.lexsort((best.index.to_numpy(), -best["apart"], best["p_value"]))
