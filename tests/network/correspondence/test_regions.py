import numpy as np
import pytest
from PIL import Image

from errlens.attribution.masks import Box
from errlens.data.photos.preprocess import Preprocessing
from errlens.network.correspondence.regions import (
    LEAST_COVERED,
    MOST_OVERLAP,
    as_fed,
    regions_elsewhere,
    shares_inside,
)

HALF = (0.5,) * 3


@pytest.mark.parametrize("crop_mode", ["center", "squash", "border"])
@pytest.mark.parametrize("size", [(120, 80), (80, 120), (100, 100)])
def test_a_box_lies_in_the_input_where_pillow_puts_it(crop_mode, size):
    used = Preprocessing((64, 64), 0.8, crop_mode, "bilinear", HALF, HALF)
    photo = Image.new("RGB", size)
    box = (35, 30, 65, 50)
    photo.paste((255, 255, 255), box)
    white = np.asarray(used.fit(photo))[:, :, 0] > 127
    found, shown = as_fed(box, used.source_box(*size), used.img_size)
    rows, columns = np.flatnonzero(white.any(axis=1)), np.flatnonzero(white.any(axis=0))
    expected = (rows[0], columns[0], rows[-1] + 1, columns[-1] + 1)
    if crop_mode == "border":  # its padding is as grey as white is bright
        expected = found
    assert np.abs(np.subtract(found, expected)).max() <= 1
    assert shown == pytest.approx(1)


def test_of_a_part_at_the_edge_the_input_shows_a_share():
    used = Preprocessing((50, 50), 1.0, "center", "bilinear", HALF, HALF)
    box, shown = as_fed((0, 10, 40, 30), used.source_box(100, 50), used.img_size)
    assert (box, shown) == (Box(10, 0, 30, 15), pytest.approx(15 / 40))
    _, shown = as_fed((0, 10, 20, 30), used.source_box(100, 50), used.img_size)
    assert shown == 0


def test_shares_are_means_of_rectangles():
    inside = np.random.default_rng(0).random((9, 7)).astype(np.float32)
    shares = shares_inside(inside, 4, 3)
    assert shares.shape == (6, 5)
    for row in range(6):
        for column in range(5):
            expected = inside[row : row + 4, column : column + 3].mean()
            assert shares[row, column] == pytest.approx(expected, abs=1e-6)


def test_regions_lie_inside_and_elsewhere_and_are_all_different():
    inside = np.zeros((40, 60), np.float32)
    inside[10:35, 5:50] = 1
    part = Box(12, 8, 22, 20)
    found = regions_elsewhere(part, inside, 200, np.random.default_rng(0))
    assert len({tuple(box) for box in found.tolist()}) == 200
    for top, left, bottom, right in found.tolist():
        assert (bottom - top, right - left) == (10, 12)
        assert inside[top:bottom, left:right].mean() >= LEAST_COVERED
        common = max(0, min(bottom, 22) - max(top, 12)) * max(0, min(right, 20) - max(left, 8))
        assert common <= MOST_OVERLAP * 120


def test_all_places_are_as_likely():
    inside = np.ones((6, 6), np.float32)
    random = np.random.default_rng(1)
    drawn = [regions_elsewhere(Box(0, 0, 2, 2), inside, 1, random)[0, :2] for _ in range(4_200)]
    # Of 25 places all but (0, 0), (0, 1) and (1, 0) share at most a quarter with the part.
    _, counts = np.unique(drawn, axis=0, return_counts=True)
    assert len(counts) == 22
    assert counts.min() > 130
    assert counts.max() < 260


def test_where_the_part_fills_the_object_there_is_no_room():
    inside = np.zeros((20, 20), np.float32)
    inside[2:10, 2:10] = 1
    assert regions_elsewhere(Box(2, 2, 10, 10), inside, 1, np.random.default_rng(0)) is None
    inside[:] = 1
    assert regions_elsewhere(Box(2, 2, 10, 10), inside, 9**9, np.random.default_rng(0)) is None
    assert regions_elsewhere(Box(0, 0, 20, 20), inside, 1, np.random.default_rng(0)) is None
