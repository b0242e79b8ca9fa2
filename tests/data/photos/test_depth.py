"""The witness is what Pillow makes of the same picture saved with eight bits."""

import io
import struct
import zlib
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageOps
from timm.data.readers.reader_image_folder import ReaderImageFolder

from errlens.data.photos.images import ImageFile, Photo, Unread, open_photo
from errlens.data.photos.preprocess import Preprocessing
from errlens.data.photos.thumbnails import open_thumbnail

RAMP = np.arange(256, dtype=np.uint8).reshape(16, 16)
PLAIN = Preprocessing((16, 16), 1.0, "squash", "nearest", (0.0,) * 3, (1.0,) * 3)


def save(folder, values, kind):
    path = folder / f"photo.{kind}"
    Image.fromarray(values).save(path)
    return path


def big_endian(folder):
    path = folder / "photo.tif"
    data = (RAMP.astype(">u2") * 257).tobytes()
    image = Image.frombytes("I;16B", (16, 16), data)
    image.save(path)
    return path


DEEP = {
    "16 bits, times 257": lambda folder: save(folder, RAMP.astype(np.uint16) * 257, "png"),
    "16 bits, times 256": lambda folder: save(folder, RAMP.astype(np.uint16) * 256, "tif"),
    "16 bits, the other way round": big_endian,
    "a grey map of 16 bits": lambda folder: save(folder, RAMP.astype(np.uint16) * 257, "pgm"),
    "JPEG 2000": lambda folder: save(folder, RAMP.astype(np.uint16) * 257, "jp2"),
    "32 bits up to 65,535": lambda folder: save(folder, RAMP.astype(np.int32) * 257, "tif"),
    "32 bits up to 255": lambda folder: save(folder, RAMP.astype(np.int32), "tif"),
    "fractions up to 1": lambda folder: save(folder, RAMP.astype(np.float32) / 255, "tif"),
    "fractions up to 255": lambda folder: save(folder, RAMP.astype(np.float32), "tif"),
    "fractions up to 65,535": lambda folder: save(folder, RAMP.astype(np.float32) * 257, "tif"),
    "a map of fractions": lambda folder: save(folder, RAMP.astype(np.float32) / 255, "pfm"),
}


@pytest.mark.parametrize("kind", DEEP)
def test_scaled_it_is_the_picture_of_eight_bits_and_unasked_it_is_timms(tmp_path, kind):
    path = DEEP[kind](tmp_path)
    for mode in ("RGB", "L"):
        found = open_photo(path, mode=mode, scale_16bit=True)
        assert isinstance(found, Photo)
        np.testing.assert_array_equal(found.image, Image.fromarray(RAMP).convert(mode))
    plain = open_photo(path)
    with Image.open(path) as image:
        np.testing.assert_array_equal(plain.image, image.convert("RGB"))
        assert plain.traits.mode == found.traits.mode == image.mode


def test_unasked_it_is_what_timms_own_reader_gives(tmp_path):
    (tmp_path / "a").mkdir()
    path = save(tmp_path / "a", RAMP.astype(np.uint16) * 257, "png")
    stream, _ = ReaderImageFolder(str(tmp_path))[0]
    with stream:
        expected = np.asarray(Image.open(io.BytesIO(stream.read())).convert("RGB"))
    np.testing.assert_array_equal(open_photo(path).image, expected)
    assert expected[0, 1:].min() == 255  # which is why it has to be told


@pytest.mark.parametrize(
    "values",
    [
        np.full((4, 4), np.nan, np.float32),
        np.array([[0, np.inf]], np.float32),
        np.array([[-1, 1]], np.float32),
        np.array([[-2, 2]], np.float32),
        np.array([[0, 1_000_000]], np.int32),
        np.array([[-5, 5]], np.int32),
    ],
)
def test_values_of_no_known_scale_are_not_guessed_at(tmp_path, values):
    path = save(tmp_path, values, "tif")
    found = open_photo(path, scale_16bit=True)
    assert isinstance(found, Unread)
    assert "no scale that is known" in found.reason
    plain = open_photo(path)
    assert isinstance(plain, Photo)
    assert plain.traits.highest is None or np.isfinite(plain.traits.highest)


