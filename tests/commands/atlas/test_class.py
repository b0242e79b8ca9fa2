"""`errlens atlas class`, as a user meets it."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import errlens
from errlens.analysis.atlas.classes.class_points import class_points
from errlens.analysis.atlas.classes.concepts import CONCEPT_COLUMNS
from errlens.analysis.atlas.classes.senses import SENSE_COLUMNS
from errlens.analysis.atlas.classes.suspects import SUSPECT_COLUMNS
from errlens.analysis.atlas.collected import read_collected
from errlens.run.csv_tables import read_declared
from tests.commands.atlas.planted_runs import EACH, copied, make, plant
from tests.conftest import COLOURS, contents, ends, make_run, refused

pytestmark = pytest.mark.usefixtures("here")
MODULE = "class_nets"
FOLDER = Path("run/atlas/layer4/class-red")
TABLES = {
    "suspects.csv": SUSPECT_COLUMNS,
    "concepts.csv": CONCEPT_COLUMNS,
    "senses.csv": SENSE_COLUMNS,
}
LAST = "--layer layer4 --layout pca"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("classes")
    make(folder, MODULE)
    return folder


@pytest.fixture
def here(made, tmp_path, monkeypatch):
    return copied(made, tmp_path / "here", MODULE, monkeypatch)


@pytest.fixture
def outlines(here):
    """In `here`, the object is the left half of each photo."""
    half = {"width": 12, "height": 10, "polygons": [[0, 0, 5.5, 0, 5.5, 10, 0, 10]]}
    paths = [f"{colour}/{index}.png" for colour in COLOURS for index in range(EACH)]
    (here / "outlines.json").write_text(json.dumps(dict.fromkeys(paths, half)))


def test_the_mark_is_the_first_suspect():
    said = ends(f"atlas class run red {LAST}")
    assert "Suspects of red at layer layer4:" in said.stdout
    files = {*contents(FOLDER)}
    assert files >= {
        "layout.parquet", "cells.csv", "cells.npz", "sources.csv", "patches.png", "sources.png",
        "atlas.png", "atlas.svg", "parameters.json", *TABLES,
    }  # fmt: skip
    suspects = read_declared(FOLDER / "suspects.csv", SUSPECT_COLUMNS)
    assert (suspects["other_class"] == "green").all()
    first = suspects.iloc[0]
    labels = errlens.open_run("run").read_predictions(("label_name",)).table.to_pydict()
    assert labels["label_name"][first["row"]] == "green"  # the other class's photo
    assert first["place_column"] == 2  # where the mark is
    assert (first["bottom"] - first["top"]) == first["right"] - first["left"] > 0
    assert suspects["background_share"].isna().all()
    said_in_file = json.loads((FOLDER / "parameters.json").read_text())
    assert (said_in_file["kind"], said_in_file["class"]) == ("class", "red")
    for name, columns in TABLES.items():
        assert [*read_declared(FOLDER / name, columns).columns] == [*columns]


def test_points_are_those_of_the_class_each_once():
    ends(f"atlas class run red {LAST} -q")
    layout = pd.read_parquet(FOLDER / "layout.parquet")
    collected = read_collected(errlens.open_run("run"), "layer4")
    expected = class_points(collected.attributions, collected.table["top_class"].to_numpy(), 2)
    assert layout["point"].tolist() == expected.tolist()
    cells = pd.read_csv(FOLDER / "cells.csv")
    means = pd.DataFrame(collected.attributions[layout["point"]]).groupby(layout["cell"]).mean()
    means = means.drop(index=-1, errors="ignore")
    np.testing.assert_allclose(cells["attribution"], means[2], rtol=1e-5)
    ranks = means.rank(axis=1, ascending=False)[2].astype(int)
    assert cells["rank_of_class"].tolist() == ranks.tolist()
    suspects = pd.read_csv(FOLDER / "suspects.csv")
    assert {*suspects["cell"]} == {*cells.loc[cells["rank_of_class"] > 1, "cell"]}


@pytest.mark.usefixtures("outlines")
def test_outlines_tell_the_share_of_background():
    said = ends(f"atlas class run red {LAST} --masks outlines.json").stdout
    assert "red relies on background at " in said
    suspects = pd.read_csv(FOLDER / "suspects.csv")
    assert (suspects["background_share"] > 0.85).all()  # the mark lies at the right
    cells = pd.read_csv(FOLDER / "cells.csv")
    own = cells[cells["rank_of_class"] == 1]
    assert (own["background_share"] < 0.15).all()


def test_several_classes_and_layers_have_an_atlas_each_and_the_same_bytes():
    result = errlens.atlas_class("run", classes=["red", "Green", "red"], layout="pca")
    assert [(atlas.layer, atlas.name) for atlas in result.atlases] == [
        ("layer3", "red"), ("layer3", "green"), ("layer4", "red"), ("layer4", "green"),
    ]  # fmt: skip
    assert "class atlases: " in repr(result)
    assert "atlas.png" in result.figures
    first = contents("run/atlas/layer4/class-green")
    ends("atlas class run green --layout pca -q")
    assert contents("run/atlas/layer4/class-green") == first


def test_without_a_run_the_newest_is_taken():
    Path("runs").mkdir()
    shutil.move("run", "runs/run")
    assert "the newest run" in ends(f"atlas class red green {LAST}").stderr
    assert Path("runs", FOLDER).is_dir()
    assert "no run" in refused("atlas class runs/rum red", exit_code=3)


def test_json_is_one_object():
    told = json.loads(ends(f"atlas class run red {LAST} --json").stdout)
    assert told["command"] == "atlas class"
    (atlas,) = told["classes"]
    assert atlas["class"] == "red"
    assert atlas["suspects"][0]["other_class"] == "green"
    assert atlas["sentences"]


@pytest.mark.parametrize(
    ("words", "exit_code", "says"),
    [
        ("", 2, "no CLASS is named"),
        ("rde", 2, "did you mean red?"),
        ("zebra", 2, "there are 'blue', 'green', 'red'"),
        ("red --layer layer9", 3, "errlens atlas collect run --layer layer9"),
        ("red --mark 0,0=x", 2, "--mark is for one map"),
        ("red --mark 9,9=x --layer layer4 --layout pca", 2, "rows and columns count from 0 to 7"),
        ("red --min-density 9999 --layout pca", 2, "--min-density"),
        ("red --masks nothing.json --layout pca", 3, "nothing.json"),
    ],
)
def test_what_cannot_be_done_is_said(words, exit_code, says):
    assert says in " ".join(refused(f"atlas class run {words}", exit_code=exit_code).split())


def test_a_class_that_nothing_adds_to_has_no_atlas():
    plant(layer="layer4", n_kinds=2)
    said = refused("atlas class run red --layer layer4", exit_code=3)
    assert "no point of layer layer4 adds to red" in said
    assert "points add the most to 'blue', 'green'" in said


def test_older_points_and_imported_runs_are_refused():
    rows = pd.DataFrame({"path": ["a.png"], "label": ["cat"], "pred": ["dog"]})
    make_run(rows, "imported", classes=("cat", "dog"))
    assert "model" in refused("atlas class imported cat", exit_code=3)
    shutil.rmtree("run/atlas")
    assert "errlens atlas collect run" in refused("atlas class run red", exit_code=3)


def test_photos_that_are_gone_leave_the_numbers():
    shutil.rmtree("photos")
    said = ends(f"atlas class run red {LAST} -q")
    assert "--data-root DIR" in said.stderr
    assert not (FOLDER / "atlas.png").exists()
    concepts = pd.read_csv(FOLDER / "concepts.csv")
    assert (concepts["n_patches"] == 0).all()
    assert len(pd.read_csv(FOLDER / "suspects.csv"))


def test_the_first_suspects_are_framed_unless_others_are():
    ends(f"atlas class run red {LAST} -q")
    framed = Image.open(FOLDER / "atlas.png").convert("RGB")
    vermilion = (np.asarray(framed) == (213, 94, 0)).all(axis=2).sum()
    assert vermilion > 100


def test_a_refusal_names_its_map():
    said = refused(f"atlas class run red {LAST} --min-density 10000", exit_code=2)
    assert said.startswith("error: red at layer layer4: no cell of the 8 x 8 grid has 10,000")


def test_steps_are_recorded():
    ends(f"atlas class run red {LAST} --steps 7")
    assert json.loads((FOLDER / "made_from.json").read_text())["options"]["steps"] == 7
