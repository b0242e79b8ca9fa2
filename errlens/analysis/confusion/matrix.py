"""The confusion matrix: how often images of one class were taken for another.

It is kept sparse: fifty thousand classes have 2.5 billion cells, and nearly all of them are empty.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow.compute as pc
from numpy.typing import ArrayLike, NDArray
from pandas.api.extensions import ExtensionArray
from scipy.sparse import coo_array, csr_array

from errlens.analysis.statistics.intervals import wilson_interval
from errlens.classes.names import NO_CLASS, ClassNames, Superclasses, class_parents
from errlens.errors import BadPredictions, some
from errlens.formats import count, counted
from errlens.predictions.table import OK, Predictions
from errlens.run.csv_tables import NUMBER, TEXT, WHOLE

COLUMNS: Final = ("status", "label", "pred")  # all that a matrix is made of

_PENDING: Final = 4_000_000  # entries that are kept before they are added up
_NULL: Final = np.iinfo(np.int32).min


@dataclass(frozen=True)
class ConfusionMatrix:
    """Counts of images by true class (rows) and predicted class (columns).

    `counts` has shape (classes, classes) and dtype int64. `unscored` holds how many further images
    of each class have no prediction, shape (classes,). With `superclasses`, classes are compared
    with those of their own kind first.
    """

    counts: csr_array
    classes: ClassNames
    superclasses: Superclasses | None
    unscored: NDArray[np.int64]

    @cached_property
    def n(self) -> NDArray[np.int64]:
        """Images of each class: the sums of the rows."""
        return _sums(self.counts, axis=1)

    @cached_property
    def n_predicted(self) -> NDArray[np.int64]:
        """Images taken for each class: the sums of the columns."""
        return _sums(self.counts, axis=0)

    @property
    def total(self) -> int:
        """All images that have a label and a prediction."""
        return int(self.n.sum())

    @cached_property
    def errors(self) -> csr_array:
        """The counts without the diagonal."""
        cells = self.counts.tocoo()
        wrong = (cells.row != cells.col) & (cells.data > 0)
        return csr_array(
            (cells.data[wrong], (cells.row[wrong], cells.col[wrong])), shape=cells.shape
        )

    @cached_property
    def names(self) -> ExtensionArray:
        """The class names, as a column to take from by class index."""
        return pd.array(self.classes.names, dtype="str")

    @property
    def n_errors(self) -> int:
        """How many images are predicted wrong."""
        return int(self.errors.sum())

    @cached_property
    def rates(self) -> csr_array:
        """The share of each row's images in each wrong cell; empty rows stay empty."""
        cells = self.errors.tocoo()
        return csr_array(
            (cells.data / self.n[cells.row], (cells.row, cells.col)), shape=cells.shape
        )

    @cached_property
    def parents(self) -> NDArray[np.int32]:
        """The superclass index of each class, `NO_CLASS` where it has none."""
        return class_parents(self.superclasses, len(self.classes))

    def taken(self, true: str, pred: str) -> tuple[int, int]:
        """Return how many images of a class were taken for another, and how many it has."""
        i, j = self.classes.indices((true, pred)).tolist()
        return int(self.counts[i, j]), int(self.n[i])

    def among(self, classes: NDArray[np.integer]) -> NDArray[np.int64]:
        """Return the counts among some classes as a dense matrix, in the order given."""
        dense: NDArray[np.int64] = self.counts[classes][:, classes].toarray()
        return dense


class CellSums:
    """Adds up values by row and column, and never holds a cell that got none."""

    def __init__(self, n_classes: int) -> None:
        self._shape = (n_classes, n_classes)
        self._pending: list[tuple[NDArray[Any], NDArray[Any], NDArray[Any]]] = []
        self._n_pending = 0

    def add(
        self,
        row: NDArray[np.integer],
        column: NDArray[np.integer],
        values: NDArray[Any] | None = None,
    ) -> None:
        """Add values, ones by default, to cells; all arrays have shape (n,)."""
        values = np.ones(len(row), np.int64) if values is None else values
        self._pending.append((row, column, values))
        self._n_pending += len(row)
        if self._n_pending > _PENDING:
            so_far = self.total().tocoo()
            self._pending, self._n_pending = [(so_far.row, so_far.col, so_far.data)], 0

    def total(self) -> csr_array:
        """Return the sums so far."""
        if not self._pending:
            return csr_array(self._shape, dtype=np.int64)
        row, column, values = (
            np.concatenate(arrays) for arrays in zip(*self._pending, strict=True)
        )
        return coo_array((values, (row, column)), shape=self._shape).tocsr()


def confusion_matrix(
    parts: Iterable[Predictions], classes: ClassNames, superclasses: Superclasses | None = None
) -> ConfusionMatrix:
    """Count parts of a predictions table, which need the columns `status`, `label` and `pred`.

    Only rows with status ok and a label count.

    Raises:
        BadPredictions: A label or a predicted class is none of the classes.
    """
    sums, unscored = CellSums(len(classes)), np.zeros(len(classes), np.int64)
    for part in parts:
        columns = (part.table[name].fill_null(_NULL).to_numpy() for name in ("label", "pred"))
        label, pred = columns
        labelled = label != _NULL
        scored = labelled & pc.equal(part.table["status"], OK).to_numpy()
        if missing := int(np.count_nonzero(pred[scored] == _NULL)):
            raise BadPredictions(
                f"{counted(missing, 'row')} with status ok, but without a predicted class"
            )
        sums.add(
            _class_indices(label[scored], len(classes)), _class_indices(pred[scored], len(classes))
        )
        left = _class_indices(label[labelled & ~scored], len(classes))
        unscored += np.bincount(left, minlength=len(classes))
    return ConfusionMatrix(sums.total(), classes, superclasses, unscored)


