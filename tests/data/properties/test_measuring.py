import hashlib
import os

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from errlens.data.photos.images import ImageFile
from errlens.data.photos.preprocess import Preprocessing
from errlens.data.properties import measuring
from errlens.data.properties.measuring import measure, measured_parts
from errlens.data.properties.table import (
    PROPERTIES,
    PROPERTY_COLUMNS,
    as_frame,
    as_table,
    frame_of,
)

HALF = (0.5, 0.5, 0.5)
AS_FED = Preprocessing((16, 16), 1.0, "squash", "bicubic", HALF, HALF)
SHADES = (10, 60, 110, 160, 210, 250)  # of the photos, in order


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    for shade in SHADES:
        Image.new("RGB", (20, 10), (shade, shade, shade)).save(folder / f"{shade}.png")
    return [
        ImageFile(folder / f"{shade}.png", hash_of(folder / f"{shade}.png")) for shade in SHADES
    ]


def hash_of(path):
    return hashlib.sha256(path.read_bytes()).digest()[:16]


def shades(table):
    return (table["brightness"] * 255).round().tolist()


@settings(max_examples=30)
@given(order=st.lists(st.integers(0, 5), max_size=10), workers=st.integers(1, 3))
def test_rows_stand_in_the_order_of_the_files(photos, order, workers):
    told = []
    found = measure([photos[at] for at in order], workers=workers, progress=told.append)
    assert shades(found) == [SHADES[at] for at in order]
    assert sum(told) == len(order)
    assert found.columns.tolist() == PROPERTY_COLUMNS.names
    assert found.dtypes.equals(frame_of([]).dtypes)


@settings(max_examples=30)
@given(
    order=st.lists(st.integers(0, 5), max_size=10), before=st.lists(st.integers(0, 5), max_size=4)
)
def test_what_is_known_changes_nothing(photos, order, before):
    files = [photos[at] for at in order]
    known = measure([photos[at] for at in before], as_fed=AS_FED)
    pd.testing.assert_frame_equal(
        measure(files, as_fed=AS_FED, known=known), measure(files, as_fed=AS_FED)
    )


def test_files_that_are_known_are_not_opened(photos, tmp_path):
    known = measure(photos)
    gone = [ImageFile(tmp_path / "gone.png", file.content_hash) for file in photos]
    pd.testing.assert_frame_equal(measure(gone, known=known), known)


def test_a_file_whose_hash_is_not_known_beforehand_is_known_by_its_content(photos, monkeypatch):
    known = measure(photos)
    monkeypatch.setattr(measuring.Measuring, "measure", lambda *_: pytest.fail("measured again"))
    again = measure([ImageFile(file.path) for file in photos], known=known)
    pd.testing.assert_frame_equal(again, known)


def test_what_was_measured_for_another_network_is_measured_again(photos, tmp_path):
    known = measure(photos)
    gone = [ImageFile(tmp_path / "gone.png", file.content_hash) for file in photos]
    assert set(measure(gone, as_fed=AS_FED, known=known)["status"]) == {"missing"}
    assert set(measure(gone, known=known.drop(columns="border"))["status"]) == {"missing"}


def test_what_could_not_be_read_is_tried_again(tmp_path):
    file = ImageFile(tmp_path / "a.png")
    assert measure([file])["status"].tolist() == ["missing"]
    file.path.write_bytes(b"nothing")
    known = measure([file])
    assert known["status"].tolist() == ["unreadable"]
    Image.new("RGB", (4, 4)).save(file.path)
    assert measure([file], known=known)["status"].tolist() == ["ok"]


def test_files_that_are_bad_are_rows_that_say_why(photos, tmp_path):
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "text.jpg").write_text("<html>")
    (tmp_path / "folder.jpg").mkdir()
    os.mkfifo(tmp_path / "pipe.jpg")
    cut = tmp_path / "cut.png"
    cut.write_bytes(photos[0].path.read_bytes()[:45])
    files = [
        *(ImageFile(tmp_path / f"{name}.jpg") for name in ("gone", "empty", "text", "folder")),
        ImageFile(tmp_path / "pipe.jpg"),
        ImageFile(cut),
        ImageFile(photos[0].path, b"another file was"),
        ImageFile(photos[0].path, max_mb=0),
        ImageFile(tmp_path / "null\0.jpg"),
        photos[1],
    ]
    found = measure(files)
    assert found["status"].tolist() == [
        "missing", "unreadable", "unreadable", "unreadable", "unreadable", "unreadable", "missing",
        "unreadable", "missing", "ok",
    ]  # fmt: skip
    bad = found[found["status"] != "ok"]
    assert bad["why"].notna().all()
    assert found["why"].iloc[6] == "another file now"
    assert bad.drop(columns=["status", "why", "content_hash"]).isna().all(axis=None)
    assert pd.isna(found["why"].iloc[-1])


def test_a_photo_too_large_for_the_memory_is_a_row(photos, monkeypatch):
    def exhausted(*_):
        raise MemoryError

    monkeypatch.setattr(measuring.Measuring, "measure", exhausted)
    found = measure(photos[:1])
    assert found["status"].tolist() == ["unreadable"]
    assert "memory" in found["why"].iloc[0]


def test_an_interrupted_measurement_goes_on_from_the_parts_it_left(photos, monkeypatch):
    monkeypatch.setattr(measuring, "PART", 2)

    kept = []

    def interrupt(_done):
        if len(kept) == 2:
            raise KeyboardInterrupt

    parts = measured_parts(photos, progress=interrupt)
    kept += [next(parts), next(parts)]
    with pytest.raises(KeyboardInterrupt):
        next(parts)
    known = pd.concat(kept)
    assert shades(known) == list(SHADES[:4])
    opened = []
    reading = ImageFile.read
    monkeypatch.setattr(ImageFile, "read", lambda file: opened.append(file) or reading(file))
    assert shades(measure(photos, known=known)) == list(SHADES)
    assert opened == photos[4:]


def test_nothing_to_measure_is_an_empty_table_with_all_columns():
    assert measure([]).columns.tolist() == PROPERTY_COLUMNS.names


def test_a_table_comes_back_from_parquet_as_it_was(photos, tmp_path):
    files = [*photos, ImageFile(tmp_path / "gone.png")]
    found = measure(files, as_fed=AS_FED)
    table = as_table(found.assign(row=np.arange(len(files))))
    assert table.column_names == ["row", *PROPERTY_COLUMNS.names]
    back = as_frame(table)
    pd.testing.assert_frame_equal(back.drop(columns="row"), found)
    pd.testing.assert_frame_equal(measure(files, as_fed=AS_FED, known=back), found)


def test_every_property_is_a_column_and_can_be_written(photos):
    found = measure(photos)
    found["camera"], found["hour"] = "Canon", 18.5
    for name, about in PROPERTIES.items():
        value = found[name].iloc[0]
        assert about.write(value if pd.notna(value) else 0.5)
        assert bool(about.low and about.high) == (about.kind != "category")
    assert PROPERTIES["brightness"].write(found["brightness"].iloc[0]) == "0.0392"
    assert PROPERTIES["exif_orientation"].write(6.0) == "6 (on its left side)"
    assert PROPERTIES["greyscale"].write(found["greyscale"].iloc[0]) == "yes"
