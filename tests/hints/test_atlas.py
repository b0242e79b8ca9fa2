"""Hints about atlases."""

from pathlib import Path

import pytest

from tests.hints.test_pages import commands_on
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


@pytest.mark.parametrize(
    ("stale", "at", "made_by"),
    [
        ("conv/made_from.json", "report.atlas.maps.read_maps:problem", "collect"),
        ("conv/render/made_from.json", "report.atlas.maps.read_maps:problem2", "render"),
        ("paste/all__red/made_from.json", "report.atlas.pastes.read_pastes:problem", "paste"),
    ],
)
def test_stale_results_are_made_again_by_the_command_on_the_page(walk: Walk, stale, at, made_by):
    walk.ends(f"{SEEN} --per-image 40")
    walk.ends("atlas render seen --layout pca --grid 4 --icon-size 32 -q")
    walk.ends("atlas paste seen --to red --patch photos/red/3.png --sizes 0.3 --limit 3 -q")
    record = Path("seen/atlas", stale)
    record.write_text(record.read_text().replace('run_hash": "', 'run_hash": "x'))
    walk.ends("report seen -q")
    (words,) = [words for words in commands_on("seen") if words[0] == "atlas"]
    assert words[1] == made_by, at
    walk.ends(words)
    walk.ends("report seen -q")
    assert words not in commands_on("seen")


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_what_is_proposed_works(row, walk: Walk):
    Path("nothing").mkdir()
    row.follow(walk)
