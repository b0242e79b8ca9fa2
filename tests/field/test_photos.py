"""Photos that other programs pass over or misread without a word."""

import numpy as np
import pytest
from PIL import Image

from errlens.run.folder import open_run
from tests.conftest import ends


def test_heic_photos_are_errors_not_silence(photos, tiny):
    """jmathai/elodie#269: HEIC files are neither processed nor counted as errors."""
    (photos / "red" / "0.png").unlink()
    (photos / "red" / "0.heic").write_bytes(b"\0\0\0\x18ftypheic" + bytes(99))
    said = ends(f"evaluate {photos} --model {tiny} --img-size 8 -o run -q", 3)
    assert "1 of 12 inputs failed" in said.stderr
    rows = open_run("run").read_predictions(["path", "status", "error"]).table.to_pylist()
    (row,) = [row for row in rows if row["status"] != "ok"]
    assert row["path"] == "red/0.heic"
    assert "HEIC" in row["error"]


def test_16_bit_photos_are_told_and_scaling_restores_them(photos, tiny):
    """pytorch/pytorch#20524: ImageFolder makes white images of 16-bit PNGs, silently."""
    for path in photos.glob("*/*.png"):
        grey = np.asarray(Image.open(path).convert("L"), np.uint16) * 257
        Image.fromarray(grey).save(path)
    said = ends(f"evaluate {photos} --model {tiny} --img-size 8 -o white -q")
    assert "more than 8 bits" in said.stderr
    assert "--scale-16bit" in said.stderr
    assert set(open_run("white").read_predictions(["pred"]).table["pred"].to_pylist()) == {0}
    again = ends(f"evaluate {photos} --model {tiny} --img-size 8 --scale-16bit -o scaled -q")
    assert "--scale-16bit" not in again.stderr


@pytest.mark.parametrize("option", ["", "--exif"])
def test_photos_on_their_side_are_counted(photos, tiny, option):
    """fastai/fastai#3565: EXIF orientation is not honoured, photos lie on their side."""
    for path in photos.glob("red/*.png"):
        image = Image.open(path)
        exif = image.getexif()
        exif[0x0112] = 6
        image.save(path, exif=exif)
    said = ends(f"evaluate {photos} --model {tiny} --img-size 8 -o run -q {option}")
    assert ("--exif" in said.stderr) == (not option)
    assert open_run("run").info.photos["turned"]["n"] == 4
