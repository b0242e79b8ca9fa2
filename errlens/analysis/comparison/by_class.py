"""In which classes one run is better than another."""

from typing import Final

import numpy as np
import pandas as pd

from errlens.analysis.statistics.differences import (
    difference_between_samples,
    difference_on_same_images,
)
from errlens.analysis.statistics.significance import strongest_first
from errlens.classes.names import ClassNames
from errlens.run.csv_tables import NUMBER, TEXT

# Columns of classes.csv; all others hold numbers.
CLASS_CHANGE_COLUMNS: Final = {"class_name": TEXT, "old_recall": NUMBER, "new_recall": NUMBER}


def class_changes(both: pd.DataFrame, classes: ClassNames) -> pd.DataFrame:
    """Return one row a class that has images in both runs, the strongest evidence first.

    The test is McNemar's, exact, with Benjamini-Hochberg over the classes.

    Args:
        both: What `matched` returns.
        classes: Those of the new run.
    """
    label, k = classes.indices(both["label_name"]), len(classes)
    old, new = both["old"].to_numpy(bool), both["new"].to_numpy(bool)
    n, old_hits, new_hits, fixed, broken = (
        np.bincount(label[which], minlength=k)
        for which in (np.ones(len(both), bool), old, new, new & ~old, old & ~new)
    )
    known = np.flatnonzero(n)
    change = difference_on_same_images(broken[known], fixed[known], n[known])
    table = {
        "class_name": pd.array(classes.names, dtype="str")[known],
        "n": n[known],
        "old_recall": old_hits[known] / n[known],
        "new_recall": new_hits[known] / n[known],
        **change._asdict(),
        "fixed": fixed[known],
        "broken": broken[known],
    }
    return strongest_first(table)


def class_differences(old: pd.DataFrame, new: pd.DataFrame, classes: ClassNames) -> pd.DataFrame:
    """Return the same of runs without images in common: recalls of two samples."""
    k = len(classes)
    counts = []
    for images in (old, new):
        label = classes.indices(images["label_name"])
        right = label[images["correct"].to_numpy(bool)]
        counts += [np.bincount(right, minlength=k), np.bincount(label, minlength=k)]
    known = np.flatnonzero((counts[1] > 0) & (counts[3] > 0))
    old_hits, old_n, new_hits, new_n = (of_class[known] for of_class in counts)
    change = difference_between_samples(old_hits, old_n, new_hits, new_n)
    table = {
        "class_name": pd.array(classes.names, dtype="str")[known],
        "old_n": old_n,
        "new_n": new_n,
        "old_recall": old_hits / old_n,
        "new_recall": new_hits / new_n,
        **change._asdict(),
    }
    return strongest_first(table)
