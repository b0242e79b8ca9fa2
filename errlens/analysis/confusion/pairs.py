"""Pairs of classes that the model mixes up, in both directions and more than chance would.

A count alone does not tell: among many classes some pair has errors both ways by chance, a frequent
class has more of everything, and the breeds of cats are mixed up among themselves simply because
they are no dogs. So each pair is held against the errors of the other classes of its kind.
"""

from typing import Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import triu

from errlens.analysis.confusion.chance import LEAST_SET, ComparisonSet
from errlens.analysis.confusion.matrix import CELL_COLUMNS, ConfusionMatrix, cell_columns
from errlens.analysis.statistics.intervals import wilson_interval
from errlens.analysis.statistics.significance import benjamini_hochberg
from errlens.run.csv_tables import NUMBER, TEXT, TRUTH, WHOLE

LEAST_COUNT: Final = 2  # errors in each direction
LEAST_BALANCE: Final = 0.25
LEAST_LIFT: Final = 2.0
ALPHA: Final = 0.05  # false discovery rate

# What the errors of two classes are evidence of, the most first.
MUTUAL: Final = "mutual"
LIKELY: Final = "likely"
CANDIDATE: Final = "candidate"
UNTESTED: Final = "untested"
ONE_WAY: Final = "one way"  # of a cell, not of a pair
STATUSES: Final = (MUTUAL, LIKELY, CANDIDATE, UNTESTED)

LEAST_Q: Final = 0.001  # false discovery rates below are as good as one another
_DIGITS: Final = 9  # those that differ by less are equal: sums differ with their order


# pairs.csv
PAIR_COLUMNS: Final = {
    "class_a": TEXT, "class_b": TEXT, "a_as_b": WHOLE, "b_as_a": WHOLE, "n_a": WHOLE, "n_b": WHOLE,
    "rate_ab": NUMBER, "rate_ab_low": NUMBER, "rate_ab_high": NUMBER,
    "rate_ba": NUMBER, "rate_ba_low": NUMBER, "rate_ba_high": NUMBER, "balance": NUMBER,
    "lift_ab": NUMBER, "lift_ba": NUMBER, "p_value": NUMBER, "q_value": NUMBER,
    "mutual": TRUTH, "status": TEXT, "gain_if_solved": NUMBER,
}  # fmt: skip
# absorbed.csv
ABSORBED_COLUMNS: Final = {**CELL_COLUMNS, "lift": NUMBER, "q_value": NUMBER}


def pair_table(matrix: ConfusionMatrix) -> pd.DataFrame:
    """Return one row for each two classes with errors both ways, best evidence first.

    A pair is `mutual` if (a) it has at least two errors each way, (b) both together are unlikely
    (Benjamini-Hochberg q <= 0.05), (c) the smaller rate is at least a quarter of the larger one,
    and (d) each cell has at least twice the errors expected of it. Discoveries are counted among
    all pairs within a superclass, and among all other pairs.

    `status` is `mutual`; `likely` where only (d) does not hold: the pair is real, though part of it
    is how the two classes fail in general; `untested` where (a) does not; else `candidate`.

    Chance: the errors of a row fall on the other classes as those of the other rows do, with the
    uncertainty of that estimate kept (beta-binomial). The other classes are those of the superclass
    that the two share, where it has at least three classes, else all.

    The order is that of the status, then of q (all below 0.001 are alike), then of
    `gain_if_solved`, the share of all images that would be right, largest first; then of the
    smaller of the two lower bounds of the rates (Wilson, 95 %) and of the class index. With two
    classes in all there is nothing to compare with: the pair is untested, and its lifts, `p_value`,
    `q_value` and `mutual` are missing.
    """
    a, b, ab, ba = _both_ways(matrix)
    n_a, n_b = matrix.n[a], matrix.n[b]
    rate_ab, rate_ba = ab / n_a, ba / n_b
    low_ab, high_ab = wilson_interval(ab, n_a)
    low_ba, high_ba = wilson_interval(ba, n_b)
    balance = np.minimum(rate_ab, rate_ba) / np.maximum(rate_ab, rate_ba)
    testable = len(matrix.classes) >= LEAST_SET
    tests = _test(matrix, a, b, ab, ba) if testable else _untested(len(a))
    fewest = np.minimum(ab, ba)
    real = (fewest >= LEAST_COUNT) & (tests.q_value <= ALPHA) & (balance >= LEAST_BALANCE)
    mutual = real & (np.minimum(tests.lift_ab, tests.lift_ba) >= LEAST_LIFT)
    tested = (fewest >= LEAST_COUNT) & testable
    status = np.select([mutual, real, tested], [0, 1, 2], default=3)  # places in STATUSES
    gain = (ab + ba) / max(matrix.total, 1)
    table = pd.DataFrame(
        {
            "class_a": matrix.names[a],
            "class_b": matrix.names[b],
            "a_as_b": ab,
            "b_as_a": ba,
            "n_a": n_a,
            "n_b": n_b,
            "rate_ab": rate_ab,
            "rate_ab_low": low_ab,
            "rate_ab_high": high_ab,
            "rate_ba": rate_ba,
            "rate_ba_low": low_ba,
            "rate_ba_high": high_ba,
            "balance": balance,
            **tests._asdict(),
            "mutual": pd.array(mutual if testable else [pd.NA] * len(a), dtype="boolean"),
            "status": pd.array(np.array(STATUSES, object)[status], dtype="str"),
            "gain_if_solved": gain,
        }
    )
    q_value = np.round(np.maximum(tests.q_value, LEAST_Q), _DIGITS)
    order = np.lexsort((b, a, -np.minimum(low_ab, low_ba), -gain, q_value, status))
    return table.iloc[order].reset_index(drop=True)


