import colorsys
import io
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image, ImageEnhance, ImageFilter, ImageStat

from errlens.data.photos.images import Encoded, Unread, quiet_pillow
from errlens.data.photos.preprocess import Preprocessing
from errlens.data.properties.photo import Measuring

HALF = (0.5, 0.5, 0.5)
SMALL = Preprocessing((64, 64), 1.0, "squash", "bicubic", HALF, HALF)
USUAL = Preprocessing((224, 224), 0.875, "center", "bicubic", HALF, HALF)
SHARE = ("brightness", "contrast", "saturation", "border")


def painted(size=(60, 40), *, seed=0, cells=(9, 12)):
    """Smooth blobs of colour with a few hard edges."""
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 255, (*cells, 3), dtype=np.uint8))
    image = coarse.resize(size, Image.Resampling.BICUBIC)
    blocks = Image.fromarray(rng.integers(0, 255, (4, 5), dtype=np.uint8)).convert("RGB")
    mask = Image.fromarray((rng.random((6, 6)) < 0.4).astype(np.uint8) * 255)
    nearest = Image.Resampling.NEAREST
    return Image.composite(blocks.resize(size, nearest), image, mask.resize(size, nearest))


def encoded(image, kind="PNG", **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return Encoded(file.getvalue(), b"h" * 16, f".{kind.lower()}")


def measured(image, kind="PNG", *, as_fed=None, **options):
    with quiet_pillow():
        return Measuring(as_fed).measure(encoded(image, kind, **options))


@pytest.mark.parametrize("seed", range(5))
def test_light_agrees_with_pillows_statistics(seed):
    image = painted(seed=seed)
    light = ImageStat.Stat(image.convert("L"))
    found = measured(image)
    assert found["brightness"] == pytest.approx(light.mean[0] / 255)
    assert found["contrast"] == pytest.approx(light.stddev[0] / 255)


def test_saturation_is_that_of_hsv_weighted_by_value():
    image = painted()
    hsv = [colorsys.rgb_to_hsv(*(pixel / 255)) for pixel in np.asarray(image).reshape(-1, 3)]
    expected = np.average([s for _, s, _ in hsv], weights=[v for _, _, v in hsv])
    assert measured(image)["saturation"] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("tint", "name", "sign"),
    [((1.3, 1, 1), "red_green", 1), ((1, 1.3, 1), "red_green", -1), ((1, 1, 1.3), "blue_yellow", 1),
     ((1.3, 1.3, 1), "blue_yellow", -1)],
)  # fmt: skip
def test_a_cast_moves_its_own_number(tint, name, sign):
    pixels = np.asarray(painted(), float) * 0.7
    before, after = (
        measured(Image.fromarray((pixels * light).astype(np.uint8)))[name] for light in (1, tint)
    )
    assert sign * (after - before) > 0.03


def test_a_cast_does_not_know_how_bright_the_picture_is():
    image = painted()
    bright, dark = measured(image), measured(ImageEnhance.Brightness(image).enhance(0.5))
    for name in ("red_green", "blue_yellow", "saturation"):
        assert dark[name] == pytest.approx(bright[name], abs=0.01)


@pytest.mark.parametrize("as_fed", [None, SMALL, USUAL])
@pytest.mark.parametrize("seed", range(6))
def test_blurred_copies_are_less_sharp_and_sharpened_ones_more(as_fed, seed):
    image = painted((240, 180), seed=seed).filter(ImageFilter.GaussianBlur(1.5))
    softer, soft = (image.filter(ImageFilter.GaussianBlur(radius)) for radius in (5, 2.5))
    sharper = image.filter(ImageFilter.UnsharpMask(3, 150, 0))
    order = [measured(one, as_fed=as_fed)["sharpness"] for one in (softer, soft, image, sharper)]
    assert order == sorted(order)
    assert len(set(order)) == 4
    assert order[2] > 1.2 * order[0]


def test_sharpness_knows_neither_contrast_nor_light_and_little_of_noise():
    image = painted((240, 180)).filter(ImageFilter.GaussianBlur(1))
    blurred = image.filter(ImageFilter.GaussianBlur(3))
    sharpness = measured(image, as_fed=SMALL)["sharpness"]
    for change in (ImageEnhance.Contrast, ImageEnhance.Brightness):
        changed = measured(change(image).enhance(0.5), as_fed=SMALL)["sharpness"]
        assert changed == pytest.approx(sharpness, rel=0.1)
    noise = np.random.default_rng(0).normal(0, 16, (180, 240, 1))
    noisy = Image.fromarray((np.asarray(blurred) + noise).clip(0, 255).astype(np.uint8))
    assert measured(noisy, as_fed=SMALL)["sharpness"] < 0.8 * sharpness


