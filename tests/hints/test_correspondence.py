"""Hints about boxes of parts, and about hiding them."""

import json
from pathlib import Path

import pytest

from tests.hints.walking import IN_PHOTOS, Row, Walk

pytestmark = IN_PHOTOS
SEEN = "network correspondence seen --random 3 --permutations 19 -q"
HEADER = "path,part,x,y,width,height"


def write(*rows: str, header: str = HEADER) -> None:
    """Write boxes of parts as parts.csv."""
    Path("parts.csv").write_text("\n".join([header, *rows]), encoding="utf-8")


def boxes(*, name: str = "red/{}.png", part: str = "nose") -> list[str]:
    """Return a row for each of two photos."""
    return [f"{name.format(number)},{part},1,1,4,4" for number in (1, 2)]


ROWS = [
    Row(
        "network.correspondence.asking.Asking.about:hint",
        f"{SEEN} --parts parts.csv --data-root nothing",
        "--data-root DIR",
        f"{SEEN} --parts parts.csv {{}}",
        fill={"DIR": "photos"},
    ),
    Row(
        "commands.network.correspondence.command._check_pairs:hint",
        f"{SEEN} --parts parts.csv --masks outlines.json",
        "without --masks",
        f"{SEEN} --parts parts.csv",
    ),
]


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_what_is_proposed_works(row, walk: Walk):
    Path("nothing").mkdir()
    write(*boxes())
    outline = {"width": 12, "height": 10, "polygons": [[1, 1, 4, 1, 4, 4, 1, 4]]}
    Path("outlines.json").write_text(json.dumps({"red/1.png": outline, "red/2.png": outline}))
    row.follow(walk)


def test_photos_are_named_by_their_path(walk: Walk):
    write(*boxes(name="{}.png"))
    said = walk.refused(f"{SEEN} --parts parts.csv", "data.objects.parts.Parts.of:hint")
    assert "by their path below the folder" in said.hint
    write(*boxes(name="red/{}.png"))
    walk.ends(f"{SEEN} --parts parts.csv")


def test_columns_are_called_as_proposed(walk: Walk):
    write(*boxes(), header="file,part,x,y,w,h")
    said = walk.refused(f"{SEEN} --parts parts.csv", "data.objects.parts._of_table:hint")
    _, _, columns = said.hint.partition("its columns are ")
    write(*boxes(), header=",".join(columns.replace("\n", " ").split(", ")[:6]))
    walk.ends(f"{SEEN} --parts parts.csv")


def test_two_parts_of_a_kind_have_names_of_their_own(walk: Walk):
    write(*boxes(part="eye"), *boxes(part="eye"))
    said = walk.refused(f"{SEEN} --parts parts.csv", "data.objects.parts._of_table:hint2")
    assert "left_eye and right_eye" in said.hint
    write(*boxes(part="left_eye"), *boxes(part="right_eye"))
    walk.ends(f"{SEEN} --parts parts.csv")
