"""How runs differ as wholes."""

import numpy as np
from hypothesis import given

from errlens.analysis.comparison.by_class import class_differences
from errlens.analysis.comparison.by_pair import pair_differences
from errlens.analysis.comparison.by_run import compare_outcomes, run_table
from errlens.classes.names import ClassNames
from tests.analysis.comparison.outcomes import NAMES, columns, confused, images, matrix, outcome


@given(images)
def test_fixed_and_broken_are_those_of_a_count_by_hand(found):
    label, before, now = columns(found)
    one = compare_outcomes(outcome(label, before), outcome(label, now))
    assert one.fixed == sum(y != b and y == p for y, b, p in found)
    assert one.broken == sum(y == b and y != p for y, b, p in found)
    assert len(one.both) == len(found)
    back = compare_outcomes(outcome(label, now), outcome(label, before))
    assert (back.fixed, back.broken) == (one.broken, one.fixed)
    assert (back.difference, back.low, back.high) == (-one.difference, -one.high, -one.low)


def test_runs_without_common_images_are_two_samples():
    (label, before), (_, now) = confused([(0, 1)]), confused([])
    old, new = outcome(label, before), outcome(label, now, prefix="x")
    one = compare_outcomes(old, new)
    assert not one.on_same_images
    assert (one.fixed, one.broken) == (None, None)
    assert np.isclose(one.difference, (now == label).mean() - (before == label).mean())
    table = class_differences(old, new, ClassNames(NAMES)).set_index("class_name")
    assert table.loc["cat", ["old_n", "new_n"]].tolist() == [40, 40]
    assert np.isclose(table.loc["cat", "difference"], 12 / 40)
    pairs = pair_differences(matrix(label, before), matrix(label, now))
    first = pairs.iloc[0]
    assert (first["class_a"], first["class_b"], first["status"]) == ("cat", "dog", "went")
    assert (first["old_count"], first["old_n"], first["new_n"]) == (25, 80, 80)


def test_a_run_without_a_figure_has_none():
    metrics = {
        "a": {"top1": {"value": 0.5, "low": 0.4, "high": 0.6, "n": 90}, "top5": None, "ece": None},
        "b": {
            "top1": {"value": 0.7, "low": 0.6, "high": 0.8, "n": 90},
            "nll": {"value": 1, "n": 9},
        },
    }
    one = compare_outcomes(outcome([0, 1], [1, 1]), outcome([0, 1], [0, 1]))
    table = run_table(metrics, [one])
    assert table["run"].tolist() == ["a", "b"]
    assert table["top5"].isna().all()
    assert table["nll"].fillna(-1).tolist() == [-1, 1]
    assert table["fixed"].fillna(-1).tolist() == [-1, 1]
    assert table["difference"].fillna(-1).tolist() == [-1, 0.5]
