"""Which two classes one run mixes up more, or less, than another."""

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api.extensions import ExtensionArray

from errlens.analysis.confusion.matrix import ConfusionMatrix
from errlens.analysis.confusion.pairs import real_pairs
from errlens.analysis.statistics.differences import difference_between_samples
from errlens.analysis.statistics.significance import mcnemar_exact, strongest_first
from errlens.classes.names import ClassNames
from errlens.run.csv_tables import TEXT

# Columns of pairs.csv; all others hold numbers.
PAIR_CHANGE_COLUMNS: Final = {"class_a": TEXT, "class_b": TEXT, "status": TEXT}

_NO_PAIR: Final = -1  # of an image that is right


def pair_changes(both: pd.DataFrame, old: ConfusionMatrix, new: ConfusionMatrix) -> pd.DataFrame:
    """Return one row for two classes that either run mixes up, the strongest evidence first.

    `old_count` and `new_count` are the images in common that were, and are, taken for the other
    class, both ways together. Of the former `gone` are no longer so, and `fixed` of these are right
    now; of the latter `new` were not so before, and `broken` of these were right. The test is
    McNemar's, exact, of `gone` and `new`, with Benjamini-Hochberg over the pairs.

    `status` tells of pairs that are mutually confused, or likely so (see `pair_table`), in the
    whole of one run or of both: the confusion appeared, went or stays.

    Args:
        both: What `matched` returns.
        old: All of the old run. Superclasses should be those of the new one: they have a say in
            what is mutual.
        new: All of the new one.
    """
    names, k = new.classes, len(new.classes)
    label = names.indices(both["label_name"])
    before, now = (
        _pair_keys(label, names.indices(both[column]), k) for column in ("old_pred", "new_pred")
    )
    mutual = [_mutual_keys(matrix, names) for matrix in (old, new)]
    keys = np.unique(np.concatenate([before, now, *mutual]))
    keys = keys[keys != _NO_PAIR]
    old_count, new_count, same, fixed, broken = (
        _counts(keys, of_images)
        for of_images in (
            before,
            now,
            before[before == now],
            before[both["new"].to_numpy(bool)],
            now[both["old"].to_numpy(bool)],
        )
    )
    gone, came = old_count - same, new_count - same
    n = np.bincount(label, minlength=k)
    a, b = np.divmod(keys, k)
    table = {
        "class_a": new.names[a],
        "class_b": new.names[b],
        "n": n[a] + n[b],
        "old_count": old_count,
        "new_count": new_count,
        "gone": gone,
        "fixed": fixed,
        "new": came,
        "broken": broken,
        "p_value": mcnemar_exact(gone, came),
    }
    return strongest_first(table, status=_status(keys, *mutual))


def pair_differences(old: ConfusionMatrix, new: ConfusionMatrix) -> pd.DataFrame:
    """Return the same of runs without images in common: shares of two samples."""
    names, k = new.classes, len(new.classes)
    mutual = [_mutual_keys(matrix, names) for matrix in (old, new)]
    counts, sizes = [], []
    for matrix in (old, new):
        place = names.indices(matrix.classes.names)
        cells = matrix.errors.tocoo()
        pairs = _pair_keys(place[cells.row], place[cells.col], k)
        counts.append(pd.Series(cells.data).groupby(pairs).sum())
        n = np.zeros(k, np.int64)
        n[place] = matrix.n
        sizes.append(n)
    keys = np.unique(np.concatenate([*(sums.index.to_numpy(np.int64) for sums in counts), *mutual]))
    old_count, new_count = (sums.reindex(keys, fill_value=0).to_numpy(np.int64) for sums in counts)
    a, b = np.divmod(keys, k)
    old_n, new_n = (n[a] + n[b] for n in sizes)
    table = {
        "class_a": new.names[a],
        "class_b": new.names[b],
        "old_n": old_n,
        "new_n": new_n,
        "old_count": old_count,
        "new_count": new_count,
        "p_value": difference_between_samples(old_count, old_n, new_count, new_n).p_value,
    }
    return strongest_first(table, status=_status(keys, *mutual))


def _pair_keys(label: NDArray[np.int64], pred: NDArray[np.int64], k: int) -> NDArray[np.int64]:
    """Return a number for the two classes of each error, whichever is which."""
    keys = np.minimum(label, pred) * k + np.maximum(label, pred)
    return np.where(label == pred, _NO_PAIR, keys)


def _mutual_keys(matrix: ConfusionMatrix, classes: ClassNames) -> NDArray[np.int64]:
    """Return the same numbers of the mutual pairs of a run, likely ones among them.

    One that loses its lift is still there. The classes of the run may be in another order.
    """
    a, b = real_pairs(matrix).T
    place = classes.indices(matrix.classes.names)
    return _pair_keys(place[a], place[b], len(classes))


def _counts(keys: NDArray[np.int64], of_images: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return of how many images each of some sorted keys is."""
    known = of_images[of_images != _NO_PAIR]
    return np.bincount(np.searchsorted(keys, known), minlength=len(keys))


def _status(
    keys: NDArray[np.int64], old: NDArray[np.int64], new: NDArray[np.int64]
) -> ExtensionArray:
    was, now = np.isin(keys, old), np.isin(keys, new)
    words = np.array([None, "went", "appeared", "stays"], object)
    return pd.array(words[was + 2 * now], dtype="str")
