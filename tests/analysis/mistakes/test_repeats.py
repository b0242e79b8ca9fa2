"""What is wrong the same way by a column: against scipy, against columns dealt out at random."""

import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from scipy.stats import fisher_exact

from errlens.analysis.mistakes.repeats import is_shown, systematic_table
from errlens.classes.names import ClassNames
from errlens.errors import UnfitOption
from errlens.predictions.table import SCHEMA, Predictions

NAMES = ("cat", "dog", "cow", "hen")
COLUMNS = ["value", "label_name", "pred_name", "k", "n", "share", "expected", "p_value", "q_value"]


def scored(label, pred, names=NAMES):
    """Return the predictions of images; a label of None, or of no class, is neither right."""
    known = [name in names for name in label]
    columns = {
        "row": range(len(label)),
        "status": ["label_unknown" if a and a not in names else "ok" for a in label],
        "label_name": label,
        "pred_name": pred,
        "correct": [
            a == b if is_known else None for a, b, is_known in zip(label, pred, known, strict=True)
        ],
    }
    arrays = [pa.array(values).cast(SCHEMA.field(name).type) for name, values in columns.items()]
    return Predictions(pa.table(arrays, names=list(columns)), ClassNames(names))


def table_of(label, pred, values, names=NAMES):
    return systematic_table(scored(label, pred, names), pd.DataFrame({"column": values}), "column")


LABEL = ["cat", "cat", "cat", None, "cat", "cow", "cow"]
PRED = ["dog", "dog", "cat", "dog", "dog", "dog", "dog"]
SUBJECT = ["Tom", "Tom", "Tom", "Tom", "Kit", "Bess", "Bess"]


def test_what_is_wrong_the_same_way_in_photos_of_one_subject_is_counted():
    rows = table_of(LABEL, PRED, SUBJECT).to_dict("records")
    found = {row["value"]: row for row in rows}
    assert set(found) == {"Tom", "Bess"}
    tom, bess = found["Tom"], found["Bess"]
    assert (bess["label_name"], bess["pred_name"]) == ("cow", "dog")
    assert (bess["k"], bess["n"], bess["share"], bess["rows"]) == (2, 2, 1.0, "[5, 6]")
    assert (tom["k"], tom["n"], tom["rows"]) == (2, 3, "[0, 1]")
    # All cows are Bess: it may be she, or cows.
    assert (bess["p_value"], bess["expected"]) == (1, 2)


def test_chance_is_that_of_fishers_table_within_the_class():
    random = np.random.default_rng(0)
    label = random.choice(NAMES, 300)
    pred = np.where(random.random(300) < 0.3, random.choice(NAMES, 300), label)
    values = random.choice(["x", "y", "z"], 300)
    table = table_of(label.tolist(), pred.tolist(), values)
    assert len(table) > 10
    p_values = {}
    for value in "xyz":
        for a in NAMES:
            for b in NAMES:
                here, so = (values == value)[label == a], (pred == b)[label == a]
                if a != b and here.sum() >= 2 <= so.sum():
                    cells = [
                        [(here & so).sum(), (here & ~so).sum()],
                        [(~here & so).sum(), (~here & ~so).sum()],
                    ]
                    p_values[value, a, b] = fisher_exact(cells, alternative="greater").pvalue
    for row in table.to_dict("records"):
        key = row["value"], row["label_name"], row["pred_name"]
        assert row["p_value"] == pytest.approx(p_values[key], rel=1e-9)
        assert row["q_value"] == pytest.approx(min(1, p_values[key] * len(p_values)), rel=1e-9)
    assert table["q_value"].is_monotonic_increasing


def test_a_mongrel_that_is_always_called_a_terrier_is_found():
    random = np.random.default_rng(1)
    names = tuple(f"breed {index:02d}" for index in range(30))
    label = [*random.choice(names, 195), *["mongrel"] * 5]
    pred = [*label[:195], *["breed 07"] * 5]
    values = [*(f"dog {index // 3}" for index in range(195)), *["Rex"] * 5]
    (row,) = table_of(label, pred, values, names).to_dict("records")
    assert (row["value"], row["label_name"], row["pred_name"]) == ("Rex", "mongrel", "breed 07")
    assert (row["k"], row["n"], row["rows"]) == (5, 5, "[195, 196, 197, 198, 199]")
    assert row["q_value"] < 1e-6


def test_images_without_a_value_are_what_others_are_compared_with():
    label, pred = ["cat"] * 40, ["dog"] * 5 + ["cat"] * 35
    for nothing in (None, "", " "):
        (row,) = table_of(label, pred, ["x"] * 5 + [nothing] * 35).to_dict("records")
        assert row["value"] == "x"
        assert row["q_value"] < 1e-4
    assert len(table_of(label, pred, [None] * 40)) == 0


@pytest.mark.parametrize(
    "values",
    [[1.5] * 5 + [2.5] * 35, [True] * 5 + [False] * 35, [["x"]] * 5 + [["y"]] * 35],
    ids=["numbers", "booleans", "lists"],
)
def test_values_may_be_of_any_kind(values):
    (row,) = table_of(["cat"] * 40, ["dog"] * 5 + ["cat"] * 35, values).to_dict("records")
    assert row["k"] == 5


