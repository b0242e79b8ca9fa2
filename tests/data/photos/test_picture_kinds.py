import io

import pytest
from PIL import Image

from errlens.data.photos.images import Photo, Unread, identify_photo, open_photo
from errlens.data.photos.picture_kinds import (
    FORMATS,
    START,
    SUFFIXES,
    is_picture_start,
    is_picture_suffix,
    suffix_of,
)


def ftyp(brand: bytes) -> bytes:
    return b"\0\0\0\x18ftyp" + brand + bytes(40)


def saved(kind: str, size: tuple[int, int] = (16, 16)) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, "red").save(buffer, kind)
    return buffer.getvalue()


NOT_READ = {
    "HEIC: convert it to JPEG": [ftyp(b"heic"), ftyp(b"mif1"), ftyp(b"heix")],
    "a camera's raw file: develop": [
        ftyp(b"crx "), b"FUJIFILMCCD-RAW 0201", b"IIRO\x08\0", b"IIU\0\x18", b"FOVb\0",
        b"II*\0\x10\0\0\0CR\x02\0",
    ],
    "JPEG XL: convert": [b"\xff\x0a\x10", b"\0\0\0\x0cJXL \r\n\x87\n"],
    "a document of an image editor": [b"8BPS\0\1", b"gimp xcf v011"],
    "PostScript": [b"%!PS-Adobe-3.0 EPSF", b"\xc5\xd0\xd3\xc6\x1e"],
    "high dynamic range": [b"\x76\x2f\x31\x01", b"#?RADIANCE\n"],
    "DICOM": [bytes(128) + b"DICM"],
    "FITS": [b"SIMPLE  =                    T"],
    "icons": [b"icns\0\0"],
}  # fmt: skip
STRANGERS = {
    "not an image but an HTML page": b"\n<!DOCTYPE html><title>404",
    "not an image but a PDF": b"%PDF-1.7",
    "not an image but a zip archive": b"PK\x03\x04",
    "not an image but a gzip archive": b"\x1f\x8b\x08",
    "not an image but a video": ftyp(b"isom"),
    "git lfs pull": b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n",
    "a vector drawing": b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>',
    "not an image that Pillow knows": b"just words",
}


@pytest.mark.parametrize("reason", NOT_READ)
def test_a_picture_that_is_not_read_is_told_by_its_first_bytes_under_any_name(tmp_path, reason):
    for content in NOT_READ[reason]:
        assert is_picture_start(content[:START])
        for name in ("photo.jpg", "photo", "photo.heic"):
            (tmp_path / name).write_bytes(content + bytes(300))
            found = open_photo(tmp_path / name)
            assert isinstance(found, Unread)
            assert reason in found.reason


@pytest.mark.parametrize("reason", STRANGERS)
def test_what_is_no_picture_is_called_what_it_is(tmp_path, reason):
    (tmp_path / "photo.jpg").write_bytes(STRANGERS[reason])
    assert reason in open_photo(tmp_path / "photo.jpg").reason
    assert not is_picture_start(STRANGERS[reason][:START])


@pytest.mark.parametrize("kind", [kind for kind in FORMATS if kind != "DIB"])
def test_what_is_read_is_told_by_its_first_bytes(kind):
    Image.init()
    if kind not in Image.SAVE:
        pytest.skip(f"this Pillow does not write {kind}")
    assert is_picture_start(saved(kind)[:START])


@pytest.mark.parametrize(
    "text",
    [b"", b"P5", b"P6 is a participant\n", b"BMW, Audi\n", b"GIF", b"IIroom", b"0 0.5 0.5\n",
     b"path,label\na.jpg,cat\n", b"RIFF\0\0\0\0WAVEfmt ", b"\xff\xfeA\0", b"\x7fELF", bytes(256)],
)  # fmt: skip
def test_other_files_are_no_pictures(text):
    assert not is_picture_start(text)


def test_suffixes_of_both_sorts_are_pictures_and_others_are_not():
    for suffix in (*SUFFIXES, ".heic", ".heif", ".cr2", ".cr3", ".nef", ".arw", ".dng", ".orf",
                   ".rw2", ".raf", ".psd", ".svg", ".jxl", ".eps", ".exr", ".hdr", ".ico", ".tga",
                   ".dcm"):  # fmt: skip
        assert is_picture_suffix(suffix)
    for suffix in ("", ".txt", ".json", ".csv", ".xml", ".pdf", ".npy", ".mp4", ".zip", ".db"):
        assert not is_picture_suffix(suffix)


@pytest.mark.parametrize(
    ("name", "suffix"),
    [("a.jpg", ".jpg"), ("a.JPG~", ".jpg"), ("a.jpg_original", ".jpg"), ("a.png.part", ".part"),
     ("a.jpg?w=1", ".jpg"), ("a.jpg:large", ".jpg"), ("a.jpg!d", ".jpg"), (".jpg", ""), ("a", ""),
     ("a.", ""), ("a.b c", ".b"), ("a.jpg.txt", ".txt"), ("a.ñ", "")],
)  # fmt: skip
def test_the_suffix_is_what_the_file_was_called_at_first(name, suffix):
    assert suffix_of(name) == suffix


@pytest.mark.parametrize("suffix", ["nef", "arw", "dng", "cr2", "pef"])
def test_of_a_raw_photo_its_thumbnail_is_not_taken_for_the_photo(tmp_path, suffix):
    """Most raw files are TIFF, and the first picture in there is a thumbnail."""
    (tmp_path / f"photo.{suffix}").write_bytes(saved("TIFF"))
    found = open_photo(tmp_path / f"photo.{suffix}")
    assert isinstance(found, Unread)
    assert found.reason.startswith("a camera's raw file")
    size = identify_photo(tmp_path / f"photo.{suffix}")
    assert (size.width, size.content_hash) == (None, found.content_hash)
    (tmp_path / f"renamed.{suffix}").write_bytes(saved("JPEG"))
    assert isinstance(open_photo(tmp_path / f"renamed.{suffix}"), Photo)


@pytest.mark.parametrize("name", ["photo.tif", "photo.jpg"])
def test_a_dng_is_told_whatever_it_is_called(tmp_path, name):
    Image.new("RGB", (8, 8)).save(tmp_path / "plain.tif")
    Image.new("RGB", (8, 8)).save(tmp_path / "dng.tif", tiffinfo={0xC612: b"\1\4\0\0"})
    for source, kind in (("plain.tif", Photo), ("dng.tif", Unread)):
        (tmp_path / name).write_bytes((tmp_path / source).read_bytes())
        assert isinstance(open_photo(tmp_path / name), kind)


@pytest.mark.parametrize(
    ("suffix", "reason"),
    [("heic", "HEIC: convert"), ("nef", "a camera's raw"), ("svg", "a vector"),
     ("tga", "of a kind"), ("jpg", "not an image that Pillow knows")],
)  # fmt: skip
def test_where_the_bytes_say_nothing_the_name_does(tmp_path, suffix, reason):
    (tmp_path / f"photo.{suffix}").write_bytes(b"whatever this is")
    assert reason in open_photo(tmp_path / f"photo.{suffix}").reason
