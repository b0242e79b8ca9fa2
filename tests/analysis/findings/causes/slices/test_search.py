"""Slices: what is planted is found with its images, and what means nothing stays silent."""

import re
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest

from errlens.analysis.findings.causes.slices.search import SLICE_COLUMNS, search_slices
from errlens.analysis.findings.scored import Scored
from errlens.classes.names import ClassNames
from errlens.run.csv_tables import read_declared, write_csv

NAMES = ("cat", "dog", "cow", "hen", "<b>fox</b>")


class Described(NamedTuple):
    """What a property is called."""

    kind: str
    name: str
    low: str = ""
    high: str = ""
    write: Callable[[float], str] = "{:.4g}".format


KNOWN = {
    "brightness": Described("number", "brightness", "dark", "bright"),
    "sharpness": Described("number", "sharpness", "blurred", "sharp"),
    "width": Described("number", "width", "narrow", "wide", "{:,.0f} px".format),
    "greyscale": Described("truth", "greyscale", "colour", "greyscale"),
    "turn": Described("category", "EXIF orientation", write="{:.0f} (on its side)".format),
}
NONE = pd.DataFrame()


def images(label, wrong, names=NAMES):
    """Return images of which some are wrong."""
    label, wrong = np.asarray(label, np.int32), np.asarray(wrong, bool)
    n, k = len(label), max(len(names), 2)
    sure = np.random.default_rng(0).random(n)
    return Scored(
        row=np.arange(n, dtype=np.int64) * 3,
        label=label,
        pred=np.where(wrong, (label + 1) % k, label).astype(np.int32),
        wrong=wrong,
        confidence=sure,
        label_prob=np.where(wrong, 1 - sure, sure),
        paths=[f"{row}.jpg" for row in range(n)],
        content_hash=[None] * n,
        classes=ClassNames(names),
    )


def drawn(seed=0, n=1500, rate=0.12):
    """Return a generator, labels and errors, some classes harder than others."""
    rng = np.random.default_rng(seed)
    label = rng.integers(0, len(NAMES), n)
    return rng, label, rng.random(n) < rate * (0.5 + 0.3 * label)


def search(scored, properties=NONE, extra=NONE):
    return search_slices(scored, properties, extra, known=KNOWN)


