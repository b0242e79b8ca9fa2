"""A picture that cannot be read is a row that failed, and what is left out is said: no class or
accuracy gets better by what vanished."""

import json
import shutil
from pathlib import Path

import pytest
from PIL import Image

import errlens
from errlens.run.folder import open_run
from tests.conftest import call, ends, paint

HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(200)


def evaluate(photos, tiny, options=""):
    return call(f"evaluate {photos} --model {tiny} --img-size 8 -o run {options}")


def reasons() -> dict[str, str]:
    rows = errlens.open_run("run").predictions.table.to_pylist()
    return {row["path"]: row["error"] for row in rows if row["status"] == "unreadable"}


def test_heic_photos_are_rows_that_failed_and_the_gate_sees_them(photos, tiny):
    for number in range(7):
        (photos / "red" / f"phone{number}.HEIC").write_bytes(HEIC)
    said = evaluate(photos, tiny)
    assert said.exit_code == 3
    assert "7 of 19 inputs failed" in said.stderr
    assert set(reasons().values()) == {
        "HEIC: convert it to JPEG first, for example with: magick mogrify -format jpg"
    }
    assert open_run("run").metrics["n_failed"] == 7
    ends("check run --fail-over n_failed=0", 1)
    ends("report run")
    assert "HEIC: convert it to JPEG" in Path("run/report.html").read_text()


def test_a_class_of_nothing_but_raw_photos_keeps_its_images(photos, tiny):
    for path in (photos / "red").iterdir():
        path.rename(path.with_suffix(".NEF"))
    for path in (photos / "red").iterdir():
        path.write_bytes(b"MM\0*" + bytes(100))
    evaluate(photos, tiny, "--max-bad 100%")
    assert len(reasons()) == 4
    assert errlens.open_run("run").predictions.table["label_name"].to_pylist().count("red") == 4


def test_photos_without_a_suffix_or_with_another_count_and_are_named_even_quietly(photos, tiny):
    for index, path in enumerate(sorted((photos / "blue").iterdir())):
        path.rename(
            path.with_name(("photo", "photo.png_original", "photo.PNG~", "photo.part")[index])
        )
    said = evaluate(photos, tiny, "-q")
    assert said.exit_code == 0
    assert open_run("run").metrics["n_ok"] == 12
    assert "took 4 files (1 .part, 1 .png_original, 1 .png~, 1 without suffix)" in said.stderr


def test_other_files_are_counted_on_the_terminal_in_the_run_and_on_the_page(photos, tiny):
    for name in ("red/a.txt", "red/b.txt", "blue/c.xml", "labels.json"):
        (photos / name).write_text("no image")
    said = evaluate(photos, tiny, "-q")
    assert said.exit_code == 0
    assert said.stderr == "warning: skipped 4 files (2 .txt, 1 .json, 1 .xml): no images\n"
    assert json.loads(Path("run/run.json").read_text())["skipped"] == {
        ".txt": 2, ".json": 1, ".xml": 1,
    }  # fmt: skip
    call("report run")
    assert "left out: 2 .txt, 1 .json, 1 .xml" in Path("run/report.html").read_text()


def test_many_kinds_of_other_files_are_not_all_named(photos, tiny):
    for number in range(30):
        (photos / f"file.k{number:02}").write_text("no image")
    assert "22 other kinds" in evaluate(photos, tiny).stderr


@pytest.mark.parametrize("name", ["photo.heic", "photo.svg", "photo.cr2"])
def test_one_picture_that_cannot_be_read_says_why(tmp_path, tiny, name):
    (tmp_path / name).write_bytes(HEIC if "heic" in name else b"II*\0" + bytes(100))
    Path("classes.txt").write_text("blue\ngreen\nred\n")
    said = evaluate(tmp_path / name, tiny, "--classes classes.txt")
    assert said.exit_code == 3
    assert "unreadable" in said.stdout


def test_a_photo_renamed_to_heic_is_read_for_what_it_is(photos, tiny):
    paint(photos / "red" / "phone.jpg", "red").rename(photos / "red" / "phone.heic")
    assert evaluate(photos, tiny).exit_code == 0
    assert open_run("run").metrics["n_ok"] == 13


def test_a_raw_photo_of_a_manifest_is_not_judged_by_its_thumbnail(tmp_path, tiny):
    Image.new("RGB", (160, 120), "red").save(tmp_path / "thumbnail.tif")
    shutil.move(tmp_path / "thumbnail.tif", tmp_path / "photo.dng")
    paint(tmp_path / "photo.png", "red")
    Path("list.csv").write_text("path,label\nphoto.dng,red\nphoto.png,red\n")
    Path("classes.txt").write_text("blue\ngreen\nred\n")
    evaluate("list.csv", tiny, "--classes classes.txt --max-bad 1")
    assert list(reasons()) == ["photo.dng"]


def test_masks_are_found_among_pictures_that_are_none(tmp_path):
    from errlens.data.objects.outlines import read_outlines
    from errlens.data.photos.preprocess import Preprocessing

    plain = Preprocessing((8, 8), 1.0, "squash", "bilinear", (0.0,) * 3, (1.0,) * 3)
    paint(tmp_path / "photos" / "a.png", "red")
    (tmp_path / "masks").mkdir()
    (tmp_path / "masks" / "a.heic").write_bytes(HEIC)
    Image.new("L", (12, 10), 255).save(tmp_path / "masks" / "a.png")
    found = read_outlines(tmp_path / "masks", photos=tmp_path / "photos").regions("a.png", plain)
    assert found.object.mean() == 1
