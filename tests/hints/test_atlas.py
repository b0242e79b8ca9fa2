"""Hints about atlases."""

from pathlib import Path

import pytest

from tests.hints.walking import IN_PHOTOS, Row, Walk

pytestmark = IN_PHOTOS
SEEN = "atlas collect seen -q"

ROWS = [
    Row(
        "commands.atlas.collect.command._require_some:hint",
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
