import json

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from PIL import Image
from timm.data import create_transform

from errlens.data.photos.preprocess import Preprocessing
from errlens.errors import NotARun

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
INTERPOLATIONS = ("nearest", "bilinear", "bicubic", "lanczos", "box", "hamming")
photo_sides, network_sides = st.integers(1, 300), st.integers(2, 64)


img_sizes = st.one_of(
    network_sides.map(lambda side: (side, side)), st.tuples(network_sides, network_sides)
)
crop_modes = st.sampled_from(["center", "squash", "border"])


def noise(height: int, width: int) -> Image.Image:
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


@settings(deadline=None, max_examples=150)
@given(
    image_size=st.tuples(photo_sides, photo_sides),
    img_size=img_sizes,
    crop_pct=st.floats(0.5, 1.2),
    crop_mode=crop_modes,
    interpolation=st.sampled_from(INTERPOLATIONS),
)
@example((50, 33), (224, 224), 0.875, "center", "bicubic")
@example((333, 500), (224, 224), 0.875, "center", "bicubic")
@example((500, 333), (64, 64), 1.0, "squash", "bicubic")
@example((7, 50), (20, 20), 0.95, "border", "bilinear")
@example((1, 1), (2, 2), 1.2, "center", "nearest")
@example((40, 60), (60, 40), 1.0, "squash", "bicubic")
@example((1, 300), (64, 64), 0.5, "border", "bicubic")
@example((300, 200), (64, 48), 0.9, "center", "bicubic")
@example((64, 64), (64, 64), 1.0, "center", "bicubic")
def test_pixels_are_timms(image_size, img_size, crop_pct, crop_mode, interpolation):
    image = noise(*image_size)
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


@settings(deadline=None, max_examples=100)
@given(
    width=st.integers(1, 5),
    height=st.integers(500, 4000),
    img_size=img_sizes,
    crop_pct=st.floats(0.5, 1.2),
    interpolation=st.sampled_from(INTERPOLATIONS),
    lying=st.booleans(),
)
@example(1, 5000, (64, 64), 0.9, "bicubic", False)
@example(1, 4001, (33, 33), 1.0, "lanczos", True)
@example(1, 4001, (33, 33), 1.0, "box", False)
@example(2, 1001, (40, 24), 0.875, "bilinear", False)
@example(3, 1502, (33, 33), 0.95, "hamming", True)
@example(1, 110, (2, 64), 0.9, "bicubic", False)
def test_the_crop_of_a_photo_like_a_thread_is_timms(
    width, height, img_size, crop_pct, interpolation, lying
):
    image = noise(width, height) if lying else noise(height, width)
    transform = create_transform(
        (3, *img_size),
        interpolation=interpolation,
        mean=MEAN,
        std=STD,
        crop_pct=crop_pct,
        crop_mode="center",
        use_prefetcher=True,
    )
    ours = Preprocessing(img_size, crop_pct, "center", interpolation, MEAN, STD)
    np.testing.assert_array_equal(ours.prepare(image), transform(image).permute(1, 2, 0))


@pytest.mark.parametrize("size", [(1, 60_000), (60_000, 1), (2, 120_000)])
def test_a_very_long_thread_is_cut_before_it_is_resized(size, monkeypatch):
    resized = []
    resize = Image.Image.resize
    monkeypatch.setattr(
        Image.Image,
        "resize",
        lambda image, to, *rest: resized.append(to) or resize(image, to, *rest),
    )
    ours = Preprocessing((224, 224), 0.875, "center", "bicubic", MEAN, STD)
    assert ours.prepare(Image.new("RGB", size, "red"))[112, 112].tolist() == [255, 0, 0]
    assert max(resized[0]) <= 16 * 256


def test_a_thread_that_would_be_too_long_and_cannot_be_cut_is_refused():
    ours = Preprocessing((224, 224), 0.875, "center", "bicubic", MEAN, STD)
    with pytest.raises(ValueError, match="resized it would be 256 x 5120085"):
        ours.prepare(Image.new("RGB", (3, 60_001)))


@pytest.mark.parametrize("crop_mode", ["center", "squash", "border"])
def test_scaled_pixels_are_timms_normalised_tensor(crop_mode):
    image = noise(45, 70)
    ours = Preprocessing((32, 24), 0.9, crop_mode, "bicubic", MEAN, STD)
    transform = create_transform(
        (3, 32, 24),
        interpolation="bicubic",
        mean=MEAN,
        std=STD,
        crop_pct=0.9,
        crop_mode=crop_mode,
        normalize=True,
    )
    expected = transform(image).permute(1, 2, 0)
    scaled = (ours.prepare(image) / 255 - np.array(MEAN)) / np.array(STD)
    np.testing.assert_allclose(scaled, expected, atol=1e-5)