@pytest.mark.parametrize(("white", "kind"), [(1, np.float32), (255, np.float32), (255, np.int32)])
def test_what_a_filter_overshoots_is_black_and_white(tmp_path, white, kind):
    values = np.array([[-0.04, 0, 0.5, 1, 1.06]]) * white
    path = save(tmp_path, values.astype(kind), "tif")
    found = np.asarray(open_photo(path, mode="L", scale_16bit=True).image)
    np.testing.assert_array_equal(
        found, [[0, 0, round(127.5 if kind is np.float32 else 127), 255, 255]]
    )


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGBA", "CMYK", "YCbCr", "RGB"])
def test_what_has_eight_bits_is_left_alone(tmp_path, mode):
    rng = np.random.default_rng(0)
    image = Image.fromarray(rng.integers(0, 256, (9, 7, 3), dtype=np.uint8))
    kind = "tif" if mode in {"CMYK", "YCbCr"} else "png"
    image.convert(mode).save(tmp_path / f"photo.{kind}")
    plain, scaled = (
        open_photo(tmp_path / f"photo.{kind}", scale_16bit=scale) for scale in (False, True)
    )
    np.testing.assert_array_equal(plain.image, scaled.image)
    assert plain.traits.mode is None


def test_colour_of_16_bits_was_never_white(tmp_path):
    """Pillow reads the upper byte of each channel itself: there is nothing to scale."""

    def chunk(kind, content):
        checksum = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)

    pixels = np.random.default_rng(0).integers(0, 65_536, (8, 8, 3)).astype(">u2")
    lines = b"".join(b"\0" + line.tobytes() for line in pixels)
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 16, 2, 0, 0, 0))
    content = header + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")
    (tmp_path / "colour.png").write_bytes(b"\x89PNG\r\n\x1a\n" + content)
    found = open_photo(tmp_path / "colour.png")
    np.testing.assert_array_equal(found.image, pixels >> 8)
    assert found.traits.mode is None


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["png", "tif"])
def test_scaled_photos_are_turned_like_others(tmp_path, orientation, kind):
    exif = Image.Exif()
    exif[0x0112] = orientation
    values = RAMP[:6, :9]
    Image.fromarray(values.astype(np.uint16) * 257).save(tmp_path / f"deep.{kind}", exif=exif)
    Image.fromarray(values).save(tmp_path / f"plain.{kind}", exif=exif)
    # Not by its path: mapped into memory, Pillow 13 garbles a grey TIFF that is turned.
    content = (tmp_path / f"plain.{kind}").read_bytes()
    with Image.open(io.BytesIO(content)) as image:
        upright = ImageOps.exif_transpose(image).convert("RGB")
    found = open_photo(tmp_path / f"deep.{kind}", exif=True, scale_16bit=True)
    np.testing.assert_array_equal(found.image, upright)
    assert (found.width, found.height) == upright.size


def test_a_person_is_shown_the_shades_beside_the_white_that_was_fed(tmp_path):
    path = save(tmp_path, RAMP.astype(np.uint16) * 257, "png")
    found = open_thumbnail(ImageFile(path), side=16, preprocessing=PLAIN)
    np.testing.assert_array_equal(found.shown[:, :, 0], RAMP)
    assert (found.as_fed[1:] == 255).all()
    scaled = replace(PLAIN, scale_16bit=True)
    found = open_thumbnail(ImageFile(path), side=16, preprocessing=scaled)
    np.testing.assert_array_equal(found.as_fed[:, :, 0], RAMP)


def test_a_person_is_shown_what_there_is_where_no_scale_is_known(tmp_path):
    path = save(tmp_path, np.array([[-50, 50]], np.float32), "tif")
    found = open_thumbnail(ImageFile(path), side=2)
    np.testing.assert_array_equal(found.shown[:, :, 0], [[0, 50]])


@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_a_photo_of_one_value_is_told_from_one_with_a_single_other_pixel(tmp_path, mode):
    image = Image.new(mode, (9, 7), 77 if mode == "L" else (1, 2, 3))
    image.save(tmp_path / "flat.png")
    assert open_photo(tmp_path / "flat.png", mode=mode).traits.single_valued
    for place in ((0, 0), (1, 0), (8, 6), (4, 3), (0, 6)):
        other = image.copy()
        other.putpixel(place, 78 if mode == "L" else (1, 2, 4))
        other.save(tmp_path / "other.png")
        assert not open_photo(tmp_path / "other.png", mode=mode).traits.single_valued
    Image.new(mode, (1, 1)).save(tmp_path / "dot.png")
    assert open_photo(tmp_path / "dot.png", mode=mode).traits.single_valued
