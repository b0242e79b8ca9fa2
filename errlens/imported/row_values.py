"""The numbers of a table of predictions, probabilities or confidences, and which rows lack them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from errlens.classes.names import ClassNames
from errlens.data.file_rows import PlaceOf, counted_from_one
from errlens.errors import BadPredictions
from errlens.formats import counted
from errlens.imported.number_columns import read_numbers
from errlens.imported.probabilities import ClassColumns
from errlens.imported.probability_values import (
    are_percentages,
    disagreeing_rows,
    disagreement,
    improper_rows,
    no_probabilities,
    of_logits,
    rounded,
)
from errlens.imported.two_classes import both_probabilities

_PERCENT: Final = "divide percentages by 100, or write them with a %"


class UsableRows:
    """The rows of a table that can be used; the others, as long as they are few, get a reason.

    `problems` are the reasons by row; `place_of` says where a row stands in the file.
    """

    def __init__(
        self, paths: Sequence[str], allowed: int, place_of: PlaceOf = counted_from_one
    ) -> None:
        self.paths, self.problems, self.place_of = paths, dict[int, str](), place_of
        self._allowed = allowed

    def leave_out(
        self, problems: Mapping[int, str], otherwise: Callable[[], BadPredictions]
    ) -> None:
        """Leave out some rows, with a reason each.

        Raises:
            BadPredictions: There are more than allowed by now: what `otherwise` says.
        """
        self.problems |= {row: why for row, why in problems.items() if row not in self.problems}
        if problems and len(self.problems) > self._allowed:
            error, n = otherwise(), len(self.problems)
            if n == 1 < len(self.paths) or 10 * n <= len(self.paths):
                ways = [error.hint] * bool(error.hint)
                error.hint = "; ".join([*ways, f"--max-bad {n} keeps such rows, as failed ones"])
            raise error

    def refuse_disagreement(
        self, prob: NDArray[np.float64], pred: NDArray[np.int32], classes: ClassNames
    ) -> None:
        """Leave out the rows whose predicted class is not the most probable one."""
        wrong = disagreeing_rows(prob, pred)
        why = "the predicted class is not the most probable one"
        self.leave_out(
            dict.fromkeys(wrong.tolist(), why),
            lambda: disagreement(prob, pred, wrong, self.paths, classes=classes),
        )
        prob[wrong] = np.nan


def read_probabilities(
    table: pa.Table,
    held: ClassColumns,
    classes: ClassNames,
    rows: UsableRows,
    *,
    logits: bool,
    tolerance: float,
) -> tuple[NDArray[np.float64], list[str]]:
    """Return the probability of each class, shape (rows, classes), and what was made of columns.

    Args:
        table: The table.
        held: Its columns of probability.
        classes: The classes.
        rows: Learns which rows cannot be used; these are NaN.
        logits: Whether the columns hold raw outputs, whatever they are called.
        tolerance: How far a row may be from a sum of one.

    Raises:
        BadPredictions: More rows than allowed cannot be used.
    """
    remarks: list[str] = []
    prob = _numbers(table, list(held.by_class.values()), rows)
    if logits or held.are_logits:
        remarks.append(f"{counted(prob.shape[1], 'column')} of raw outputs: took their softmax")
        prob = of_logits(prob)
    elif prob.shape[1] > 1 and are_percentages(prob, tolerance=tolerance):
        remarks.append("the probabilities of a row sum to 100: divided by 100")
        prob = prob / 100
    prob = rounded(prob)
    if prob.shape[1] < len(classes):
        ((name, column),) = held.by_class.items()
        _leave_out_others(prob[:, 0], column, rows, hint=f"{_PERCENT}; --logits reads raw outputs")
        remarks.append(f"{column!r} is taken as the probability of {name!r}, of two classes")
        prob = both_probabilities(prob, place=classes.index(name) or 0)
    improper = improper_rows(prob, tolerance=tolerance).tolist()
    rows.leave_out(
        {row: _what_is_wrong(prob[row]) for row in improper},
        lambda: no_probabilities(
            prob,
            improper[0],
            f"{rows.place_of(improper[0])}, {rows.paths[improper[0]]!r},",
            tolerance=tolerance,
        ),
    )
    prob[improper] = np.nan
    return prob, remarks


def _what_is_wrong(prob: NDArray[np.float64]) -> str:
    outside = prob[(prob < 0) | (prob > 1)]
    if len(outside):
        return f"holds {outside[0]:g}, no probability"
    return f"its probabilities sum to {prob.sum():.6g}"


def read_confidence(table: pa.Table, column: str, rows: UsableRows) -> NDArray[np.float64] | None:
    """Return the confidences, NaN where there are none."""
    if column not in table.column_names:
        return None
    values = rounded(_numbers(table, [column], rows)[:, 0])
    _leave_out_others(values, column, rows, hint=f"{_PERCENT}; --confidence-column names another")
    return values


def _numbers(table: pa.Table, columns: Sequence[str], rows: UsableRows) -> NDArray[np.float64]:
    values, unread = read_numbers(table, columns, rows.place_of)
    first = min(unread, default=0)
    rows.leave_out(
        {row: f"column {name!r} holds {cell!r}" for row, (name, cell) in unread.items()},
        lambda: BadPredictions(
            f"column {unread[first][0]!r} should hold numbers, but {rows.place_of(first)} holds "
            f"{unread[first][1]!r}",
            hint="numbers are written 0.93, 0,93 or 93 %, and alike in a column",
        ),
    )
    values[[*unread]] = np.nan
    return values


def _leave_out_others(
    values: NDArray[np.float64], column: str, rows: UsableRows, *, hint: str
) -> None:
    """Leave out the rows where a column of probabilities holds something else."""
    bad = np.flatnonzero((values < 0) | (values > 1)).tolist()
    rows.leave_out(
        {row: f"column {column!r} holds {values[row]:g}, no probability" for row in bad},
        lambda: BadPredictions(
            f"column {column!r} should hold probabilities, but {rows.place_of(bad[0])} holds "
            f"{values[bad[0]]:g}",
            hint=hint,
        ),
    )
    values[bad] = np.nan
