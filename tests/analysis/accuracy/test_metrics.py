"""The whole way from outputs over the table to figures, against scikit-learn."""

import json
import warnings

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn.metrics import (
    accuracy_score,
    f1_score,
    log_loss,
    precision_recall_fscore_support,
    top_k_accuracy_score,
)

from errlens.analysis.accuracy.metrics import COLUMNS, class_table, measure
from errlens.classes.names import NO_CLASS, ClassNames, Superclasses
from errlens.predictions.assembly import Seen, part_table
from errlens.predictions.scores import score
from errlens.predictions.table import OK, SCHEMA, Predictions
from errlens.run.tables import PLAN_SCHEMA


def predicted(logits, label, *, seen=None, superclasses=None, order=None):
    """Return the predictions for some outputs; `seen` may hold rows the model never saw."""
    n, k = len(label), logits.shape[1]
    seen = seen or [Seen(OK, None, 8, 8, bytes(16))] * n
    label = np.asarray(label, np.int32)
    classes = ClassNames(tuple(f"class {index}" for index in range(k)))
    names = [None if one == NO_CLASS else classes[one] for one in label]
    ids = [f"{row}.png" for row in range(n)]
    columns = [range(n), ids, ids, [None] * n, names, [1] * n, [0] * n]
    arrays = [pa.array(c, f.type) for c, f in zip(columns, PLAN_SCHEMA, strict=True)]
    fed = [row for row, one in enumerate(seen) if one.status == OK]
    found = score(logits[fed], label[fed], topk=min(k, 20), superclasses=superclasses)
    table = part_table(
        pa.table(arrays, schema=PLAN_SCHEMA), seen, found, label,
        classes=classes, superclasses=superclasses, with_logits=True,
    )  # fmt: skip
    return Predictions(table if order is None else table.take(order), classes, superclasses)


def random_case(n=300, k=8, seed=0):
    rng = np.random.default_rng(seed)
    label = rng.integers(0, k, n)
    logits = rng.normal(size=(n, k)) + 2 * np.eye(k)[label]
    return logits.astype(np.float32), label


def test_figures_are_scikit_learns():
    logits, label = random_case()
    prob = np.exp(logits - np.log(np.exp(logits).sum(axis=1, keepdims=True)))
    pred = prob.argmax(axis=1)
    found = measure(predicted(logits, label))
    assert found.top1.value == accuracy_score(label, pred)
    assert found.top5.value == top_k_accuracy_score(label, prob, k=5)
    assert found.nll.value == pytest.approx(log_loss(label, prob), rel=1e-5)
    assert found.macro_f1.value == pytest.approx(f1_score(label, pred, average="macro"))


