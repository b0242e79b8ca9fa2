import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image
from timm.data import create_transform

from errlens.data.preprocess import Preprocessing

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
sides = st.integers(2, 60)


@settings(deadline=None, max_examples=150)
@given(
    image_size=st.tuples(sides, sides),
    img_size=st.one_of(st.integers(2, 40).map(lambda n: (n, n)), st.tuples(sides, sides)),
    crop_pct=st.floats(0.5, 1.2),
    crop_mode=st.sampled_from(["center", "squash", "border"]),
    interpolation=st.sampled_from(["nearest", "bilinear", "bicubic", "lanczos", "box", "hamming"]),
)
@example((50, 33), (224, 224), 0.875, "center", "bicubic")
@example((333, 500), (224, 224), 0.875, "center", "bicubic")
@example((500, 333), (64, 64), 1.0, "squash", "bicubic")
@example((7, 50), (20, 20), 0.95, "border", "bilinear")
def test_pixels_are_timms(image_size, img_size, crop_pct, crop_mode, interpolation):
    pixels = np.random.default_rng(0).integers(0, 256, (*image_size, 3), dtype=np.uint8)
    image = Image.fromarray(pixels)
    transform = create_transform(
        (3, *img_size),
        interpolation=interpolation,
        mean=MEAN,
        std=STD,
        crop_pct=crop_pct,
        crop_mode=crop_mode,
        use_prefetcher=True,  # leaves the pixels as bytes
    )
    ours = Preprocessing(img_size, crop_pct, crop_mode, interpolation, MEAN, STD)
    try:
        expected = transform(image).permute(1, 2, 0)
    except ValueError:  # so thin that no width is left
        with pytest.raises(ValueError, match="height and width"):
            ours.prepare(image)
        return
    np.testing.assert_array_equal(ours.prepare(image), expected)


def test_settings_survive_json():
    before = Preprocessing((64, 48), 0.9, "border", "bicubic", MEAN, STD, exif=True)
    assert Preprocessing.from_dict(before.as_dict()) == before


def test_gray_images_have_one_channel():
    gray = Preprocessing((8, 6), 1.0, "squash", "bicubic", (0.5,), (0.5,))
    assert gray.image_mode == "L"
    assert gray.prepare(Image.new("L", (20, 30), 7)).tolist() == np.full((8, 6, 1), 7).tolist()


@pytest.mark.parametrize("crop_mode", ["center", "border"])
def test_a_crop_beyond_the_image_is_padded(crop_mode):
    image = Image.new("RGB", (10, 10), "white")
    found = Preprocessing((10, 10), 2.0, crop_mode, "nearest", MEAN, STD).prepare(image)
    assert (found[2:7, 2:7] == 255).all()
    fill = (0, 0, 0) if crop_mode == "center" else tuple(round(255 * value) for value in MEAN)
    assert tuple(found[0, 0]) == fill
