"""`errlens atlas render`: its files, what it says, and what it refuses."""

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import errlens
from errlens.analysis.atlas.cells import CELL_COLUMNS
from errlens.analysis.atlas.mapped import SOURCE_COLUMNS
from errlens.run.csv_tables import read_declared
from tests.conftest import contents, ends, paint, refused
from tests.planted.atlas_points import plant_points

GRID = (8, 8)
EACH = 30  # images of a class
RENDER = "atlas render seen --grid 6 --min-density 3 --layout pca"
FILES = {
    "layout.parquet", "cells.csv", "cells.npz", "sources.csv", "patches.png", "sources.png",
    "atlas.png", "atlas.svg", "parameters.json", "made_from.json",
}  # fmt: skip
NETS = """
import torch
from torch import nn


class Net(nn.Module):
    num_classes = 3

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.conv = nn.Conv2d(3, 6, 4, stride=4)
        self.head = nn.Linear(6, 3)

    def forward(self, images):
        return self.head(self.conv(images).relu().mean(dim=(2, 3)))


def net():
    return Net()
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Photos, a network that sees them, and a run of it with points of three kinds."""
    folder = tmp_path_factory.mktemp("atlas")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.syspath_prepend(folder)
        Path("rendered_nets.py").write_text(NETS)
        sys.modules.pop("rendered_nets", None)
        for number, colour in enumerate(("red", "green", "blue")):
            for index in range(EACH):
                paint(Path("photos", colour, f"{index:02d}.png"), colour, seed=100 * number + index)
        ends("evaluate photos --model rendered_nets:net --img-size 32 -o seen -q")
        plant(*points())
        sys.modules.pop("rendered_nets", None)
    return folder


@pytest.fixture(autouse=True)
def seen(made, tmp_path, monkeypatch):
    """A copy of the run, to be beside."""
    shutil.copytree(made, tmp_path / "here")
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.syspath_prepend(tmp_path / "here")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delitem(sys.modules, "rendered_nets", raising=False)
    return Path("seen")


def points(n=2, seed=0):
    """Return activations, attributions and images: n points of each image, alike by class.

    The run has the images of each class together, and its classes in the same order.
    """
    random = np.random.default_rng(seed)
    rows = np.repeat(np.arange(3 * EACH), n)
    kind = rows // EACH
    activations = 6 * np.eye(3, 6)[kind] + random.normal(scale=0.6, size=(len(rows), 6))
    activations[:, 5] = 0  # a dead channel
    attributions = np.eye(3)[kind] + random.normal(scale=0.1, size=(len(rows), 3)) - 0.2
    return activations.astype(np.float32), attributions.astype(np.float32), rows.tolist()


def plant(activations, attributions, rows, layer="conv"):
    """Put points into the run, at places drawn."""
    random = np.random.default_rng(1)
    places = random.integers(1, GRID[0] - 1, (len(rows), 2)).tolist()
    run = errlens.open_run("seen")
    return plant_points(run, activations, attributions, rows, places, grid=GRID, layer=layer)


def folder_of(layer="conv"):
    return Path("seen/atlas", layer, "render")


def test_a_map_has_its_files_in_a_folder_of_its_own_and_leaves_all_else(seen):
    before = contents(seen)
    said = ends("atlas render seen --grid 6 --min-density 3").stdout
    assert max(map(len, said.splitlines())) <= 80
    assert "Layer conv, the cells with the most points" in said
    assert {path.name for path in folder_of().iterdir()} == FILES
    after = contents(seen)
    assert {name: after[name] for name in before} == before


