"""Probabilities of classes: made of what a table holds, and whether they are any."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, softmax

from errlens.classes.names import ClassNames
from errlens.errors import BadPredictions
from errlens.formats import are, count, counted

_ROUNDING: Final = 1e-6  # the softmax of float32 may say 1.0000001, and one less that -1e-7
_ONE: Final = 1 + _ROUNDING
_MOST: Final = 0.9  # of the rows, where some may be broken


def rounded(prob: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return probabilities without what rounding put a hair beyond 0 or 1.

    >>> rounded(np.array([-1e-17, 1.0000001, 1.5]))
    array([0. , 1. , 1.5])
    """
    near = (prob >= -_ROUNDING) & (prob <= _ONE)
    return np.where(near, prob.clip(0, 1), prob)


def of_logits(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the softmax of raw outputs, shape (rows, classes); of a single one the sigmoid.

    A row that is not known in full is NaN.

    >>> of_logits(np.array([[0.0, 0.0]])), of_logits(np.array([[0.0]]))
    (array([[0.5, 0.5]]), array([[0.5]]))
    """
    known = ~(np.isnan(values) | (values == np.inf)).any(axis=1)
    prob = np.full(values.shape, np.nan)
    prob[known] = softmax(values[known], axis=1) if values.shape[1] > 1 else expit(values[known])
    return prob


def are_percentages(values: NDArray[np.float64], *, tolerance: float) -> bool:
    """Tell whether the rows that are known in full, all but a tenth, hold parts of a hundred.

    >>> are_percentages(np.array([[30, 70], [0, 100]]), tolerance=1e-3)
    True
    """
    known = values[np.isfinite(values).all(axis=1)]
    parts = (known >= 0).all(axis=1) & (abs(known.sum(axis=1) - 100) <= 100 * tolerance)
    return bool(len(known) and parts.mean() >= _MOST)


def improper_rows(prob: NDArray[np.float64], *, tolerance: float) -> NDArray[np.int64]:
    """Return the rows that are known in full, and hold no probabilities that sum to one.

    Args:
        prob: Shape (rows, classes); rows with NaN or infinity are left to whoever scores them.
        tolerance: How far a sum may be from one.
    """
    rows = np.flatnonzero(np.isfinite(prob).all(axis=1))
    known = prob[rows]
    outside = (known < 0).any(axis=1) | (known > _ONE).any(axis=1)
    bad: NDArray[np.int64] = rows[outside | (np.abs(known.sum(axis=1) - 1) > tolerance)]
    return bad


def no_probabilities(
    prob: NDArray[np.float64], row: int, name: str, *, tolerance: float
) -> BadPredictions:
    """Return the error that a row holds no probabilities, with what they look like.

    Args:
        prob: Shape (rows, classes).
        row: The row that the error names, known in full.
        name: What to call it, like `line 7, 'a.jpg',`.
        tolerance: How far a sum may be from one.
    """
    known = prob[np.isfinite(prob).all(axis=1)]
    what, hint = _what_they_are(known, tolerance)
    return BadPredictions(
        f"the probabilities of {name} sum to {prob[row].sum():.6g}, not to one{what}",
        hint=hint,
    )


def disagreeing_rows(prob: NDArray[np.float64], pred: NDArray[np.int32]) -> NDArray[np.int64]:
    """Return the rows whose predicted class (if not -1) is not a most probable one."""
    rows = np.flatnonzero(np.isfinite(prob).all(axis=1) & (pred >= 0))
    wrong: NDArray[np.int64] = rows[prob[rows, pred[rows]] < prob[rows].max(axis=1)]
    return wrong


def disagreement(
    prob: NDArray[np.float64],
    pred: NDArray[np.int32],
    wrong: NDArray[np.int64],
    names: Sequence[str],
    *,
    classes: ClassNames,
) -> BadPredictions:
    """Return the error that the predicted classes of some rows are not the most probable ones."""
    examples = [
        f"{names[row]} (predicted {classes[pred[row]]!r}, most probable "
        f"{classes[int(prob[row].argmax())]!r})"
        for row in wrong[:3]
    ]
    n = int(np.count_nonzero(np.isfinite(prob).all(axis=1) & (pred >= 0)))
    return BadPredictions(
        f"{count(len(wrong))} of {counted(n, 'predicted class')} {are(len(wrong))} not the most "
        f"probable class: "
        f"{', '.join(examples)}",
        hint="are the columns of probability those of these classes, and is the order of "
        "--classes right? Without the column of predicted classes the probabilities decide",
    )


def most_probable(prob: NDArray[np.float64]) -> NDArray[np.int32]:
    """Return the most probable class of each row, -1 where not all of it is known.

    >>> most_probable(np.array([[0.1, 0.9], [np.nan, 1]]))
    array([ 1, -1], dtype=int32)
    """
    known = np.isfinite(prob).all(axis=1)
    return np.where(known, prob.argmax(axis=1), -1).astype(np.int32)


def _what_they_are(known: NDArray[np.float64], tolerance: float) -> tuple[str, str]:
    """Guess what numbers that are no probabilities are: the end of a sentence and a hint."""
    span = f"from {known.min():.4g} to {known.max():.4g}"
    if (known <= 0).all() and (np.abs(np.exp(known).sum(axis=1) - 1) <= tolerance).all():
        return f": they look like log-probabilities, {span}", "--logits takes their softmax"
    bad = (known < 0).any(axis=1) | (known > _ONE).any(axis=1)
    if bad.mean() >= 0.5 and (known < 0).any():
        return f": they look like raw outputs (logits), {span}", "--logits takes their softmax"
    if bad.any():
        share = f"{count(int(bad.sum()))} of {counted(len(known), 'row')}"
        return f": values lie outside of 0 to 1 in {share}", (
            "percentages are divided by 100, or written with a %; --logits takes the softmax of "
            "raw outputs"
        )
    return "", (
        "every class needs its column (see --prob-prefix and --classes), with enough digits; "
        "outputs of independent sigmoids are no probabilities of one class: softmax them first"
    )
