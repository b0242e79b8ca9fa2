"""Copies under two labels, and copies that change the accuracy, are told; others are listed."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from errlens.analysis.findings.causes.copies.duplicates import DUPLICATE_COLUMNS, search_duplicates
from errlens.run.csv_tables import read_declared, write_csv
from tests.analysis.findings.causes.images import photos, properties_of, scored_images

NOTHING = pd.DataFrame(index=range(0))


def copied(n=400, *, copies=(), labels=(), wrong=(), seed=0):
    """n images, of which some are files that an earlier one is: `copies` are (copy, original)."""
    rng = np.random.default_rng(seed)
    pred = rng.integers(0, 4, n)
    label = pred.copy()
    label[list(wrong)] = (label[list(wrong)] + 1) % 4
    hashes = [at.to_bytes(16, "big") for at in range(n)]
    for copy, original in copies:
        hashes[copy], pred[copy], label[copy] = hashes[original], pred[original], label[original]
    for copy in labels:
        label[copy] = (label[copy] + 1) % 4
    return scored_images(label, pred, content_hash=hashes)


def test_one_file_under_two_labels_is_a_finding_with_the_label_at_fault():
    images = copied(copies=[(300 + at, at) for at in range(12)], labels=range(300, 312))
    outcome = search_duplicates(images, NOTHING)
    (finding,) = outcome.findings
    assert finding.rows == tuple(range(400, 412))
    assert finding.beside == tuple(range(100, 112))
    assert finding.n_errors == finding.excess_errors == 12
    assert finding.gain.value == pytest.approx(12 / 400)
    assert finding.statement.startswith("12 photos stand under more than one label, as 24 images")
    assert "at least 12 labels are wrong" in finding.statement
    assert f"12 errors ({100 * 12 / images.wrong.sum():.1f} % of all)" in finding.statement


def test_copies_that_make_the_model_look_worse_are_a_finding_with_the_accuracy_without():
    images = copied(copies=[(300 + at, 0) for at in range(60)], wrong=range(5))
    (finding,) = search_duplicates(images, NOTHING).findings
    once = 1 - 5 / 340  # 340 photos, 5 of them wrong
    top1 = 1 - 65 / 400
    assert f"top-1 is {100 * once:.1f} % (+{100 * (once - top1):.1f} pp)" in finding.statement
    assert finding.excess_errors == pytest.approx(65 - 400 * 5 / 340)
    assert len(finding.rows) == 61


def test_copies_that_make_it_look_better_explain_no_errors():
    images = copied(copies=[(300 + at, 50) for at in range(90)], wrong=range(40))
    (finding,) = search_duplicates(images, NOTHING).findings
    assert finding.excess_errors is None
    assert finding.gain is None
    assert "(-" in finding.statement


def test_a_few_copies_are_listed_and_no_more():
    images = copied(copies=[(300, 7), (301, 7), (302, 8)])
    outcome = search_duplicates(images, NOTHING)
    assert not outcome.findings
    assert outcome.searches[0].found == 0
    table = outcome.tables["duplicates"]
    assert table["group"].tolist() == [1, 1, 1, 2, 2]
    assert table["row"].tolist() == [107, 400, 401, 108, 402]
    assert set(table["kind"]) == {"exact"}


def test_near_copies_come_with_their_distance_and_those_under_two_labels_first(tmp_path):
    coarse = photos(200)
    coarse[150] = np.clip(coarse[20] * 0.9 + 10, 0, 255)
    coarse[151] = np.clip(coarse[30] * 0.9 + 10, 0, 255)
    images = copied(200)
    label = images.label.copy()
    label[150], label[151] = label[20], (label[30] + 1) % 4
    images = replace(images, label=label, wrong=label != images.pred)
    outcome = search_duplicates(images, properties_of(coarse))
    table = outcome.tables["duplicates"]
    assert table["row"].tolist() == [130, 251, 120, 250]
    assert table["kind"].tolist() == ["near"] * 4
    witness = 1 - np.corrcoef(coarse[30].ravel(), coarse[151].ravel())[0, 1]
    assert table["distance"][1] == pytest.approx(witness, abs=1e-5)
    assert not outcome.findings  # one near pair may be two photos after all
    write_csv(tmp_path / "duplicates.csv", table)
    read_declared(tmp_path / "duplicates.csv", DUPLICATE_COLUMNS)


@pytest.mark.parametrize("n", [0, 1, 12])
def test_without_copies_there_is_an_empty_table(n, tmp_path):
    images = scored_images([0] * n, [1] * n)
    outcome = search_duplicates(images, properties_of(photos(n)) if n else NOTHING)
    assert not outcome.findings
    write_csv(tmp_path / "empty.csv", outcome.tables["duplicates"])
    assert list(outcome.tables["duplicates"]) == list(DUPLICATE_COLUMNS)


def test_images_that_nobody_read_are_said_to_be_so():
    images = replace(scored_images([0, 1], [1, 1]), content_hash=[None, None])
    assert search_duplicates(images, NOTHING).searches[0].absent
