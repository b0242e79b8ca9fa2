"""`errlens network embed`, as a user meets it."""

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.decomposition import PCA

import errlens
from errlens.analysis.embedding.neighbours import NEIGHBOUR_COLUMNS
from errlens.commands.network.embed.result import MAP_COLUMNS
from errlens.network.embed.asked_features import Asker
from errlens.run.csv_tables import read_declared
from tests.conftest import COLOURS, contents, ends, make_run, paint, paint_colours, refused

NETS = """
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self, num_classes=3):
        super().__init__()
        self.head = nn.Linear(12, num_classes)
        with torch.no_grad():
            self.head.weight.zero_()
            self.head.bias.zero_()
            for row, channel in enumerate((2, 1, 0)):
                self.head.weight[row, 4 * channel : 4 * channel + 4] = 5.0

    def features(self, images):
        return nn.functional.adaptive_avg_pool2d(images, 2).flatten(1)

    def forward(self, images):
        return self.head(self.features(images))


class Same(Net):
    def features(self, images):
        return 0 * super().features(images) + 1


def net():
    return Net()


def same():
    return Same()
"""
FILES = ["map.csv", "neighbours.csv", "parameters.json", "map.png", "photos.png", "neighbours.png"]
MODEL = "-q --img-size 16 --mean 0 0 0 --std 1 1 1"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Photos, one of them under a wrong label, and a run with features and one without."""
    folder = tmp_path_factory.mktemp("mapped")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(sys, "path", list(sys.path))
        paint_colours(Path("photos"))
        Path("mapped.py").write_text(NETS)
        ends(f"evaluate photos --model mapped:net -o run {MODEL}")
        ends(f"evaluate photos --model mapped:net -o bare --keep none {MODEL}")
        sys.modules.pop("mapped")
    return folder


@pytest.fixture
def here(made, tmp_path, monkeypatch):
    shutil.copytree(made, tmp_path / "here")
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "mapped", raising=False)
    for run in ("run", "bare"):  # they recorded where the photos were
        info = json.loads(Path(run, "run.json").read_text())
        info["data_root"] = str(Path("photos").absolute())
        Path(run, "run.json").write_text(json.dumps(info))
    return tmp_path / "here"


def table(name, columns, run="run"):
    return read_declared(Path(run, "network/embed", name), columns)


def drawn(run="run"):
    return table("map.csv", MAP_COLUMNS, run)


def near(run="run"):
    return table("neighbours.csv", NEIGHBOUR_COLUMNS, run)


@pytest.mark.usefixtures("here")
def test_it_makes_a_map_neighbours_and_pictures():
    said = ends("network embed run").stdout
    assert "Of" not in said.splitlines()[0]
    assert "1 error lies among right images: 1 mostly among those of the class predicted" in said
    assert sorted(contents("run/network/embed")) == sorted([*FILES, "made_from.json"])
    for name in FILES[3:]:
        with Image.open(Path("run/network/embed", name)) as picture:
            assert min(picture.size) > 150
    table = drawn()
    assert table["row"].tolist() == list(range(12))
    assert table.loc[table["right"] == 0, "path"].tolist() == ["red/3.png"]
    assert {*table["colour"]} == {*COLOURS}


@pytest.mark.usefixtures("here")
def test_the_map_is_that_of_scikit_learn_and_neighbours_are_by_cosine():
    ends("network embed run -q --neighbours 11")
    values = np.load("run/features/part-00000.npy").astype(float)
    units = values / np.linalg.norm(values, axis=1, keepdims=True)
    table, found = drawn(), near()
    theirs = PCA(2).fit_transform(units)
    np.testing.assert_allclose(np.abs(table[["x", "y"]]), np.abs(theirs), atol=1e-5)
    row = int(table.loc[table["right"] == 0, "row"].iloc[0])
    cosine = units @ units[row]
    right = np.flatnonzero(table["right"] == 1)
    expected = right[np.argsort(-np.round(cosine[right], 12), kind="stable")]
    assert found["neighbour_row"].tolist() == expected.tolist()
    np.testing.assert_allclose(found["similarity"], cosine[expected], atol=1e-9)


@pytest.mark.usefixtures("here")
def test_a_copy_among_training_images_is_found_with_its_label():
    paint_colours(Path("train"))
    shutil.copy("photos/red/3.png", "train/blue/copy.png")
    said = ends("network embed run --train train").stdout
    assert "1 error has a copy among training images" in " ".join(said.split())
    first = near().query("among == 'training' and rank == 1").iloc[0]
    # The training photo of the same name is the very file as well, and comes later by its name.
    assert (first["neighbour_path"], first["neighbour_label"]) == ("blue/copy.png", "blue")
    assert (first["copy"], first["argues_for"]) == ("file", "neither")
    assert first["similarity"] == pytest.approx(1.0)


@pytest.mark.usefixtures("here")
def test_a_copy_among_right_images_is_told():
    shutil.copy("photos/red/3.png", "photos/green/copy.png")
    ends(f"evaluate photos --model mapped:net -o twice {MODEL}")
    ends("network embed twice -q")
    first = near("twice").iloc[0]
    assert (first["path"], first["neighbour_path"]) == ("red/3.png", "green/copy.png")
    assert (first["copy"], first["argues_for"]) == ("file", "prediction")


@pytest.mark.usefixtures("here")
def test_without_features_the_model_is_asked_and_says_the_same_however_it_is_asked():
    ends("network embed run -q --train photos")
    for options in ("", "--batch-size 1 --workers 1", "--batch-size 5 --workers 3 --threads 2"):
        ends(f"network embed bare -q --train photos {options}")
        np.testing.assert_allclose(drawn("bare")[["x", "y"]], drawn()[["x", "y"]], atol=1e-3)
        assert near("bare")["neighbour_path"].tolist() == near()["neighbour_path"].tolist()


@pytest.mark.usefixtures("here")
def test_photos_that_are_gone_or_changed_are_left_out_where_the_model_is_asked():
    Path("photos/blue/0.png").unlink()
    paint(Path("photos/blue/1.png"), "red")
    said = ends("network embed bare").stderr
    assert "2 images not on the map: no longer readable, or other files by now" in said
    assert len(drawn("bare")) == 10


@pytest.mark.parametrize("method", ["pca", "tsne"])
@pytest.mark.usefixtures("here")
def test_each_image_has_its_place_whatever_the_order_of_the_rows(method):
    paths = sorted(path.relative_to("photos") for path in Path("photos").rglob("*.png"))
    for name, order in (("straight", paths), ("turned", paths[::-1])):
        rows = [(str(path), path.parts[0]) for path in order]
        pd.DataFrame(rows, columns=["path", "label"]).to_csv("list.csv", index=False)
        ends(f"evaluate list.csv --root photos --model mapped:net -o {name} --batch-size 1 {MODEL}")
        ends(f"network embed {name} -q --method {method}")
    straight, turned = (
        drawn(name).set_index("path")[["x", "y"]] for name in ("straight", "turned")
    )
    pd.testing.assert_frame_equal(straight, turned.loc[straight.index])


@pytest.mark.usefixtures("here")
def test_a_second_call_writes_the_same_bytes():
    ends("network embed run -q --method tsne")
    before = contents("run/network/embed")
    ends("network embed run -q --method tsne")
    assert contents("run/network/embed") == before


@pytest.mark.usefixtures("here")
def test_all_right_or_without_labels_there_is_a_map_without_neighbours():
    Path("photos/red/3.png").unlink()
    ends(f"evaluate photos --model mapped:net -o good {MODEL}")
    assert "No image on the map is wrong." in ends("network embed good").stdout
    flat = Path("flat")
    flat.mkdir()
    for number, path in enumerate(sorted(Path("photos").rglob("*.png"))):
        shutil.copy(path, flat / f"{number}.png")
    Path("names.txt").write_text("".join(f"{name}\n" for name in COLOURS))
    ends(f"evaluate flat --model mapped:net --classes names.txt -o plain {MODEL}")
    assert "No image has a label" in ends("network embed plain").stdout
    for run in ("good", "plain"):
        assert not len(near(run))
        assert "neighbours.png" not in contents(f"{run}/network/embed")


@pytest.mark.usefixtures("here")
def test_two_images_and_one_class_have_a_map():
    paint(Path("two/red/a.png"), "red", seed=1)
    paint(Path("two/red/b.png"), "green", seed=2)
    ends(f"evaluate two --model mapped:net --classes {names_file()} -o two-run {MODEL}")
    ends("network embed two-run -q")
    assert np.isfinite(drawn("two-run")[["x", "y"]]).all(axis=None)
    assert "--method pca" in refused("network embed two-run -q --method tsne", exit_code=2)


def names_file():
    Path("names.txt").write_text("".join(f"{name}\n" for name in COLOURS))
    return "names.txt"


@pytest.mark.usefixtures("here")
def test_features_that_are_all_the_same_or_no_numbers_are_refused():
    ends(f"evaluate photos --model mapped:same -o same {MODEL}")
    assert "point the same way" in refused("network embed same -q", exit_code=3)
    values = np.load("run/features/part-00000.npy")
    for filled, n in ((np.nan, 12), (0, 12), (np.inf, 11)):
        np.save("run/features/part-00000.npy", np.where(np.arange(12)[:, None] < n, filled, values))
        said = refused("network embed run -q", exit_code=3)
        assert f"{n} images without features" in said
    assert not Path("same/network").exists()


@pytest.mark.usefixtures("here")
def test_images_without_usable_features_are_left_out_and_counted():
    values = np.load("run/features/part-00000.npy")
    values[4] = np.nan
    np.save("run/features/part-00000.npy", values)
    assert "1 image not on the map" in ends("network embed run").stderr
    assert drawn()["row"].tolist() == [0, 1, 2, 3, *range(5, 12)]


@pytest.mark.usefixtures("here")
def test_an_imported_run_is_refused():
    rows = [("red/0.png", "red", "red"), ("red/1.png", "red", "blue")]
    make_run(pd.DataFrame(rows, columns=["path", "label", "pred"]), "elsewhere", classes=COLOURS)
    assert "it has no model" in refused("network embed elsewhere -q", exit_code=3)


@pytest.mark.usefixtures("here")
def test_training_images_must_be_there_and_of_the_classes_of_the_run():
    assert "gone" in refused("network embed run -q --train gone", exit_code=3)
    Path("empty").mkdir()
    assert "no image" in refused("network embed run -q --train empty", exit_code=3)
    paint_colours(Path("others"))
    for colour in COLOURS:
        Path("others", colour).rename(Path("others", f"very {colour}"))
    assert "no image of a class" in refused("network embed run -q --train others", exit_code=2)
    paint(Path("mixed/red/a.png"), "red")
    paint(Path("mixed/ox/b.png"), "red")
    ends("network embed run -q --train mixed")
    assert {*near().query("among == 'training'")["neighbour_label"]} == {"red"}


@pytest.mark.usefixtures("here")
def test_without_the_extra_the_command_that_installs_it_is_said(monkeypatch):
    monkeypatch.setattr("errlens.analysis.embedding.tsne.find_spec", lambda _name: None)
    said = refused("network embed run -q --method tsne", exit_code=2)
    assert "pip install 'errlens[map]'" in said


@pytest.mark.usefixtures("here")
def test_what_was_there_stays_where_a_call_is_interrupted(monkeypatch):
    ends("network embed run -q")
    before = contents("run")

    def interrupted(*_args, **_how):
        raise KeyboardInterrupt

    monkeypatch.setattr("errlens.commands.network.embed.pictures.draw_map", interrupted)
    ends("network embed run -q --method tsne", 130)
    assert contents("run") == before


@pytest.mark.usefixtures("here")
def test_in_python_and_as_json():
    result = errlens.network_embed("run")
    assert len(result.tables.map) == 12
    assert "a map of 12 images, 1 error" in repr(result)
    assert [*result.figures] == ["map.png", "photos.png", "neighbours.png"]
    tree = json.loads(ends("network embed run --json").stdout)
    assert tree["n_errors"] == 1
    assert tree["trust"]["n"] == 12


@pytest.mark.usefixtures("here")
def test_without_features_and_photos_there_is_no_map():
    shutil.rmtree("photos")
    said = refused("network embed bare -q", exit_code=3)
    assert "0 images with features: no map; 12 images no longer readable" in " ".join(said.split())


@pytest.mark.usefixtures("here")
def test_where_nothing_is_wrong_no_training_image_is_read(monkeypatch):
    Path("photos/red/3.png").unlink()
    ends(f"evaluate photos --model mapped:net -o good {MODEL}")
    monkeypatch.setattr(Asker, "parts", None)
    ends("network embed good -q --train photos")
    assert parameters("good")["n_training"] == 0
    assert "gone" in refused("network embed good -q --train gone", exit_code=3)


@pytest.mark.usefixtures("here")
def test_one_image_has_no_map():
    paint(Path("one/red/a.png"), "red")
    ends(f"evaluate one --model mapped:net --classes {names_file()} -o alone {MODEL}")
    assert "1 image with features: no map" in refused("network embed alone -q", exit_code=3)


def parameters(run):
    return json.loads(Path(run, "network/embed/parameters.json").read_text())
