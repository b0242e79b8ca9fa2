import json

import pandas as pd
import pytest

from errlens.data.objects.parts import COLUMNS, PartBox, read_parts
from errlens.errors import BadPredictions, InputError, MissingInput, NoImages

HEADER = ",".join(COLUMNS)
IMAGES = [("cat/0.jpg", "cat/0.jpg"), ("dog/0.jpg", "dog/0.jpg"), ("dog/1.jpg", "dog/1.jpg")]


@pytest.fixture
def table(tmp_path):
    def write(*rows, header=HEADER, name="parts.csv"):
        path = tmp_path / name
        path.write_text("\n".join([header, *rows]) + "\n")
        return path

    return write


def test_a_table_has_several_parts_of_a_photo(table):
    parts = read_parts(
        table("cat/0.jpg,nose,1,2,3,4", "cat/0.jpg,eye,0.5,0,1,1", "dog/1.jpg,nose,9,9,9,9")
    )
    assert parts.names == ["nose", "eye"]
    assert parts.of(IMAGES) == [
        {"nose": PartBox((1, 2, 4, 6)), "eye": PartBox((0.5, 0, 1.5, 1))},
        {},
        {"nose": PartBox((9, 9, 18, 18))},
    ]


def test_a_table_may_be_parquet(tmp_path):
    row = {"path": ["1.jpg"], "part": ["nose"], "x": [1], "y": [2.5], "width": [3], "height": [4]}
    pd.DataFrame(row).to_parquet(tmp_path / "parts.parquet")
    parts = read_parts(tmp_path / "parts.parquet")
    assert parts.of(IMAGES)[2] == {"nose": PartBox((1, 2.5, 4, 6.5))}


@pytest.mark.parametrize("name", ["dog/1.jpg", "1.jpg", "data/dog/1.jpg", "seven"])
def test_a_photo_may_be_named_by_its_path_the_end_of_it_or_its_id(table, name):
    images = [*IMAGES[:2], ("seven", "dog/1.jpg")]
    found = read_parts(table(f"{name},nose,1,2,3,4")).of(images)
    assert [len(boxes) for boxes in found] == [0, 0, 1]


def test_the_name_of_several_photos_is_refused(table):
    with pytest.raises(InputError, match=r"'0.jpg' may be any of 'cat/0.jpg', 'dog/0.jpg'"):
        read_parts(table("0.jpg,nose,1,2,3,4")).of(IMAGES)


def test_a_photo_of_two_names_is_refused(table):
    with pytest.raises(InputError, match=r"'dog/1.jpg' is called '1.jpg' and 'dog/1.jpg'"):
        read_parts(table("1.jpg,nose,1,2,3,4", "dog/1.jpg,eye,1,2,3,4")).of(IMAGES)


def test_boxes_of_other_photos_alone_are_refused(table):
    with pytest.raises(NoImages, match=r"1 image, such as 'cow.jpg', but of none asked about"):
        read_parts(table("cow.jpg,nose,1,2,3,4")).of(IMAGES)


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("a,nose,1,2,0,4", "must be numbers"),
        ("a,nose,1,2,3,-4", "must be numbers"),
        ("a,nose,1,two,3,4", "1, two, 3, 4"),
        ("a,nose,nan,2,3,4", "must be numbers"),
        ("a,nose,1,2,inf,4", "must be numbers"),
        ("a,nose,1,,3,4", "1, nothing, 3, 4"),
        (",nose,1,2,3,4", "it has no path"),
        ("a,,1,2,3,4", "it has no part"),
    ],
)
def test_a_row_that_is_no_box_is_told_with_its_number(table, row, says):
    with pytest.raises(InputError, match=rf"row 2: .*{says}"):
        read_parts(table("b,nose,1,2,3,4", row))


def test_two_parts_of_one_name_need_names_of_their_own(table):
    with pytest.raises(InputError, match="a second 'eye'") as refused:
        read_parts(table("a,eye,1,2,3,4", "a,eye,9,2,3,4"))
    assert "left_eye" in refused.value.hint


def test_a_table_of_other_columns_is_refused(table):
    with pytest.raises(InputError, match="has no column 'part', 'width'"):
        read_parts(table("a,1,2,4", header="path,x,y,height"))
    with pytest.raises(BadPredictions, match="has no rows"):
        read_parts(table())
    with pytest.raises(MissingInput):
        read_parts(table("a,nose,1,2,3,4").with_name("gone.csv"))


def outlines(tmp_path, **outline):
    path = tmp_path / "outlines.json"
    path.write_text(json.dumps({"train/cat/0.jpg": {"width": 40, "height": 30, **outline}}))
    return path


@pytest.mark.parametrize(("key", "part"), [("part_box", "part"), ("head_box_xyxy", "head")])
def test_outlines_have_a_box_of_a_part_in_a_photo_of_their_size(tmp_path, key, part):
    parts = read_parts(outlines(tmp_path, **{key: [1, 2, 11, 22]}))
    assert parts.names == [part]
    assert parts.of(IMAGES)[0] == {part: PartBox((1, 2, 11, 22), (40, 30))}


@pytest.mark.parametrize("box", [[1, 2, 1, 22], [1, 2, 3], "head", [1, 2, 3, 1e300]])
def test_outlines_whose_box_is_none_are_refused(tmp_path, box):
    with pytest.raises(InputError, match=r"the box of 'train/cat/0\.jpg' is none"):
        read_parts(outlines(tmp_path, part_box=box))


def test_outlines_without_boxes_have_no_part(tmp_path):
    with pytest.raises(InputError, match="no box of a part"):
        read_parts(outlines(tmp_path, polygons=[[0, 0, 1, 1, 1, 0]]))
    path = tmp_path / "broken.json"
    path.write_text("[")
    with pytest.raises(InputError, match="cannot be read as JSON"):
        read_parts(path)
