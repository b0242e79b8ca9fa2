"""Classes that the model holds possible: mean probabilities instead of counted errors.

With five images a class hardly any pair has errors enough to be tested. But each image also tells
which other classes the model held possible. That is belief, not error: a model may hold a class
possible for every image and never be wrong.
"""

from collections.abc import Iterable
from typing import Final

import numpy as np
import pandas as pd
import pyarrow.compute as pc
from scipy.sparse import csr_array, triu

from errlens.analysis.confusion.matrix import CellSums
from errlens.classes.names import ClassNames
from errlens.predictions.table import Predictions

COLUMNS: Final = ("status", "label", "topk_index", "topk_prob")


def soft_table(parts: Iterable[Predictions], n_classes: int) -> pd.DataFrame:
    """Return the mean probability of each class over the images of each true class.

    Columns: `label` and `pred`, class indices; `mean_prob`; `n`, the images of the true class; and
    `covered`, the mean probability that their stored top-k holds. Where it is 1, the means are
    exact; else each may be too small by as much as is missing, and cells without a row are below
    that too. Rows are in the order of the two classes.

    Args:
        parts: Parts of a predictions table with `COLUMNS`.
        n_classes: Number of classes.
    """
    sums, n = CellSums(n_classes), np.zeros(n_classes, np.int64)
    for part in parts:
        table = part.judged.filter(pc.field("topk_index").is_valid())
        label = table["label"].to_numpy()
        index, prob = (table[name].combine_chunks() for name in ("topk_index", "topk_prob"))
        length = pc.list_value_length(index).to_numpy()
        sums.add(
            np.repeat(label, length),
            index.flatten().to_numpy(),
            prob.flatten().to_numpy().astype(np.float64),
        )
        n += np.bincount(label, minlength=n_classes)
    cells = sums.total().tocoo()
    mean = cells.data / n[cells.row]
    covered = np.bincount(cells.row, weights=mean, minlength=n_classes)
    return pd.DataFrame(
        {
            "label": cells.row.astype(np.int32),
            "pred": cells.col.astype(np.int32),
            "mean_prob": mean,
            "n": n[cells.row],
            "covered": np.minimum(covered[cells.row], 1),
        }
    )


def soft_matrix(soft: pd.DataFrame, n_classes: int) -> csr_array:
    """Return a soft table as a sparse matrix of mean probabilities."""
    return csr_array(
        (soft["mean_prob"], (soft["label"], soft["pred"])), shape=(n_classes, n_classes)
    )


def mean_covered(soft: pd.DataFrame) -> float:
    """Return the share of the probability that a soft table rests on, a mean over true classes."""
    return float(soft.drop_duplicates("label")["covered"].mean())


def soft_pairs(soft: pd.DataFrame, classes: ClassNames) -> pd.DataFrame:
    """Return the pairs of classes that are each held possible for the other, likeliest first.

    That is by the smaller of the two mean probabilities `belief_ab` (of b over the images of a) and
    `belief_ba`; ties in the order of the classes.
    """
    mean = soft_matrix(soft, len(classes))
    both = triu(mean.minimum(mean.T), k=1).tocoo()
    order = np.lexsort((both.col, both.row, -both.data))
    a, b = both.row[order], both.col[order]
    names = np.array(classes.names, object)
    there, back = (
        np.asarray(mean[i, j], float).ravel() if len(a) else np.zeros(0)
        for i, j in ((a, b), (b, a))
    )
    return pd.DataFrame(
        {"class_a": names[a], "class_b": names[b], "belief_ab": there, "belief_ba": back}
    )
