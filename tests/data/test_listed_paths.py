"""Manifests whose paths are not quite those of their files."""

from pathlib import Path

import pytest

from errlens.data.listed_paths import find_roots, placed
from tests.conftest import touch

FILES = ["cat/one.jpg", "cat/two.jpg", "dog/a b.jpg", "dog/three.jpg"]


@pytest.fixture
def root(tmp_path):
    return touch(tmp_path / "photos", *FILES)


WRITTEN = {
    "as they are": (lambda path: path, ""),
    "from here": (lambda path: f"./{path}", ""),
    "with backslashes": (lambda path: path.replace("/", "\\"), "backslashes"),
    "with blanks around": (lambda path: f" {path}  ", "blanks"),
    "in capitals at the end": (lambda path: path.replace(".jpg", ".JPG"), "files end in .jpg"),
    "of another format": (lambda path: path.replace(".jpg", ".png"), "where paths end in .png"),
    "without a suffix": (lambda path: path.removesuffix(".jpg"), "lack the .jpg"),
}


@pytest.mark.parametrize("kind", WRITTEN)
def test_paths_are_respelt_where_only_that_finds_their_files_and_it_is_said(kind, root):
    write, says = WRITTEN[kind]
    found = placed([write(path) for path in FILES], root)
    assert all((root / path).is_file() for path in found.paths)
    assert says in found.remark
    assert bool(says) == bool(found.remark)


def test_addresses_of_files_are_paths(root):
    found = placed([(root / path).as_uri() for path in FILES], root)
    assert [Path(path) for path in found.paths] == [root / path for path in FILES]


def test_nothing_is_respelt_where_one_file_is_there_as_it_is_written(root):
    paths = [FILES[0], *(path.replace("/", "\\") for path in FILES[1:])]
    assert placed(paths, root) == (paths, "")


def test_nothing_is_respelt_for_a_few_files_of_many(root):
    paths = ["cat\\one.jpg", *(f"cat\\{number}.jpg" for number in range(9))]
    assert placed(paths, root) == (paths, "")


@pytest.mark.parametrize(
    "start", ["/home/someone/data/", "C:\\data\\", "data/", "\\\\server\\share\\"]
)
def test_the_start_of_another_place_is_left_out_only_where_the_user_names_the_root(start, root):
    paths = [start + path for path in FILES]
    assert placed(paths, root) == (paths, "")
    found = placed(paths, root, is_elsewhere=True)
    assert found.paths == FILES
    assert "left out" in found.remark


@pytest.mark.parametrize("start", ["", "data/", "/home/someone/data/", "D:\\data\\"])
@pytest.mark.parametrize("place", ["photos", ".", "tables", "tables/deep"])
def test_the_root_is_found_near_the_manifest(start, place, root, tmp_path):
    near = tmp_path / place
    near.mkdir(parents=True, exist_ok=True)
    roots = find_roots([start + path for path in FILES], near, most=3)
    assert root in roots


def test_of_two_roots_both_are_found_and_of_files_that_are_gone_none(root, tmp_path):
    other = touch(tmp_path / "again", *FILES)
    assert set(find_roots(FILES, tmp_path, most=3)) == {root, other}
    assert find_roots(["gone/of no other test.jpg"], tmp_path, most=3) == []
    assert placed([], root) == ([], "")
    assert placed(["nul\0.jpg"], root).paths == ["nul\0.jpg"]