def confusion_matrix_of_arrays(
    label: ArrayLike, pred: ArrayLike, classes: ClassNames, superclasses: Superclasses | None = None
) -> ConfusionMatrix:
    """Count arrays of class indices, or of class names as they are spelt, of shape (n,).

    >>> matrix = confusion_matrix_of_arrays([0, 0, 1], [0, 1, 1], ClassNames(("cat", "dog")))
    >>> matrix.counts.toarray().tolist()
    [[1, 1], [0, 1]]

    Raises:
        BadPredictions: The arrays differ in length, or hold something else than these classes.
    """
    rows, columns = np.asarray(label), np.asarray(pred)
    if rows.ndim != 1 or rows.shape != columns.shape:
        raise BadPredictions(
            f"labels and predictions must be two lists of one length, not of shape {rows.shape} "
            f"and {columns.shape}"
        )
    sums = CellSums(len(classes))
    sums.add(_indices_of(rows, classes), _indices_of(columns, classes))
    return ConfusionMatrix(
        sums.total(), classes, superclasses, unscored=np.zeros(len(classes), np.int64)
    )


def count_table(matrix: ConfusionMatrix) -> pd.DataFrame:
    """Return the cells that hold an image, right ones included: `label`, `pred` and `count`.

    They are class indices, in the order of the two.
    """
    cells = matrix.counts.tocoo()
    order = np.lexsort((cells.col, cells.row))
    return pd.DataFrame(
        {
            "label": cells.row[order].astype(np.int32),
            "pred": cells.col[order].astype(np.int32),
            "count": cells.data[order],
        }
    )


def cell_table(matrix: ConfusionMatrix) -> pd.DataFrame:
    """Return one row for each kind of error that happened, most frequent first.

    Ties are in the order of the true, then of the predicted class.
    """
    cells = matrix.errors.tocoo()
    order = np.lexsort((cells.col, cells.row, -cells.data))
    return pd.DataFrame(cell_columns(matrix, cells.row[order], cells.col[order], cells.data[order]))


# cells.csv
CELL_COLUMNS: Final = {
    "true_class": TEXT, "pred_class": TEXT,
    "count": WHOLE, "n": WHOLE, "rate": NUMBER, "low": NUMBER, "high": NUMBER,
}  # fmt: skip


def cell_columns(
    matrix: ConfusionMatrix,
    row: NDArray[np.integer],
    column: NDArray[np.integer],
    count: NDArray[np.integer],
) -> dict[str, Any]:
    """Return what tables say of cells that hold an image, by their class indices and counts."""
    n = matrix.n[row]
    low, high = wilson_interval(count, n)
    return {
        "true_class": matrix.names[row],
        "pred_class": matrix.names[column],
        "count": count,
        "n": n,
        "rate": count / n,
        "low": low,
        "high": high,
    }


def superclass_table(matrix: ConfusionMatrix) -> pd.DataFrame:
    """Return one row for each true and predicted superclass, the right ones included.

    Images of classes without a superclass, or taken for one, are left out. A rate of a superclass
    without images is missing.
    """
    names = pd.array(matrix.superclasses.names if matrix.superclasses else (), dtype="str")
    k = len(names)
    cells = matrix.counts.tocoo()
    row, column = matrix.parents[cells.row], matrix.parents[cells.col]
    known = (row != NO_CLASS) & (column != NO_CLASS)
    place = row[known] * k + column[known]
    counts = np.bincount(place, weights=cells.data[known], minlength=k * k).astype(np.int64)
    n = np.repeat(counts.reshape(k, k).sum(axis=1), k)
    low, high = wilson_interval(counts, n)
    with np.errstate(invalid="ignore"):
        return pd.DataFrame(
            {
                "true_superclass": names[np.repeat(np.arange(k), k)],
                "pred_superclass": names[np.tile(np.arange(k), k)],
                "count": counts,
                "n": n,
                "rate": counts / n,
                "low": np.where(n > 0, low, np.nan),
                "high": np.where(n > 0, high, np.nan),
            }
        )


def _sums(cells: csr_array, *, axis: int) -> NDArray[np.int64]:
    return np.asarray(cells.sum(axis=axis), np.int64).ravel()


def _indices_of(values: NDArray[Any], classes: ClassNames) -> NDArray[np.int64]:
    """Return class indices for names, or for what are indices already."""
    if values.dtype.kind not in "UO" or not all(isinstance(value, str) for value in values):
        return _class_indices(values, len(classes))
    indices = classes.indices(values)
    if (indices == NO_CLASS).any():
        unknown = sorted(set(values[indices == NO_CLASS]))
        raise BadPredictions(f"labels or predictions are none of the classes: {some(unknown)}")
    return indices


def _class_indices(values: NDArray[Any], n_classes: int) -> NDArray[np.int64]:
    """Return class indices as they are, unless one of them is none."""
    if len(values) and not np.issubdtype(values.dtype, np.integer):
        raise BadPredictions(
            f"labels and predictions must be class indices, not values like {values[0]!r}"
        )
    strange = values[(values < 0) | (values >= n_classes)] if len(values) else values
    if len(strange):
        raise BadPredictions(
            f"outside the {counted(n_classes, 'class')}: {count(len(strange))} of the labels and "
            f"predictions, such as {strange[0]}; they count from 0 to {n_classes - 1}"
        )
    return values.astype(np.int64)
