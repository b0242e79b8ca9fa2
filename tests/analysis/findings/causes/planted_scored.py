"""Images that are right or wrong, made up for tests."""

import numpy as np

from errlens.analysis.findings.scored import Scored
from errlens.classes.names import ClassNames

NAMES = ("ant", "<b>bee</b>", "cow", "dog")


def scored_of(label, pred, *, confidence=None, names=NAMES):
    """Return the images whose classes are predicted so; rows are ten times their places."""
    label, pred = np.asarray(label, np.int32), np.asarray(pred, np.int32)
    n = len(label)
    sure = np.full(n, 0.7) if confidence is None else np.asarray(confidence, float)
    return Scored(
        row=10 * np.arange(n, dtype=np.int64),
        label=label,
        pred=pred,
        wrong=label != pred,
        confidence=sure,
        label_prob=np.where(label == pred, sure, 1 - sure),
        paths=[f"{names[at]}/{row}.png" for row, at in enumerate(label)],
        content_hash=[None] * n,
        classes=ClassNames(names),
    )


def places_of(rows):
    """Return the places of rows."""
    return np.asarray(rows, np.int64) // 10
