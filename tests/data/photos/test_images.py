import hashlib
import os
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from errlens.data.photos.images import Identity, Photo, Unread, identify_photo, open_photo
from tests.conftest import without_privilege


@pytest.fixture
def photo(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "photo.jpg")
    return tmp_path / "photo.jpg"


def test_a_good_photo_has_its_pixels_size_and_hash(photo):
    found = open_photo(photo)
    assert isinstance(found, Photo)
    assert (found.width, found.height) == (64, 48)
    assert found.content_hash == hashlib.sha256(photo.read_bytes()).digest()[:16]
    with Image.open(photo) as image:
        np.testing.assert_array_equal(found.image, image.convert("RGB"))


def test_each_bad_file_has_a_status_and_a_reason(photo, tmp_path):
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "page.jpg").write_text("\n <!DOCTYPE html>\n<title>404</title>")
    (tmp_path / "text.jpg").write_text("just words")
    (tmp_path / "short.jpg").write_bytes(photo.read_bytes()[:-200])
    (tmp_path / "dangling.jpg").symlink_to("nowhere.jpg")
    (tmp_path / "loop.jpg").symlink_to("loop.jpg")
    (tmp_path / "folder.jpg").mkdir()
    os.mkfifo(tmp_path / "pipe.jpg")
    expected = {
        "empty.jpg": ("unreadable", "empty file"),
        "page.jpg": ("unreadable", "not an image but an HTML page"),
        "text.jpg": ("unreadable", "not an image that Pillow knows"),
        "short.jpg": ("unreadable", "truncated"),
        "dangling.jpg": ("missing", "no such file"),
        "gone.jpg": ("missing", "no such file"),
        "photo.jpg/inside.jpg": ("missing", "no such file"),
        "loop.jpg": ("unreadable", "too many levels of symbolic links"),
        "folder.jpg": ("unreadable", "not a regular file"),
        "pipe.jpg": ("unreadable", "not a regular file"),
        "null\0.jpg": ("missing", "null"),
        "long" * 100 + ".jpg": ("unreadable", "name too long"),
    }
    for name, (status, reason) in expected.items():
        found = open_photo(tmp_path / name)
        assert isinstance(found, Unread), name
        assert found.status == status, name
        assert reason in found.reason, name


def test_a_file_that_was_read_has_a_hash_even_if_no_image_came_out(tmp_path):
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "text.jpg").write_text("just words")
    for name in ("empty.jpg", "text.jpg"):
        expected = hashlib.sha256((tmp_path / name).read_bytes()).digest()[:16]
        assert open_photo(tmp_path / name).content_hash == expected
    assert open_photo(tmp_path / "gone.jpg").content_hash is None


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_a_truncated_photo_is_a_row_with_a_reason(photo, tmp_path, share):
    with Image.open(photo) as image:
        image.save(tmp_path / "whole.png")
    for whole in (photo, tmp_path / "whole.png"):
        content = whole.read_bytes()
        (tmp_path / "short").write_bytes(content[: int(share * len(content))])
        found = open_photo(tmp_path / "short")
        assert isinstance(found, Unread)
        assert found.status == "unreadable"
        assert found.reason


def test_a_file_without_permission_is_unreadable(photo, public):
    (public / "photo.jpg").write_bytes(photo.read_bytes())
    (public / "photo.jpg").chmod(0o644)
    with without_privilege():
        assert isinstance(open_photo(public / "photo.jpg"), Photo)
    (public / "photo.jpg").chmod(0)
    with without_privilege():
        found = open_photo(public / "photo.jpg")
    assert isinstance(found, Unread)
    assert (found.status, found.reason) == ("unreadable", "permission denied")


def test_a_decompression_bomb_is_unreadable(tmp_path, monkeypatch):
    Image.new("RGB", (100, 100)).save(tmp_path / "bomb.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    found = open_photo(tmp_path / "bomb.png")
    assert isinstance(found, Unread)
    assert "DecompressionBomb" in found.reason


def test_a_small_file_that_claims_to_be_huge_is_unreadable(tmp_path):
    def chunk(kind, content):
        checksum = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0))
    content = b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(100)))
    (tmp_path / "bomb.png").write_bytes(content + chunk(b"IEND", b""))
    found = open_photo(tmp_path / "bomb.png")
    assert isinstance(found, Unread)
    assert found.status == "unreadable"
    assert "DecompressionBomb" in found.reason


@pytest.mark.filterwarnings("ignore:Palette images with Transparency:UserWarning")
@pytest.mark.parametrize("transparency", [3, bytes(range(256))])
@pytest.mark.parametrize("suffix", ["png", "gif"])
def test_transparent_palettes_become_what_timms_loader_makes_of_them(
    tmp_path, transparency, suffix
):
    if suffix == "gif" and isinstance(transparency, bytes):
        transparency = 5  # a GIF has one transparent colour at most
    pixels = np.random.default_rng(4).integers(0, 256, (9, 7, 3), dtype=np.uint8)
    path = tmp_path / f"image.{suffix}"
    Image.fromarray(pixels).quantize(64).save(path, transparency=transparency)
    found = open_photo(path)
    assert isinstance(found, Photo)
    with Image.open(path) as opened:
        assert "transparency" in opened.info
        np.testing.assert_array_equal(found.image, opened.convert("RGB"))


