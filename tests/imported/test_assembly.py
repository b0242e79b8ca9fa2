"""Imported probabilities score as the outputs they come from do."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import softmax

from errlens.classes.names import NO_CLASS, ClassNames, Superclasses
from errlens.imported.assembly import part_of_classes, part_of_probabilities
from errlens.predictions.assembly import Seen, part_table
from errlens.predictions.scores import score
from errlens.predictions.table import FAILED, OK, SCHEMA
from errlens.run.tables import PLAN_SCHEMA

CLASSES = ClassNames(("ant", "bee", "cat", "dog"))
PARENTS = Superclasses(("insect", "pet"), (0, 0, 1, None))
GOOD = Seen(OK)
FIGURES = (
    "confidence", "label_prob", "margin", "loss", "entropy", "brier", "super_pred_prob",
)  # fmt: skip


def make_plan(label):
    n = len(label)
    ids = [f"{row}.png" for row in range(n)]
    names = [None if index == NO_CLASS else "as the data spell it" for index in label]
    columns = [range(n), ids, ids, [None] * n, names, [1] * n, [0] * n]
    values = [pa.array(c, f.type) for c, f in zip(columns, PLAN_SCHEMA, strict=True)]
    return pa.table(values, schema=PLAN_SCHEMA)


def of_probabilities(prob, label, **options):
    plan, seen = make_plan(label), [GOOD] * len(label)
    return part_of_probabilities(
        plan,
        seen,
        np.asarray(prob, float),
        np.asarray(label, np.int32),
        classes=CLASSES,
        superclasses=PARENTS,
        topk=3,
        **options,
    )


# Eighths: outputs that differ by less than a probability can tell would be a tie afterwards.
logits = arrays(
    np.float32, (5, 4), elements=st.integers(-160, 160).map(lambda eighths: eighths / 8)
)
labels = arrays(np.int32, 5, elements=st.integers(-1, 3))


@settings(deadline=None)
@given(logits, labels)
def test_the_softmax_of_outputs_scores_like_the_outputs(logits, label):
    scores = score(logits, label, topk=3, superclasses=PARENTS)
    plan, seen = make_plan(label), [GOOD] * 5
    expected = part_table(plan, seen, scores, label, classes=CLASSES, superclasses=PARENTS)
    found = of_probabilities(softmax(logits.astype(float), axis=1), label)
    assert found.schema.equals(SCHEMA)
    for name in FIGURES:
        values = [np.array(one[name].to_pylist(), float) for one in (found, expected)]
        np.testing.assert_allclose(*values, rtol=1e-5, atol=1e-5, err_msg=name)
    assert found["status"].to_pylist() == expected["status"].to_pylist()


@settings(deadline=None)
@given(labels, st.floats(0.991, 1.009))
def test_a_sum_beside_one_is_made_one(label, factor):
    prob = softmax(np.random.default_rng(0).normal(size=(5, 4)), axis=1)
    found, expected = of_probabilities(prob * factor, label), of_probabilities(prob, label)
    for name in FIGURES:
        values = [np.array(one[name].to_pylist(), float) for one in (found, expected)]
        np.testing.assert_allclose(*values, atol=1e-6, err_msg=name)


def test_a_label_given_no_chance_has_an_infinite_loss_and_a_small_one_a_large_loss():
    prob = [[0, 0, 1, 0], [0, 0, 1, 0], [1e-60, 0, 1, 0], [1e-60, 0, 1, 0], [0, -0.0, 1, 0]]
    found = of_probabilities(prob, [2, 0, 1, 0, NO_CLASS]).to_pylist()
    assert [row["loss"] for row in found] == pytest.approx([0, np.inf, np.inf, 138.155, None])
    assert [row["label_prob"] for row in found] == [1, 0, 0, 0, None]
    assert [row["topk_prob"] for row in found] == [[1, 0, 0]] * 5
    assert [row["label_rank"] for row in found] == [1, 2, 3, 2, None]
    assert [row["topk_index"] for row in found] == [[2, 0, 1]] * 5
    assert all(np.isfinite(row["entropy"]) for row in found)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_row_that_is_not_finite_has_failed(bad):
    good, failed = of_probabilities([[0, 0, 1, 0], [bad, 0, 1, 0]], [2, 2]).to_pylist()
    assert (good["status"], failed["status"]) == (OK, FAILED)
    assert failed["error"] == "outputs are not finite"
    assert failed["pred"] is failed["loss"] is failed["topk_prob"] is None
    assert failed["label"] == 2


def test_nobody_knows_the_raw_outputs():
    assert of_probabilities([[0, 0, 1, 0]], [2])["logsumexp"].null_count == 1


def test_a_predicted_class_alone_says_what_it_says():
    pred, label = np.array([0, 2, 3, 1], np.int32), np.array([1, 2, NO_CLASS, 1], np.int32)
    seen = [GOOD, GOOD, GOOD, Seen(FAILED, "why", 8, 6, bytes(16))]
    confidence = np.array([0.5, np.nan, 0.75, 0.9])
    found = part_of_classes(
        make_plan(label), seen, pred, confidence, label, classes=CLASSES, superclasses=PARENTS
    )
    assert found.schema.equals(SCHEMA)
    rows = found.to_pylist()
    expected = {
        "pred_name": ["ant", "cat", "dog", None],
        "confidence": [0.5, None, 0.75, None],
        "correct": [False, True, None, None],
        "super_label": [0, 1, None, 0],
        "super_pred": [0, 1, None, None],
        "status": [OK, OK, OK, FAILED],
        "error": [None, None, None, "why"],
        "width": [None, None, None, 8],
    }
    assert {name: [row[name] for row in rows] for name in expected} == expected
    unknown = {"label_prob", "margin", "loss", "entropy", "brier", "label_rank", "super_pred_prob"}
    for name in unknown | {"topk_index", "topk_prob", "logsumexp", "logits_row"}:
        assert found[name].null_count == 4
