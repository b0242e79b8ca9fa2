"""Hints about channels that tell two classes apart."""

from pathlib import Path

import pytest

from tests.hints.walking import IN_PHOTOS, Row, Walk

pytestmark = IN_PHOTOS
SEEN = "network features seen -q"

ROWS = [
    Row(
        "commands.network.features.discriminating.tell_apart:hint",
        f"{SEEN} --ablate",
        "--discriminate A~B",
        f"{SEEN} --ablate {{}}",
        fill={"A~B": "red~green"},
    ),
    Row(
        "network.channels.telling_apart.compared:hint",
        f"{SEEN} --discriminate red~green --data-root empty",
        "--data-root DIR",
        f"{SEEN} --discriminate red~green {{}}",
        fill={"DIR": "photos"},
    ),
]


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_a_hint_is_followed(row: Row, walk: Walk):
    Path("empty").mkdir()
    row.follow(walk)
