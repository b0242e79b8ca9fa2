import json

import numpy as np
import pytest
from PIL import Image

from errlens.data.objects.outlines import read_outlines
from errlens.data.photos.preprocess import Preprocessing
from errlens.errors import InputError, MissingInput

HALF = (0.5, 0.5, 0.5)
SQUARE = [10, 20, 39, 20, 39, 59, 10, 59]
OUTLINE = {"width": 80, "height": 100, "polygons": [SQUARE], "part_box": [10, 20, 40, 30]}
OLD_NAMES = {"polygons": "pet_polygons", "part_box": "head_box_xyxy"}


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
    regions = read_outlines(write(tmp_path, {"a.jpg": OUTLINE}), photos=tmp_path).regions(
        "a.jpg", preprocessing
    )
    for region, (top, bottom) in ((regions.object, (20, 60)), (regions.head, (20, 30))):
        photo = np.zeros((100, 80, 3), np.uint8)
        photo[top:bottom, 10:40] = 255
        fed = preprocessing.prepare(Image.fromarray(photo))[:, :, 0] / 255
        inside = fed if preprocessing.crop_mode != "border" else np.where(region == 0, 0, fed)
        np.testing.assert_allclose(region[inside > 0], inside[inside > 0], atol=1e-6)


def test_paths_may_stand_below_other_folders_and_parts_may_be_missing(tmp_path):
    tree = {"val/cat/a.jpg": {**OUTLINE, "part_box": None}, "x/b.jpg": {}, "y/b.jpg": {}}
    outlines = read_outlines(write(tmp_path, tree), photos=tmp_path)
    plain = Preprocessing((10, 8), 1.0, "squash", "bilinear", HALF, HALF)
    assert outlines.regions("cat/a.jpg", plain).head is None
    assert outlines.regions("cat/b.jpg", plain) is None
    assert outlines.regions("b.jpg", plain) is None  # of two nobody knows which
    with pytest.raises(InputError, match="the outline of"):
        outlines.regions("x/b.jpg", plain)


@pytest.mark.parametrize("name", OLD_NAMES)
def test_the_names_of_older_files_are_read_too(tmp_path, name):
    plain = Preprocessing((10, 8), 1.0, "squash", "bilinear", HALF, HALF)
    older = {OLD_NAMES[key] if key == name else key: value for key, value in OUTLINE.items()}
    unused = {
        **OUTLINE,
        OLD_NAMES[name]: [[0, 0, 1, 1, 0, 1]] if name == "polygons" else [0, 0, 1, 1],
    }
    expected, *others = (
        read_outlines(write(tmp_path, {"a.jpg": outline}), photos=tmp_path).regions("a.jpg", plain)
        for outline in (OUTLINE, older, unused)  # of both names the newer one counts
    )
    for regions in others:
        np.testing.assert_array_equal(regions.object, expected.object)
        np.testing.assert_array_equal(regions.head, expected.head)


@pytest.mark.parametrize("tree", ["{", "[1]", '{"a.jpg": 3}'])
def test_a_file_that_holds_no_outlines_is_told(tmp_path, tree):
    with pytest.raises(InputError):
        read_outlines(write(tmp_path, tree), photos=tmp_path)


def test_a_file_that_is_not_there_is_missing(tmp_path):
    with pytest.raises(MissingInput):
        read_outlines(tmp_path / "none.json", photos=tmp_path)


@pytest.fixture
def photos(tmp_path):
    """Return a folder with a photo `cat/a.jpg` of 80 x 100 pixels."""
    folder = tmp_path / "photos"
    (folder / "cat").mkdir(parents=True)
    Image.new("RGB", (80, 100), "gray").save(folder / "cat/a.jpg")
    return folder


@pytest.fixture
def masks(tmp_path):
    folder = tmp_path / "masks"
    (folder / "cat").mkdir(parents=True)
    return folder


def mask(*, value=255, size=(80, 100), square=(10, 20, 40, 60)):
    """Return a mask with a square of one value, which by default is that of OUTLINE."""
    picture = Image.new("L", size)
    picture.paste(value, square)
    return picture


PLAIN = Preprocessing((25, 20), 1.0, "squash", "bilinear", HALF, HALF)


@pytest.mark.parametrize(
    "preprocessing",
    [
        PLAIN,
        Preprocessing((32, 32), 0.8, "center", "bicubic", HALF, HALF),
        Preprocessing((64, 48), 0.9, "border", "nearest", HALF, HALF),
    ],
)
def test_a_mask_says_what_an_outline_of_the_same_square_says(
    tmp_path, photos, masks, preprocessing
):
    mask().save(masks / "cat/a.png")
    outlines = read_outlines(write(tmp_path, {"cat/a.jpg": OUTLINE}), photos=photos)
    expected = outlines.regions("cat/a.jpg", preprocessing)
    found = read_outlines(masks, photos=photos).regions("cat/a.jpg", preprocessing)
    np.testing.assert_array_equal(found.object, expected.object)
    assert found.head is None