@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGBA", "CMYK", "I;16", "1"])
def test_every_mode_becomes_what_timms_loader_makes_of_it(tmp_path, mode):
    rng = np.random.default_rng(1)
    if mode == "I;16":
        image = Image.fromarray(rng.integers(0, 2**16, (9, 7), dtype=np.uint16))
    else:
        image = Image.fromarray(rng.integers(0, 256, (9, 7, 3), dtype=np.uint8)).convert(mode)
    path = tmp_path / f"image.{'tif' if mode == 'CMYK' else 'png'}"
    image.save(path)
    found = open_photo(path)
    assert isinstance(found, Photo)
    with Image.open(path) as opened:
        np.testing.assert_array_equal(found.image, opened.convert("RGB"))
    assert open_photo(path, mode="L").image.mode == "L"


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_turns_pixels_only_when_asked_but_the_size_is_always_as_shown(tmp_path, orientation):
    path = tmp_path / "turned.png"
    exif = Image.Exif()
    exif[0x0112] = orientation
    pixels = np.random.default_rng(2).integers(0, 256, (6, 9, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path, exif=exif)
    with Image.open(path) as image:
        upright = ImageOps.exif_transpose(image).convert("RGB")
    plain, turned = open_photo(path), open_photo(path, exif=True)
    np.testing.assert_array_equal(plain.image, pixels)
    np.testing.assert_array_equal(turned.image, upright)
    assert (plain.width, plain.height) == (turned.width, turned.height) == upright.size


@pytest.mark.parametrize("suffix", ["jpg", "webp", "tif"])
@pytest.mark.parametrize("orientation", [0, 3, 5, 6, 8, 9])
def test_orientation_is_pillows_in_every_format(tmp_path, suffix, orientation):
    path = tmp_path / f"turned.{suffix}"
    exif = Image.Exif()
    exif[0x0112] = orientation
    pixels = np.random.default_rng(2).integers(0, 256, (16, 24, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path, exif=exif)
    with Image.open(path) as image:
        upright = ImageOps.exif_transpose(image).convert("RGB")
    with Image.open(path) as image:  # Pillow itself turns a TIFF when it loads it
        as_loaded = image.convert("RGB")
    plain, turned = open_photo(path), open_photo(path, exif=True)
    np.testing.assert_array_equal(plain.image, as_loaded)
    np.testing.assert_array_equal(turned.image, upright)
    assert (plain.width, plain.height) == (turned.width, turned.height) == upright.size


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow remarks on it too
def test_damaged_exif_beside_good_pixels_is_no_failure(tmp_path):
    image = Image.new("RGB", (8, 8), "red")
    image.save(tmp_path / "odd.jpg", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\xff\xff\xff")
    found = open_photo(tmp_path / "odd.jpg")
    assert isinstance(found, Photo)
    assert (found.width, found.height) == (8, 8)


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow remarks on it too
@pytest.mark.parametrize(
    "block", [b"", b"MM", b"no TIFF at all", b"II*\0", b"II*\0\xff\xff\xff\xff"]
)
@pytest.mark.parametrize("suffix", ["jpg", "png", "webp"])
def test_exif_that_cannot_be_read_turns_nothing(tmp_path, block, suffix):
    path = tmp_path / f"odd.{suffix}"
    pixels = np.random.default_rng(5).integers(0, 256, (8, 12, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path, exif=b"Exif\0\0" + block)
    with Image.open(path) as opened:
        expected = opened.convert("RGB")
    for exif in (False, True):
        found = open_photo(path, exif=exif)
        assert isinstance(found, Photo)
        assert (found.width, found.height) == (12, 8)
        np.testing.assert_array_equal(found.image, expected)


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow's remarks on damaged files
@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "gif", "tif", "bmp"])
def test_no_mutation_of_a_photo_raises(photo, tmp_path, suffix):
    source = tmp_path / f"source.{suffix}"
    with Image.open(photo) as image:
        image.resize((16, 12)).save(source)
    content, rng = source.read_bytes(), np.random.default_rng(3)
    target = tmp_path / f"mutant.{suffix}"
    for _ in range(150):
        mutant = bytearray(content)
        for place in rng.integers(0, len(content), rng.integers(1, 6)):
            mutant[place] = rng.integers(0, 256)
        target.write_bytes(mutant[: rng.integers(1, len(mutant) + 1)])
        found = open_photo(target)
        assert isinstance(found, Photo | Unread)
        assert found.content_hash == hashlib.sha256(target.read_bytes()).digest()[:16]
        if isinstance(found, Photo):
            assert sorted(found.image.size) == sorted((found.width, found.height))


def test_what_pillow_logs_about_a_damaged_tiff_is_not_written_on_the_terminal(tmp_path):
    Image.new("RGB", (9, 7)).save(tmp_path / "odd.tif")
    channels = struct.pack("<HHIH", 277, 3, 1, 3)
    content = (tmp_path / "odd.tif").read_bytes()
    assert channels in content
    (tmp_path / "odd.tif").write_bytes(content.replace(channels, channels[:8] + b"\x64\0"))
    program = (
        "import pathlib; from errlens.data.photos.images import open_photo; "
        "print(open_photo(pathlib.Path('odd.tif')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "unreadable" in done.stdout
    assert done.stderr == ""


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "tif"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photo_is_identified_without_its_pixels_as_with_them(tmp_path, suffix, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"photo.{suffix}"
    Image.new("RGB", (12, 10)).save(path, exif=exif)
    photo = open_photo(path)
    assert identify_photo(path) == (photo.width, photo.height, photo.content_hash)


def test_what_is_no_photo_has_a_hash_and_what_is_no_file_has_nothing(tmp_path):
    (tmp_path / "page.jpg").write_text("<html>")
    found = identify_photo(tmp_path / "page.jpg")
    assert found == Identity(content_hash=hashlib.sha256(b"<html>").digest()[:16])
    assert identify_photo(tmp_path / "gone.jpg") == Identity()
    assert identify_photo(tmp_path) == Identity()
