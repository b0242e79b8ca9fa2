"""`errlens network evolution`, as a user meets it."""

import json
import shutil
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from torch import nn

import errlens
from errlens.analysis.evolution.settling import SETTLED_COLUMNS
from errlens.analysis.evolution.training import PAIR_COLUMNS, TRAINING_COLUMNS
from errlens.commands.network.evolution.tables import EVOLUTION_COLUMNS
from errlens.commands.network.features.tables import FEATURES_COLUMNS
from errlens.run.csv_tables import read_declared
from tests.conftest import COLOURS, contents, ends, paint_colours, refused

NETS = """
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self, num_classes=3):
        super().__init__()
        self.stem = nn.Conv2d(3, 6, 3)
        self.act = nn.ReLU()
        self.pool = nn.MaxPool2d(2)
        self.deep = nn.Conv2d(6, 8, 3, padding=1)
        self.head = nn.Linear(8, num_classes)

    def forward(self, images):
        x = self.act(self.deep(self.pool(self.act(self.stem(images)))))
        return self.head(x.mean((2, 3)))


def net(num_classes=3):
    torch.manual_seed(0)
    return Net(num_classes)
"""
CALL = "network evolution net --checkpoints 'saved/e*.pth'"
TABLES = {
    "evolution": EVOLUTION_COLUMNS,
    "settled": SETTLED_COLUMNS,
    "training": TRAINING_COLUMNS,
    "pairs": PAIR_COLUMNS,
}


