"""Hints about atlases of classes, and of two side by side."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import errlens
from tests.conftest import COLOURS
from tests.hints.test_next import led, next_words
from tests.hints.walking import IN_PHOTOS, Row, Walk
from tests.planted.atlas_points import plant_points

pytestmark = IN_PHOTOS
CLASS = "atlas class seen --layout pca --min-density 1 -q"
COMPARE = "atlas compare seen --layout pca --min-density 1 -q"

ROWS = [
    Row("commands.atlas.class_.command._asked:hint", CLASS, "'blue'", f"{CLASS} {{}}"),
    Row(
        "commands.atlas.marks.require_one_map:hint",
        f"{CLASS} blue green --layer layer4 --mark 0,0=x",
        "one class alone",
        f"{CLASS} blue --layer layer4 --mark PLACE=x",
    ),
    Row(
        "commands.atlas.marks.require_one_map:hint",
        f"{COMPARE} blue~green --mark 0,0=x",
        "--layer layer4",
        f"{COMPARE} blue~green {{}} --mark PLACE=x",
    ),
    Row(
        "commands.atlas.class_.command._points_of:hint",
        f"{CLASS} red --layer layer4",
        "'blue'",
        f"{CLASS} {{}} --layer layer4",
    ),
    Row(
        "commands.atlas.compare.asked.asked_pairs:hint",
        COMPARE,
        "'blue~red'",
        f"{COMPARE} {{}}",
    ),
    Row(
        "commands.atlas.compare.asked.asked_pairs:hint2",
        f"{COMPARE} blue",
        "'blue~red'",
        f"{COMPARE} {{}}",
    ),
    Row(
        "commands.atlas.compare.asked._selected:hint",
        f"{COMPARE} --select errors",
        "'blue~red'",
        f"{COMPARE} --select {{}}",
    ),
]


@pytest.fixture
def planted(photos_here):
    """Points of two layers; nothing adds to red at the later one."""
    rng = np.random.default_rng(0)
    run = errlens.open_run(photos_here / "seen")
    rows = np.repeat(np.arange(12), 4).tolist()
    places = [(1, 1), (1, 2), (2, 1), (2, 2)] * 12
    of = np.minimum(np.array(rows) // 4, len(COLOURS) - 1)
    activations = (np.eye(3, 6)[of] + 0.1 * rng.uniform(size=(48, 6))).astype(np.float32)
    for depth, layer in enumerate(("layer3", "layer4")):
        attributions = np.eye(3)[of] + 0.1 * rng.uniform(size=(48, 3))
        if depth:
            attributions[:, 2] = -1
        plant_points(
            run, activations, attributions.astype(np.float32), rows, places, grid=(4, 4),
            layer=layer,
        )  # fmt: skip


@pytest.mark.usefixtures("planted")
@pytest.mark.parametrize("row", ROWS, ids=str)
def test_what_is_proposed_works(row, walk: Walk):
    if "PLACE" in row.follows:  # a cell that is drawn
        unmarked = row.follows.format(row.taken).partition(" --mark")[0]
        walk.ends(unmarked)
        cells = pd.read_csv(next(Path("seen/atlas/layer4").glob("c*/cells.csv")))
        place = f"{cells['cell_row'].iloc[-1]},{cells['cell_column'].iloc[-1]}"
        row = row._replace(follows=row.follows.replace("PLACE", place))
    row.follow(walk)


@pytest.mark.usefixtures("planted")
def test_two_classes_without_errors_lead_to_the_report(walk: Walk):
    at = "commands.atlas.compare.view.show:next"
    (words,) = led(walk, f"{COMPARE} blue green".replace(" -q", ""), most=1)
    assert words[0] == "report", at


@pytest.mark.usefixtures("planted")
def test_suspects_lead_to_the_test_of_them(walk: Walk):
    at = "commands.atlas.class_.view.show:next"
    words = next_words(walk.ends(f"{CLASS} blue --layer layer4".replace(" -q", "")))
    assert words == ["atlas", "paste", "seen", "--to", "blue"], at
