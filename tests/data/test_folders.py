import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from errlens.data.folders import MOST_LEVELS, scan_folder
from errlens.errors import InputError
from errlens.run.results import renewed_folder
from tests.conftest import paint, touch, without_privilege


def test_a_scan_sorts_counts_and_follows_but_never_loops(tmp_path):
    data = touch(tmp_path / "data", "b/2.jpg", "b/deep/1.PNG", "a/x.jpeg", "a/notes.txt", "a/raw")
    touch(tmp_path / "other", "linked.jpg")
    touch(data, ".hidden/1.jpg", "a/.dot.jpg")
    (data / "c").symlink_to(tmp_path / "other")
    (data / "a" / "again").symlink_to(data)
    (data / "a" / "self.jpg").symlink_to(data / "a" / "self.jpg")
    (data / "a" / "lost.jpg").symlink_to("nowhere")
    found = scan_folder(data)
    expected = ["a/lost.jpg", "a/self.jpg", "a/x.jpeg", "b/2.jpg", "b/deep/1.PNG", "c/linked.jpg"]
    assert found.paths == expected
    assert found.sizes == [None, None, 8, 7, 12, 10]
    assert found.top_folders == ("a", "b", "c")
    assert found.skipped == {".txt": 1, "without suffix": 1}


names = st.text("ab-_. Z", min_size=1, max_size=4).filter(lambda name: not name.startswith("."))


@settings(deadline=None, max_examples=30)
@given(tree=st.sets(st.tuples(names, names, st.sampled_from([".jpg", ".TIFF", ".txt"]))))
def test_every_image_is_listed_once_with_its_size_in_sorted_order(tmp_path_factory, tree):
    folder = tmp_path_factory.mktemp("data")
    files = {f"{top}/{name}{suffix}" for top, name, suffix in tree}
    touch(folder, *files)
    found = scan_folder(folder)
    images = sorted(name for name in files if not name.endswith(".txt"))
    assert found.paths == images
    assert found.sizes == [len(name) for name in images]
    assert found.problems == [None] * len(images)
    assert found.top_folders == tuple(sorted({top for top, _, _ in tree}))
    assert sum(found.skipped.values()) == len(files) - len(images)


def test_a_photo_linked_twice_is_listed_twice(tmp_path):
    data = touch(tmp_path / "data", "a/1.jpg")
    (data / "b").symlink_to(data / "a")
    (data / "a" / "2.jpg").symlink_to("1.jpg")
    found = scan_folder(data)
    assert found.paths == ["a/1.jpg", "a/2.jpg", "b/1.jpg", "b/2.jpg"]
    assert found.sizes == [len("a/1.jpg")] * 4


def test_folders_that_link_to_each_other_end(tmp_path):
    data = touch(tmp_path, "a/1.jpg", "b/2.jpg")
    (data / "a" / "to-b").symlink_to(data / "b")
    (data / "b" / "to-a").symlink_to(data / "a")
    assert scan_folder(data).paths == ["a/1.jpg", "a/to-b/2.jpg", "b/2.jpg", "b/to-a/1.jpg"]


def test_a_link_back_to_the_folder_itself_is_no_folder_below_it(tmp_path):
    data = touch(tmp_path, "a/1.jpg")
    (data / "loop").symlink_to(data)
    found = scan_folder(data)
    assert found.paths == ["a/1.jpg"]
    assert found.top_folders == ("a",)


def test_names_are_kept_but_those_that_are_no_utf8_are_escaped(tmp_path):
    touch(tmp_path, "a/two\nlines.jpg", "a/[bold].jpg")
    Path(os.fsdecode(bytes(tmp_path) + b"/a/caf\xe9.jpg")).touch()
    found = scan_folder(tmp_path)
    assert found.paths == ["a/[bold].jpg", "a/caf\\xe9.jpg", "a/two\nlines.jpg"]
    assert found.problems == [None, "file name is not UTF-8", None]


def test_a_folder_whose_name_is_not_utf8_is_escaped_with_all_its_photos(tmp_path):
    folder = os.fsencode(tmp_path) + b"/caf\xe9"
    Path(os.fsdecode(folder)).mkdir()
    touch(Path(os.fsdecode(folder)), "1.jpg", "2.jpg", "notes.caf\udce9")
    touch(tmp_path, "caffé/3.jpg")
    found = scan_folder(tmp_path)
    assert found.top_folders == ("caf\\xe9", "caffé")
    assert found.paths == ["caf\\xe9/1.jpg", "caf\\xe9/2.jpg", "caffé/3.jpg"]
    assert found.problems == ["file name is not UTF-8"] * 2 + [None]
    assert found.skipped == {".caf\\xe9": 1}


