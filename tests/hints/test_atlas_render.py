"""Hints about maps of an atlas."""

from pathlib import Path

import numpy as np
import pytest

import errlens
from errlens.analysis.atlas import layout
from errlens.analysis.atlas.layout import laid_out
from tests.hints.walking import IN_PHOTOS, Row, Walk, replaced
from tests.planted.atlas_points import plant_points

pytestmark = IN_PHOTOS
RENDER = "atlas render seen --layout pca --icon-size 32 -q"
OWN = "commands.atlas"
N = 6  # points of each image
# Remarks, and what comes next, that are followed below.
REMARKS = (
    f"{OWN}.render.view._remark_on_grid:text",
    f"{OWN}.render.view.warn_of_absent:text",
)


@pytest.fixture(autouse=True)
def collected(photos_here):
    """Points of the layer of the run, and of another that they are sparser in."""
    del photos_here
    random = np.random.default_rng(0)
    rows = np.repeat(np.arange(12), N).tolist()
    kind = np.array(rows) // 4
    activations = 4 * np.eye(3)[kind] + random.normal(scale=0.8, size=(len(rows), 3))
    places = random.integers(1, 7, (len(rows), 2)).tolist()
    plant_points(
        errlens.open_run("seen"), activations.astype(np.float32),
        np.eye(3, dtype=np.float32)[kind], rows, places, grid=(8, 8), layer="conv",
    )  # fmt: skip


ROWS = [
    Row(
        f"{OWN}.marks.marked:hint",
        f"{RENDER} --grid 2 --mark 0,0:corner",
        "3,7=baseball",
        f"{RENDER} --grid 2 --mark 0,0=baseball",
    ),
    Row(
        "analysis.atlas.grid._no_cell:hint",
        f"{RENDER} --grid 40 --min-density 30",
        "--min-density",
        f"{RENDER} --grid 2 --min-density 5",
    ),
]


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_what_is_proposed_works(row, walk: Walk):
    row.follow(walk)


def test_a_smaller_density_or_a_coarser_grid_draws_a_cell(walk: Walk):
    wrong = f"{RENDER} --grid 20 --min-density 12"
    said = walk.refused(wrong, "analysis.atlas.grid._no_cell:hint")
    density, grid = said.hint.split(", or ")
    walk.ends(f"{RENDER} --grid 20 {density}")
    walk.ends(f"{RENDER} --min-density 12 {grid}")


def test_a_cell_that_is_drawn_can_be_marked(walk: Walk):
    wrong = f"{RENDER} --grid 3 --min-density 5 --mark 9,9=eye"
    said = walk.refused(wrong, f"{OWN}.marks._no_cell:hint")
    named = said.hint.partition("near it: ")[2].split(" and ")[0]
    walk.ends(replaced(wrong, "9,9", named))


def test_a_class_that_is_spelt_alike_is_one(walk: Walk):
    wrong = f"{RENDER} --grid 2 --opacity gren"
    said = walk.refused(wrong, f"{OWN}.classes.asked_class:hint")
    walk.ends(replaced(wrong, "gren", said.near()[0]))


def test_a_mark_goes_with_one_of_several_layers(walk: Walk):
    folder = Path("seen/atlas")
    random = np.random.default_rng(1)
    rows = np.repeat(np.arange(12), 2).tolist()
    plant_points(
        errlens.open_run("seen"), random.normal(size=(24, 3)).astype(np.float32),
        np.ones((24, 3), np.float32), rows, [(1, 1)] * 24, grid=(8, 8), layer="other",
    )  # fmt: skip
    assert len(list(folder.iterdir())) == 2
    wrong = f"{RENDER} --grid 2 --min-density 1 --mark 0,0=corner"
    said = walk.refused(wrong, f"{OWN}.render.command.render:hint")
    walk.ends(f"{wrong} {said.hint}")


def test_a_coarser_grid_shows_nearly_all_points(walk: Walk):
    typed = "atlas render seen --layout pca --icon-size 32 --min-density 4 --grid {}"
    said = walk.ends(typed.format(20), says="shows nearly all")
    grid = said.text.partition("--grid ")[2].split()[0]
    assert "shows nearly all" not in walk.ends(typed.format(grid)).text


def test_photos_that_moved_are_found_again(walk: Walk):
    Path("nothing").mkdir()
    typed = f"{RENDER} --grid 2 --min-density 5"
    walk.ends(f"{typed} --data-root nothing", says="--data-root DIR says where they lie")
    assert not Path("seen/atlas/conv/render/patches.png").exists()
    walk.ends(f"{typed} --data-root photos")
    assert Path("seen/atlas/conv/render/patches.png").exists()


def test_icons_take_their_colours_from_photos_that_are_found_again(walk: Walk):
    Path("nothing").mkdir()
    typed = f"{RENDER} --grid 2 --min-density 5 --icons optimize --steps 1"
    said = walk.refused(f"{typed} --data-root nothing", "atlas.icons.colours.read_colours:hint")
    assert "--data-root DIR" in said.hint
    walk.ends(f"{typed} --data-root photos")


def test_principal_components_take_the_place_of_a_tsne_that_cannot_be_had(
    walk: Walk, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(layout, "is_installed", lambda: False)
    wrong = "atlas render seen --grid 2 --icon-size 32 --layout tsne -q"
    said = walk.refused(wrong, "analysis.atlas.layout.chosen_method:hint")
    assert "--layout pca" in said.hint
    walk.ends(replaced(wrong, "tsne", "pca"))


def test_other_points_make_a_map_where_all_are_the_same_or_not_finite(walk: Walk):
    random = np.random.default_rng(0)
    points = random.normal(size=(40, 3)).astype(np.float32)
    bad = points.copy()
    bad[3] = np.nan
    walk.fails(lambda: laid_out(bad), "analysis.atlas.layout.lengths_of:hint")
    walk.fails(lambda: laid_out(np.ones_like(points)), "analysis.atlas.layout.laid_out:hint")
    assert laid_out(points, method="pca").method == "pca"
