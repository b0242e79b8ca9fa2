"""What to look for next: labels the model lacks, and classes that want photos."""

from collections.abc import Iterable
from typing import Final, NamedTuple

import numpy as np
import pandas as pd
import pyarrow.compute as pc
from scipy.sparse import csr_array
from scipy.stats import hypergeom

from errlens.analysis.confusion.matrix import ConfusionMatrix
from errlens.analysis.statistics.intervals import wilson_interval
from errlens.analysis.statistics.significance import benjamini_hochberg
from errlens.escapes import json_text
from errlens.predictions.table import LABEL_UNKNOWN, Predictions
from errlens.run.csv_tables import NUMBER, TEXT, WHOLE

UNKNOWN_COLUMNS: Final = ("status", "label_name", "pred_name", "confidence")
# collect.csv
COLLECT_COLUMNS: Final = {
    "class_name": TEXT, "confused_with": TEXT, "errors": WHOLE, "gain_if_solved": NUMBER,
    "n": WHOLE, "recall": NUMBER, "recall_low": NUMBER, "recall_high": NUMBER,
}  # fmt: skip
MOST_CONFUSED: Final = 3  # classes named for each class
LEAST_IMAGES: Final = 2  # of a class that may be called never right
ALPHA: Final = 0.05
NO_IMAGE: Final = "no image"
NEVER_RIGHT: Final = "never right"
OFTEN_WRONG: Final = "wrong more often than others"


def unknown_table(parts: Iterable[Predictions]) -> pd.DataFrame:
    """Return what the images are taken for whose label is none of the model's classes.

    Columns: `label_name` as the data spell it, `pred_name`, `count`, `share` of the images of that
    label, and `mean_confidence`. Labels with most images first, inside each the most frequent
    prediction; ties by name.

    Args:
        parts: Parts of a predictions table with `UNKNOWN_COLUMNS`; at least one.
    """
    unknown: list[pd.DataFrame] = []
    for part in parts:
        chosen = part.table.filter(pc.equal(part.table["status"], LABEL_UNKNOWN))
        if unknown and not len(chosen):
            continue
        unknown.append(
            pd.DataFrame(
                {
                    "label_name": chosen["label_name"].to_pandas().astype("str"),
                    "pred_name": chosen["pred_name"].to_pandas().astype("str"),
                    "confidence": chosen["confidence"].to_pandas().astype("float64"),
                }
            )
        )
    images = pd.concat(unknown, ignore_index=True)
    kinds = images.groupby(["label_name", "pred_name"], as_index=False).agg(
        count=("label_name", "size"), mean_confidence=("confidence", "mean")
    )
    of_label = kinds.groupby("label_name")["count"].transform("sum")
    kinds.insert(3, "share", kinds["count"] / of_label)
    order = np.lexsort((kinds["pred_name"], -kinds["count"], kinds["label_name"], -of_label))
    return kinds.iloc[order].reset_index(drop=True)


def collect_table(matrix: ConfusionMatrix) -> pd.DataFrame:
    """Return which classes to photograph next, most to gain first.

    Columns: `class_name`; `confused_with`, a JSON list of up to three classes with most errors
    either way; `errors`, images of the class that are wrong; `gain_if_solved`, their share of all
    images; `n`, its images now; `recall` with its interval. Classes without an error are left out.
    Those without an image come last, with nothing known of them. Ties by class index.
    """
    n, wrong = matrix.n, np.asarray(matrix.errors.sum(axis=1), np.int64).ravel()
    chosen = np.flatnonzero((wrong > 0) | (n == 0))
    order = chosen[np.lexsort((chosen, -wrong[chosen], n[chosen] == 0))]
    either_way = csr_array(matrix.errors + matrix.errors.T)
    low, high = wilson_interval(n - wrong, n)
    with np.errstate(invalid="ignore"):
        recall = (n - wrong) / n
    known = n[order] > 0
    return pd.DataFrame(
        {
            "class_name": matrix.names[order],
            "confused_with": pd.array(
                [_most_confused(matrix, either_way, index) for index in order.tolist()], dtype="str"
            ),
            "errors": wrong[order],
            "gain_if_solved": np.where(known, wrong[order] / max(matrix.total, 1), np.nan),
            "n": n[order],
            "recall": recall[order],
            "recall_low": np.where(known, low[order], np.nan),
            "recall_high": np.where(known, high[order], np.nan),
        }
    )


class Wanted(NamedTuple):
    """Why a class wants photos: `reason` is one of the words below; others' errors are beside it.

    `place` is its row in `collect_table`; `elsewhere` the error rate of all other classes.
    """

    place: int
    reason: str
    elsewhere: float | None


def wanted_classes(collect: pd.DataFrame, matrix: ConfusionMatrix) -> list[Wanted]:
    """Return the classes that there is evidence for, in the order of `collect_table`.

    These have no image, are never right (of two images or more), or are wrong more often than all
    other classes together: Fisher's exact test, one-sided, with Benjamini-Hochberg over classes.

    Args:
        collect: What `collect_table` returns.
        matrix: Of which it was returned.
    """
    n, wrong = collect["n"].to_numpy(np.int64), collect["errors"].to_numpy(np.int64)
    total, all_wrong = matrix.total, matrix.n_errors
    known = n > 0
    p_value = hypergeom.sf(wrong[known] - 1, total, all_wrong, n[known])
    q_value = np.ones(len(n))
    q_value[known] = benjamini_hochberg(p_value, tests=int((matrix.n > 0).sum()))
    wanted = []
    for place in range(len(collect)):
        others = total - int(n[place])
        elsewhere = (all_wrong - int(wrong[place])) / others if others else None
        if not n[place]:
            wanted.append(Wanted(place, NO_IMAGE, None))
        elif wrong[place] == n[place] >= LEAST_IMAGES:
            wanted.append(Wanted(place, NEVER_RIGHT, elsewhere))
        elif q_value[place] <= ALPHA:
            wanted.append(Wanted(place, OFTEN_WRONG, elsewhere))
    return wanted


def _most_confused(matrix: ConfusionMatrix, either_way: csr_array, index: int) -> str:
    """Return the classes that one is most mixed up with, as a JSON list."""
    start, stop = either_way.indptr[index], either_way.indptr[index + 1]
    others, counts = either_way.indices[start:stop], either_way.data[start:stop]
    first = others[np.lexsort((others, -counts))][:MOST_CONFUSED]
    names = [matrix.classes[other] for other in first.tolist()]
    return json_text(names)
