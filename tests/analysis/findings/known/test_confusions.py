"""Each confusion is told once, with figures that the predictions alone give."""

import numpy as np
import pandas as pd

from errlens.analysis.confusion.matrix import confusion_matrix_of_arrays
from errlens.analysis.confusion.tables import find_confusions
from errlens.analysis.findings.known.confusions import from_confusions
from errlens.analysis.statistics.intervals import wilson_interval
from errlens.classes.names import ClassNames

NAMES = ("cat", "dog", "cow", "pig", "hen", "emu")


def findings(scored_of, label, pred):
    matrix = confusion_matrix_of_arrays(label, pred, ClassNames(NAMES), None)
    tables = find_confusions(matrix)
    images = scored_of(label, pred, names=NAMES)
    return list(from_confusions(images, tables.pairs, tables.groups, tables.absorbed))


def planted(*cells, seed=0):
    """Return 100 images a class, a few errors everywhere, and as many more as planted."""
    rng = np.random.default_rng(seed)
    label = np.repeat(np.arange(6), 100)
    pred = label.copy()
    for row in range(0, 600, 40):
        pred[row] = (label[row] + rng.integers(1, 6)) % 6
    for true, taken, count in cells:
        pred[np.flatnonzero(label == true)[1 : 1 + count]] = taken
    return label, pred


def test_a_pair_has_the_errors_of_both_ways(scored_of):
    label, pred = planted((0, 1, 20), (1, 0, 15))
    (found,) = findings(scored_of, label, pred)
    both = ((label == 0) & (pred == 1)) | ((label == 1) & (pred == 0))
    assert found.kind == "confusion"
    assert found.rows == tuple(np.flatnonzero(both).tolist())
    assert found.n_errors == both.sum()
    assert 0 < found.excess_errors < both.sum()
    assert found.gain.value == both.sum() / 600
    assert (found.gain.low, found.gain.high) == wilson_interval(both.sum(), 600)
    ab, ba = (int(((label == a) & (pred == b)).sum()) for a, b in ((0, 1), (1, 0)))
    assert f"{ab} of 100 cat as dog, {ba} of 100 dog as cat" in found.statement
    assert f"{100 * both.sum() / (label != pred).sum():.1f} % of all errors" in found.statement
    assert found.selector == "cat~dog"


def test_a_group_is_told_and_its_pairs_are_not(scored_of):
    label, pred = planted((0, 1, 20), (1, 0, 15))
    matrix = confusion_matrix_of_arrays(label, pred, ClassNames(NAMES), None)
    tables = find_confusions(matrix)
    groups = pd.DataFrame({"group": [1], "size": [3], "classes": ['["cat", "dog", "cow"]']})
    images = scored_of(label, pred, names=NAMES)
    (found,) = from_confusions(images, tables.pairs, groups, tables.absorbed)
    inside = np.isin(label, [0, 1, 2]) & np.isin(pred, [0, 1, 2]) & (label != pred)
    assert found.kind == "group"
    assert found.n_errors == inside.sum()
    assert found.selector == "group:1"
    assert "cat, dog, cow are taken for one another" in found.statement


def test_a_class_that_vanishes_is_told_one_way(scored_of):
    label, pred = planted((2, 3, 30))
    (found,) = findings(scored_of, label, pred)
    assert found.kind == "one_way"
    assert found.rows == tuple(np.flatnonzero((label == 2) & (pred == 3)).tolist())
    assert found.selector == "cow/pig"


def test_errors_everywhere_are_no_finding(scored_of):
    told = [bool(findings(scored_of, *planted(seed=seed))) for seed in range(20)]
    assert sum(told) <= 2  # each table is wrong in one run of twenty
