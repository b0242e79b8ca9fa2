"""Outcomes of runs, for the tests of this folder."""

import numpy as np
import pandas as pd
from hypothesis import strategies as st

from errlens.analysis.confusion.matrix import CellSums, ConfusionMatrix
from errlens.classes.names import ClassNames

NAMES = ("cat", "dog", "cow", "hen")
images = st.lists(st.tuples(*[st.integers(0, 3)] * 3), min_size=1, max_size=60)


def outcome(label, pred, *, prefix="", names=NAMES, content="c"):
    """Make what `outcomes` returns of class indices."""
    frame = pd.DataFrame({"row": range(len(label))})
    frame["sample_id"] = [f"{prefix}{row}.png" for row in frame["row"]]
    frame["content_hash"] = [f"{prefix}{content}{row}".encode() for row in frame["row"]]
    frame["label_name"] = [names[index] for index in label]
    frame["pred_name"] = [names[index] for index in pred]
    return frame.assign(correct=frame["label_name"] == frame["pred_name"])


def matrix(label, pred, names=NAMES):
    sums = CellSums(len(names))
    sums.add(np.asarray(label), np.asarray(pred))
    return ConfusionMatrix(sums.total(), ClassNames(names), None, np.zeros(len(names), np.int64))


def columns(rows):
    return tuple(map(list, zip(*rows, strict=True)))


def confused(mutual, *, order=(0, 1, 2, 3)):
    """Return labels and predictions with 40 images a class, of which two pairs may be mixed up."""
    label = np.repeat(np.arange(4), 40)
    pred = label.copy()
    for a, b in mutual:
        pred[a * 40 : a * 40 + 12], pred[b * 40 : b * 40 + 12] = b, a
    for one in range(4):  # a few errors of every kind
        pred[one * 40 + 38] = (one + 1) % 4
        pred[one * 40 + 39] = (one + 2) % 4
    place = np.asarray(order)
    return place[label], place[pred]