def test_a_suffix_counts_whatever_its_case_and_the_most_frequent_other_comes_first(tmp_path):
    touch(tmp_path, "1.JPG", "2.Tif", "a.md", "b.TXT", "c.txt", "photo.jpg.part")
    found = scan_folder(tmp_path)
    assert found.paths == ["1.JPG", "2.Tif"]
    assert found.skipped == {".txt": 2, ".md": 1, ".part": 1}
    assert next(iter(found.skipped)) == ".txt"


def test_an_empty_folder_has_nothing(tmp_path):
    (tmp_path / "empty").mkdir()
    assert scan_folder(tmp_path) == ([], [], [], ("empty",), {}, {}, ())


def test_a_folder_that_cannot_be_listed_is_named(public):
    touch(public, "open/1.jpg", "closed/2.jpg")
    with without_privilege():
        assert scan_folder(public).paths == ["closed/2.jpg", "open/1.jpg"]
    (public / "closed").chmod(0)
    with without_privilege(), pytest.raises(InputError, match="cannot be listed") as failure:
        scan_folder(public)
    assert str(public / "closed") in str(failure.value)


def test_a_folder_that_can_be_listed_but_not_entered_is_an_input_error(public):
    touch(public, "closed/deep/1.jpg")
    (public / "closed").chmod(0o444)
    with without_privilege(), pytest.raises(InputError):
        scan_folder(public)


def test_photos_in_a_folder_that_cannot_be_entered_are_listed_without_size(public):
    touch(public, "closed/1.jpg")
    (public / "closed").chmod(0o444)
    with without_privilege():
        found = scan_folder(public)
    assert (found.paths, found.sizes) == (["closed/1.jpg"], [None])


def test_pictures_that_cannot_be_read_are_listed_too(tmp_path):
    names = ["1.heic", "2.NEF", "3.psd", "4.svg", "5.jxl", "6.jpg"]
    assert scan_folder(touch(tmp_path, *names, "7.txt")).paths == names


def test_a_picture_under_another_name_is_listed_and_counted(tmp_path):
    photo = paint(tmp_path / "a" / "1.jpg", "red").read_bytes()
    for name in (
        "no suffix",
        "2.jpg_original",
        "3.JPG~",
        "4.part",
        "5.txt",
        "6.jpg?width=300&x=12",
    ):
        (tmp_path / "a" / name).write_bytes(photo)
    found = scan_folder(touch(tmp_path, "a/7.part", "a/8.jpg_original"))
    assert "a/7.part" not in found.paths
    assert len(found.paths) == 8
    assert found.skipped == {".part": 1}
    assert found.misnamed == {
        ".jpg_original": 2, ".jpg~": 1, ".part": 1, ".txt": 1, "other suffixes": 1,
        "without suffix": 1,
    }  # fmt: skip


def test_what_systems_leave_behind_is_no_file_of_the_data(tmp_path):
    photo = paint(tmp_path / "a" / "1.jpg", "red").read_bytes()
    (tmp_path / "a" / "._1.jpg").write_bytes(b"\0\5\x16\7" + bytes(100))
    (tmp_path / "a" / ".2.jpg").write_bytes(photo)
    touch(tmp_path, "a/.DS_Store", "a/Thumbs.db", "a/desktop.ini", "a/Icon\r")
    found = scan_folder(tmp_path)
    assert (found.paths, found.skipped, found.misnamed) == (["a/1.jpg"], {}, {})


def test_folders_without_end_are_refused(tmp_path):
    deepest = tmp_path
    for _ in range(MOST_LEVELS - 1):
        deepest = deepest / "d"
    deepest.mkdir(parents=True)
    (deepest / "a.jpg").touch()
    assert len(scan_folder(tmp_path).paths) == 1
    (deepest / "e").mkdir()
    with pytest.raises(InputError, match=r"\.\.\..* nested more than 200 levels deep"):
        scan_folder(tmp_path)


def write_results(folder, *names):
    """Write files as a command does that records them."""
    with renewed_folder(folder, run_hash="x", options={}) as results:
        for name in names:
            results.pixels(name, np.zeros((2, 2, 3), np.uint8))


def test_what_errlens_made_is_no_photo(tmp_path):
    data = touch(tmp_path / "data", "cat/1.jpg", "run/run.json", "run/plan.parquet", "run/own.jpg")
    touch(data, "run/misclassified/gallery/worst.png", "cat/deep/run.json", "cat/deep/2.jpg")
    write_results(data / "heat", "cat__dog/1_grad-cam.png", "sheet.png")
    write_results(data / "dog", "map.png")  # among photos
    touch(data, "dog/3.jpg")
    found = scan_folder(data)
    assert found.paths == ["cat/1.jpg", "cat/deep/2.jpg", "dog/3.jpg"]  # not every run.json is one
    assert found.made == ("dog", "heat", "run")
    assert found.top_folders == ("cat", "dog")
    for inside in ("heat", "heat/cat__dog"):
        assert scan_folder(data / inside).paths == []
        assert scan_folder(data / inside).made == (".",)
    assert scan_folder(data / "run").made == (".",)
