"""Hints about patches that are pasted into photos."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from errlens.run.folder import open_run
from errlens.run.results import renewed_folder
from tests.conftest import ends
from tests.hints.walking import IN_PHOTOS, Row, Walk, replaced
from tests.planted.atlas_points import plant_points

pytestmark = IN_PHOTOS
AUTO = "atlas paste seen --to red --size 0.3 --limit 3 -q"
SEEN = f"{AUTO} --patch photos/red/3.png"
OWN = "commands.atlas.paste"

ROWS = [
    Row(
        "atlas.pasting.asking.Pasting.into:hint",
        f"{SEEN} --data-root nothing",
        "--data-root DIR",
        f"{SEEN} {{}}",
        fill={"DIR": "photos"},
    ),
    Row(f"{OWN}.asked.asked_sizes:hint", f"{SEEN} --sizes big", "0.1,0.3", f"{SEEN} --sizes {{}}"),
    Row(
        f"{OWN}.asked.asked_sizes:hint2",
        f"{SEEN} --sizes 0:1:0.001",
        "0:0.8:0.05",
        f"{SEEN} --sizes {{}}",
    ),
    Row(f"{OWN}.asked.asked_positions:hint", f"{SEEN} --at middle", "center", f"{SEEN} --at {{}}"),
    Row(
        f"{OWN}.planning.planned:hint",
        f"{SEEN} --from green --select true:blue",
        "--from all",
        f"{SEEN} {{}} --select true:blue",
    ),
]


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_what_is_proposed_works(row, walk: Walk):
    Path("nothing").mkdir()
    row.follow(walk)


def test_a_class_that_is_spelt_alike_is_one(walk: Walk):
    wrong = f"{SEEN} --from gren"
    said = walk.refused(wrong, f"{OWN}.asked.asked_class:hint")
    walk.ends(replaced(wrong, "gren", said.near()[0]))


def plant(name: str, *, suspects: int = 1) -> None:
    """Points of a layer, and the suspects of red among them."""
    run, values = open_run(name), np.ones((2, 3), np.float32)
    collected = plant_points(run, values, values, [0, 1], [(1, 1)] * 2, grid=(4, 4), layer="conv")
    cell = {"rank": 1, "cell": 0, "other_class": "green", "row": 0}
    table = pd.DataFrame([{**cell, "left": 0.0, "top": 0.0, "right": 5.0, "bottom": 5.0}])
    folder = collected.folder / "class-red"
    with renewed_folder(folder, run_hash=collected.identity, options={}) as results:
        results.csv("suspects.csv", table.head(suspects))


def test_where_the_atlas_names_no_suspect_a_patch_of_ones_own_is_tested(walk: Walk):
    plant("seen", suspects=0)
    said = walk.refused(AUTO, f"{OWN}.suspects.sources_of:hint")
    assert "--patch FILE" in said.hint
    walk.ends(f"{AUTO} --patch photos/red/3.png")


def test_where_the_photo_of_a_suspect_is_gone_it_is_found_elsewhere(walk: Walk):
    plant("seen")
    Path("nothing").mkdir()
    said = walk.refused(f"{AUTO} --data-root nothing", f"{OWN}.suspects.image_of:hint2")
    assert "--data-root DIR" in said.hint
    walk.ends(f"{AUTO} --data-root photos")


def test_under_a_transform_of_ones_own_a_patch_is_pasted_into_photos(walk: Walk):
    Path("mine.py").write_text(
        "import numpy as np\nimport torch\n\n\n"
        "def prepare(image):\n"
        "    pixels = np.array(image.convert('RGB').resize((16, 16)), np.float32) / 255\n"
        "    return torch.from_numpy(pixels).permute(2, 0, 1)\n"
    )
    ends("evaluate photos --model tiny:spatial --transform mine:prepare -o own -q")
    plant("own")
    asked = AUTO.replace("seen", "own")
    said = walk.refused(asked, f"{OWN}.suspects.image_of:hint")
    assert "--patch FILE" in said.hint
    walk.ends(f"{asked} --patch photos/red/3.png")