def test_dark_images_that_fail_are_named_with_their_images():
    rng, label, wrong = drawn()
    touched = rng.random(len(label)) < 0.15
    brightness = np.where(
        touched, rng.uniform(0, 0.2, len(label)), rng.uniform(0.15, 1, len(label))
    )
    scored = images(label, wrong | touched & (rng.random(len(label)) < 0.5))
    (found,) = search(scored, pd.DataFrame({"brightness": brightness})).findings
    assert found.statement.startswith("Dark images (brightness below 0.")
    assert found.subject["property"] == "brightness"
    assert (found.subject["side"], found.subject["class"]) == ("low", None)
    rows = np.array(found.rows) // 3
    assert touched[rows].mean() >= 0.8
    assert (brightness[rows] <= found.subject["threshold"]).all()
    assert len(rows) == (brightness <= found.subject["threshold"]).sum()
    assert scored.wrong[rows[: found.n_errors]].all()  # those that tell most come first
    assert not scored.wrong[np.array(found.beside) // 3].any()


def test_a_cause_of_most_of_few_errors_is_told():
    """Of 130 images 8 are wrong, all of one camera: ten are not to be waited for."""
    label = np.arange(130) % 5
    camera = np.where(np.arange(130) < 20, "B", "A")
    camera[np.arange(130) > 60] = "C"
    found = search_slices(
        images(label, np.arange(130) < 8), NONE, pd.DataFrame({"camera": camera}), known={}
    ).findings
    assert [(each.subject["value"], each.n_errors) for each in found] == [("B", 8)]


@pytest.mark.parametrize("seed", range(30))
def test_few_errors_by_chance_are_no_slice(seed):
    rng = np.random.default_rng(seed)
    label, wrong = rng.integers(0, 5, 130), np.zeros(130, bool)
    wrong[rng.choice(130, rng.integers(5, 20), replace=False)] = True
    extra = pd.DataFrame(
        {
            "camera": rng.choice([f"camera {number}" for number in range(8)], 130),
            **{f"number {at}": rng.normal(size=130) for at in range(6)},
        }
    )
    assert not search_slices(images(label, wrong), NONE, extra, known={}).findings


def test_every_number_of_the_sentence_is_recomputed_from_the_images():
    rng, label, wrong = drawn(1)
    site = rng.choice(["north", "south", "west"], len(label))
    scored = images(label, wrong | (site == "west") & (rng.random(len(label)) < 0.3))
    (found,) = search(scored, extra=pd.DataFrame({"site": site})).findings
    inside = site == "west"
    top = bottom = 0.0
    for class_index in range(len(NAMES)):
        here, there = inside & (label == class_index), ~inside & (label == class_index)
        weight = here.sum() * there.sum() / (here.sum() + there.sum())
        top += weight * (scored.wrong[here].mean() - scored.wrong[there].mean())
        bottom += weight
    explained = inside.sum() * top / bottom
    errors = scored.wrong[inside].sum()
    assert found.statement == (
        f"Images whose site is 'west' are wrong in {errors} of {inside.sum()}, where "
        f"{errors - explained:.1f} are expected of their classes: {explained:.0f} errors more "
        f"({100 * explained / scored.wrong.sum():.1f} % of all errors)."
    )
    assert found.excess_errors == pytest.approx(explained)
    assert found.n_errors == errors
    assert found.gain.value == pytest.approx(explained / len(label))
    assert found.gain.low < found.gain.value < found.gain.high
    assert sorted(found.rows) == (3 * np.flatnonzero(inside)).tolist()


def test_two_faults_at_once_are_both_told_and_nothing_else():
    rng, label, wrong = drawn(2, n=3000)
    sharpness, camera = rng.normal(size=3000), rng.choice(["A", "B", "C", "D"], 3000)
    blurred = sharpness < -1
    wrong |= (blurred | (camera == "B")) & (rng.random(3000) < 0.4)
    extra = pd.DataFrame({"camera": camera, "noise": rng.normal(size=3000).astype(str)})
    found = search(images(label, wrong), pd.DataFrame({"sharpness": sharpness}), extra).findings
    told = {(finding.subject["property"], finding.subject.get("value")) for finding in found}
    assert told == {("sharpness", None), ("camera", "B")}


def test_a_fault_of_one_class_is_told_of_that_class():
    rng, label, wrong = drawn(3)
    brightness = rng.random(len(label))
    wrong |= (label == 4) & (brightness > 0.5) & (rng.random(len(label)) < 0.7)
    (found,) = search(images(label, wrong), pd.DataFrame({"brightness": brightness})).findings
    assert found.subject["class"] == "<b>fox</b>"
    assert found.statement.startswith("Bright images of '<b>fox</b>' (brightness above 0.")
    assert (label[np.array(found.rows) // 3] == 4).all()


def test_the_same_images_are_one_finding_under_the_plainest_name():
    rng, label, wrong = drawn(4)
    camera = rng.choice(["A", "B", "C"], len(label))
    brightness = rng.random(len(label)) + 2 * (camera != "A")
    wrong |= (camera == "A") & (rng.random(len(label)) < 0.4)
    found = search(
        images(label, wrong),
        pd.DataFrame({"brightness": brightness, "sharpness": -brightness}),
        pd.DataFrame({"camera": camera, "camera id": pd.factorize(camera)[0]}),
    ).findings
    assert [finding.subject.get("value") for finding in found] == ["A"]
    assert "Dark images" in found[0].evidence
    assert "'camera id'" in found[0].evidence or "camera id" in found[0].evidence


def test_a_class_that_is_dark_and_hard_by_nature_is_no_finding():
    rng, label, _ = drawn(5)
    wrong = rng.random(len(label)) < 0.15 * label
    brightness = 1 - 0.2 * label + 0.1 * rng.random(len(label))
    extra = pd.DataFrame({"label": np.array(NAMES)[label], "kind": np.where(label > 2, "x", "y")})
    outcome = search(images(label, wrong), pd.DataFrame({"brightness": brightness}), extra)
    assert not outcome.findings


def test_what_comes_from_the_model_itself_is_not_asked():
    _, label, wrong = drawn(6)
    scored = images(label, wrong)
    extra = pd.DataFrame(
        {
            "pred_name": np.array(NAMES)[scored.pred],
            "correct": ~wrong,
            "is_error": np.where(wrong, "yes", "no"),
            "prob": scored.label_prob.astype(str),
            "loss": -np.log(scored.label_prob),
        }
    )
    outcome = search(scored, extra=extra)
    assert not outcome.findings
    assert all(search.absent for search in outcome.searches)


@pytest.mark.parametrize("nothing", [None, "", np.nan])
def test_images_without_a_value_may_be_the_slice(nothing):
    rng, label, wrong = drawn(7)
    lacks = rng.random(len(label)) < 0.2
    wrong |= lacks & (rng.random(len(label)) < 0.4)
    camera = pd.Series(rng.choice(["A", "B"], len(label)), dtype="object")
    camera[lacks] = nothing
    (found,) = search(images(label, wrong), extra=pd.DataFrame({"camera": camera})).findings
    assert found.statement.startswith("Images without a value of camera are wrong")
    assert found.subject["value"] is None


LATE = np.random.default_rng(8).random(2000) < 0.25
ANY = np.random.default_rng(9).integers(0, 99, 2000)
DAYS = pd.to_datetime(np.where(LATE, 19_900, 19_800) + ANY, unit="D").strftime("%Y-%m-%d")


@pytest.mark.parametrize(
    ("measured", "name", "cells", "said"),
    [
        (False, "taken", DAYS, "Images whose taken is from 2024-06-2"),
        (False, "age", np.where(LATE, 90, 10) + ANY % 9, "Images whose age is at least 90 are"),
        (True, "width", np.where(LATE, 2000, 9) + ANY, "Wide images (width at least 2,000 px) "),
        (True, "greyscale", pd.array(LATE, dtype="boolean"), "Greyscale images are wrong"),
        (True, "turn", np.where(LATE, 6.0, 1.0), "Images whose EXIF orientation is 6 (on its side"),
        (False, "=A\n<i>", np.where(LATE, "x\x1b", "y"), r"Images whose '=A\n<i>' is 'x\x1b' are"),
        (False, "width", np.where(LATE, "w", ""), "Images whose width is 'w' are"),
    ],
)
def test_slices_read_as_people_say_them(measured, name, cells, said):
    rng, label, wrong = drawn(8, n=2000)
    wrong |= LATE & (rng.random(2000) < 0.5)
    tables = [pd.DataFrame({name: cells}), NONE]
    (found,) = search(images(label, wrong), *(tables if measured else tables[::-1])).findings
    assert found.statement.startswith(said), found.statement
    assert found.subject["property"] == name


def test_the_table_has_what_is_named_and_the_strongest_of_every_other_column(tmp_path):
    rng, label, wrong = drawn(9)
    site = rng.choice(["a", "b"], len(label))
    wrong |= (site == "b") & (rng.random(len(label)) < 0.3)
    outcome = search(
        images(label, wrong),
        pd.DataFrame({"brightness": rng.random(len(label))}),
        pd.DataFrame({"site": site, "same": 1}),
    )
    write_csv(tmp_path / "slices.csv", outcome.tables["slices"])
    table = read_declared(tmp_path / "slices.csv", SLICE_COLUMNS)
    assert table["property"].tolist() == ["site", "brightness"]
    assert table["named"].tolist() == [True, False]
    assert [(search.found, bool(search.absent)) for search in outcome.searches] == [
        (0, False), (1, False), (0, True),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("label", "wrong", "why"),
    [
        ([], [], "no image is right or wrong"),
        ([0, 1] * 30, [False] * 60, "no image is wrong"),
        ([0, 1] * 30, [True] * 60, "every image is wrong"),
    ],
)
def test_where_nothing_can_be_compared_that_is_said(label, wrong, why):
    outcome = search(
        images(label, wrong),
        pd.DataFrame({"brightness": np.linspace(0, 1, len(label))}),
        pd.DataFrame({"site": ["a", "b"] * (len(label) // 2)}),
    )
    assert not outcome.findings
    assert len(outcome.tables["slices"]) == 0
    if len(label):
        assert {search.absent for search in outcome.searches} == {why}


def test_too_few_images_say_how_many_would_do():
    label, wrong = np.arange(12) % 5, np.arange(12) % 4 == 0
    outcome = search(images(label, wrong), pd.DataFrame({"brightness": np.linspace(0, 1, 12)}))
    assert not outcome.findings
    assert outcome.searches[0].enough > 500
    _, label, wrong = drawn(n=30_000)
    outcome = search(images(label, wrong), pd.DataFrame({"brightness": np.linspace(0, 1, 30_000)}))
    assert outcome.searches[0].enough is None


def test_one_class_is_enough():
    rng = np.random.default_rng(0)
    camera = rng.choice(["A", "B"], 400)
    wrong = rng.random(400) < np.where(camera == "A", 0.1, 0.5)
    scored = images(np.zeros(400), wrong, names=("cat",))
    (found,) = search(scored, extra=pd.DataFrame({"camera": camera})).findings
    assert found.subject == {"property": "camera", "measured": False, "value": "B", "class": None}


def test_the_rows_do_not_depend_on_the_order_of_the_images():
    rng, label, wrong = drawn(11)
    sharpness = rng.normal(size=len(label))
    wrong |= (sharpness > 1) & (rng.random(len(label)) < 0.5)
    told = []
    for order in (np.arange(len(label)), rng.permutation(len(label))):
        scored = images(label[order], wrong[order])
        (found,) = search(scored, pd.DataFrame({"sharpness": sharpness[order]})).findings
        told.append((found.statement, set(order[np.array(found.rows) // 3])))
    assert told[0] == told[1]


@pytest.mark.parametrize(
    "rounds", [pytest.param(30, id="quick"), pytest.param(1000, id="full", marks=pytest.mark.slow)]
)
def test_columns_that_mean_nothing_are_named_in_one_of_two_hundred_runs(rounds):
    rng, named = np.random.default_rng(12), 0
    for _ in range(rounds):
        n = int(rng.integers(500, 2000))
        label = rng.integers(0, 5, n)
        wrong = rng.random(n) < 0.05 + 0.1 * label
        extra = pd.DataFrame(
            {
                "gauss": rng.normal(size=n),
                "few": rng.choice(list("ab"), n),
                "many": rng.integers(0, 50, n).astype(str),
                "skewed": rng.geometric(0.3, n),
                "date": pd.to_datetime(rng.integers(15_000, 19_000, n), unit="D"),
                "gaps": np.where(rng.random(n) < 0.3, "", rng.choice(list("abc"), n)),
            }
        )
        named += bool(search(images(label, wrong), extra=extra).findings)
    assert named <= max(0.005 * rounds, 0)


@pytest.mark.parametrize("share", [0.08, 0.2, 0.4])
def test_most_rows_are_those_touched(share):
    precision = []
    for seed in range(8):
        rng, label, wrong = drawn(seed, n=2000)
        touched = rng.random(2000) < share
        sharpness = rng.normal(np.where(touched, -4, 0))
        wrong |= touched & (rng.random(2000) < 0.5)
        found = search(images(label, wrong), pd.DataFrame({"sharpness": sharpness})).findings
        assert [finding.subject["property"] for finding in found] == ["sharpness"]
        precision.append(touched[np.array(found[0].rows) // 3].mean())
    assert np.mean(precision) >= 0.8


def test_a_threshold_is_written_in_as_few_digits_as_tell_the_images():
    rng, label, wrong = drawn(13)
    brightness = rng.random(len(label))
    wrong |= (brightness < 0.2) & (rng.random(len(label)) < 0.6)
    (found,) = search(images(label, wrong), pd.DataFrame({"brightness": brightness})).findings
    written = re.search(r"below (0\.\d+)", found.statement)[1]
    assert float(written) == found.subject["threshold"]
    assert len(written) <= 5