def test_the_tables_are_those_of_the_points(seen):
    ends(f"{RENDER} -q")
    activations, attributions, rows = points()
    layout = pd.read_parquet(folder_of() / "layout.parquet")
    cells = read_declared(folder_of() / "cells.csv", CELL_COLUMNS)
    sources = read_declared(folder_of() / "sources.csv", SOURCE_COLUMNS)
    assert layout.dtypes.astype(str).to_dict() == {
        "point": "int64", "x": "float64", "y": "float64", "cell": "int32",
    }  # fmt: skip
    assert layout["point"].tolist() == list(range(len(rows)))
    assert layout[["x", "y"]].stack().between(0, 1).all()
    counts, _, _ = np.histogram2d(layout["y"], layout["x"], bins=6, range=[[0, 1], [0, 1]])
    np.testing.assert_array_equal(cells[["cell_row", "cell_column"]], np.argwhere(counts >= 3))
    np.testing.assert_array_equal(cells["n_points"], counts[counts >= 3])
    with np.load(folder_of() / "cells.npz") as means:
        for name, values in (("activation", activations), ("attribution", attributions)):
            for cell in cells["cell"]:
                inside = values[(layout["cell"] == cell).to_numpy()]
                np.testing.assert_allclose(means[name][cell], inside.mean(axis=0), atol=1e-5)
    of_source = layout["cell"].to_numpy()[sources["point"]]
    np.testing.assert_array_equal(of_source, sources["cell"])
    assert not sources.duplicated(["cell", "row"]).any()
    assert sources["rank"].max() <= 9
    table = pd.read_parquet(seen / "atlas/conv/points.parquet").set_index("point")
    known = table.loc[sources["point"]]
    for name in ("row", "sample_id", "place_row", "place_column"):
        assert sources[name].tolist() == known[name].tolist()


def test_planted_kinds_give_pure_cells_whose_class_is_theirs():
    ends("atlas render seen --grid 8 --min-density 2 -q")
    layout = pd.read_parquet(folder_of() / "layout.parquet")
    cells = read_declared(folder_of() / "cells.csv", CELL_COLUMNS)
    rows = points()[2]
    inside = layout[layout["cell"] >= 0]
    kind = np.array(rows)[inside["point"]] // EACH
    by_cell = pd.Series(kind).groupby(inside["cell"].to_numpy())
    assert by_cell.apply(lambda kinds: kinds.value_counts().iloc[0]).sum() >= 0.95 * len(inside)
    names = errlens.open_run("seen").info.classes.names
    most = by_cell.apply(lambda kinds: kinds.mode().iloc[0])
    pure = by_cell.nunique() == 1
    assert pure.any()
    told = cells.set_index("cell")["top_class"][pure]
    assert told.tolist() == [names[k] for k in most[pure]]


