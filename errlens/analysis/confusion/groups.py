"""Groups of classes that are mixed up among themselves, and an order that puts them together."""

import json
from collections import defaultdict
from collections.abc import Sequence
from heapq import heapify, heappop, heappush
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components

from errlens.analysis.confusion.matrix import ConfusionMatrix
from errlens.analysis.confusion.pairs import mutual_pairs
from errlens.escapes import json_text
from errlens.run.csv_tables import NUMBER, TEXT, WHOLE

LEAST_SIMILARITY: Final = 0.02
LEAST_ABOVE_MEAN: Final = 2  # times the mean rate of all wrong cells
MOST_OPTIMAL: Final = 500  # classes: an optimal order of the leaves takes cubic time
MOST_CLUSTERED: Final = 4_000  # classes: a tree over all of them takes quadratic memory

_DIGITS: Final = 12  # rates that differ by less are equal: sums differ with their order
_NO_GROUP: Final = -1  # of a class that is in none


# groups.csv
GROUP_COLUMNS: Final = {
    "group": WHOLE, "size": WHOLE, "classes": TEXT,
    "errors_inside": WHOLE, "share_of_errors": NUMBER, "gain_if_solved": NUMBER,
}  # fmt: skip


def group_table(matrix: ConfusionMatrix, pairs: pd.DataFrame) -> pd.DataFrame:
    """Return one row for each group of classes that holds a mutual pair, most errors first.

    Groups are the clusters of average linkage, where two classes are as similar as the mean of
    their two rates of confusion; clusters are joined while their mean similarity is at least 2 %,
    and at least twice the mean rate over all wrong cells. Ties join the lower class indices first.

    `classes` is a JSON list of names in output order; `gain_if_solved` is the share of all images
    that would be right if no two classes of the group were mixed up any more.
    """
    groups = clusters(
        similarity(matrix), cut=smallest_similarity(matrix), holding=mutual_pairs(matrix, pairs)
    )
    group = np.full(len(matrix.classes), _NO_GROUP)
    for number, members in enumerate(groups):
        group[list(members)] = number
    cells = matrix.errors.tocoo()
    inside_one = (group[cells.row] == group[cells.col]) & (group[cells.row] != _NO_GROUP)
    errors = np.zeros(len(groups), np.int64)
    np.add.at(errors, group[cells.row[inside_one]], cells.data[inside_one])
    rows = list(zip(groups, errors.tolist(), strict=True))
    rows.sort(key=lambda row: (-row[1], row[0]))
    inside = [errors for _, errors in rows]
    return pd.DataFrame(
        {
            "group": np.arange(1, len(rows) + 1),
            "size": np.array([len(members) for members, _ in rows], np.int64),
            "classes": pd.Series(
                [json_text([matrix.classes[member] for member in members]) for members, _ in rows],
                dtype="str",
            ),
            "errors_inside": np.array(inside, np.int64),
            "share_of_errors": np.array(inside, float) / max(matrix.n_errors, 1),
            "gain_if_solved": np.array(inside, float) / max(matrix.total, 1),
        }
    )


def similarity(matrix: ConfusionMatrix) -> csr_array:
    """Return the mean of the two rates at which two classes are taken for one another."""
    rates = matrix.rates
    return csr_array((rates + rates.T) / 2)


def smallest_similarity(matrix: ConfusionMatrix) -> float:
    """Return how similar the classes of a group must be: 2 %, more where errors are many."""
    seen = int(np.count_nonzero(matrix.n))
    cells = seen * (len(matrix.classes) - 1)
    mean = float(matrix.rates.sum()) / cells if cells else 0.0
    return max(LEAST_SIMILARITY, LEAST_ABOVE_MEAN * mean)