def test_class_figures_are_scikit_learns():
    logits, label = random_case(n=60)
    label[label == 3] = 4  # a class without images
    table = class_table(predicted(logits, label))
    pred = logits.argmax(axis=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        precision, recall, f1, n = precision_recall_fscore_support(
            label, pred, labels=range(8), zero_division=np.nan
        )
    np.testing.assert_array_equal(table["n"], n)
    np.testing.assert_allclose(table["recall"], recall)
    np.testing.assert_allclose(table["precision"], precision)
    np.testing.assert_allclose(table["f1"], f1)
    assert np.isnan(table.loc[3, ["recall", "recall_low", "recall_high"]].to_numpy(float)).all()
    rest = table.drop(3)
    assert ((rest["recall_low"] <= rest["recall"]) & (rest["recall"] <= rest["recall_high"])).all()


@given(st.lists(st.tuples(st.integers(-1, 4), st.integers(0, 4)), min_size=1, max_size=30))
def test_macro_f1_is_scikit_learns_whatever_classes_are_there(rows):
    """Classes without images, ones that are only predicted, images whose label is no class."""
    label, pred = (np.array(one) for one in zip(*rows, strict=True))
    found = measure(predicted(np.eye(5, dtype=np.float32)[pred], label)).macro_f1
    counts = label != NO_CLASS
    if not counts.any():
        assert found is None
        return
    expected = f1_score(label[counts], pred[counts], average="macro")
    assert found == (pytest.approx(expected), counts.sum())


def test_a_class_that_is_only_predicted_counts_with_zero():
    label, pred = [0, 0, 1, 1], [0, 2, 1, 1]
    found = measure(predicted(np.eye(4, dtype=np.float32)[pred], np.array(label))).macro_f1
    assert found.value == pytest.approx((2 / 3 + 1 + 0) / 3)


@pytest.mark.parametrize(("k", "there"), [(5, False), (6, True)])
def test_top_five_of_five_classes_means_nothing(k, there):
    logits, label = random_case(n=30, k=k)
    assert (measure(predicted(logits, label)).top5 is not None) == there


def test_rows_that_failed_or_have_no_label_do_not_count():
    logits, label = random_case(n=40)
    seen = [Seen(OK, None, 8, 8, bytes(16))] * 40
    seen[3] = Seen("unreadable", "empty file")
    seen[5] = Seen("missing", "no such file")
    logits[7, 0] = np.nan
    label[9] = NO_CLASS
    found = measure(predicted(logits, label, seen=seen))
    kept = [row for row in range(40) if row not in (3, 5, 7, 9)]
    expected = measure(predicted(logits[kept], label[kept]))
    assert (found.n, found.n_ok, found.n_failed, found.n_unlabelled) == (40, 37, 3, 1)
    for name in (
        "top1",
        "top5",
        "nll",
        "brier",
        "ece",
        "ece_equal_mass",
        "macro_f1",
        "reliability",
    ):
        assert getattr(found, name) == getattr(expected, name)


@pytest.mark.parametrize("spoil", ["unreadable", "unlabelled"])
def test_figures_without_images_are_none_and_json_has_no_nan(spoil):
    logits, label = random_case(n=4)
    seen = None
    if spoil == "unreadable":
        seen = [Seen("unreadable", "empty file")] * 4
    else:
        label[:] = NO_CLASS
    found = measure(predicted(logits, label, seen=seen))
    for name in ("top1", "top5", "super_top1", "nll", "brier", "ece", "ece_equal_mass", "macro_f1"):
        assert getattr(found, name) is None
    assert json.loads(json.dumps(found.as_dict(), allow_nan=False))["reliability"] == []


def test_superclasses_add_up_to_the_whole():
    parents = Superclasses(("a", "b"), (0, 0, 0, 0, 1, 1, 1, 1))
    logits, label = random_case()
    found = measure(predicted(logits, label, superclasses=parents))
    pred, of_class = logits.argmax(axis=1), np.array(parents.of_class)
    assert found.super_top1.value == accuracy_score(of_class[label], of_class[pred])
    for kind, whole in (("top1", found.top1), ("super_top1", found.super_top1)):
        shares = [getattr(one, kind) for one in found.by_superclass]
        assert sum(share.n for share in shares) == whole.n
        hits = sum(share.value * share.n for share in shares)
        assert hits == pytest.approx(whole.value * whole.n)


@settings(deadline=None, max_examples=25)
@given(st.permutations(range(30)))
def test_the_order_of_rows_changes_nothing(order):
    logits, label = random_case(n=30)
    one, other = measure(predicted(logits, label)), measure(predicted(logits, label, order=order))
    assert one.top1 == other.top1
    assert one.nll.value == pytest.approx(other.nll.value)
    assert one.ece.value == pytest.approx(other.ece.value)


def test_the_table_has_exactly_the_schema_and_nulls_where_nothing_is_known():
    logits, label = random_case(n=5)
    seen = [Seen(OK, None, 8, 8, bytes(16))] * 5
    seen[1] = Seen("unreadable", "empty file", content_hash=bytes(16))
    logits[2, 0] = np.inf
    label[3] = NO_CLASS
    parents = Superclasses(("a",), (0,) + (None,) * 7)
    table = predicted(logits, label, seen=seen, superclasses=parents).table
    assert table.schema.equals(SCHEMA)
    rows = table.to_pylist()
    of_model = SCHEMA.names[SCHEMA.names.index("pred") :]
    of_model = [name for name in of_model if name != "super_label"]
    for row in (1, 2):
        assert all(rows[row][name] is None for name in of_model)
    assert [row["status"] for row in rows] == ["ok", "unreadable", "failed", "ok", "ok"]
    assert rows[2]["error"] == "outputs are not finite"
    about_label = ("correct", "label_prob", "margin", "loss", "brier", "label_rank", "label_name")
    assert all(rows[3][name] is None for name in about_label)
    assert rows[3]["pred_name"] == f"class {rows[3]['pred']}"
    assert [row["logits_row"] for row in rows] == [0, None, None, 1, 2]
    for row in rows:
        expected = 0 if row["label"] == 0 else None
        assert row["super_label"] == expected
        assert (row["super_pred"] is None) == (row["super_pred_prob"] is None)
        assert (row["super_pred"] == 0) == (row["pred"] == 0)


def test_brier_is_the_mean_squared_distance_to_the_label():
    logits, label = random_case()
    prob = np.exp(logits.astype(float)) / np.exp(logits.astype(float)).sum(axis=1, keepdims=True)
    expected = ((prob - np.eye(8)[label]) ** 2).sum(axis=1).mean()
    assert measure(predicted(logits, label)).brier.value == pytest.approx(expected, rel=1e-5)


def test_intervals_of_accuracy_are_scipys():
    logits, label = random_case(n=50)
    found = measure(predicted(logits, label)).top1
    hits = int((logits.argmax(axis=1) == label).sum())
    expected = binomtest(hits, 50).proportion_ci(method="wilson")
    assert (found.low, found.high) == (pytest.approx(expected.low), pytest.approx(expected.high))


def test_a_rate_without_images_is_missing_not_zero():
    label = np.array([0, 0, 1])
    logits = np.eye(4, dtype=np.float32)[[0, 2, 1]]  # class 2 only predicted, class 3 never
    table = class_table(predicted(logits, label))
    assert table["n"].tolist() == [2, 1, 0, 0]
    assert table["recall"].isna().tolist() == [False, False, True, True]
    assert table["precision"].isna().tolist() == [False, False, False, True]
    assert table["f1"].isna().tolist() == [False, False, False, True]
    assert table.loc[2, ["precision", "f1"]].tolist() == [0, 0]
    for rate in ("recall", "precision"):
        for edge in ("low", "high"):
            assert (table[f"{rate}_{edge}"].isna() == table[rate].isna()).all()


def test_the_class_table_counts_each_image_once():
    parents = Superclasses(("a", "b"), (0, 0, 0, None, 1, 1, 1, 1))
    logits, label = random_case()
    found = predicted(logits, label, superclasses=parents)
    table, whole = class_table(found), measure(found)
    assert table["n"].sum() == whole.top1.n == 300
    assert (table["n"] * table["recall"]).sum() == pytest.approx(300 * whole.top1.value)
    assert table["class_name"].tolist() == list(found.classes.names)
    assert [None if pd.isna(one) else one for one in table["superclass"]] == [
        parents.name_of(index) for index in range(8)
    ]


def test_a_table_of_classes_can_be_made_without_a_single_good_image():
    logits, label = random_case(n=4)
    table = class_table(predicted(logits, label, seen=[Seen("missing", "gone")] * 4))
    assert table["n"].tolist() == [0] * 8
    assert table[["recall", "recall_low", "precision_high", "f1"]].isna().all(axis=None)


def test_all_outputs_not_finite_leave_every_figure_none():
    logits, label = random_case(n=4)
    found = measure(predicted(np.full_like(logits, np.nan), label))
    assert (found.n, found.n_ok, found.n_failed) == (4, 0, 4)
    for name in ("top1", "top5", "nll", "brier", "ece", "ece_equal_mass", "macro_f1"):
        assert getattr(found, name) is None
    json.dumps(found.as_dict(), allow_nan=False)


def test_images_without_superclass_are_in_no_superclass():
    parents = Superclasses(("a", "b"), (0, 0, None, None, 1, 1, 1, 1))
    logits, label = random_case()
    found = measure(predicted(logits, label, superclasses=parents))
    inside = ~np.isin(label, (2, 3))
    assert found.super_top1.n == inside.sum() == sum(one.top1.n for one in found.by_superclass)
    of_class = np.array([-1 if one is None else one for one in parents.of_class])
    hits = of_class[label] == of_class[logits.argmax(axis=1)]
    assert found.super_top1.value == pytest.approx(hits[inside].mean())


def test_a_superclass_without_images_has_no_figures_but_is_named():
    parents = Superclasses(("a", "b"), (0, 0, 0, 0, 0, 0, 0, 1))
    logits, label = random_case(n=20)
    label[label == 7] = 0
    found = measure(predicted(logits, label, superclasses=parents))
    assert [one.superclass for one in found.by_superclass] == ["a", "b"]
    assert (found.by_superclass[1].top1, found.by_superclass[1].super_top1) == (None, None)


def test_the_columns_asked_for_are_all_that_is_needed():
    parents = Superclasses(("a", "b"), (0, 0, 0, 0, 1, 1, 1, 1))
    logits, label = random_case(n=40)
    whole = predicted(logits, label, superclasses=parents)
    part = Predictions(whole.table.select(COLUMNS), whole.classes, parents)
    assert measure(part) == measure(whole)
    pd.testing.assert_frame_equal(class_table(part), class_table(whole))


def test_json_holds_each_figure_with_its_count():
    logits, label = random_case(n=40)
    found = measure(predicted(logits, label))
    tree = json.loads(json.dumps(found.as_dict(), allow_nan=False))
    assert tree["top1"] == {**found.top1._asdict()}
    assert tree["nll"] == {"value": found.nll.value, "n": 40}
    assert sum(one["n"] for one in tree["reliability"]) == 40
    assert set(tree["reliability"][0]) == {"low", "high", "n", "confidence", "accuracy"}


UNTOLD = ("confidence", "loss", "brier", "label_rank")


def without(predictions, columns, rows=slice(None)):
    """Return the predictions with some values taken away, as an import may not know them."""
    table = predictions.table
    for name in columns:
        values = np.array(table[name].to_pylist(), object)
        values[rows] = None
        column = pa.array(values.tolist(), SCHEMA.field(name).type)
        table = table.set_column(SCHEMA.get_field_index(name), SCHEMA.field(name), column)
    return Predictions(table, predictions.classes, predictions.superclasses)


def test_figures_of_what_nobody_told_are_none_and_the_others_stay():
    logits, label = random_case()
    whole = predicted(logits, label)
    found, expected = measure(without(whole, UNTOLD)), measure(whole)
    for name in ("top5", "nll", "brier", "ece", "ece_equal_mass"):
        assert getattr(found, name) is None
    assert found.reliability == []
    assert (found.n_ok, found.top1, found.macro_f1) == (300, expected.top1, expected.macro_f1)
    json.dumps(found.as_dict(), allow_nan=False)


@pytest.mark.parametrize("column", UNTOLD)
def test_each_figure_stands_on_the_images_it_is_known_of(column):
    logits, label = random_case()
    found = measure(without(predicted(logits, label), [column], slice(0, 100)))
    rest = measure(predicted(logits[100:], label[100:]))
    names = {
        "confidence": ("ece", "ece_equal_mass", "reliability"),
        "loss": ("nll",),
        "brier": ("brier",),
        "label_rank": ("top5",),
    }[column]
    for name in names:
        assert getattr(found, name) == getattr(rest, name)
    assert found.top1.n == 300
