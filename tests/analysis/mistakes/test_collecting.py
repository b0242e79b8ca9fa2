import json

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import false_discovery_control, fisher_exact

from errlens.analysis.confusion.matrix import confusion_matrix_of_arrays
from errlens.analysis.mistakes.collecting import (
    NEVER_RIGHT,
    NO_IMAGE,
    OFTEN_WRONG,
    UNKNOWN_COLUMNS,
    collect_table,
    unknown_table,
    wanted_classes,
)
from errlens.classes.names import ClassNames
from errlens.predictions.table import SCHEMA, Predictions

NAMES = ("cat", "dog", "cow", "hen")


def part(rows):
    """Return a part of rows of (status, label_name, pred_name, confidence)."""
    schema = pa.schema([SCHEMA.field(name) for name in UNKNOWN_COLUMNS])
    listed = [dict(zip(UNKNOWN_COLUMNS, row, strict=True)) for row in rows]
    return Predictions(pa.Table.from_pylist(listed, schema=schema), ClassNames(NAMES))


def test_labels_the_model_lacks_are_listed_with_what_they_are_taken_for():
    table = unknown_table(
        [
            part([("label_unknown", "fox", "dog", 0.5), ("ok", "cat", "dog", 0.9)]),
            part([("label_unknown", "fox", "dog", 0.7), ("label_unknown", "fox", "cat", 0.4)]),
            part([("label_unknown", "ant", "hen", None), ("unreadable", "cat", None, None)]),
        ]
    )
    assert table["label_name"].tolist() == ["fox", "fox", "ant"]
    assert table["pred_name"].tolist() == ["dog", "cat", "hen"]
    assert table["count"].tolist() == [2, 1, 1]
    np.testing.assert_allclose(table["share"], [2 / 3, 1 / 3, 1])
    np.testing.assert_allclose(table["mean_confidence"], [0.6, 0.4, np.nan], rtol=1e-6)


def test_without_unknown_labels_the_table_has_its_columns():
    table = unknown_table([part([("ok", "cat", "dog", 0.9)])])
    assert list(table.columns) == ["label_name", "pred_name", "count", "share", "mean_confidence"]
    assert len(table) == 0


pairs_of_classes = arrays(
    np.int64, st.tuples(st.integers(0, 30), st.just(2)), elements=st.integers(0, 3)
)


@settings(deadline=None, max_examples=60)
@given(pairs_of_classes)
def test_what_to_collect_is_counted_class_by_class(pairs):
    label, pred = pairs.T
    table = collect_table(confusion_matrix_of_arrays(label, pred, ClassNames(NAMES)))
    counted = {}
    for index, name in enumerate(NAMES):
        n, errors = int((label == index).sum()), int(((label == index) & (pred != index)).sum())
        if errors or not n:
            counted[name] = (errors, n)
    rows = list(zip(table["class_name"], table["errors"], table["n"], strict=True))
    assert {name: (errors, n) for name, errors, n in rows} == counted
    badness = [(n == 0, -errors, NAMES.index(name)) for name, errors, n in rows]
    assert badness == sorted(badness)
    for row in table.to_dict("records"):
        if row["n"]:
            assert row["gain_if_solved"] == pytest.approx(row["errors"] / len(label))
            assert row["recall_low"] <= row["recall"] <= row["recall_high"]
        else:
            rates = [row[name] for name in ("gain_if_solved", "recall", "recall_low")]
            assert np.isnan(rates).all()


def test_a_class_names_what_it_is_mixed_up_with_either_way():
    label = ["cat"] * 6 + ["dog"] * 5 + ["hen"]
    pred = ["dog", "dog", "cow", "cat", "cat", "cat", "cat", "dog", "dog", "dog", "dog", "cat"]
    table = collect_table(confusion_matrix_of_arrays(label, pred, ClassNames(NAMES)))
    confused = dict(zip(table["class_name"], map(json.loads, table["confused_with"]), strict=True))
    assert confused == {
        "cat": ["dog", "cow", "hen"],
        "dog": ["cat"],
        "hen": ["cat"],
        "cow": ["cat"],  # no image of its own
    }


def wanted(wrong, n):
    """Return the reasons by class of a run in which so many images of each class are wrong."""
    label = np.repeat(np.arange(len(n)), n)
    place = np.concatenate([np.arange(size) for size in n])
    pred = np.where(place < np.repeat(wrong, n), (label + 1) % len(n), label)
    names = ClassNames(tuple(f"c{index}" for index in range(len(n))))
    matrix = confusion_matrix_of_arrays(label, pred, names)
    table = collect_table(matrix)
    return {table["class_name"][one.place]: one for one in wanted_classes(table, matrix)}


def test_only_classes_with_evidence_are_wanted():
    found = wanted([1, 40, 9, 0, 8, 5], [1, 100, 100, 0, 100, 5])
    assert {name: one.reason for name, one in found.items()} == {
        "c1": OFTEN_WRONG, "c5": NEVER_RIGHT, "c3": NO_IMAGE,
    }  # fmt: skip
    assert found["c1"].elsewhere == pytest.approx(23 / 206)
    assert found["c3"].elsewhere is None
    assert wanted([0, 0], [5, 5]) == {}


@given(st.lists(st.integers(0, 30), min_size=3, max_size=8))
def test_evidence_is_that_of_fisher_s_exact_test(wrong):
    n, total = 40, 40 * len(wrong)
    tables = [
        [[errors, n - errors], [sum(wrong) - errors, total - n - (sum(wrong) - errors)]]
        for errors in wrong
    ]
    p_values = [fisher_exact(table, alternative="greater").pvalue for table in tables]
    q_values = false_discovery_control(np.clip(p_values, 0, 1))
    often = {f"c{index}" for index, q in enumerate(q_values) if q <= 0.05 and wrong[index]}
    assert {*wanted(wrong, [n] * len(wrong))} == often
