"""Errors that cross a superclass, against a ranking by brute force."""

import math

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from errlens.analysis.confusion.exceptional import COLUMNS, TOPK_COLUMNS, exceptional_table
from errlens.classes.names import ClassNames, Superclasses
from errlens.predictions.scores import score
from errlens.predictions.table import SCHEMA, Predictions

CLASSES = ClassNames(("Bengal", "Sphynx", "pug", "boxer", "teapot"))
KINDS = Superclasses(("cat", "dog"), (0, 0, 1, 1, None))  # a teapot has no superclass
HEADER = "row sample_id label_name pred_name super_label super_pred super_pred_prob confidence loss"


def part(rows, columns=COLUMNS):
    """Return a part of some rows, each a dictionary of what is known of it."""
    whole = [
        {
            "sample_id": f"{one['row']}.jpg",
            "status": "ok",
            "label_name": None if one.get("label") is None else CLASSES[one["label"]],
            "pred_name": None if one.get("pred") is None else CLASSES[one["pred"]],
            **one,
        }
        for one in rows
    ]
    schema = pa.schema([SCHEMA.field(name) for name in columns])
    arrays = [
        pa.array([one.get(name) for one in whole], schema.field(name).type) for name in columns
    ]
    return Predictions(pa.table(arrays, schema=schema), CLASSES, KINDS)


def error(row=0, label=0, pred=2, **more):
    return {"row": row, "label": label, "pred": pred, **more}


def float32(**limits):
    return st.none() | st.floats(width=32, **limits)


rows = st.lists(
    st.fixed_dictionaries(
        {
            "label": st.none() | st.integers(0, 4),
            "pred": st.integers(0, 4),
            "status": st.sampled_from(["ok", "ok", "ok", "label_unknown"]),
            # Few values, so that there are ties.
            "super_pred_prob": st.sampled_from([None, 0.25, 0.5, 0.75]),
            "loss": st.sampled_from([None, 0.5, 2.0]),
            "confidence": float32(min_value=0, max_value=1),
        }
    ),
    max_size=30,
)


@given(rows, st.integers(1, 4))
@settings(max_examples=50)
def test_ranked_by_probability_then_loss_then_row_unknown_last(found, n_parts):
    numbered = [{"row": row, **one} for row, one in enumerate(found)]
    table = exceptional_table((part(numbered[at::n_parts]) for at in range(n_parts)), KINDS)

    def crosses(one):
        if one["status"] != "ok" or one["label"] is None:
            return False
        true, pred = KINDS.of_class[one["label"]], KINDS.of_class[one["pred"]]
        return true is not None and pred is not None and true != pred

    def rank(one):
        prob, loss = one["super_pred_prob"], one["loss"]
        return (prob is None, -(prob or 0), loss is None, -(loss or 0), one["row"])

    expected = sorted(filter(crosses, numbered), key=rank)
    assert table["row"].tolist() == [one["row"] for one in expected]
    for at, one in enumerate(expected):
        shown = table.iloc[at]
        assert shown["sample_id"] == f"{one['row']}.jpg"
        assert (shown["label_name"], shown["pred_name"]) == (
            CLASSES[one["label"]],
            CLASSES[one["pred"]],
        )
        assert shown["super_label"] == KINDS.name_of(one["label"])
        assert shown["super_pred"] == KINDS.name_of(one["pred"])
        for name in ("super_pred_prob", "confidence", "loss"):
            same = math.isnan(shown[name]) if one[name] is None else shown[name] == one[name]
            assert same, name


def test_images_that_were_not_scored_are_no_errors():
    unread = {"row": 1, "status": "unreadable", "label": 0, "pred": None}
    unlabelled = {"row": 2, "label": None, "pred": 3}
    assert exceptional_table([part([error(0), unread, unlabelled])], KINDS)["row"].tolist() == [0]


@pytest.mark.parametrize("from_topk", [False, True])
@pytest.mark.parametrize("found", [[], [error(label=0, pred=1), error(1, 4, 0), error(2, 0, 4)]])
def test_where_nothing_crosses_there_is_a_header(found, from_topk):
    columns = COLUMNS + TOPK_COLUMNS * from_topk
    table = exceptional_table([part(found, columns)] * 2, KINDS, from_topk=from_topk)
    assert list(table) == HEADER.split() + ["at_least"] * from_topk
    assert len(table) == 0


@given(st.integers(1, 5), st.integers(0, 2**32 - 1))
@settings(max_examples=40)
def test_sums_over_the_top_k_are_lower_bounds_that_say_so(topk, seed):
    random = np.random.default_rng(seed)
    logits = random.normal(size=(20, 5)).astype(np.float32)
    label = random.integers(0, 5, 20).astype(np.int32)
    scores = score(logits, label, topk=topk, superclasses=KINDS)
    found = part(
        (
            error(
                row,
                int(label[row]),
                int(scores.pred[row]),
                topk_index=scores.topk_index[row],
                topk_prob=scores.topk_prob[row],
                super_pred_prob=scores.super_pred_prob[row],
            )
            for row in range(20)
        ),
        COLUMNS + TOPK_COLUMNS,
    )
    table = exceptional_table([found], KINDS, from_topk=True).set_index("row")
    known = exceptional_table([found], KINDS).set_index("row").loc[table.index]
    assert set(table.index) == set(known.index)
    prob = np.exp(logits - np.logaddexp.reduce(logits, axis=1)[:, None])
    for row, one in table.iterrows():
        members = {
            index
            for index, parent in enumerate(KINDS.of_class)
            if parent == KINDS.names.index(one["super_pred"])
        }
        listed = members & set(scores.topk_index[row].tolist())
        assert one["at_least"] == (listed != members)
        assert one["super_pred_prob"] == pytest.approx(prob[row, sorted(listed)].sum(), rel=1e-5)
    exact = ~table["at_least"]
    np.testing.assert_allclose(
        table["super_pred_prob"][exact], known["super_pred_prob"][exact], rtol=1e-6
    )
    assert (table["super_pred_prob"] <= known["super_pred_prob"] + 1e-6).all()
    assert topk < 5 or exact.all()


def test_without_a_top_k_the_probability_is_unknown():
    columns = COLUMNS + TOPK_COLUMNS
    listed = error(1, topk_index=[2, 0], topk_prob=[0.75, 0.125])
    table = exceptional_table([part([error(0), listed], columns)], KINDS, from_topk=True)
    assert table["row"].tolist() == [1, 0]
    assert table["super_pred_prob"][0] == 0.75
    assert pd.isna(table["super_pred_prob"][1])


def test_a_table_of_sums_does_not_depend_on_where_parts_end():
    columns = COLUMNS + TOPK_COLUMNS
    found = [error(row, topk_index=[2, 3, 0], topk_prob=[0.5, row / 64, 0.25]) for row in range(10)]
    cut = [part(found[:3], columns), part([], columns), part(found[3:], columns)]
    pd.testing.assert_frame_equal(
        exceptional_table(cut, KINDS, from_topk=True),
        exceptional_table([part(found, columns)], KINDS, from_topk=True),
    )