@pytest.mark.parametrize("factor", [2, 7])
def test_what_is_enlarged_for_the_network_is_as_many_times_less_sharp(factor):
    image = painted((32, 32))
    once, more = (
        measured(image, as_fed=Preprocessing((side, side), 1.0, "squash", "bilinear", HALF, HALF))
        for side in (32, 32 * factor)
    )
    assert more["sharpness"] == pytest.approx(once["sharpness"] / factor)


def test_a_picture_without_an_edge_has_no_sharpness():
    assert math.isnan(measured(Image.new("RGB", (40, 40), (90, 20, 7)))["sharpness"])
    assert math.isnan(measured(painted((300, 1)), as_fed=USUAL)["sharpness"])


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "BMP"])
def test_grey_pictures_stored_in_colour_are_grey(kind):
    image = painted((90, 70))
    grey = image.convert("L").convert("RGB")
    assert measured(grey, kind)["greyscale"] is True
    assert measured(image, kind)["greyscale"] is False


def test_one_pixel_of_colour_in_a_large_picture_is_seen():
    grey = painted((900, 700)).convert("L").convert("RGB")
    assert measured(grey)["greyscale"] is True
    grey.putpixel((450, 350), (120, 121, 120))
    assert measured(grey)["greyscale"] is False


@pytest.mark.parametrize("mode", ["L", "1", "LA", "I;16"])
def test_a_picture_of_one_channel_is_grey_and_its_mode_is_told(mode):
    grey = painted().convert("L")
    if mode == "I;16":
        grey = Image.fromarray(np.asarray(grey).astype(np.uint16) * 256)
    found = measured(grey.convert(mode) if mode != "I;16" else grey)
    assert (found["greyscale"], found["mode"], found["format"]) == (True, mode, "PNG")


@pytest.fixture(scope="module")
def large():
    return painted((2400, 1600), cells=(40, 60))


@pytest.fixture(scope="module", params=[("JPEG", {}), ("PNG", {"compress_level": 1})], ids=str)
def large_file(large, request):
    """A large photo in a file, and the light of all its pixels."""
    kind, options = request.param
    file = encoded(large, kind, **options)
    return file, ImageStat.Stat(Image.open(io.BytesIO(file.content)).convert("L"))


@pytest.mark.parametrize("as_fed", [None, SMALL, USUAL])
def test_a_large_photo_decoded_small_gives_what_all_of_its_pixels_give(large, large_file, as_fed):
    file, light = large_file
    with quiet_pillow():
        found = Measuring(as_fed).measure(file)
    assert found["brightness"] == pytest.approx(light.mean[0] / 255, abs=0.005)
    assert found["contrast"] == pytest.approx(light.stddev[0] / 255, rel=0.05)
    assert (found["width"], found["height"], found["aspect"]) == (2400, 1600, 1.5)
    at_once = measured(large.resize((600, 400), Image.Resampling.BOX), as_fed=as_fed)
    for name in ("saturation", "red_green", "blue_yellow", "sharpness"):
        assert found[name] == pytest.approx(at_once[name], abs=0.03)


@pytest.mark.parametrize("quality", [75, 95])
@pytest.mark.parametrize("colour", [(0, 0, 0), (255, 255, 255), (30, 120, 60)])
def test_bars_above_and_below_are_found(colour, quality):
    image = painted((320, 240))
    image.paste(colour, (0, 0, 320, 36))
    image.paste(colour, (0, 210, 320, 240))
    found = measured(image, "JPEG", quality=quality)
    assert found["border_top"] == pytest.approx(36 / 240, abs=0.01)
    assert found["border_bottom"] == pytest.approx(30 / 240, abs=0.01)
    assert (found["border_left"], found["border_right"]) == (0, 0)
    assert found["border"] == pytest.approx(66 / 240, abs=0.02)


def test_a_frame_is_found_and_its_share_of_the_picture():
    image = Image.new("RGB", (100, 80), "white")
    image.paste(painted((80, 70)), (15, 4))
    found = measured(image)
    sides = {side: found[f"border_{side}"] for side in ("top", "right", "bottom", "left")}
    assert sides == pytest.approx({"top": 0.05, "right": 0.05, "bottom": 0.075, "left": 0.15})
    assert found["border"] == pytest.approx(1 - 80 * 70 / (100 * 80))


