"""The ranking against a sort of plain rows, written from its words."""

from functools import cache
from typing import get_args

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from errlens.analysis.mistakes.ranking import COLUMNS, worst_table
from errlens.choices import Rank
from errlens.classes.names import ClassNames, Superclasses
from errlens.predictions.table import SCHEMA, Predictions

CLASSES = ClassNames(("lion", "cat", "dog", "wolf", "bird"))
KINDS = Superclasses(("canine", "feline"), (1, 1, 0, 0, None))
NUMBERS = ("confidence", "label_prob", "margin", "loss", "entropy", "super_pred_prob")

few = st.none() | st.sampled_from([-0.5, 0.0, 0.25, 0.5])  # many ties
labelled = st.none() | st.integers(0, 4)
rows = st.lists(
    st.fixed_dictionaries(
        {
            "label": labelled,
            "pred": labelled,
            **dict.fromkeys(NUMBERS, few),
            "loss": few | st.just(float("inf")),
        },
    ),
    max_size=25,
)


def parts_of(rows, *, superclasses=KINDS, size=4):
    """Return the rows as parts; without a label or a prediction nothing is right or wrong."""
    full = [{**row, **_names(row), "row": number} for number, row in enumerate(rows)]
    for row in full:
        row["sample_id"] = row["path"] = f"{row['row']}.jpg"
    schema = pa.schema([SCHEMA.field(name) for name in COLUMNS])
    cuts = range(0, max(len(full), 1), size)
    return [
        Predictions(
            pa.Table.from_pylist([_only(row) for row in full[at : at + size]], schema=schema),
            CLASSES,
            superclasses,
        )
        for at in cuts
    ]


def _only(row):
    return {name: row.get(name) for name in COLUMNS}


@cache
def _parent(index):
    return None if index is None else KINDS.of_class[index]


def _names(row):
    label, pred = row["label"], row["pred"]
    return {
        "label_name": None if label is None else CLASSES[label],
        "pred_name": None if pred is None else CLASSES[pred],
        "correct": None if None in (label, pred) else label == pred,
        "super_label": _parent(label),
        "super_pred": _parent(pred),
    }


def expected_order(rows, by):
    """Return the numbers of the wrong rows, worst first."""
    wrong = [
        (number, row)
        for number, row in enumerate(rows)
        if None not in (row["label"], row["pred"]) and row["label"] != row["pred"]
    ]

    def down(value):
        return (1, 0.0) if value is None else (0, -value)

    def up(value):
        return (1, 0.0) if value is None else (0, value)

    def badness(item):
        number, row = item
        parents = _parent(row["label"]), _parent(row["pred"])
        crosses = None not in parents and parents[0] != parents[1]
        keys = {
            "loss": (down(row["loss"]), up(row["margin"])),
            "margin": (up(row["margin"]),),
            "confidence": (down(row["confidence"]),),
            "entropy": (up(row["entropy"]),),
            "superclass": (
                not crosses,
                down(row["super_pred_prob"]) if crosses else (0, 0.0),
                down(row["loss"]),
            ),
        }
        return (*keys[by], number)

    return [number for number, _ in sorted(wrong, key=badness)]


@pytest.mark.parametrize("by", get_args(Rank))
@settings(deadline=None, max_examples=60)
@given(rows=rows)
def test_the_ranking_is_a_sort_of_the_wrong_rows(by, rows):
    table = worst_table(parts_of(rows), by)
    assert table["row"].tolist() == expected_order(rows, by)
    assert table["rank"].tolist() == list(range(1, len(table) + 1))


@settings(deadline=None, max_examples=30)
@given(rows=rows)
def test_parts_do_not_matter(rows):
    assert worst_table(parts_of(rows, size=2)).equals(worst_table(parts_of(rows, size=100)))


def test_names_and_numbers_are_those_of_the_predictions():
    row = {"label": 1, "pred": 2, **dict.fromkeys(NUMBERS, 0.25)}
    (one,) = worst_table(parts_of([row])).to_dict("records")
    assert (one["label_name"], one["pred_name"]) == ("cat", "dog")
    assert (one["super_label"], one["super_pred"]) == ("feline", "canine")
    assert [one[name] for name in NUMBERS] == [0.25] * len(NUMBERS)


def test_without_superclasses_their_columns_are_there_but_empty():
    rows = [{"label": 1, "pred": 2, **dict.fromkeys(NUMBERS)}]
    parts = parts_of([])
    plain = parts_of(rows, superclasses=None)[0].table
    for name in ("super_label", "super_pred"):
        at = plain.schema.get_field_index(name)
        plain = plain.set_column(at, name, pa.nulls(1, pa.int32()))
    table = worst_table([*parts, Predictions(plain, CLASSES, None)])
    assert table[["super_label", "super_pred"]].isna().all(axis=None)
    assert table["row"].tolist() == [0]


def test_without_errors_the_table_is_empty_but_complete():
    right = {"label": 1, "pred": 1, **dict.fromkeys(NUMBERS, 0.5)}
    empty, one = worst_table(parts_of([right])), worst_table(parts_of([{**right, "pred": 2}]))
    assert len(empty) == 0
    assert list(empty.columns) == list(one.columns)
    assert empty.dtypes.equals(one.dtypes)


def test_all_of_twenty_thousand_errors_are_ranked():
    n = 100_000
    random = np.random.default_rng(0)
    label = random.integers(0, 5, n)
    wrong = random.random(n) < 0.2
    pred = np.where(wrong, (label + 1) % 5, label)
    values = {
        "label_name": np.array(CLASSES.names)[label],
        "pred_name": np.array(CLASSES.names)[pred],
        "correct": ~wrong,
        "row": np.arange(n),
        **{name: random.random(n).astype(np.float32) for name in NUMBERS},
    }
    columns = [
        pa.array(values[name]).cast(SCHEMA.field(name).type)
        if name in values
        else pa.array([""] * n)
        if name in ("sample_id", "path")
        else pa.nulls(n, SCHEMA.field(name).type)
        for name in COLUMNS
    ]
    part = Predictions(pa.table(columns, names=list(COLUMNS)), CLASSES, KINDS)
    table = worst_table([part])
    assert len(table) == wrong.sum()
    assert (np.diff(table["loss"]) <= 0).all()
