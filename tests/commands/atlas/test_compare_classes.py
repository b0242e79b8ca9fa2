"""`errlens atlas compare`, as a user meets it."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import errlens
from errlens.analysis.atlas.collected import read_collected
from tests.commands.atlas.planted_runs import copied, make
from tests.conftest import contents, ends, refused

pytestmark = pytest.mark.usefixtures("here")
MODULE = "compare_nets"
FOLDER = Path("run/atlas/layer4/compare-green__red")
LAST = "--layer layer4 --layout pca"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("compared")
    make(folder, MODULE)
    return folder


@pytest.fixture
def here(made, tmp_path, monkeypatch):
    return copied(made, tmp_path / "here", MODULE, monkeypatch)


def test_either_class_has_its_side_and_the_mark_lies_between():
    said = ends(f"atlas compare run green~red {LAST}").stdout
    assert "green less red at layer layer4" in said
    assert "For both: " in said
    files = {*contents(FOLDER)}
    assert files >= {"layout.parquet", "cells.csv", "sources.csv", "atlas.png", "atlas.svg"}
    cells = pd.read_csv(FOLDER / "cells.csv")
    layout = pd.read_parquet(FOLDER / "layout.parquet")
    attributions = read_collected(errlens.open_run("run"), "layer4").attributions[layout["point"]]
    difference = attributions[:, 1] - attributions[:, 2]
    np.testing.assert_allclose(
        layout["x"], (1 + np.clip(difference / np.percentile(np.abs(difference), 99), -1, 1)) / 2,
        atol=1e-6,
    )  # fmt: skip
    means = pd.Series(difference).groupby(layout["cell"]).mean().drop(index=-1, errors="ignore")
    np.testing.assert_allclose(cells["difference"], means, rtol=1e-4, atol=1e-6)
    assert layout["point"].is_unique
    told = json.loads((FOLDER / "parameters.json").read_text())
    assert (told["kind"], told["classes"], told["grid"]) == ("compare", ["green", "red"], 10)


def test_exchanging_the_classes_mirrors_the_map():
    ends(f"atlas compare run green red {LAST} -q")
    ends(f"atlas compare run red green {LAST} -q")
    one = pd.read_parquet(FOLDER / "layout.parquet")
    other = pd.read_parquet("run/atlas/layer4/compare-red__green/layout.parquet")
    assert one["point"].tolist() == other["point"].tolist()
    np.testing.assert_allclose(one["x"], 1 - other["x"], atol=1e-12)
    np.testing.assert_allclose(one["y"], other["y"], atol=1e-9)


def test_pairs_come_in_all_spellings_each_once():
    def names(*words):
        result = errlens.atlas_compare("run", classes=[*words], layer="layer4", layout="pca")
        return [atlas.names for atlas in result.atlases]

    assert names("green~red", "red~green", "blue~red") == [("green", "red"), ("blue", "red")]
    assert names("Green", "blue") == [("green", "blue")]
    result = errlens.atlas_compare("run", select="green~red", layer="layer4", layout="pca")
    assert "classes compared: " in repr(result)
    assert "atlas.png" in result.figures
    first = contents(FOLDER)
    ends(f"atlas compare run green~red {LAST} -q")
    assert contents(FOLDER) == first


def test_the_first_pairs_of_confusion_can_be_selected():
    said = refused(f"atlas compare run --select pairs:1 {LAST}", exit_code=3)
    assert "errlens confusion run" in said
    ends("confusion run -q")
    assert "no two classes" in refused(f"atlas compare run --select pairs:1 {LAST}", exit_code=2)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("", "as in: 'blue~red'"),
        ("green", "are no two classes"),
        ("green red blue", "are no two classes"),
        ("green green", "green is given twice"),
        ("green~rde", "did you mean red?"),
        ("green rde", "did you mean red?"),
        ("--select errors", "is no pair"),
        ("green~red --mark 0,0=x", "--mark is for one map"),
    ],
)
def test_what_is_no_pair_is_said(words, says):
    assert says in " ".join(refused(f"atlas compare run {words}", exit_code=2).split())


def test_classes_that_nothing_adds_to_have_no_map():
    path = "run/atlas/layer4/attributions.npy"
    np.save(path, -np.abs(np.load(path)))
    said = refused(f"atlas compare run blue~red {LAST}", exit_code=3)
    assert "no point of layer layer4 adds to blue or to red" in said


def test_json_is_one_object():
    told = json.loads(ends(f"atlas compare run green~red {LAST} --json").stdout)
    (pair,) = told["pairs"]
    assert pair["classes"] == ["green", "red"]
    assert {"difference", "n_pair_errors"} <= {*pair["cells"][0]}


def test_errors_of_the_pair_are_counted_and_named_next():
    path = Path("run/atlas/layer4/points.parquet")
    table = pd.read_parquet(path)
    wrong = table["row"] == table["row"].max()  # a red one
    table.loc[wrong, "pred"] = 1
    table["label"], table["pred"] = (table[name].astype("int32") for name in ("label", "pred"))
    table.to_parquet(path)
    said = ends(f"atlas compare run green~red {LAST}").stdout
    assert "error of the pair" in said
    assert "errlens explain run --select" in said
    cells = pd.read_csv(FOLDER / "cells.csv")
    assert cells["n_pair_errors"].sum() >= 1


def test_without_labels_no_pair_is_confused():
    Path("photos").rename("sorted")
    for number, photo in enumerate(sorted(Path("sorted").rglob("*.png"))):
        Path("photos").mkdir(exist_ok=True)
        photo.rename(f"photos/{number}.png")
    model = f"--model {MODULE}:colours --img-size 16 --mean 0 0 0 --std 1 1 1"
    ends(f"evaluate photos {model} -o bare -q")
    said = refused("atlas compare bare --select pairs:1", exit_code=3)
    assert "no image of 'bare' has both a label and a prediction" in said