def clusters(
    similar: csr_array, *, cut: float, holding: NDArray[np.integer]
) -> list[tuple[int, ...]]:
    """Return the clusters of average linkage that hold one of the pairs `holding`, shape (n, 2).

    Two clusters whose mean similarity reaches the cut hold two classes whose similarity does, so
    each connected part of the graph of such classes is a matter of its own.

    Args:
        similar: Symmetric, shape (classes, classes), zero on the diagonal.
        cut: Above 0.
        holding: Class indices.
    """
    cells = similar.tocoo()
    linked = np.round(cells.data, _DIGITS) >= round(cut, _DIGITS)
    graph = coo_array((linked[linked], (cells.row[linked], cells.col[linked])), shape=cells.shape)
    _, part = connected_components(graph, directed=False)
    concerned = np.flatnonzero(np.isin(part, part[holding].ravel()))
    inner = similar[concerned][:, concerned].tocoo()
    listed = zip(inner.row.tolist(), inner.col.tolist(), inner.data.tolist(), strict=True)
    joined = _join(list(listed), cut)
    formed = [concerned[sorted(members)] for members in joined]
    cluster = np.full(len(part), _NO_GROUP)
    for number, members in enumerate(formed):
        cluster[members] = number
    first, second = cluster[holding].T
    kept = np.unique(first[(first == second) & (first != _NO_GROUP)])
    return [tuple(formed[number].tolist()) for number in kept]


def cluster_order(matrix: ConfusionMatrix) -> NDArray[np.intp]:
    """Return the classes in an order that puts those close together that are mixed up.

    That of the leaves of the average linkage tree, arranged so that neighbours are most similar (up
    to 500 classes). Beyond 4,000 classes, the order given.
    """
    k = len(matrix.classes)
    if not 2 < k <= MOST_CLUSTERED:
        return np.arange(k)
    from scipy.cluster.hierarchy import leaves_list, linkage  # a quarter of a second

    distance = 1 - similarity(matrix).toarray()
    tree = linkage(
        distance[np.triu_indices(k, 1)], method="average", optimal_ordering=k <= MOST_OPTIMAL
    )
    return np.asarray(leaves_list(tree), np.intp)


def _join(cells: Sequence[tuple[int, int, float]], cut: float) -> list[list[int]]:
    """Join the most similar clusters as long as their mean similarity reaches the cut.

    Sums between clusters are kept, so that no pair of classes without similarity costs anything.
    A mean over two joined clusters lies between their means: no pair below the cut ever returns.
    """
    sums: defaultdict[int, dict[int, float]] = defaultdict(dict)
    for i, j, value in cells:
        sums[i][j] = value
    members = {index: [index] for index in sums}
    least = round(cut, _DIGITS)

    def mean(i: int, j: int) -> float:
        return round(sums[i][j] / (len(members[i]) * len(members[j])), _DIGITS)

    queue = _similar_classes(cells, least)
    heapify(queue)
    while queue:
        negative, i, j = heappop(queue)
        if i not in members or j not in members or mean(i, j) != -negative:
            continue  # one of them has grown since
        members[i] += members.pop(j)
        _merge(sums, j, into=i)
        for other in sums[i]:
            if mean(i, other) >= least:
                heappush(queue, (-mean(i, other), min(i, other), max(i, other)))
    return list(members.values())


def _merge(sums: dict[int, dict[int, float]], j: int, *, into: int) -> None:
    """Add a row and column of a symmetric matrix to another, and remove them."""
    for other, value in sums.pop(j).items():
        del sums[other][j]
        if other != into:
            total = sums[into].get(other, 0.0) + value
            sums[into][other] = sums[other][into] = total


def _similar_classes(
    cells: Sequence[tuple[int, int, float]], least: float
) -> list[tuple[float, int, int]]:
    pairs = ((round(value, _DIGITS), i, j) for i, j, value in cells if i < j)
    return [(-value, i, j) for value, i, j in pairs if value >= least]


def names_of(groups: pd.DataFrame) -> list[Sequence[str]]:
    """Return the class names of each group of a group table."""
    return [json.loads(classes) for classes in groups["classes"]]
