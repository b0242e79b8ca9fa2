"""Hints about transforms of photos."""

from pathlib import Path

import pytest

from tests.hints.walking import IN_PHOTOS, Row, Walk, replaced

pytestmark = IN_PHOTOS
PHOTO = "photos/red/3.png"
SEEN = "network invariance seen --transform blur -q"
OWN = "commands.network.invariance"

ROWS = [
    Row(
        "network.invariance.responses.Asking.about:hint",
        f"{SEEN} --data-root nothing",
        "--data-root DIR",
        f"{SEEN} {{}}",
        fill={"DIR": "photos"},
    ),
    Row(
        f"{OWN}.asked.asked_transforms:hint",
        "network invariance seen --transform fog -q",
        "--transform fog --severity all",
        "network invariance seen -q {}",
    ),
    Row(
        f"{OWN}.asked.asked_corruptions:hint",
        f"{SEEN} --severity 3",
        "leave --severity out",
        SEEN,
    ),
]


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_what_is_proposed_works(row, walk: Walk):
    Path("nothing").mkdir()
    row.follow(walk)


def test_a_transform_that_is_spelt_alike_is_one(walk: Walk):
    wrong = "network invariance seen --transform blurr -q"
    said = walk.refused(wrong, f"{OWN}.asked._named:hint")
    walk.ends(replaced(wrong, "blurr", said.near()[0]))
