import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from errlens.data.photos.images import ImageFile
from errlens.report.thumbnails import ThumbnailCache, Wanted
from tests.report.pages import make, report, text_of


@pytest.mark.parametrize("upright", [True, False])
def test_a_picture_lies_as_its_cache_has_photos_lie(tmp_path, upright):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(np.zeros((200, 600, 3), np.uint8)).save(tmp_path / "a.jpg", exif=exif)
    wanted = Wanted(ImageFile(tmp_path / "a.jpg"), large=True)
    for lies in (not upright, upright):  # each keeps its own
        shown = ThumbnailCache(tmp_path / "kept", upright=lies).photo(wanted)
    sizes = [Image.open(io.BytesIO(made)).size for made in shown]
    assert sizes == ([(48, 144), (171, 512)] if upright else [(144, 48), (512, 171)])


def test_thumbnails_are_made_once_and_outlive_their_images():
    make()
    report()
    kept = {path: path.stat().st_mtime_ns for path in Path("run/.thumbnails").iterdir()}
    first = text_of()
    for path in Path("images").iterdir():
        path.unlink()
    said = report()
    assert text_of() == first
    assert "warning" not in said.stderr
    assert {path: path.stat().st_mtime_ns for path in Path("run/.thumbnails").iterdir()} == kept


def test_a_thumbnail_that_was_cut_off_is_made_again():
    make()
    report()
    first = text_of()
    for path in Path("run/.thumbnails").iterdir():
        path.write_bytes(path.read_bytes()[:20])
    report()
    assert text_of() == first
