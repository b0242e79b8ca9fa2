import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from errlens.classes.names import NO_CLASS, ClassNames, Superclasses
from errlens.predictions.assembly import Seen, part_table
from errlens.predictions.scores import score
from errlens.predictions.table import (
    FAILED,
    LABEL_UNKNOWN,
    MISSING,
    OK,
    SCHEMA,
    UNREADABLE,
    Predictions,
)
from errlens.run.tables import PLAN_SCHEMA

CLASSES = ClassNames(("ant", "bee", "cat", "dog"))
PARENTS = Superclasses(("insect", "pet"), (0, 0, 1, None))

OF_MODEL = [
    "pred",
    "pred_name",
    "confidence",
    "correct",
    "label_prob",
    "margin",
    "loss",
    "entropy",
    "brier",
    "label_rank",
    "topk_index",
    "topk_prob",
    "logsumexp",
    "logits_row",
    "super_pred",
    "super_pred_prob",
]
OF_LABEL = ["correct", "label_prob", "margin", "loss", "brier", "label_rank"]
GOOD = Seen(OK, None, 8, 6, bytes(range(16)))


def make_plan(n, names=None):
    ids = [f"{row}.png" for row in range(n)]
    columns = [
        range(100, 100 + n),
        ids,
        ids,
        ["val"] * n,
        names or ["as data have it"] * n,
        [1] * n,
    ]
    arrays = [
        pa.array(column, kind.type)
        for column, kind in zip([*columns, [0] * n], PLAN_SCHEMA, strict=True)
    ]
    return pa.table(arrays, schema=PLAN_SCHEMA)


def make_part(logits, label, *, seen=None, superclasses=PARENTS, with_logits=True, names=None):
    """Return the table for rows of outputs; outputs of rows that were not seen are ignored."""
    logits, label = np.asarray(logits, np.float32), np.asarray(label, np.int32)
    seen = seen or [GOOD] * len(label)
    fed = [row for row, one in enumerate(seen) if one.status == OK]
    names = names or [None if one == NO_CLASS else "as data have it" for one in label]
    return part_table(
        make_plan(len(label), names),
        seen,
        score(logits[fed], label[fed], topk=3, superclasses=superclasses),
        label,
        classes=CLASSES,
        superclasses=superclasses,
        with_logits=with_logits,
    )


def favour(*preds):
    """Return outputs whose largest is that of the class given, one row a class."""
    return 3 * np.eye(4, dtype=np.float32)[list(preds)]


statuses = st.lists(
    st.tuples(st.sampled_from([OK, UNREADABLE, MISSING, FAILED]), st.integers(NO_CLASS, 3)),
    min_size=1,
    max_size=12,
)


@settings(deadline=None, max_examples=50)
@given(statuses)
def test_whatever_happens_the_schema_is_the_same_and_nulls_follow_from_status_and_label(rows):
    n = len(rows)
    logits = np.random.default_rng(0).normal(size=(n, 4)).astype(np.float32)
    seen = [GOOD if status in (OK, FAILED) else Seen(status, "reason") for status, _ in rows]
    for row, (status, _) in enumerate(rows):
        logits[row, row % 4] = np.nan if status == FAILED else logits[row, row % 4]
    table = make_part(logits, [label for _, label in rows], seen=seen)
    assert table.schema.equals(SCHEMA, check_metadata=True)
    assert [row["status"] for row in table.to_pylist()] == [status for status, _ in rows]
    for found, (status, label) in zip(table.to_pylist(), rows, strict=True):
        assert (found["label"] is None) == (label == NO_CLASS)
        expected_nulls = set(OF_MODEL) if status != OK else set()
        if label == NO_CLASS:
            expected_nulls |= set(OF_LABEL)
        optional = {"super_pred", "super_pred_prob"}
        nulls = {name for name in OF_MODEL if found[name] is None}
        assert nulls - optional == expected_nulls - optional
        if status == OK:
            assert (found["super_pred"] is None) == (found["pred"] == 3)


def test_every_row_keeps_its_place_in_the_plan():
    table = make_part(favour(0, 1, 2), [0, 1, 2])
    plan = make_plan(3)
    for name in ("row", "sample_id", "path"):
        assert table[name].to_pylist() == plan[name].to_pylist()
    assert table["split"].to_pylist() == ["val"] * 3


def test_what_was_seen_of_a_file_is_kept():
    seen = [GOOD, Seen(UNREADABLE, "no image", content_hash=bytes(16)), Seen(MISSING, "no file")]
    rows = make_part(favour(0, 0, 0), [0, 0, 0], seen=seen).to_pylist()
    assert [row["content_hash"] for row in rows] == [bytes(range(16)), bytes(16), None]
    assert [(row["width"], row["height"]) for row in rows] == [(8, 6), (None, None), (None, None)]
    assert [row["error"] for row in rows] == [None, "no image", "no file"]


def test_a_file_that_fails_keeps_its_label():
    rows = make_part(favour(0, 0), [2, 3], seen=[Seen(MISSING, "gone")] * 2).to_pylist()
    assert [(row["label"], row["label_name"], row["super_label"]) for row in rows] == [
        (2, "cat", 1),
        (3, "dog", None),
    ]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_outputs_that_are_not_finite_make_a_failed_row_with_a_reason(bad):
    logits = favour(0, 1, 2)
    logits[1, 3] = bad
    rows = make_part(logits, [0, 1, 2]).to_pylist()
    assert [row["status"] for row in rows] == [OK, FAILED, OK]
    assert [bool(row["error"]) for row in rows] == [False, True, False]
    assert [rows[1][name] for name in OF_MODEL] == [None] * len(OF_MODEL)
    assert (rows[1]["width"], rows[1]["content_hash"]) == (8, bytes(range(16)))
    assert [row["pred_name"] for row in rows] == ["ant", None, "cat"]


