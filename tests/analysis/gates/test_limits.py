"""A gate passes where its metric, unrounded, keeps to the limit."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from errlens.analysis.confusion.matrix import confusion_matrix_of_arrays
from errlens.analysis.gates.limits import judge, read_gates, read_number
from errlens.analysis.gates.metrics import (
    RunMetrics,
    metrics_of_matrix,
    metrics_of_run,
    read_metric,
)
from errlens.analysis.statistics.intervals import wilson_interval
from errlens.classes.names import ClassNames
from errlens.cli import app
from errlens.errors import UnfitGate, UnfitSelection
from errlens.formats import told_apart
from errlens.run.folder import open_run

LABEL = [0, 0, 0, 0, 1, 1, 1, 2, 2, 2]
PRED = [0, 0, 1, 1, 1, 1, 0, 2, 2, 1]
METRICS = {
    "schema_version": 1,
    "n": 10,
    "n_failed": 0,
    "top1": {"value": 0.6, "low": 0.31, "high": 0.83, "n": 10},
    "top5": None,
    "ece": {"value": 0.05, "n": 10},
    "reliability": [],
    "run_hash": "x",
}


def run_metrics(names=("cat", "dog", "cow", "pig"), label=LABEL, pred=PRED, **overall):
    """Return metrics of a few images; those of classes by hand."""
    classes = ClassNames(tuple(names))
    hits = {
        index: sum(a == b == index for a, b in zip(label, pred, strict=True))
        for index in range(len(classes))
    }
    rows = []
    for index in range(len(classes)):
        n, taken = label.count(index), pred.count(index)
        row = {"n": n, "f1": 2 * hits[index] / (n + taken) if n + taken else np.nan}
        for kind, trials in (("recall", n), ("precision", taken)):
            low, high = wilson_interval(hits[index], trials)
            row[kind] = hits[index] / trials if trials else np.nan
            row |= {f"{kind}_low": float(low), f"{kind}_high": float(high)}
        rows.append(row)
    return RunMetrics(
        classes,
        overall=lambda: {**METRICS, **overall},
        class_table=lambda: pd.DataFrame(rows),
        matrix=lambda: confusion_matrix_of_arrays(label, pred, classes),
    )


def outcome(*, under=(), over=(), **options):
    found = run_metrics(**options)
    (gate,) = read_gates(under, over, found)
    return judge(gate, found)


@settings(deadline=None)
@given(st.floats(0, 1), st.floats(0, 1))
def test_a_gate_passes_exactly_where_the_unrounded_value_keeps_to_it(value, limit):
    top1 = {"value": value, "low": 0, "high": 1, "n": 9}
    assert outcome(under=[f"top1={limit!r}"], top1=top1).passed == (value >= limit)
    assert outcome(over=[f"top1={limit!r}"], top1=top1).passed == (value <= limit)


@settings(deadline=None)
@given(st.integers(1, 5000), st.data())
def test_a_share_that_meets_its_limit_passes_however_it_is_written(n, data):
    hits = data.draw(st.integers(0, n))
    limit = Fraction(hits, n)
    if 10**6 % limit.denominator:
        return
    top1 = {"value": hits / n, "n": n}
    for text in (f"{float(limit)!r}", f"{float(100 * limit):.6f}%"):
        assert outcome(under=[f"top1={text}"], top1=top1).passed
        assert outcome(over=[f"top1={text}"], top1=top1).passed


@settings(deadline=None)
@given(st.floats(0, 1), st.floats(0, 1))
def test_different_numbers_are_seen_to_differ(value, limit):
    shown = told_apart(value, limit)
    assert (float(shown[0]) == float(shown[1])) == (value == limit) or shown[0] != shown[1]
    if value != limit:
        assert shown[0] != shown[1]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0.8", 0.8), ("80%", 0.8), (" 80 % ", 0.8), ("28%", 0.28), ("0.1%", 0.001), ("'60%'", 0.6),
        ("1e-3", 0.001), ("-1", -1.0), ("0", 0.0), ("nan", None), ("inf", None), ("-inf%", None),
        ("1e999", None), ("", None), ("%", None), ("eighty", None), ("0,8", None), ("80%%", None),
    ],
)  # fmt: skip
def test_numbers_are_read_as_they_are_written(text, number):
    assert read_number(text) == number


def test_metrics_of_classes_and_pairs_are_those_of_the_images():
    recall = outcome(under=["recall:cat=0.5"])
    assert recall.passed
    assert (recall.measured.value, recall.measured.n) == (0.5, 4)
    precision = outcome(under=["precision:dog=0.4"])
    assert precision.passed
    assert (precision.measured.value, precision.measured.n) == (0.4, 5)
    assert outcome(under=["f1:cow=0.8"]).measured.value == 0.8
    pair = outcome(over=["pair:dog~cat=0.42"])
    assert not pair.passed
    assert (pair.measured.value, pair.measured.n) == (3 / 7, 7)
    low, high = wilson_interval(3, 7)
    assert (pair.measured.low, pair.measured.high) == (low, high)
    assert "pair:dog~cat is 0.4286, over 0.4200" in pair.reason


def test_counts_are_metrics_too():
    assert outcome(over=["n_failed=0"]).passed
    few = outcome(under=["n=11"])
    assert not few.passed
    assert few.reason == "n is 10, under 11"


@pytest.mark.parametrize("limit", ["0", "1"])
@pytest.mark.parametrize(
    "metric", ["top5", "recall:pig", "precision:pig", "f1:pig", "pair:pig~hen"]
)
def test_what_no_image_stands_on_fails_whatever_the_limit(metric, limit):
    names = ("cat", "dog", "cow", "pig", "hen")
    for options in ({"under": [f"{metric}={limit}"]}, {"over": [f"{metric}={limit}"]}):
        found = outcome(names=names, **options)
        assert not found.passed
        assert found.measured.value is None
        assert found.reason


def test_a_class_without_images_has_no_f1_though_others_were_taken_for_it():
    assert not outcome(over=["f1:pig=1"], pred=[3, *PRED[1:]]).passed


@pytest.mark.parametrize(
    ("text", "says", "hint"),
    [
        ("top1", "not of the form METRIC=X", "top1=0.8"),
        ("tpo1=0.8", "no metric 'tpo1'", "did you mean top1"),
        ("=0.8", "no metric ''", "there are n, n_failed, top1"),
        ("reliability=1", "no metric 'reliability'", ""),
        ("schema_version=1", "no metric 'schema_version'", ""),
        ("recal:cat=0.8", "no metric 'recal:cat'", "recall:cat"),
        ("recall:catt=0.8", "'catt' names no class", "did you mean cat?"),
        ("recall:=0.8", "'' names no class", "'cat', 'dog'"),
        ("top1=high", "'high' is no number", "80%"),
        ("top1=nan", "'nan' is no number", ""),
        ("top1=", "'' is no number", ""),
        ("top1=80", "lies between 0 and 1", "80%"),
        ("recall:cat=-0.1", "lies between 0 and 1", ""),
        ("n_failed=5%", "n_failed is no share", ""),
    ],
)
def test_what_is_no_gate_is_refused(text, says, hint):
    with pytest.raises(UnfitGate, match=None) as caught:
        read_gates([text], [], run_metrics())
    assert says in str(caught.value)
    assert hint in caught.value.hint
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("pair:cat=0.1", "not of the form A~B"),
        ("pair:cat/dog=0.1", "not of the form A~B"),
        ("pair:cat~dgo=0.1", "'dgo' names no class"),
        ("pair:cat~cat=0.1", "two different classes"),
    ],
)
def test_what_is_no_pair_is_refused(text, says):
    with pytest.raises(UnfitSelection, match=says):
        read_gates([], [text], run_metrics())


names = st.text(st.sampled_from("ab=:~ /%+"), min_size=1, max_size=4)


@settings(deadline=None)
@given(st.lists(names, min_size=2, max_size=5, unique=True), st.sampled_from(["0.5", "50%"]))
def test_a_class_may_be_called_anything(called, limit):
    found = run_metrics(names=called, label=[0, 0, 1, 1], pred=[0, 1, 1, 1])
    classes = found.classes
    for index, name in enumerate(called):
        if classes.meant(name) != (index,):
            continue
        (gate,) = read_gates([f"recall:{name}={limit}"], [], found)
        assert (gate.classes, gate.threshold) == ((index,), 0.5)


@settings(deadline=None)
@given(st.lists(names, min_size=2, max_size=6, unique=True))
def test_a_pair_that_can_be_read_is_the_one_meant_and_others_are_refused(called):
    found = run_metrics(names=called, label=[0, 0, 1, 1], pred=[0, 1, 1, 1])
    a, b = called[:2]
    text = f"{a}~{b}"
    ways = {
        (called.index(text[:at]), called.index(text[at + 1 :]))
        for at, letter in enumerate(text)
        if letter == "~" and {text[:at], text[at + 1 :]} <= set(called)
    }
    if len(ways) > 1:
        with pytest.raises(UnfitSelection, match="several things"):
            read_gates([], [f"pair:{text}=0.1"], found)
        return
    try:
        (gate,) = read_gates([], [f"pair:{text}=0.1"], found)
    except UnfitSelection as error:  # names that are alike but for case and separators
        assert "several things" in str(error)  # noqa: PT017
        return
    assert gate.classes == (0, 1)


def test_an_ambiguous_pair_is_refused_with_its_readings():
    with pytest.raises(UnfitSelection) as caught:
        read_gates([], ["pair:a~b~c=0.1"], run_metrics(names=("a", "b~c", "a~b", "c")))
    assert "'a' ~ 'b~c'; or 'a~b' ~ 'c'" in str(caught.value)


def test_the_same_gate_counts_once():
    found = read_gates(
        ["top1=0.8", "top1=80%", "recall:CAT=0.5", "recall:cat=0.5"], [], run_metrics()
    )
    assert [one.name for one in found] == ["top1 >= 0.8", "recall:cat >= 0.5"]


def test_nothing_is_read_that_no_gate_asks_for():
    def never():
        raise AssertionError

    found = RunMetrics(
        ClassNames(("a", "b")), run_metrics().overall, class_table=never, matrix=never
    )
    (gate,) = read_gates(["top1=0.5"], [], found)
    assert judge(gate, found).passed


def test_metrics_of_a_matrix_are_those_of_the_run_it_is_of(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    label, pred = ["cat"] * 6 + ["dog"] * 6, ["dog", "cat", "cat"] * 4
    images = zip(range(12), label, pred, strict=True)
    rows = ["path,label,pred", *(f"{at}.png,{one},{other}" for at, one, other in images)]
    Path("table.csv").write_text("\n".join(rows) + "\n")
    said = CliRunner().invoke(app, ["import", "table.csv", "-o", "run", "-q"])
    assert said.exit_code == 0, said.output
    run = open_run(Path("run"))
    metrics = metrics_of_run(run)
    again = metrics_of_matrix(metrics.matrix(), run.metrics)
    for kind, classes in (
        ("top1", ()), ("macro_f1", ()), ("recall", (0,)), ("precision", (1,)), ("f1", (0,)),
        ("pair", (0, 1)),
    ):  # fmt: skip
        expected = pytest.approx(read_metric(kind, classes, metrics))
        assert read_metric(kind, classes, again) == expected