def test_masks_may_be_of_any_image_kind_and_png_goes_first(photos, masks):
    mask(square=(0, 0, 80, 100)).save(masks / "cat/a.bmp")
    assert read_outlines(masks, photos=photos).regions("cat/a.jpg", PLAIN).object.min() == 1
    mask(square=(0, 0, 80, 50)).convert("1").save(masks / "cat/a.PNG")
    found = read_outlines(masks, photos=photos).regions("cat/a.jpg", PLAIN).object
    assert found.mean() == pytest.approx(0.5, abs=0.02)


def test_white_is_from_the_middle_of_the_greys(photos, masks):
    picture = mask(value=127, square=(0, 0, 40, 100))
    picture.paste(128, (40, 0, 80, 100))
    picture.save(masks / "cat/a.png")
    found = read_outlines(masks, photos=photos).regions("cat/a.jpg", PLAIN).object
    assert (found[:, :9] == 0).all()
    assert (found[:, 11:] == 1).all()


def test_a_photo_without_a_mask_or_one_that_is_not_there_has_no_regions(photos, masks):
    mask().save(masks / "cat/a.png")
    mask().save(masks / "cat/gone.png")
    found = read_outlines(masks, photos=photos)
    assert found.regions("cat/b.jpg", PLAIN) is None
    assert found.regions("cat/gone.jpg", PLAIN) is None


def test_masks_may_stand_below_other_folders(tmp_path, photos, masks):
    mask().save(masks / "cat/a.png")
    found = read_outlines(tmp_path, photos=photos / "cat").regions("a.jpg", PLAIN)
    assert found is None  # the photo itself is an image there, too: of two nobody knows which
    found = read_outlines(masks, photos=photos / "cat").regions("a.jpg", PLAIN)
    assert 0 < found.object.mean() < 1


def test_a_mask_that_is_black_all_over_marks_no_object(photos, masks):
    mask(value=0).save(masks / "cat/a.png")
    found = read_outlines(masks, photos=photos).regions("cat/a.jpg", PLAIN)
    assert found == (None, None)


@pytest.mark.parametrize("value", [1, 3, 127])
def test_a_mask_that_is_not_white_on_black_is_refused(photos, masks, value):
    mask(value=value).save(masks / "cat/a.png")
    with pytest.raises(InputError, match=rf"a\.png.*white.*black.*up to {value}$"):
        read_outlines(masks, photos=photos).regions("cat/a.jpg", PLAIN)


@pytest.mark.parametrize("size", [(40, 50), (160, 200), (27, 33), (26, 33), (80, 101)])
def test_a_mask_may_be_smaller_or_larger_than_its_photo(photos, masks, size):
    half = (0, 0, size[0], size[1] // 2)
    mask(size=size, square=half).save(masks / "cat/a.png")
    found = read_outlines(masks, photos=photos).regions("cat/a.jpg", PLAIN).object
    assert found.shape == (25, 20)
    assert found.mean() == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize("size", [(100, 80), (80, 103), (83, 100), (100, 100)])
def test_a_mask_of_another_shape_is_refused(photos, masks, size):
    mask(size=size).save(masks / "cat/a.png")
    with pytest.raises(InputError, match=rf"{size[0]} x {size[1]} .*a\.jpg' has 80 x 100"):
        read_outlines(masks, photos=photos).regions("cat/a.jpg", PLAIN)


def test_a_mask_is_laid_over_the_photo_as_the_network_sees_it(photos, masks):
    turned = Image.Exif()
    turned[0x0112] = 6
    Image.new("RGB", (80, 100), "gray").save(photos / "cat/a.jpg", exif=turned)
    mask(size=(100, 80)).save(masks / "cat/a.png")
    source = read_outlines(masks, photos=photos)
    upright = Preprocessing((20, 25), 1.0, "squash", "bilinear", HALF, HALF, exif=True)
    assert 0 < source.regions("cat/a.jpg", upright).object.mean() < 1
    with pytest.raises(InputError, match="100 x 80") as refused:
        source.regions("cat/a.jpg", PLAIN)
    assert "not turned upright" in refused.value.hint


def test_a_mask_that_cannot_be_read_is_told(photos, masks):
    (masks / "cat/a.png").write_bytes(b"no picture")
    with pytest.raises(InputError, match=r"a\.png' cannot be read"):
        read_outlines(masks, photos=photos).regions("cat/a.jpg", PLAIN)


def test_a_folder_without_an_image_holds_no_masks(photos, masks):
    (masks / "cat/a.txt").write_text("white")
    with pytest.raises(InputError, match="has no mask"):
        read_outlines(masks, photos=photos)