@pytest.mark.parametrize("crop_mode", ["center", "squash", "border"])
@pytest.mark.parametrize("img_size", [(20, 20), (24, 16)])
def test_gray_pixels_are_timms(crop_mode, img_size):
    image = noise(30, 50).convert("L")
    transform = create_transform(
        (1, *img_size),
        interpolation="bicubic",
        mean=(0.4,),
        std=(0.2,),
        crop_pct=0.95,
        crop_mode=crop_mode,
        use_prefetcher=True,
    )
    ours = Preprocessing(img_size, 0.95, crop_mode, "bicubic", (0.4,), (0.2,))
    np.testing.assert_array_equal(ours.prepare(image), transform(image).permute(1, 2, 0))


@given(
    img_size=st.tuples(network_sides, network_sides),
    crop_pct=st.floats(0.5, 1.2),
    crop_mode=crop_modes,
    interpolation=st.sampled_from(INTERPOLATIONS),
    channels=st.lists(
        st.tuples(st.floats(0, 1), st.floats(0.01, 1)), min_size=1, max_size=3
    ).filter(lambda channels: len(channels) != 2),
    exif=st.booleans(),
)
@settings(deadline=None, max_examples=40)
def test_settings_survive_json(img_size, crop_pct, crop_mode, interpolation, channels, exif):
    mean, std = zip(*channels, strict=True)
    before = Preprocessing(img_size, crop_pct, crop_mode, interpolation, mean, std, exif=exif)
    assert Preprocessing.from_dict(json.loads(json.dumps(before.as_dict()))) == before
    assert before.image_mode == {1: "L", 3: "RGB"}[len(channels)]


def test_the_photo_itself_is_left_as_it_was():
    image = noise(10, 12)
    before = image.tobytes()
    for crop_mode in ("center", "squash", "border"):
        Preprocessing((20, 20), 1.0, crop_mode, "bicubic", MEAN, STD).prepare(image)
    assert (image.size, image.tobytes()) == ((12, 10), before)


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


def settings_of(img_size, crop_pct, crop_mode, interpolation="bilinear"):
    """Return settings for grey pixels, black in a border."""
    return Preprocessing(img_size, crop_pct, crop_mode, interpolation, (0.0,), (1.0,))


def middles(box, img_size):
    """Return where in the photo the middles of the input's pixels lie, and how far apart: y, x."""
    left, top, right, bottom = box
    down, across = (bottom - top) / img_size[0], (right - left) / img_size[1]
    y = top + down * (np.arange(img_size[0]) + 0.5)
    x = left + across * (np.arange(img_size[1]) + 0.5)
    return y[:, None], x[None], down, across


def boxed(ours, size):
    try:
        return ours.source_box(*size)
    except ValueError:  # so thin that no width is left
        with pytest.raises(ValueError, match="height and width"):
            ours.fit(Image.new("L", size))
        assume(False)


@settings(deadline=None, max_examples=150)
@given(
    size=st.one_of(
        st.tuples(photo_sides, photo_sides),
        st.tuples(st.integers(1, 3), st.integers(300, 900)),
        st.tuples(st.integers(300, 900), st.integers(1, 3)),
    ),
    img_size=img_sizes,
    crop_pct=st.floats(0.5, 1.5),
    crop_mode=crop_modes,
)
@example((1, 5000), (32, 32), 0.9, "center")
@example((5001, 1), (33, 33), 1.0, "center")
@example((2, 1001), (40, 24), 0.875, "center")
@example((500, 333), (64, 48), 0.875, "center")
@example((50, 7), (20, 30), 1.2, "border")
@example((50, 70), (20, 30), 0.8, "squash")
def test_pixels_are_from_where_the_box_says(size, img_size, crop_pct, crop_mode):
    """Photos whose pixels tell their own place are the witness: even ramps, which stay even."""
    ours = settings_of(img_size, crop_pct, crop_mode)
    y, x, down, across = middles(boxed(ours, size), img_size)
    rows = np.arange(size[1], dtype=np.float32)[:, None] + np.float32(0.5)
    columns = np.arange(size[0], dtype=np.float32)[None] + np.float32(0.5)
    seen = (x > 0) & (x < size[0]) & (y > 0) & (y < size[1])
    white = ours.fit(Image.new("L", size, 255))
    np.testing.assert_array_equal(np.asarray(white) > 0, seen)
    for ramp, place, step, length in ((rows, y, down, size[1]), (columns, x, across, size[0])):
        photo = Image.fromarray(np.broadcast_to(ramp, size[::-1]).copy())
        # As far from an edge as the filter reaches, nothing beyond it is missing.
        known = seen & (place > max(1, step)) & (place < length - max(1, step))
        told = np.asarray(ours.fit(photo))[known]
        expected = np.broadcast_to(place, img_size)[known]
        np.testing.assert_allclose(told, expected, atol=0.5 * min(1, step) + 1e-3)