def test_a_photo_without_a_border_has_none_and_a_blank_one_is_all_border():
    assert measured(painted())["border"] == 0
    assert measured(Image.new("RGB", (30, 20), "red"))["border"] == 1


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("as_fed", [None, USUAL])
def test_exif_tells_orientation_camera_and_hour(kind, as_fed):
    exif = Image.Exif()
    exif[0x0112], exif[0x010F], exif[0x0110] = 6, "Canon\0", "Canon EOS\x1b 5D"
    exif.get_ifd(0x8769)[0x9003] = "2021:03:04 21:45:00"
    found = measured(painted((60, 40)), kind, as_fed=as_fed, exif=exif.tobytes())
    assert (found["exif_orientation"], found["camera"], found["hour"]) == (6, "Canon EOS 5D", 21.75)
    assert (found["width"], found["height"]) == (40, 60)


@pytest.mark.parametrize("turned", [True, False])
def test_what_is_looked_at_lies_as_the_network_sees_it(turned):
    exif = Image.Exif()
    exif[0x0112] = 3
    image = painted()
    image.paste("black", (0, 0, 60, 10))
    as_fed = Preprocessing((64, 64), 1.0, "squash", "bicubic", HALF, HALF, exif=turned)
    found = measured(image, as_fed=as_fed, exif=exif)
    assert (found["border_top"], found["border_bottom"]) == ((0, 0.25) if turned else (0.25, 0))


@pytest.mark.parametrize(
    ("tag", "value"), [(0x0112, 9), (0x0112, 0), (0x010F, b"\xff\xfe"), (0x9003, "yesterday")]
)
def test_exif_that_says_nothing_sensible_is_no_failure(tag, value):
    exif = Image.Exif()
    exif[tag] = value
    found = measured(painted(), "JPEG", exif=exif)
    assert (found["exif_orientation"], found["hour"], found["status"]) == (1, None, "ok")


def test_damaged_exif_is_no_failure():
    found = measured(painted(), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff")
    assert (found["exif_orientation"], found["camera"], found["hour"]) == (1, None, None)


@pytest.mark.parametrize(
    "content", [b"", b"no picture", b"\xff\xd8\xff\xe0 cut off", b"\x89PNG\r\n\x1a\n"]
)
def test_what_is_no_picture_is_unread(content):
    assert isinstance(Measuring().measure(Encoded(content, b"h" * 16, ".jpg")), Unread)


def test_a_file_cut_off_in_the_middle_is_unread():
    whole = encoded(painted((300, 200)), "JPEG")
    found = Measuring(USUAL).measure(whole._replace(content=whole.content[:4000]))
    assert isinstance(found, Unread)
    assert found.status == "unreadable"


def test_16_bits_are_measured_as_the_network_gets_them():
    shades = np.asarray(painted().convert("L")).astype(np.uint16) * 64
    photo = Image.fromarray(shades)
    scaled = Preprocessing((64, 64), 1.0, "squash", "bicubic", HALF, HALF, scale_16bit=True)
    assert measured(photo, as_fed=SMALL)["brightness"] > 0.9  # clipped, as timm's loader does
    assert measured(photo, as_fed=scaled)["brightness"] == pytest.approx(
        shades.mean() / 65536, abs=0.01
    )


@pytest.mark.parametrize("mode", ["CMYK", "P", "RGBA", "YCbCr"])
def test_other_colour_modes_are_measured_as_the_rgb_they_become(mode):
    image = painted().convert(mode)
    found = measured(image, "TIFF")
    light = ImageStat.Stat(image.convert("RGB").convert("L"))
    assert found["mode"] == mode
    assert found["brightness"] == pytest.approx(light.mean[0] / 255, abs=0.01)


SIZES = st.tuples(st.integers(1, 30), st.integers(1, 30), st.just(3))


@given(SIZES.flatmap(lambda shape: arrays.arrays(np.uint8, shape)), st.sampled_from([None, SMALL]))
def test_everything_stays_within_its_bounds(pixels, as_fed):
    found = measured(Image.fromarray(pixels), as_fed=as_fed)
    assert all(0 <= found[name] <= 1 for name in SHARE)
    assert found["contrast"] <= 0.5
    assert math.isnan(found["sharpness"]) or 0 <= found["sharpness"] <= 1
    assert -1 <= found["red_green"] <= 1
    assert -0.5 - 1e-9 <= found["blue_yellow"] <= 1
    assert found["greyscale"] == bool((pixels == pixels[:, :, :1]).all())
    assert (len(found["phash"]), len(found["coarse"])) == (8, 1024)
    assert found["aspect"] == pixels.shape[1] / pixels.shape[0]