def test_a_patch_is_the_part_of_the_photo_that_its_box_says():
    paint(Path("photos/blue/00.png"), "blue", seed=200)
    ends(f"{RENDER} --icon-size 32 -q")
    sources = read_declared(folder_of() / "sources.csv", SOURCE_COLUMNS)
    sprite = np.asarray(Image.open(folder_of() / "patches.png"))
    tiles = np.asarray(Image.open(folder_of() / "sources.png"))
    cells = sources["cell"].nunique()
    assert sprite.shape == (32 * -(-cells // 12), 32 * 12, 3)
    assert tiles.shape == (64 * cells, 64 * 9, 3)
    strongest = {"red": 0, "green": 1, "blue": 2}
    for facts in sources.itertuples():
        tile = tiles[64 * facts.cell :, 64 * (facts.rank - 1) :][:64, :64]
        colour = facts.sample_id.split("/")[0]
        assert tile.mean(axis=(0, 1)).argmax() == strongest[colour]
        if facts.rank == 1:
            row, column = divmod(facts.cell, 12)
            icon = sprite[32 * row :, 32 * column :][:32, :32]
            assert icon.mean(axis=(0, 1)).argmax() == strongest[colour]
        assert 0 <= facts.left < facts.right <= 32
        assert 0 <= facts.top < facts.bottom <= 32
        middle = 4 * facts.place_row + 2
        assert facts.top <= middle <= facts.bottom


def test_the_same_call_writes_the_same_bytes_whatever_the_threads():
    called = f"{RENDER} -q"
    ends(f"{called} --workers 1")
    first = contents(folder_of())
    ends(f"{called} --workers 3")
    assert contents(folder_of()) == first


def test_a_call_that_draws_otherwise_leaves_the_numbers():
    called = f"{RENDER} -q"
    ends(called)
    first = contents(folder_of())
    cells = read_declared(folder_of() / "cells.csv", CELL_COLUMNS)
    row, column = cells.loc[0, ["cell_row", "cell_column"]]
    ends(f"{called} --no-labels --size-by-density --opacity RED --mark '{row},{column}=a corner'")
    other = contents(folder_of())
    drawn = {"atlas.png", "atlas.svg", "parameters.json", "made_from.json"}
    assert {name for name in first if first[name] != other[name]} == drawn
    assert json.loads(other["parameters.json"])["opacity"] == "red"


def test_the_parameters_say_what_was_drawn():
    ends(f"{RENDER} -q")
    parameters = json.loads((folder_of() / "parameters.json").read_text())
    assert parameters.pop("sentences")
    assert parameters == {
        "schema_version": 1, "kind": "render", "layer": "conv", "grid": 6, "min_density": 3,
        "icon_size": 96, "layout": "pca", "n_points": 6 * EACH,
        "n_cells": len(pd.read_csv(folder_of() / "cells.csv")), "fidelity": None, "recipe": None,
        "opacity": None,
    }  # fmt: skip


def test_icons_are_made_once_and_measured():
    called = f"{RENDER} --icons both --icon-size 32 --steps 2"
    said = ends(called).stderr
    assert "nearest to their own cell, by chance 1 in" in " ".join(said.split())
    first = contents(folder_of())
    assert first.keys() == FILES | {
        "icons.png",
        "fidelity.csv",
        "atlas-icons.png",
        "atlas-icons.svg",
    }
    again = ends(f"{called} -v").stderr
    assert " icons of conv: about" not in again
    assert contents(folder_of()) == first
    parameters = json.loads(first["parameters.json"])
    table = pd.read_csv(folder_of() / "fidelity.csv")
    assert parameters["fidelity"]["value"] == table["own"].mean()
    assert parameters["fidelity"]["n"] == len(table) == parameters["n_cells"]
    assert parameters["recipe"]["steps"] == 2


def test_with_icons_alone_the_map_is_of_them():
    ends(f"{RENDER} --icons optimize --icon-size 32 --steps 2 -q")
    assert {path.name for path in folder_of().iterdir()} == FILES | {"icons.png", "fidelity.csv"}


def test_all_layers_that_were_collected_are_drawn_or_those_asked_for():
    plant(*points(seed=3), layer="deep")
    result = errlens.atlas_render("seen", grid=6, min_density=3, layout="pca")
    assert [of_layer.layer for of_layer in result.layers] == ["conv", "deep"]
    assert repr(result).startswith("<an atlas: ")
    assert "atlas.png" in result.figures
    assert "<table" in result._repr_html_()
    one = errlens.atlas_render("seen", layer="deep", grid=6, min_density=3, layout="pca")
    assert [of_layer.layer for of_layer in one.layers] == ["deep"]


def test_json_is_one_object_with_the_cells():
    said = json.loads(ends(f"{RENDER} --json").stdout)
    (layer,) = said["layers"]
    assert layer["layer"] == "conv"
    assert len(layer["cells"]) == len(pd.read_csv(folder_of() / "cells.csv"))


def test_what_was_made_of_other_points_is_made_anew_by_the_same_call():
    ends(f"{RENDER} -q")
    before = json.loads((folder_of() / "made_from.json").read_text())["run_hash"]
    record = Path("seen/atlas/conv/made_from.json")
    made_from = json.loads(record.read_text())
    made_from["options"]["seed"] = 5
    record.write_text(json.dumps(made_from))
    ends(f"{RENDER} -q")
    assert json.loads((folder_of() / "made_from.json").read_text())["run_hash"] != before


def test_photos_that_are_gone_are_told_and_the_next_source_shows_the_cell():
    ends(f"{RENDER} -q")
    sources = read_declared(folder_of() / "sources.csv", SOURCE_COLUMNS)
    gone = sources[sources["rank"] == 1]["sample_id"].iloc[0]
    (Path("photos") / gone).unlink()
    said = ends(f"{RENDER} --data-root photos")
    assert f"not shown: '{gone}'" in said.stderr
    tiles = np.asarray(Image.open(folder_of() / "sources.png"))
    assert (tiles[:64, :64] == 238).all()
    icon = np.asarray(Image.open(folder_of() / "patches.png"))[:96, :96]
    assert (icon != 238).any()


def test_without_any_photo_there_are_numbers_and_a_warning():
    Path("photos").rename("moved")
    Path("photos").mkdir()
    said = ends(f"{RENDER} --data-root photos")
    assert "no patch was cut" in said.stderr
    names = {path.name for path in folder_of().iterdir()}
    assert names == FILES - {"patches.png", "sources.png", "atlas.png", "atlas.svg"}


def test_points_of_one_image_make_a_map():
    activations, attributions, _ = points()
    plant(activations[:40], attributions[:40], [4] * 40)
    ends("atlas render seen --grid 3 --min-density 3 --layout pca -q")
    cells = read_declared(folder_of() / "cells.csv", CELL_COLUMNS)
    sources = read_declared(folder_of() / "sources.csv", SOURCE_COLUMNS)
    assert (cells["n_images"] == 1).all()
    assert (sources["rank"] == 1).all()


def test_fewer_points_than_cells_are_drawn_on_a_coarser_grid():
    activations, attributions, rows = points()
    plant(activations[:20], attributions[:20], rows[:20])
    said = refused("atlas render seen", exit_code=2)
    assert "no cell of the 12 x 12 grid has 8 points" in said
    assert "of 20" in said


def test_many_points_in_sparse_cells_are_told_with_a_grid_that_shows_them():
    said = ends("atlas render seen --grid 20 --min-density 8 --layout pca --icon-size 32").stderr
    assert "are in cells of fewer than 8: --grid " in said
    grid = said.partition("--grid ")[2].split()[0]
    assert "in cells of fewer than" not in ends(
        f"atlas render seen --min-density 8 --layout pca --grid {grid}"
    ).stderr  # fmt: skip


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        ("--layer nowhere", 3, "errlens atlas collect seen --layer nowhere"),
        ("--opacity reed", 2, "did you mean red, green?"),
        ("--mark 3.4=eye", 2, "is not of the form ROW,COL=CAPTION"),
        ("--mark 3,4=", 2, "is not of the form ROW,COL=CAPTION"),
        ("--mark 6,0=eye", 2, "rows and columns count from 0 to 5"),
        ("--mark 0,9999=eye", 2, "rows and columns count from 0 to 5"),
        ("--grid 1", 2, "--grid"),
        ("--icon-size 10", 2, "--icon-size"),
        ("--data-root nothing", 2, "is no folder"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_written(options, code, said):
    told = refused(f"{RENDER} {options}", exit_code=code)
    assert said in " ".join(told.split())
    assert not folder_of().exists()


def test_a_cell_that_is_not_drawn_cannot_be_marked_and_others_are_named():
    ends(f"{RENDER} -q")
    cells = read_declared(folder_of() / "cells.csv", CELL_COLUMNS)
    there = set(zip(cells["cell_row"], cells["cell_column"], strict=True))
    row, column = next(
        (row, column) for row in range(6) for column in range(6) if (row, column) not in there
    )
    called = f"{RENDER} --mark {row},{column}=eye"
    said = refused(called, exit_code=2)
    assert "that cell is not drawn" in said
    named = said.partition("near it: ")[2].split(" and ")
    assert {tuple(map(int, name.split(","))) for name in named} <= there


def test_a_mark_is_for_one_layer():
    plant(*points(seed=3), layer="deep")
    said = refused("atlas render seen --mark 1,1=eye", exit_code=2)
    assert "--layer deep" in said


def test_a_run_without_points_or_without_a_model_is_told_what_to_do():
    shutil.rmtree("seen/atlas")
    assert "errlens atlas collect seen" in refused("atlas render seen", exit_code=3)
    pd.DataFrame({"path": ["a.png"], "label": ["red"], "pred": ["red"]}).to_csv("t.csv")
    ends("import t.csv -o imported -q")
    assert "model" in refused("atlas render imported", exit_code=3)