def test_scores_reach_their_own_rows_past_those_that_were_not_scored():
    seen = [Seen(MISSING, "gone"), GOOD, Seen(UNREADABLE, "empty"), GOOD, GOOD]
    logits = favour(0, 3, 0, 1, 2)
    logits[3, 0] = np.nan
    label = [0, 3, 1, 1, 0]
    table = make_part(logits, label, seen=seen)
    alone = make_part(logits[[1, 4]], [3, 0])
    shared = [*OF_MODEL, "label", "label_name", "super_label"]
    assert table.take([1, 4]).select(shared).to_pylist() == alone.select(shared).to_pylist()
    assert table["logits_row"].to_pylist() == [None, 0, None, None, 1]


def test_rows_of_logits_are_numbered_only_where_logits_are_kept():
    assert make_part(favour(0, 1), [0, 1])["logits_row"].to_pylist() == [0, 1]
    assert make_part(favour(0, 1), [0, 1], with_logits=False)["logits_row"].null_count == 2


def test_without_a_label_the_prediction_is_there_all_the_same():
    rows = make_part(favour(2, 1), [NO_CLASS, 1]).to_pylist()
    assert rows[0]["status"] == OK
    assert (rows[0]["pred"], rows[0]["pred_name"]) == (2, "cat")
    label_columns = ["label", "label_name", "super_label", *OF_LABEL]
    assert [rows[0][name] for name in label_columns] == [None] * len(label_columns)
    assert rows[0]["topk_index"][0] == 2
    assert rows[1]["correct"] is True


def test_a_row_is_correct_just_where_the_label_is_predicted():
    table = make_part(favour(0, 1, 2, 3), [0, 0, 2, 1])
    assert table["correct"].to_pylist() == [True, False, True, False]


def test_names_are_those_of_the_classes_not_of_the_data():
    rows = make_part(favour(0, 1, 2, 3), [3, 2, 1, 0]).to_pylist()
    assert [row["label_name"] for row in rows] == ["dog", "cat", "bee", "ant"]
    assert [row["pred_name"] for row in rows] == ["ant", "bee", "cat", "dog"]


def test_superclass_columns_are_null_where_a_class_has_none():
    rows = make_part(favour(3, 0, 3, 2), [0, 3, 3, 1]).to_pylist()
    assert [row["super_label"] for row in rows] == [0, None, None, 0]
    assert [row["super_pred"] for row in rows] == [None, 0, None, 1]
    assert [row["super_pred_prob"] is None for row in rows] == [True, False, True, False]


def test_without_superclasses_their_columns_are_null():
    table = make_part(favour(0, 1), [0, 1], superclasses=None)
    for name in ("super_label", "super_pred", "super_pred_prob"):
        assert table[name].null_count == 2


def test_a_round_trip_through_parquet_keeps_types_and_values(tmp_path):
    logits = favour(0, 1, 2, 3)
    logits[2, 0] = np.inf
    seen = [GOOD, Seen(MISSING, "gone"), GOOD, GOOD]
    table = make_part(logits, [0, 1, NO_CLASS, NO_CLASS], seen=seen)
    pq.write_table(table, tmp_path / "part.parquet")
    again = pq.read_table(tmp_path / "part.parquet", schema=SCHEMA)
    assert again.schema.equals(SCHEMA)
    assert again.to_pylist() == table.to_pylist()
    assert len(Predictions(again, CLASSES, PARENTS)) == 4


def test_columns_of_another_type_are_no_predictions():
    table = make_part(favour(0), [0])
    as_text = table.set_column(0, "row", table["row"].cast(pa.string()))
    with pytest.raises(TypeError, match="row is string, not int64"):
        Predictions(as_text, CLASSES)


def test_pandas_keeps_missing_apart_from_zero():
    frame = Predictions(make_part(favour(0, 0), [0, NO_CLASS]), CLASSES).frame
    assert frame["label"].isna().tolist() == [False, True]
    assert frame["label"][0] == 0
    assert str(frame["label"].dtype) == "int32[pyarrow]"


def test_a_label_that_is_no_class_is_predicted_and_keeps_its_name():
    outputs = [[1, 0, 0, 0], [0, 2, 0, 0], [np.nan, 0, 0, 0], [0, 0, 0, 3]]
    seen = [GOOD, GOOD, GOOD, Seen(MISSING, "no such file")]
    part = make_part(outputs, [0] + 3 * [NO_CLASS], seen=seen, names=["a", "emu", "emu", "emu"])
    rows = part.to_pylist()
    assert [row["status"] for row in rows] == [OK, LABEL_UNKNOWN, FAILED, MISSING]
    assert [row["label_name"] for row in rows] == ["ant", "emu", None, None]
    assert [row["error"] for row in rows][1] == "label is none of the classes"
    assert rows[1]["pred_name"] == "bee"
    assert all(rows[1][name] is None for name in ("label", *OF_LABEL))