class _Tests(NamedTuple):
    """What chance says of pairs, as columns of their table."""

    lift_ab: NDArray[np.float64]
    lift_ba: NDArray[np.float64]
    p_value: NDArray[np.float64]
    q_value: NDArray[np.float64]


def _test(
    matrix: ConfusionMatrix,
    a: NDArray[np.int64],
    b: NDArray[np.int64],
    ab: NDArray[np.int64],
    ba: NDArray[np.int64],
) -> _Tests:
    """Hold pairs against the errors of other classes; fewer than two errors one way are chance."""
    compared = ComparisonSet(matrix)
    there, back = compared.chance(a, b, ab), compared.chance(b, a, ba)
    fewest = np.minimum(ab, ba)
    both = there.tail(fewest) * back.tail(fewest)
    p_value = np.where(fewest >= LEAST_COUNT, both, 1.0)
    return _Tests(there.lift(ab), back.lift(ba), p_value, compared.q_values(p_value, a, b))


def _untested(n: int) -> _Tests:
    return _Tests(*(np.full(n, np.nan) for _ in _Tests._fields))


def absorbed_table(matrix: ConfusionMatrix) -> pd.DataFrame:
    """Return the cells with more errors than chance explains whose way back is rare.

    A class is taken for another one that is hardly ever taken for it. Benjamini-Hochberg
    q <= 0.05 over all cells off the diagonal, and the rate the other way less than a quarter: from
    there on a pair may be mutual. Where the other class has no images, nothing comes back. Largest
    lower bound of the rate first.
    """
    k = len(matrix.classes)
    cells = matrix.errors.tocoo()
    i, j = cells.row.astype(np.int64), cells.col.astype(np.int64)
    count = np.asarray(cells.data, np.int64)
    if k < LEAST_SET:
        i, j, count = i[:0], j[:0], count[:0]
    chance = ComparisonSet(matrix).chance(i, j, count)
    q_value = benjamini_hochberg(chance.tail(count), tests=k * (k - 1))
    columns = cell_columns(matrix, i, j, count)
    order = np.lexsort((j, i, -count, -columns["rate"], -columns["low"]))
    table = pd.DataFrame({**columns, "lift": chance.lift(count), "q_value": q_value})
    back = way_back(matrix, i, j) / np.maximum(matrix.n[j], 1)
    absorbed = (q_value <= ALPHA) & (back / columns["rate"] < LEAST_BALANCE)
    rows: NDArray[np.intp] = order[absorbed[order]]
    return table.iloc[rows].reset_index(drop=True)


def way_back(
    matrix: ConfusionMatrix, i: NDArray[np.integer], j: NDArray[np.integer]
) -> NDArray[np.int64]:
    """Return how many images of the classes j were taken for the classes i."""
    return np.asarray(matrix.errors[j, i], np.int64).ravel() if len(i) else np.zeros(0, np.int64)


def mutual_pairs(matrix: ConfusionMatrix, pairs: pd.DataFrame) -> NDArray[np.int64]:
    """Return the class indices a < b of the mutual pairs of a pair table, shape (n, 2)."""
    return _ends(matrix, by_status(pairs).mutual)


def real_pairs(matrix: ConfusionMatrix) -> NDArray[np.int64]:
    """Return the class indices a < b of the mutual and the likely pairs, shape (n, 2)."""
    return _ends(matrix, by_status(pair_table(matrix)).real)


class PairsByStatus(NamedTuple):
    """The rows of a pair table by what they are evidence of, in their order.

    `real` are the mutual and the likely ones, `others` those that chance may explain.
    """

    mutual: pd.DataFrame
    likely: pd.DataFrame
    real: pd.DataFrame
    others: pd.DataFrame


def by_status(pairs: pd.DataFrame) -> PairsByStatus:
    """Tell the pairs of a table apart by their status."""
    mutual, likely = pairs["status"] == MUTUAL, pairs["status"] == LIKELY
    return PairsByStatus(
        *(pairs[rows] for rows in (mutual, likely, mutual | likely, ~(mutual | likely)))
    )


def marked_cells(pairs: pd.DataFrame, absorbed: pd.DataFrame) -> list[tuple[str, str, str]]:
    """Return the cells there is evidence of: `mutual`, `likely` or `one way`, true, predicted."""
    cells = [
        (str(row["status"]), row[true], row[pred])
        for row in by_status(pairs).real.to_dict("records")
        for true, pred in (("class_a", "class_b"), ("class_b", "class_a"))
    ]
    ways = zip(absorbed["true_class"], absorbed["pred_class"], strict=True)
    return cells + [(ONE_WAY, true, pred) for true, pred in ways]


def _ends(matrix: ConfusionMatrix, pairs: pd.DataFrame) -> NDArray[np.int64]:
    ends = [matrix.classes.indices(pairs[column]) for column in ("class_a", "class_b")]
    return np.stack(ends, axis=1)


def _both_ways(
    matrix: ConfusionMatrix,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return the pairs of classes a < b with errors both ways, with the errors each way."""
    happened = matrix.errors.astype(bool)
    both = triu(happened.multiply(happened.T), k=1).tocoo()
    a, b = both.row.astype(np.int64), both.col.astype(np.int64)
    return a, b, way_back(matrix, b, a), way_back(matrix, a, b)