def weights(seed):
    """Return weights of the network above."""
    torch.manual_seed(seed)
    parts = {"stem": nn.Conv2d(3, 6, 3), "deep": nn.Conv2d(6, 8, 3), "head": nn.Linear(8, 3)}
    return {f"{name}.{key}": value for name, part in parts.items()
            for key, value in part.state_dict().items()}  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Photos, a network, its checkpoints of which one is there twice, and a run of the last."""
    folder = tmp_path_factory.mktemp("evolution")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(sys, "path", list(sys.path))
        paint_colours(Path("photos"))
        Path("grown_nets.py").write_text(NETS)
        Path("saved").mkdir()
        for name, seed in (("e2", 1), ("e9", 2), ("e10", 3)):
            torch.save(weights(seed), f"saved/{name}.pth")
        shutil.copy("saved/e9.pth", "saved/e9b.pth")
        call = "evaluate photos --model grown_nets:net --img-size 16 -q"
        ends(f"{call} --checkpoint saved/e10.pth -o net")
        ends(f"{call} --checkpoint saved/e2.pth -o early")
        ends(f"{call.replace('photos', 'photos/red')} --checkpoint saved/e10.pth -o bare")
        sys.modules.pop("grown_nets")
    return folder


@pytest.fixture
def here(made, tmp_path, monkeypatch):
    shutil.copytree(made, tmp_path / "here")
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "grown_nets", raising=False)
    for run, photos in (("net", "photos"), ("early", "photos"), ("bare", "photos/red")):
        info = json.loads(Path(run, "run.json").read_text())
        info["data_root"] = str(Path(photos).absolute())
        Path(run, "run.json").write_text(json.dumps(info))
    return tmp_path / "here"


def table(name, run="net"):
    return read_declared(Path(run, "network/evolution", f"{name}.csv"), TABLES[name])


@pytest.mark.usefixtures("here")
def test_it_writes_tables_sheets_and_lines_in_the_order_of_the_numbers():
    said = ends(f"{CALL} --layer stem,deep --channels 4,1 --pair red~blue")
    assert set(contents("net/network/evolution")) == {
        "made_from.json", "evolution.json", *(f"{name}.csv" for name in TABLES),
        "sheets/stem.png", "sheets/deep.png", "settled.png", "training.png",
    }  # fmt: skip
    order = ["e2", "e9", "e9b", "e10"]
    for name, columns in TABLES.items():
        read = table(name)
        assert list(read) == list(columns)
        assert list(dict.fromkeys(read["checkpoint"])) == order
    assert "e9b has the same weights as e9" in said.stderr
    assert "red and blue " in " ".join(said.stdout.split())
    for picture in Path("net/network/evolution").rglob("*.png"):
        with Image.open(picture) as drawn:
            assert min(drawn.size) > 150
    parameters = json.loads(Path("net/network/evolution/evolution.json").read_text())
    assert parameters["checkpoints"][2]["same_as"] == "e9"
    assert (parameters["n_images"], parameters["projection"]) == (12, "deconvnet")


@pytest.mark.usefixtures("here")
def test_the_same_weights_twice_give_equal_columns():
    ends(f"{CALL} --layer deep --channels random:8 -q")
    for name in TABLES:
        read = table(name)
        once, again = (
            read[read["checkpoint"] == each].drop(columns=["checkpoint", "jump"], errors="ignore")
            for each in ("e9", "e9b")
        )
        pd.testing.assert_frame_equal(once.reset_index(drop=True), again.reset_index(drop=True))
    evolution = table("evolution")
    assert not evolution.loc[evolution["checkpoint"] == "e9b", "jump"].any()


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("channels", ["random:5", "strongest:3", "5,0"])
def test_the_last_column_is_what_features_finds(channels):
    asked = f"--layer stem,deep --channels {channels} -q"
    ends(f"{CALL} {asked}")
    ends(f"network features net --top 1 {asked}")
    last = table("evolution").query("checkpoint == 'e10'").dropna(subset="image_id")
    features = read_declared(Path("net/network/features/features.csv"), FEATURES_COLUMNS)
    for ours, theirs in (
        ("layer", "layer"), ("channel", "channel"), ("image_id", "sample_id"), ("path", "path"),
        ("row", "unit_row"), ("column", "unit_column"),
    ):  # fmt: skip
        assert last[ours].tolist() == features[theirs].tolist(), ours
    np.testing.assert_allclose(last["activation"], features["value"], rtol=1e-5)


@pytest.mark.usefixtures("here")
def test_a_jump_is_where_the_image_is_another_one():
    ends(f"{CALL} --layer stem,deep --channels random:8 -q")
    evolution = table("evolution")
    for _, rows in evolution.groupby(["layer", "channel"]):
        images = rows["image_id"].fillna("none").tolist()
        changed = [False, *(a != b for a, b in pairwise(images))]
        assert rows["jump"].tolist() == changed


@pytest.mark.usefixtures("here")
def test_accuracy_loss_and_calibration_are_those_that_evaluate_measures():
    ends(f"{CALL} -q")
    training = table("training").set_index("checkpoint")
    for name, run in (("e10", "net"), ("e2", "early")):
        measured = json.loads(Path(run, "metrics.json").read_text())
        assert training.loc[name, "accuracy"] == measured["top1"]["value"]
        assert training.loc[name, "accuracy_low"] == measured["top1"]["low"]
        assert training.loc[name, "loss"] == pytest.approx(measured["nll"]["value"], rel=1e-6)
        assert training.loc[name, "ece"] == pytest.approx(measured["ece"]["value"], rel=1e-6)


@pytest.mark.usefixtures("here")
def test_nothing_depends_on_how_the_work_is_done_and_images_are_drawn_by_seed():
    ends(f"{CALL} --images 6 -q")
    before = {name: table(name) for name in TABLES}
    assert set(before["training"]["n"]) == {6}
    ends(f"{CALL} --images 6 -q --batch-size 1 --workers 1")
    for name, read in before.items():
        pd.testing.assert_frame_equal(read, table(name), rtol=1e-4)


@pytest.mark.usefixtures("here")
def test_the_last_is_like_itself_and_settled():
    ends(f"{CALL} --layer deep -q")
    last = table("settled").query("checkpoint == 'e10'")
    assert last["cka"].tolist() == pytest.approx([1.0])
    assert last["settled"].all()


@pytest.mark.usefixtures("here")
def test_without_labels_nothing_is_said_of_accuracy():
    call = CALL.replace("evolution net", "evolution bare")
    said = ends(call)
    assert "have no labels" in " ".join(said.stderr.split())
    assert not {"training.csv", "training.png"} & set(contents("bare/network/evolution"))
    assert "label" in refused(f"{call} --pair red~blue", exit_code=3)


def other(name):
    """Save a file that is no checkpoint of the network."""
    state = weights(1)
    if name == "classes":
        state["head.weight"], state["head.bias"] = torch.zeros(5, 8), torch.zeros(5)
    elif name == "shape":
        state["deep.weight"] = torch.zeros(8, 6, 5, 5)
    elif name == "names":
        state = {f"body.{key}1": value for key, value in state.items()}
    elif name == "order":
        state = {"state_dict": state, "class_names": list(COLOURS[::-1])}
    torch.save(NotWeights() if name == "pickle" else state, "saved/e5.pth")
    if name == "damaged":
        Path("saved/e5.pth").write_bytes(Path("saved/e2.pth").read_bytes()[:-2000])


class NotWeights:
    """What torch.load would have to run code for."""


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("name", ["classes", "shape", "names", "order", "pickle", "damaged"])
def test_a_file_that_does_not_fit_is_named_before_an_image_is_read(name):
    other(name)
    said = " ".join(refused(CALL, exit_code=3).split())
    assert "saved/e5.pth" in said
    assert not Path("net/network").exists()


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("options", "exit_code", "words"),
    [
        ("--checkpoints 'saved/epoch*.pth'", 3, "'saved' has 'e2.pth', 'e9.pth'"),
        ("--checkpoints saved/e2.pth", 2, "one checkpoint alone"),
        ("", 2, "which checkpoints?"),
        ("--checkpoints saved --layer deeep", 2, "did you mean deep?"),
        ("--checkpoints saved --channels many", 2, "says no channels"),
        ("--checkpoints saved --layer deep --channels 8", 2, "channels 0 to 7"),
        ("--checkpoints saved --pair red~bleu", 2, "did you mean blue?"),
        ("--checkpoints saved --projection lrp --images 0", 2, "--images"),
    ],
)
def test_what_there_is_not_is_refused(options, exit_code, words):
    said = refused(f"network evolution net {options}", exit_code=exit_code)
    assert words in " ".join(said.split())
    assert not Path("net/network").exists()


@pytest.mark.usefixtures("here")
def test_images_that_are_gone_are_left_out_and_where_all_are_it_says_what_to_do():
    Path("photos/red/0.png").unlink()
    said = ends(f"{CALL} --layer deep")
    assert "1 image left out: 'red/0.png'" in said.stderr
    assert set(table("training")["n"]) == {11}
    Path("photos").rename("moved")
    said = refused(CALL, exit_code=3)
    assert "none of 12 images can be read" in said
    ends(f"{CALL} --data-root moved --layer deep -q")


@pytest.mark.usefixtures("here")
def test_a_run_without_a_model_is_refused():
    pd.DataFrame({"path": ["a.png"], "label": ["red"], "pred": ["blue"]}).to_csv("table.csv")
    Path("names.json").write_text(json.dumps(COLOURS))
    ends("import table.csv -o imported --classes names.json -q")
    assert "model" in refused(CALL.replace(" net ", " imported "), exit_code=3)


@pytest.mark.usefixtures("here")
def test_ctrl_c_leaves_what_was_there_before(monkeypatch):
    ends(f"{CALL} --layer deep -q")
    before = contents("net/network")

    def stop(*_args, **_options):
        raise KeyboardInterrupt

    monkeypatch.setattr("errlens.network.evolution.evolving.patches_of", stop)
    ends(f"{CALL} --layer stem -q", 130)
    assert contents("net/network") == before


@pytest.mark.usefixtures("here")
def test_python_returns_what_was_found_and_writes_where_it_is_told():
    result = errlens.network_evolution("net", checkpoints=["saved"], layer="deep", into="there")
    assert repr(result) == "4 checkpoints, 1 layer over 12 images"
    assert set(result.figures) == {"sheets/deep.png", "settled.png", "training.png"}
    assert Path("there/evolution.csv").is_file()
    assert not Path("net/network").exists()
    assert "accuracy" in result._repr_html_()
