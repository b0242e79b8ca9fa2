"""The order in which classes are drawn, and the numbers in the cells."""

from itertools import groupby
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from errlens.analysis.confusion.groups import cluster_order
from errlens.analysis.confusion.matrix import ConfusionMatrix
from errlens.choices import Normalization, Order
from errlens.classes.names import NO_CLASS


class Stretch(NamedTuple):
    """Neighbours in an order that share a superclass: places `start` to `stop`, without the end."""

    superclass: str
    start: int
    stop: int


def class_order(matrix: ConfusionMatrix, by: Order) -> NDArray[np.intp]:
    """Return the class indices in the order asked for.

    given: that of the outputs. frequency: most images first. cluster: classes that are mixed up
    stand close together. superclass: by the name of the superclass, inside it as for cluster; those
    that have none come last.
    """
    if by == "given":
        return np.arange(len(matrix.classes))
    if by == "frequency":
        return np.argsort(-matrix.n, kind="stable")
    order = cluster_order(matrix)
    if by == "cluster":
        return order
    parents = matrix.parents[order]
    last = np.where(parents == NO_CLASS, parents.max() + 1, parents)
    return order[np.argsort(last, kind="stable")]


def superclass_stretches(matrix: ConfusionMatrix, order: NDArray[np.intp]) -> list[Stretch]:
    """Return where each superclass stands in an order; nothing if one stands in several places."""
    stretches, start = [], 0
    for parent, members in groupby(matrix.parents[order].tolist()):
        stop = start + len(list(members))
        if matrix.superclasses and parent != NO_CLASS:
            stretches.append(Stretch(matrix.superclasses.names[parent], start, stop))
        start = stop
    several = len({stretch.superclass for stretch in stretches}) < len(stretches)
    return [] if several else stretches


def cell_values(
    matrix: ConfusionMatrix, order: NDArray[np.intp], *, normalize: Normalization
) -> NDArray[np.float64]:
    """Return the cells of some classes as a dense matrix, shape (len(order), len(order)).

    Counts, or shares of the images of each true (`true`) or each predicted (`pred`) class; NaN
    where there is no image to count.
    """
    counts = matrix.among(order).astype(np.float64)
    n, n_predicted = matrix.n[order][:, None], matrix.n_predicted[order][None, :]
    if normalize == "none":
        return np.where(n > 0, counts, np.nan)
    total = n if normalize == "true" else n_predicted
    with np.errstate(invalid="ignore"):
        return np.where(total > 0, counts / total, np.nan)


def matrix_table(
    matrix: ConfusionMatrix, order: NDArray[np.intp], *, normalize: Normalization
) -> pd.DataFrame:
    """Return the matrix for reading: a row and a column for each class, in the order given.

    Counts, all of them; shares are missing where there is no image to count.
    """
    names = [matrix.classes[index] for index in order]
    values = (
        matrix.among(order)
        if normalize == "none"
        else cell_values(matrix, order, normalize=normalize)
    )
    table = pd.DataFrame(values, columns=names)
    header = "true_class"
    while header in names:
        header += "_"
    table.insert(0, header, names)
    return table
