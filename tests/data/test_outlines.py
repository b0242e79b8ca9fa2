import json

import numpy as np
import pytest
from PIL import Image

from errlens.data.outlines import read_outlines
from errlens.data.preprocess import Preprocessing
from errlens.errors import InputError, MissingInput

HALF = (0.5, 0.5, 0.5)
SQUARE = [10, 20, 39, 20, 39, 59, 10, 59]
OUTLINE = {"width": 80, "height": 100, "pet_polygons": [SQUARE], "head_box_xyxy": [10, 20, 40, 30]}


def write(tmp_path, tree):
    path = tmp_path / "outlines.json"
    path.write_text(tree if isinstance(tree, str) else json.dumps(tree))
    return path


@pytest.mark.parametrize(
    "preprocessing",
    [
        Preprocessing((50, 40), 1.0, "squash", "bilinear", HALF, HALF),
        Preprocessing((32, 32), 0.8, "center", "bicubic", HALF, HALF),
        Preprocessing((64, 64), 1.0, "border", "nearest", HALF, HALF),
    ],
)
def test_a_region_is_where_a_painted_one_is_fed(tmp_path, preprocessing):
    """Black is fed as black: a photo of the region itself is the witness."""
    regions = read_outlines(write(tmp_path, {"a.jpg": OUTLINE})).regions("a.jpg", preprocessing)
    for region, (top, bottom) in ((regions.object, (20, 60)), (regions.head, (20, 30))):
        photo = np.zeros((100, 80, 3), np.uint8)
        photo[top:bottom, 10:40] = 255
        fed = preprocessing.prepare(Image.fromarray(photo))[:, :, 0] / 255
        inside = fed if preprocessing.crop_mode != "border" else np.where(region == 0, 0, fed)
        np.testing.assert_allclose(region[inside > 0], inside[inside > 0], atol=1e-6)


def test_paths_may_stand_below_other_folders_and_parts_may_be_missing(tmp_path):
    tree = {"val/cat/a.jpg": {**OUTLINE, "head_box_xyxy": None}, "x/b.jpg": {}, "y/b.jpg": {}}
    outlines = read_outlines(write(tmp_path, tree))
    plain = Preprocessing((10, 8), 1.0, "squash", "bilinear", HALF, HALF)
    assert outlines.regions("cat/a.jpg", plain).head is None
    assert outlines.regions("cat/b.jpg", plain) is None
    assert outlines.regions("b.jpg", plain) is None  # of two nobody knows which
    with pytest.raises(InputError, match="the outline of"):
        outlines.regions("x/b.jpg", plain)


@pytest.mark.parametrize("tree", ["{", "[1]", '{"a.jpg": 3}'])
def test_a_file_that_holds_no_outlines_is_told(tmp_path, tree):
    with pytest.raises(InputError):
        read_outlines(write(tmp_path, tree))


def test_a_file_that_is_not_there_is_missing(tmp_path):
    with pytest.raises(MissingInput):
        read_outlines(tmp_path / "none.json")
