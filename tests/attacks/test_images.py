"""Only image formats are opened, whatever a file is called: no PostScript, no rare plugin."""

import io
import shutil
import struct
import subprocess
import zlib

import numpy as np
import pytest
import torchvision
from PIL import EpsImagePlugin, Image
from torchvision.datasets import VisionDataset
from typer.testing import CliRunner

import errlens
from errlens.cli import app
from errlens.data.objects.outlines import read_outlines
from errlens.data.photos.images import Photo, Unread, identify_photo, open_image, open_photo
from errlens.data.photos.picture_kinds import FORMATS, SUFFIXES
from errlens.data.photos.preprocess import Preprocessing
from errlens.data.torchvision_sets import torchvision_samples
from errlens.errors import DataSetUnavailable, InputError
from errlens.report.thumbnails import ThumbnailCache
from tests.conftest import paint

EPS = b"""%!PS-Adobe-3.0 EPSF-3.0
%%BoundingBox: 0 0 10 10
%%EndComments
0 0 10 10 rectfill
showpage
%%EOF
"""
PLAIN = Preprocessing((8, 8), 1.0, "squash", "bilinear", (0.0,) * 3, (1.0,) * 3)
FOREIGN = {"PCX", "TGA", "ICO", "ICNS", "SGI", "DDS", "MSP", "PDF", "QOI", "XBM"}


@pytest.fixture
def no_programs(monkeypatch):
    """Fail where any program is started; there may be a Ghostscript here, or none."""

    def refuse(*arguments, **_options):
        raise AssertionError(f"a program is started: {arguments}")

    monkeypatch.setattr(subprocess, "Popen", refuse)
    monkeypatch.setattr(subprocess, "check_call", refuse)
    monkeypatch.setattr(shutil, "which", lambda name, *_: f"/usr/bin/{name}")
    monkeypatch.setattr(EpsImagePlugin, "gs_binary", "/usr/bin/gs")


@pytest.mark.usefixtures("no_programs")
@pytest.mark.parametrize("name", ["photo.jpg", "photo.eps", "photo.png", "photo"])
@pytest.mark.parametrize("start", [b"", b"\xc5\xd0\xd3\xc6\x1e\0\0\0" + bytes(22)])
def test_postscript_starts_no_ghostscript(tmp_path, name, start):
    path = tmp_path / name
    path.write_bytes(start + EPS)
    found = open_photo(path)
    assert isinstance(found, Unread)
    assert found.reason == "PostScript: draw it as PNG first"
    assert identify_photo(path)[:2] == (None, None)
    (made,) = ThumbnailCache(tmp_path / "kept").pictures([path])
    assert isinstance(made, Unread)


@pytest.mark.usefixtures("no_programs")
def test_a_mask_that_is_postscript_is_no_mask(tmp_path):
    paint(tmp_path / "photos" / "a.png", "red")
    (tmp_path / "masks").mkdir()
    (tmp_path / "masks" / "a.png").write_bytes(EPS)
    masks = read_outlines(tmp_path / "masks", photos=tmp_path / "photos")
    with pytest.raises(InputError, match="PostScript"):
        masks.regions("a.png", PLAIN)


@pytest.mark.usefixtures("no_programs")
def test_a_run_over_postscript_is_a_row_with_its_reason(photos, tiny):
    (photos / "red" / "attack.jpg").write_bytes(EPS)
    arguments = [str(photos), "--model", tiny, "--img-size", "8", "-o", "run", "--max-bad", "1"]
    said = CliRunner().invoke(app, ["evaluate", *arguments])
    assert said.exit_code == 0, said.output
    rows = errlens.open_run("run").predictions.table.to_pylist()
    (bad,) = [row for row in rows if row["path"] == "red/attack.jpg"]
    assert (bad["status"], bad["error"]) == ("unreadable", "PostScript: draw it as PNG first")


@pytest.mark.parametrize("kind", sorted(FOREIGN))
def test_a_format_that_is_no_photos_is_not_opened_under_a_photos_name(tmp_path, kind):
    Image.init()
    image = Image.new("1" if kind in {"XBM", "MSP"} else "RGB", (32, 32), 1)
    try:
        image.save(tmp_path / "photo.jpg", kind)
    except (KeyError, OSError, ValueError) as error:
        pytest.skip(f"this Pillow does not write {kind}: {error}")
    assert isinstance(open_photo(tmp_path / "photo.jpg"), Unread)


def test_every_kind_that_is_read_is_read_under_any_of_the_names(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    for kind in sorted({"PNG", "JPEG", "GIF", "WEBP", "BMP", "DIB", "TIFF", "PPM"} & set(FORMATS)):
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, kind)
        with Image.open(io.BytesIO(buffer.getvalue())) as image:
            expected = np.asarray(image.convert("RGB"))
        for suffix in SUFFIXES:
            path = tmp_path / f"photo{suffix}"
            path.write_bytes(buffer.getvalue())
            found = open_photo(path)
            assert isinstance(found, Photo), (kind, suffix)
            np.testing.assert_array_equal(found.image, expected)


def test_a_photo_of_several_pictures_is_its_first(tmp_path):
    first, second = (Image.new("RGB", (8, 8), colour) for colour in ("red", "blue"))
    first.save(tmp_path / "camera.mpo", "MPO", save_all=True, append_images=[second])
    for name in ("camera.mpo", "camera.jpg"):
        (tmp_path / name).write_bytes((tmp_path / "camera.mpo").read_bytes())
        found = open_photo(tmp_path / name)
        assert isinstance(found, Photo)
        red, _, blue = found.image.getpixel((4, 4))
        assert red > 200 > 50 > blue


def test_one_door_only_opens_images(monkeypatch):
    seen = []

    def record(_file, formats=None):
        seen.append(formats)
        return Image.new("RGB", (1, 1))

    monkeypatch.setattr(Image, "open", record)
    open_image(b"whatever")
    assert set(seen[0]) <= set(FORMATS)
    assert "EPS" not in seen[0]


def test_pixels_without_end_are_a_row(tmp_path):
    """Pillow's own limits hold: for pixels, and for what a text chunk unpacks to."""

    def chunk(kind, content):
        checksum = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)

    def png(width, height, *more):
        header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
        rest = [chunk(b"IDAT", zlib.compress(bytes(100))), chunk(b"IEND", b"")]
        return b"".join([b"\x89PNG\r\n\x1a\n", header, *more, *rest])

    bomb = chunk(b"zTXt", b"note\0\0" + zlib.compress(bytes(100_000_000)))
    for name, content in {
        "wide.png": png(2**31 - 1, 1),
        "large.png": png(60_000, 60_000),
        "text.png": png(8, 8, bomb),
    }.items():
        (tmp_path / name).write_bytes(content)
        found = open_photo(tmp_path / name)
        assert isinstance(found, Unread), name
        assert found.status == "unreadable"


class PackedPostScript(VisionDataset):
    """PostScript within one large file, where a data set keeps its photos."""

    def __len__(self):
        return 1

    def __getitem__(self, index):
        return Image.open(io.BytesIO(EPS), "r", ("EPS",)).convert("RGB"), index


@pytest.mark.usefixtures("no_programs")
def test_a_data_set_of_a_library_is_read_through_the_same_door(tmp_path, monkeypatch):
    name = PackedPostScript.__name__
    monkeypatch.setattr(torchvision.datasets, name, PackedPostScript, raising=False)
    monkeypatch.setattr(torchvision.datasets, "__all__", [name])
    with pytest.raises(DataSetUnavailable, match="cannot identify"):
        torchvision_samples(name, root=tmp_path)
