"""Hints about activations of layers."""

from pathlib import Path

import pytest

from tests.hints.test_next import next_words
from tests.hints.walking import IN_PHOTOS, Row, Walk

pytestmark = IN_PHOTOS
PHOTO = "photos/red/3.png"
SEEN = "network activations seen -q"
OWN = "commands.network.activations"
TWICE = """
from tiny import Spatial


class Twice(Spatial):
    def forward(self, images):
        return super().forward(self.conv(images))


def twice():
    return Twice()
"""

ROWS = [
    Row(f"{OWN}.asked.grid_for:hint", f"{SEEN} --grid 1x2", "--grid 2x2", f"{SEEN} {{}}"),
    Row(
        f"{OWN}.photos.subject_of:hint",
        f"{SEEN} --img-size 48",
        "--input-size N",
        f"{SEEN} {{}}",
        fill={"N": "48"},
    ),
    Row(
        f"{OWN}.study._numbers:hint",
        f"{SEEN} --layer conv --activation after",
        "without --activation",
        f"{SEEN} --layer conv",
    ),
    Row(
        "network.capture.find_layer_or_name_one:hint",
        f"{SEEN} --layer head",
        "--layer conv",
        f"{SEEN} {{}}",
    ),
    Row(
        "network.capture._called:hint",
        f"{SEEN} --layer conv --call 2",
        "leave --call out",
        f"{SEEN} --layer conv",
    ),
]


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_what_a_hint_proposes_is_a_way_out(walk: Walk, row: Row):
    row.follow(walk)


def test_photos_that_were_moved_are_found_where_they_lie_now(walk: Walk):
    Path("photos").rename("moved")
    Path("empty").mkdir()
    said = walk.refused(f"{SEEN} --data-root empty", f"{OWN}.photos._unshown:hint")
    assert "--data-root DIR" in said.hint, f"{OWN}.photos._unshown:text"
    walk.ends(f"{SEEN} --data-root moved")
    words = next_words(walk.ends("network activations seen --data-root moved"))
    assert words[:2] == ["explain", "seen"], f"{OWN}.view._say_next:next"
    walk.ends(words)


def test_of_a_layer_that_runs_twice_the_other_call_can_be_had(walk: Walk):
    Path("twice.py").write_text(TWICE)
    typed = f"network activations {PHOTO} --model twice:twice -o new --layer conv"
    said = walk.ends(typed, says="--call 1 shows the first")
    assert "call 2" in said.text, f"{OWN}.view._warn:text"
    walk.ends(f"{typed} --call 1", says="this is call 1")
    said = walk.refused(f"{typed} --call 3", "network.capture._called:hint")
    assert "--call 1 to --call 2" in said.hint
