"""How runs differ, as tables."""

from collections import Counter

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from errlens.analysis.comparison.changes import (
    class_changes,
    class_differences,
    compare_outcomes,
    other_files,
    pair_changes,
    pair_differences,
    relabelled,
    run_table,
)
from errlens.analysis.comparison.matching import matched
from errlens.analysis.confusion.matrix import CellSums, ConfusionMatrix
from errlens.analysis.confusion.pairs import pair_table
from errlens.classes.names import ClassNames

NAMES = ("cat", "dog", "cow", "hen")
images = st.lists(st.tuples(*[st.integers(0, 3)] * 3), min_size=1, max_size=60)


def outcome(label, pred, *, prefix="", names=NAMES, content="c"):
    """Make what `matching.outcomes` returns of class indices."""
    frame = pd.DataFrame({"row": range(len(label))})
    frame["sample_id"] = [f"{prefix}{row}.png" for row in frame["row"]]
    frame["content_hash"] = [f"{prefix}{content}{row}".encode() for row in frame["row"]]
    frame["label_name"] = [names[one] for one in label]
    frame["pred_name"] = [names[one] for one in pred]
    return frame.assign(correct=frame["label_name"] == frame["pred_name"])


def matrix(label, pred, names=NAMES):
    sums = CellSums(len(names))
    sums.add(np.asarray(label), np.asarray(pred))
    return ConfusionMatrix(sums.total(), ClassNames(names), None, np.zeros(len(names), np.int64))


def columns(found):
    return tuple(map(list, zip(*found, strict=True)))


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


@settings(deadline=None)
@given(images)
def test_classes_add_up_and_change_sign_with_old_and_new_exchanged(found):
    label, before, now = columns(found)
    old, new = outcome(label, before), outcome(label, now)
    there = class_changes(matched(old, new), ClassNames(NAMES)).set_index("class_name")
    back = class_changes(matched(new, old), ClassNames(NAMES)).set_index("class_name")
    assert there["n"].to_dict() == Counter(NAMES[one] for one in label)
    for name, one in there.iterrows():
        of_class = [(b, p) for y, b, p in found if NAMES[y] == name]
        y = NAMES.index(name)
        assert one["fixed"] == sum(b != y == p for b, p in of_class)
        assert one["broken"] == sum(b == y != p for b, p in of_class)
        assert np.isclose(one["difference"], one["new_recall"] - one["old_recall"])
        assert one["low"] <= one["difference"] <= one["high"]
        assert back.loc[name, "difference"] == -one["difference"]
        assert back.loc[name, "q_value"] == one["q_value"] >= one["p_value"]


@settings(deadline=None)
@given(images)
def test_pairs_are_those_of_a_count_by_hand(found):
    label, before, now = columns(found)
    both = matched(outcome(label, before), outcome(label, now))
    table = pair_changes(both, matrix(label, before), matrix(label, now))
    was = [frozenset((y, b)) if y != b else None for y, b in zip(label, before, strict=True)]
    is_now = [frozenset((y, p)) if y != p else None for y, p in zip(label, now, strict=True)]
    for one in table.to_dict("records"):
        pair = frozenset(NAMES.index(one[end]) for end in ("class_a", "class_b"))
        assert one["n"] == sum(y in pair for y in label)
        assert one["old_count"] == was.count(pair)
        assert one["new_count"] == is_now.count(pair)
        changes = list(zip(was, is_now, strict=True))
        assert one["gone"] == sum(a == pair != b for a, b in changes)
        assert one["new"] == sum(b == pair != a for a, b in changes)
        assert one["fixed"] == sum(a == pair and b is None for a, b in changes)
        assert one["broken"] == sum(b == pair and a is None for a, b in changes)
    assert len(table) == len({*was, *is_now} - {None})
    whole = compare_outcomes(outcome(label, before), outcome(label, now))
    assert (table["fixed"].sum(), table["broken"].sum()) == (whole.fixed, whole.broken)


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


def test_a_confusion_that_loses_its_lift_has_not_gone():
    label, before = confused([(0, 1)])
    now = before.copy()
    now[[80, 120]], now[[81, 121]] = 0, 1  # cows and hens are taken for cats and dogs, too
    old, new = matrix(label, before), matrix(label, now)
    statuses = [pair_table(one)["status"][0] for one in (old, new)]
    assert statuses == ["mutual", "likely"]
    table = pair_changes(matched(outcome(label, before), outcome(label, now)), old, new)
    assert table.set_index(["class_a", "class_b"])["status"]["cat", "dog"] == "stays"


def test_mutual_confusions_appear_go_and_stay_whatever_the_order_of_classes():
    (label, before), (_, now) = confused([(0, 1)]), confused([(2, 3)])
    old, new = outcome(label, before), outcome(label, now)
    other = [3, 1, 0, 2]
    names = tuple(NAMES[other.index(one)] for one in range(4))
    shuffled = matrix(*confused([(0, 1)], order=other), names=names)
    tables = [
        pair_changes(matched(old, new), matrix(label, before), matrix(label, now)),
        pair_changes(matched(old, new), shuffled, matrix(label, now)),
        pair_differences(matrix(label, before), matrix(label, now)),
        pair_differences(shuffled, matrix(label, now)),
    ]
    for table in tables:
        status = table.dropna(subset="status").set_index(["class_a", "class_b"])["status"]
        assert status.to_dict() == {("cat", "dog"): "went", ("cow", "hen"): "appeared"}
    same = pair_changes(matched(old, old), shuffled, matrix(label, before))
    assert same["status"].dropna().tolist() == ["stays"]
    assert (same["p_value"] == 1).all()


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


def test_what_has_another_label_or_another_file_is_counted():
    old, new = outcome([0, 1, 2], [0, 1, 2]), outcome([0, 1, 3], [0, 1, 2], content="d")
    assert relabelled(old, new) == 1
    assert other_files(old, new) == 3
    assert relabelled(old, old) == other_files(old, old) == 0
    assert other_files(old.assign(content_hash=None), new) == 0


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
