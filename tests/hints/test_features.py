"""Hints about what channels answer to."""

from pathlib import Path

import pytest

from tests.hints.walking import IN_PHOTOS, Row, Walk

pytestmark = IN_PHOTOS
SEEN = "network features seen -q"
OWN = "commands.network.features"
SILENT = """
import torch
from tiny import Spatial


class Silent(Spatial):
    @torch.no_grad()
    def forward(self, images):
        return super().forward(images)


def silent():
    return Silent()
"""

ROWS = [
    Row(
        "commands.network.channels.wanted_channels:hint",
        f"{SEEN} --channels strongest:all",
        "strongest:16",
        f"{SEEN} --channels {{}}",
    ),
    Row(
        "commands.network.channels.wanted_channels:hint2",
        f"{SEEN} --channels all",
        "random:16",
        f"{SEEN} --channels {{}}",
    ),
    Row(
        "network.units.layers.check_channels:hint",
        f"{SEEN} --layer conv --channels 3",
        "channels 0 to 2",
        f"{SEEN} --layer conv --channels 0,2",
    ),
    Row(
        "network.units.projection.choose_projection:hint",
        f"{SEEN} --projection deconvnet",
        "--projection gradient-x-input",
        f"{SEEN} {{}}",
    ),
]


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_what_a_hint_proposes_is_a_way_out(walk: Walk, row: Row):
    row.follow(walk)


def test_images_that_were_moved_are_found_where_they_lie_now(walk: Walk):
    Path("photos").rename("moved")
    Path("empty").mkdir()
    said = walk.refused(f"{SEEN} --data-root empty", "network.units.top_images.top_images:hint")
    assert "--data-root DIR" in said.hint
    walk.ends(f"{SEEN} --data-root moved")


def test_where_no_projection_fits_patches_are_shown_alone(walk: Walk):
    Path("silent.py").write_text(SILENT)
    walk.ends("evaluate photos --model silent:silent -o quiet -q")
    typed = "network features quiet -q"
    said = walk.refused(typed, "network.units.projection.choose_projection:hint2")
    assert "--projection none" in said.hint
    walk.ends(f"{typed} --projection none")
