from pathlib import Path

import numpy as np
from PIL import Image

import errlens
from tests.conftest import paint
from tests.report.pages import report, section, text_of


def test_what_is_odd_about_the_photos_is_said(tiny, photos):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (8, 8), "red").save(photos / "red" / "turned.png", exif=exif)
    deep = np.arange(64, dtype=np.uint16).reshape(8, 8) * 1040
    Image.fromarray(deep).save(photos / "red" / "deep.png")
    for options, said, unsaid in (
        ({}, ("to be turned", "--scale-16bit"), ()),
        ({"exif": True, "scale_16bit": True}, (), ("to be turned", "more than 8 bits")),
    ):
        errlens.evaluate(
            photos, model=tiny, out="run", img_size=8, overwrite=True, quiet=True, **options
        )
        report()
        shown = section("health", text_of())
        assert "1 photo (red/turned.png) is of one single value" in shown
        assert all(text in shown for text in said)
        assert not any(text in shown for text in unsaid)


def test_bad_rows_and_unknown_labels_are_listed(tiny, photos):
    (photos / "red" / "broken.png").write_bytes(b"no image")
    (photos / "mauve").mkdir()
    paint(photos / "mauve" / "m.png", "red", seed=99)
    errlens.evaluate(
        photos, model=tiny, out="run", img_size=8, allow_unknown=True, max_bad="100%",
        classes=_class_file(),
    )  # fmt: skip
    report()
    shown = section("health", text_of())
    assert "red/broken.png" in shown
    assert "unreadable" in shown
    assert "mauve →" in shown
    command = section("images", text_of()) + section("pairs", text_of())
    assert "errlens explain run" in command


def _class_file():
    Path("classes.txt").write_text("blue\ngreen\nred\n")
    return Path("classes.txt")
