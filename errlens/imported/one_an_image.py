"""Several rows about one image, made one: the first, or the mean of all, as of views of it."""

from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from errlens.choices import Repeated
from errlens.classes.names import NO_CLASS
from errlens.errors import BadPredictions, some
from errlens.formats import counted
from errlens.imported.imported_predictions import ImportedPredictions
from errlens.imported.probability_values import most_probable
from errlens.imported.repetitions import same_image


def one_row_an_image(table: ImportedPredictions, how: Repeated) -> ImportedPredictions:
    """Return predictions with one row an image, in the order of the first row of each.

    Args:
        table: The predictions.
        how: `first` keeps the first row, `mean` gives it the mean probabilities of all rows that
            are known in full; `count` leaves everything as it is.

    Raises:
        BadPredictions: A mean is asked for and the probabilities are not known, or the rows of an
            image have several labels.
    """
    if how == "count" or not table.repetitions.images:
        return table
    image, first = same_image(table.manifest.frame["path"].tolist())
    kept = _rows(table, first)
    if how == "first":
        return kept
    if table.prob is None:
        raise BadPredictions(
            "--repeated mean needs the probability of every class, and the table has predicted "
            "classes alone",
            hint="--repeated first keeps the first row of each image",
        )
    if n := table.repetitions.contradicting:
        path, labels = table.repetitions.contradiction
        raise BadPredictions(
            f"--repeated mean: {counted(n, 'image')} with different labels in different rows: "
            f"{path!r} is {some(labels)}",
            hint="give all rows of an image one label; --repeated count takes each for itself",
        )
    prob = _means(table.prob, image, len(first))
    # Some rows of an image may lack the label.
    label, names = np.full(len(first), NO_CLASS, np.int32), table.manifest.frame["label"]
    np.maximum.at(label, image, table.label)
    frame = kept.manifest.frame.assign(label=names.groupby(image).first())
    lost = {*np.flatnonzero(np.isnan(prob[:, 0])).tolist()}
    problems = [why if row in lost else None for row, why in enumerate(kept.problems)]
    return replace(
        kept,
        manifest=kept.manifest._replace(frame=frame),
        prob=prob,
        pred=most_probable(prob),
        label=label,
        problems=problems,
    )


def _means(prob: NDArray[np.float64], image: NDArray[np.int64], n: int) -> NDArray[np.float64]:
    """Return the mean over the rows of each image that are known in full, NaN where none is."""
    known = np.isfinite(prob).all(axis=1)
    sums, rows = np.zeros((n, prob.shape[1])), np.bincount(image[known], minlength=n)
    np.add.at(sums, image[known], prob[known])
    with np.errstate(invalid="ignore"):
        means: NDArray[np.float64] = sums / rows[:, None]
    return means


def _rows(table: ImportedPredictions, rows: NDArray[np.int64]) -> ImportedPredictions:
    """Return some rows of predictions, numbered anew."""
    frame, extra = table.manifest
    if extra is not None:
        extra = extra.iloc[rows].reset_index(drop=True).assign(row=range(len(rows)))
    return replace(
        table,
        manifest=table.manifest._replace(frame=_taken(frame, rows), extra=extra),
        label=table.label[rows],
        unknown=table.unknown[rows],
        pred=table.pred[rows],
        confidence=None if table.confidence is None else table.confidence[rows],
        prob=None if table.prob is None else table.prob[rows],
        problems=[table.problems[row] for row in rows],
    )


def _taken(frame: pd.DataFrame, rows: NDArray[np.int64]) -> pd.DataFrame:
    return frame.iloc[rows].reset_index(drop=True)