@settings(deadline=None, max_examples=150)
@given(
    size=st.tuples(photo_sides, photo_sides),
    img_size=img_sizes,
    crop_pct=st.floats(0.5, 1.5),
    crop_mode=crop_modes,
    share=st.tuples(st.floats(0, 1), st.floats(0, 1)),
)
def test_a_bright_pixel_is_found_where_the_box_says(size, img_size, crop_pct, crop_mode, share):
    ours = settings_of(img_size, crop_pct, crop_mode)
    left, top, right, bottom = box = boxed(ours, size)
    first = np.ceil([max(left, 0), max(top, 0)])
    last = np.floor([min(right, size[0]), min(bottom, size[1])]) - 1
    assume((first <= last).all())
    column, row = (first + np.array(share) * (last - first)).astype(int)
    photo = np.zeros(size[::-1], np.float32)
    photo[row, column] = 1.0
    y, x, down, across = middles(box, img_size)
    fed = np.asarray(ours.fit(Image.fromarray(photo)))
    brightest = np.unravel_index(fed.argmax(), fed.shape)
    assert abs(y[brightest[0], 0] - (row + 0.5)) <= 0.5 + down
    assert abs(x[0, brightest[1]] - (column + 0.5)) <= 0.5 + across


def test_a_squashed_photo_is_covered_whole_and_a_crop_by_its_share():
    assert settings_of((32, 48), 1.0, "squash").source_box(70, 50) == (0, 0, 70, 50)
    assert settings_of((28, 28), 0.875, "center").source_box(64, 64) == (4, 4, 60, 60)
    assert settings_of((40, 40), 1.0, "border").source_box(80, 40) == (0, -20, 80, 60)


def test_a_long_photo_is_covered_as_far_as_one_that_is_not_cut():
    """The ends are cut off for smooth filters alone; the crop is the same for all."""
    smooth = settings_of((32, 32), 0.9, "center", "bicubic")
    jumping = settings_of((32, 32), 0.9, "center", "nearest")
    for size in ((1, 5000), (5000, 1), (2, 1002)):
        box = smooth.source_box(*size)
        assert box == pytest.approx(jumping.source_box(*size))
        # It lies in the middle, but for the crop's rounding to whole pixels.
        assert (box[0] + box[2]) / 2 == pytest.approx(size[0] / 2, abs=0.05)
        assert (box[1] + box[3]) / 2 == pytest.approx(size[1] / 2, abs=0.05)


def test_a_photo_that_cannot_be_fitted_has_no_box():
    ours = settings_of((64, 64), 1.0, "border")
    with pytest.raises(ValueError, match="height and width"):
        ours.source_box(1, 300)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"img_size": "x"}, "img_size"),
        ({"img_size": [8]}, "img_size"),
        ({"img_size": [0, 8]}, "it makes no image"),
        ({"img_size": [10**6, 10**6]}, "too large"),
        ({"crop_pct": 1e-9}, "too large"),
        ({"crop_pct": 0}, "it makes no image"),
        ({"crop_mode": "odd"}, "crop_mode"),
        ({"interpolation": None}, "interpolation"),
        ({"mean": [0.5, 0.5]}, "it makes no image"),
        ({"std": [0.5, 0.5, 0]}, "it makes no image"),
        ({"std": {}}, "std"),
    ],
)
def test_a_recorded_preprocessing_that_cannot_be_is_refused(changes, problem):
    recorded = {**Preprocessing((8, 8), 1.0, "center", "bicubic", (0.5,) * 3, (1.0,) * 3).as_dict()}
    assert Preprocessing.from_dict(recorded).as_dict() == recorded
    with pytest.raises(NotARun, match=problem):
        Preprocessing.from_dict({**recorded, **changes})
    with pytest.raises(NotARun, match="img_size"):
        Preprocessing.from_dict({})
