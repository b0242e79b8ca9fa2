"""Images that were trained on are named, with the accuracy without them."""

import numpy as np
import pandas as pd
import pytest

from errlens.analysis.findings.causes.copies.leakage import LEAKAGE_COLUMNS, search_leakage
from errlens.run.csv_tables import read_declared, write_csv
from tests.analysis.findings.causes.images import photos, properties_of, scored_images


def judged(n=300):
    """Images of which the first 60 are right and every fourth of the others is wrong."""
    label = np.zeros(n, int)
    pred = np.where((np.arange(n) >= 60) & (np.arange(n) % 4 == 0), 1, 0)
    return scored_images(label, pred), photos(n)


def trained_on(coarse, hashes):
    return properties_of(coarse, content_hash=hashes).assign(
        path=[f"train/{at}.jpg" for at in range(len(coarse))]
    )


def test_the_very_files_and_near_copies_are_found(tmp_path):
    images, coarse = judged()
    lighter = np.clip(coarse[40:60] * 0.9 + 12, 0, 255).astype(np.uint8)
    others = photos(100, seed=9)
    train = trained_on(
        np.concatenate([others, coarse[:40], lighter]),
        [b"other %10d" % at for at in range(100)]
        + images.content_hash[:40]
        + [b"light %10d" % at for at in range(20)],
    )
    outcome = search_leakage(images, properties_of(coarse), train)
    table = outcome.tables["leakage"]
    assert table["row"].tolist() == list(range(100, 160))
    assert table["kind"].tolist() == ["exact"] * 40 + ["near"] * 20
    assert table["train_path"].tolist() == [f"train/{at}.jpg" for at in range(100, 160)]
    (finding,) = outcome.findings
    without = 180 / 240
    assert "60 images (20.0 %) were trained on: 40 the very file, 20 a near" in finding.statement
    assert "60 of 60 right" in finding.statement
    assert f"top-1 is {100 * without:.1f} % ({100 * (without - 0.8):.1f} pp)" in finding.statement
    assert finding.excess_errors is None
    assert set(finding.rows) == set(range(100, 160))
    write_csv(tmp_path / "leakage.csv", table)
    read_declared(tmp_path / "leakage.csv", LEAKAGE_COLUMNS)


def test_a_few_near_copies_are_listed_without_a_finding():
    images, coarse = judged()
    train = trained_on(coarse[:2], [b"a", b"b"])
    outcome = search_leakage(images, properties_of(coarse), train)
    assert len(outcome.tables["leakage"]) == 2
    assert not outcome.findings


@pytest.mark.parametrize("measured", [True, False])
def test_other_photos_are_no_leak(measured):
    images, coarse = judged()
    train = trained_on(photos(200, seed=5), [b"x%d" % at for at in range(200)])
    train = train if measured else train[["content_hash"]]
    outcome = search_leakage(images, properties_of(coarse), train)
    assert not outcome.findings
    assert outcome.searches[0].found == 0


def test_where_all_was_trained_on_nothing_is_left_to_judge_by():
    images, coarse = judged(20)
    table = properties_of(coarse)
    (finding,) = search_leakage(images, table, table).findings
    assert "No other image is left" in finding.statement


def test_no_training_images_are_said_to_be_missing():
    images, coarse = judged(20)
    assert search_leakage(images, properties_of(coarse), pd.DataFrame()).searches[0].absent
