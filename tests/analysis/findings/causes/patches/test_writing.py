"""Thin writing is found though the photo shows between its strokes; photos bear none."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from errlens.analysis.findings.causes.patches.search import search_patches
from errlens.analysis.findings.causes.patches.writing import writing_on
from tests.analysis.findings.causes.images import photos, properties_of, scored_images


def written(picture, text, at, grey):
    image = Image.fromarray(picture)
    ImageDraw.Draw(image).text(at, text, fill=grey)
    return np.asarray(image)


@pytest.mark.parametrize(("text", "at", "grey"), [("(c)19", (2, 19), 255), ("AB", (8, 2), 0)])
def test_writing_that_goes_with_errors_is_a_finding(text, at, grey):
    rng = np.random.default_rng(0)
    coarse = photos(800)
    label = rng.integers(0, 4, 800)
    pred = np.where(rng.random(800) < 0.15, (label + 1) % 4, label)
    bearers = rng.choice(800, 150, replace=False)
    coarse[bearers] = [written(coarse[each], text, at, grey) for each in bearers]
    pred[bearers[:100]] = 3
    (finding,) = search_patches(scored_images(label, pred), properties_of(coarse)).findings
    touched = {100 + int(each) for each in bearers}
    assert len({*finding.rows} & touched) >= 0.8 * len(finding.rows)
    assert len(finding.rows) >= 0.5 * len(touched)
    top, left, bottom, right = finding.subject["place"]
    assert top >= at[1] / 32
    assert left >= at[0] / 32
    assert bottom <= (at[1] + 13) / 32
    assert right <= 1


@pytest.mark.parametrize("n", [20, 200, 1000])
def test_nothing_is_written_on_photos_as_they_are(n):
    assert writing_on(photos(n, seed=n)) is None


def test_a_plain_background_is_no_writing():
    coarse = photos(300)
    coarse[:90, :12] = 250
    assert writing_on(coarse) is None


def test_on_a_background_of_its_colour_none_is_read():
    coarse = photos(300)
    for each in range(120):
        coarse[each] = written(coarse[each], "(c)19", (2, 19), 255)
    writing = writing_on(coarse)
    white = np.full((1, 32, 32), 250, np.uint8)
    assert writing.is_on(coarse[:120]).mean() > 0.4
    assert not writing.is_on(white).any()