def test_a_pair_is_never_more_than_chance():
    label, pred = ["cat"] * 400, ["dog"] * 2 + ["cat"] * 398
    values = ["camA"] * 2 + ["camB"] * 398
    table = table_of(label, pred, values)
    assert table["q_value"][0] < 0.001
    assert not is_shown(table).any()
    assert is_shown(table_of(label, ["dog", *pred[:-1]], ["camA", *values[:-1]])).any()


def test_without_errors_or_rows_the_table_has_its_columns():
    for label, values in ((["cat"] * 3, ["x"] * 3), ([], [])):
        table = table_of(label, label, values)
        assert list(table) == [*COLUMNS, "rows"]
        assert len(table) == len(is_shown(table)) == 0


EXTRA = pd.DataFrame({"subject": SUBJECT})


@pytest.mark.parametrize(("extra", "hint"), [(EXTRA, "'subject'"), (pd.DataFrame(), "manifest")])
def test_a_column_that_is_not_there_is_a_typo(extra, hint):
    with pytest.raises(UnfitOption, match="'subjekt'") as failure:
        systematic_table(scored(LABEL, PRED), extra, "subjekt")
    assert hint in failure.value.hint


# Simulations: how often is a column that means nothing reported, and one that does found?

REPORTS = [pytest.param(40, id="quick"), pytest.param(500, id="full", marks=pytest.mark.slow)]
TEN = tuple(f"class {index}" for index in range(10))


def predictions(random, *, each=40, hard=0.15):
    """Return labels and predictions of ten classes, some hard, some attractive."""
    label = np.repeat(TEN, each).astype(object)
    rate = np.minimum(hard * random.lognormal(0, 1, 10), 0.9).repeat(each)
    weight = random.lognormal(0, 1, 10)
    wrong = random.choice(TEN, len(label), p=weight / weight.sum())
    return label, np.where(random.random(len(label)) < rate, wrong, label)


def few_values(random):
    label, pred = predictions(random)
    return label, pred, random.choice([f"camera {index}" for index in range(6)], len(label))


def many_values(random):
    label, pred = predictions(random)
    return label, pred, random.integers(0, 120, len(label))


def values_within_classes(random):
    """Each value is a subject, of one class as subjects are."""
    label, pred = predictions(random)
    return label, pred, [f"{name} {random.integers(0, 12)}" for name in label]


def hard_classes(random):
    label, pred = predictions(random, each=15, hard=0.8)
    return label, pred, random.integers(0, 8, len(label))


def confounded(random):
    """Each class has favourite cameras."""
    label, pred = predictions(random)
    favourite = random.integers(0, 6, 10).repeat(len(label) // 10)
    return (
        label,
        pred,
        np.where(random.random(len(label)) < 0.7, favourite, random.integers(0, 6, len(label))),
    )


def strangers(random):
    """Many labels are none of the model's, each always taken for the same class."""
    label, pred = predictions(random)
    odd = [f"odd {index}" for index in range(12) for _ in range(random.integers(2, 9))]
    taken = [TEN[int(name[4:]) % 10] for name in odd]
    label, pred = np.concatenate([label, odd]), np.concatenate([pred, taken])
    return label, pred, random.integers(0, 30, len(label))


NULLS = [few_values, many_values, values_within_classes, hard_classes, confounded, strangers]


@pytest.mark.parametrize("reports", REPORTS)
@pytest.mark.parametrize("null", NULLS)
def test_a_column_that_means_nothing_is_reported_in_at_most_one_of_two_hundred_runs(null, reports):
    random = np.random.default_rng(3)
    tables = [table_of(*null(random), TEN) for _ in range(reports)]
    assert np.mean([is_shown(table).any() for table in tables]) <= 0.005
    assert sum(map(len, tables)) > reports  # there are repetitions all the same


@pytest.mark.parametrize("reports", REPORTS)
def test_nine_of_ten_planted_causes_are_found(reports):
    random, found = np.random.default_rng(4), 0
    for _ in range(reports):
        label, pred = predictions(random, each=60)
        camera = random.choice([f"camera {index}" for index in range(6)], len(label))
        spoilt = (label == "class 3") & (camera == "camera 2") & (random.random(len(label)) < 0.9)
        table = table_of(label, np.where(spoilt, "class 8", pred), camera, TEN)
        shown = table[is_shown(table)][COLUMNS[:3]].to_numpy().tolist()
        found += ["camera 2", "class 3", "class 8"] in shown
    assert found >= 0.9 * reports


def test_rows_are_those_of_the_images():
    random = np.random.default_rng(5)
    label, pred, values = few_values(random)
    for row in table_of(label, pred, values, TEN).to_dict("records"):
        rows = json.loads(row["rows"])
        assert len(rows) == row["k"]
        assert set(label[rows]) == {row["label_name"]}
        assert set(pred[rows]) == {row["pred_name"]}
        assert set(values[rows]) == {row["value"]}
