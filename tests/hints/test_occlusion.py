"""Hints about parts of photos that are hidden."""

from pathlib import Path

import pytest

from tests.hints.walking import IN_PHOTOS, Row, Walk

pytestmark = IN_PHOTOS
SEEN = "network occlusion seen --select row:0 --mask 50% -q"

ROWS = [
    Row(
        "commands.network.occlusion.study.none_shown:hint",
        f"{SEEN} --data-root nothing",
        "--data-root DIR",
        f"{SEEN} {{}}",
        fill={"DIR": "photos"},
    ),
]


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_what_is_proposed_works(row, walk: Walk):
    Path("nothing").mkdir()
    row.follow(walk)
