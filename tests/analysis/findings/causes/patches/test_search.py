"""A stamp that goes with errors is found where it is; skies and harmless stamps are none."""

import io

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from errlens.analysis.findings.causes.patches.search import PATCH_COLUMNS, search_patches
from errlens.analysis.statistics.strata import excess_errors
from errlens.run.csv_tables import read_declared, write_csv
from tests.analysis.findings.causes.images import photos, properties_of, scored_images

STAMPED = 120


def checked(picture):
    picture[24:30, 2:8] = np.kron([[0, 1], [1, 0]], np.ones((3, 3))) * 220 + 10


def ruler(picture):
    picture[:, 28:] = np.where(np.arange(32)[:, None] % 6 < 3, 20, 230)


def framed(picture):
    picture[:3], picture[-3:], picture[:, :3], picture[:, -3:] = 15, 15, 15, 15
    picture[1, :], picture[-2, :], picture[:, 1], picture[:, -2] = 240, 240, 240, 240


def untouched(_picture):
    pass


def plain(picture):
    picture[2:9, 22:30] = 250


def stamped(stamp, *, harm=0.7, n=800, seed=0):
    """Images of which 120 bear a stamp, and photos as JPEG left them; harm: share made wrong."""
    rng = np.random.default_rng(seed)
    coarse = photos(n, seed=seed)
    label = rng.integers(0, 4, n)
    pred = np.where(rng.random(n) < 0.15, (label + 1) % 4, label)
    bearers = rng.choice(n, STAMPED, replace=False)
    for at in bearers:
        stamp(coarse[at])
        file = io.BytesIO()
        Image.fromarray(coarse[at]).save(file, "JPEG", quality=85)
        coarse[at] = np.asarray(Image.open(file))
    hit = bearers[rng.random(STAMPED) < harm]
    pred[hit] = 3
    return scored_images(label, pred), coarse, {100 + int(at) for at in bearers}


@pytest.mark.parametrize(
    ("stamp", "place", "words"),
    [
        (checked, [24 / 32, 2 / 32, 30 / 32, 8 / 32], "bottom left"),
        (ruler, [0, 28 / 32, 1, 1], "right"),
        (framed, [0, 0, 1, 1], "edges"),
        (plain, [2 / 32, 22 / 32, 9 / 32, 30 / 32], "top right"),
    ],
)
def test_a_stamp_is_found_at_its_place(stamp, place, words):
    images, coarse, bearers = stamped(stamp)
    outcome = search_patches(images, properties_of(coarse))
    (finding,) = outcome.findings
    assert finding.kind == "patch"
    assert len({*finding.rows} & bearers) >= 0.9 * max(len(finding.rows), len(bearers))
    assert finding.subject["place"] == pytest.approx(place, abs=1.5 / 32)
    assert f"share a patch at the {words}:" in finding.statement
    assert finding.subject["predicted"] == "ship"


def test_its_figures_are_those_of_its_images(tmp_path):
    images, coarse, _ = stamped(checked)
    outcome = search_patches(images, properties_of(coarse))
    (finding,) = outcome.findings
    chosen = np.isin(images.row, finding.rows)
    excess = excess_errors(chosen, images.wrong, images.label)
    errors, more = (chosen & images.wrong).sum(), (excess.observed - excess.expected)[0]
    ships = (images.pred[chosen & images.wrong] == 3).sum()
    assert f"{chosen.sum()} images share" in finding.statement
    assert f"{errors} of them are wrong, where {excess.expected[0]:.1f}" in finding.statement
    assert f"{more:.1f} errors more ({100 * more / images.wrong.sum():.1f} %" in finding.statement
    assert f"{ships} of {errors} are taken for ship." in finding.statement
    assert finding.excess_errors == pytest.approx(more)
    assert finding.n_errors == errors
    path = tmp_path / "patches.csv"
    write_csv(path, outcome.tables["patches"])
    table = read_declared(path, PATCH_COLUMNS)
    assert table[["n", "errors", "predicted_errors"]].values.tolist() == [
        [chosen.sum(), errors, ships]
    ]


def test_a_stamp_that_does_no_harm_is_no_finding():
    images, coarse, _ = stamped(checked, harm=0)
    outcome = search_patches(images, properties_of(coarse))
    assert not outcome.findings
    assert len(outcome.tables["patches"]) == 0


def test_a_sky_is_no_patch():
    images, coarse, bearers = stamped(untouched)
    for row in sorted(bearers):
        sky = 4 + row % 17
        coarse[row - 100, :sky] = 240 + row % 12
    assert not search_patches(images, properties_of(coarse)).findings


def test_many_copies_of_one_photo_are_no_patch():
    images, coarse, bearers = stamped(untouched)
    coarse[np.array(sorted(bearers)) - 100] = photos(1, seed=77)[0]
    assert not search_patches(images, properties_of(coarse)).findings


@pytest.mark.parametrize("seed", range(4))
def test_photos_as_they_are_share_nothing(seed):
    images, coarse, _ = stamped(untouched, harm=0.5, seed=seed)
    assert not search_patches(images, properties_of(coarse)).findings


def test_what_cannot_be_looked_for_is_said():
    images, coarse, _ = stamped(checked)
    assert search_patches(images, pd.DataFrame(index=range(800))).searches[0].absent
    few = scored_images([0] * 12, [1] * 12)
    assert search_patches(few, properties_of(coarse[:12])).searches[0].enough == 100
    right = scored_images([0] * 200, [0] * 200)
    assert not search_patches(right, properties_of(coarse[:200])).findings
    wrong = scored_images([0] * 200, [1] * 200)
    assert not search_patches(wrong, properties_of(coarse[:200])).findings
