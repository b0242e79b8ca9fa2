"""Networks that return something else than logits, from evaluation to explanation."""

import shlex
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import timm
import torch
from safetensors.torch import save_model
from sklearn.metrics import log_loss
from typer.testing import CliRunner

import errlens
from errlens.cli import app
from errlens.errors import StaleRun, UnfitMethod
from errlens.model.reload import reload_classifier
from tests.conftest import paint

NETWORKS = """
import random, sys, time
import numpy, torch
from torch import nn
from tiny import Colours


class Own(Exception):
    pass


class Soft(Colours):
    def forward(self, images):
        return super().forward(images).softmax(dim=1)


class Both(Colours):
    def forward(self, images):
        logits = super().forward(images)
        return images.mean(dim=(2, 3)).repeat(1, 5), logits


class Alone(Colours):
    def forward(self, images):
        assert len(images) == 1, "one at a time"
        return super().forward(images)


class Dropped(Colours):
    def forward(self, images):
        return nn.functional.dropout(super().forward(images), 0.5)


class Red(nn.Module):
    def __init__(self, squashed=False):
        super().__init__()
        self.squashed = squashed
        self.see = nn.Conv2d(3, 4, 1)
        self.head = nn.Linear(4, 1)
        with torch.no_grad():
            self.see.weight.fill_(0.3)
            self.see.bias.fill_(1.0)
            self.see.weight[0, 0], self.see.weight[1, 2] = 2.0, 2.0
            self.head.weight.copy_(torch.tensor([[1.0, -1.0, 0.1, 0.1]]))
            self.head.bias.zero_()

    def forward(self, images):
        found = self.head(self.see(images).relu().mean(dim=(2, 3)))
        return found.sigmoid() if self.squashed else found


class Later(Colours):
    seen = 0

    def forward(self, images):
        Later.seen += len(images)
        if Later.seen > 24:
            raise Own("no more of these")
        return super().forward(images)


class Fewer(Later):
    def forward(self, images):
        logits = Colours.forward(self, images)
        Fewer.seen += len(images)
        return logits[:, :2] if Fewer.seen > 24 else logits


class NoGrad(Colours):
    @torch.no_grad()
    def forward(self, images):
        return super().forward(images)


class Inference(Colours):
    @torch.inference_mode()
    def forward(self, images):
        return super().forward(images)


class Detached(Colours):
    def forward(self, images):
        return super().forward(images).detach()


class Numpy(Colours):
    def forward(self, images):
        return super().forward(torch.from_numpy(numpy.array(images.numpy())))


class Arrays(Colours):
    def forward(self, images):
        return super().forward(images).detach().numpy()


class InPlace(Colours):
    def forward(self, images):
        images.mul_(2.0).add_(0.1)
        return super().forward(images)


class Ready(Colours):
    def forward(self, images):
        return super().forward(images * 2.0 + 0.1)


class Spoilt(Colours):  # changes in place what the gradient of its sigmoid takes
    def forward(self, images):
        return super().forward(images.sigmoid().mul_(2.0))


class Backwards(torch.autograd.Function):
    @staticmethod
    def forward(_context, images):
        return images.clone()

    @staticmethod
    def backward(_context, _slope):
        raise Own("no way back")


class OneWay(Colours):
    def forward(self, images):
        return super().forward(Backwards.apply(images))


class Table(Colours):
    table = None

    def forward(self, images):
        if self.table is None:
            self.table = torch.full((3,), 1.5)
        return super().forward(images) * self.table


class Aside(Colours):
    def forward(self, images):
        self.images = images
        time.sleep(0.01)
        return super().forward(self.images)


def red():
    return Red()


def squashed():
    return Red(squashed=True)


def failing():
    raise Own("no weights today")


def leaving():
    sys.exit(0)


def transform(image):
    if image.size != (256, 256):
        raise Own("no photos today")
    return torch.zeros(3, 8, 8)


def shaken(image):
    pixels = torch.from_numpy(numpy.array(image.resize((8, 8)))).float() / 255
    return pixels.permute(2, 0, 1) + random.random()


def uneven(image):
    return torch.zeros(3, image.height, image.width)
"""
FAST = "--img-size 8 --crop-pct 1.0"


@pytest.fixture
def cli(tiny, tmp_path, monkeypatch):
    """Run a command line in a folder that holds the networks."""
    del tiny
    (tmp_path / "nets.py").write_text(NETWORKS)
    monkeypatch.delitem(sys.modules, "nets", raising=False)
    return lambda command: CliRunner().invoke(app, shlex.split(command))


@pytest.fixture
def two(tmp_path):
    """Two class folders: one of the red ones is really blue."""
    for number, colour in enumerate(("blue", "red")):
        for index in range(6):
            shown = "blue" if (colour, index) == ("red", 3) else colour
            paint(tmp_path / "two" / colour / f"{index}.png", shown, seed=10 * number + index)
    return tmp_path / "two"


def frame(run):
    return errlens.open_run(run).predictions.frame


def test_a_softmax_in_the_network_gives_the_figures_of_its_logits(cli, photos):
    """And the same maps, but for the unit: a difference of log-probabilities is one of logits."""
    told = cli(f"evaluate {photos} --model nets:Soft -o soft {FAST}")
    assert (told.exit_code, "outputs are probabilities" in told.stderr) == (0, True)
    assert cli(f"evaluate {photos} --model nets:Colours -o plain {FAST}").exit_code == 0
    soft, plain = errlens.open_run("soft"), errlens.open_run("plain")
    for figure in ("nll", "ece", "brier"):
        ours, theirs = soft.metrics[figure]["value"], plain.metrics[figure]["value"]
        assert ours == pytest.approx(theirs, abs=1e-4)
    np.testing.assert_allclose(
        frame("soft")["confidence"].to_numpy(float), frame("plain")["confidence"].to_numpy(float),
        atol=1e-5,
    )  # fmt: skip
    assert soft.info.settings.outputs == {"scores": "probabilities"}
    assert soft.info.run_hash != plain.info.run_hash
    assert "outputs" not in plain.info.settings.as_dict()

    maps = {}
    for run in ("soft", "plain"):
        options = "--method gradient --method occlusion --save-maps"
        assert cli(f"explain {run} --select true:blue --top 1 {options}").exit_code == 0
        (file, *_) = sorted(errlens.open_run(run).path.glob("explain/maps/*gradient*.npz"))
        with np.load(file) as found:
            maps[run] = {name: found[name] for name in found.files}
    assert maps["soft"].keys() == maps["plain"].keys()
    index = {run: pd.read_csv(f"{run}/explain/index.csv") for run in maps}
    ours, theirs = (index[run].query("target == 'difference'") for run in ("soft", "plain"))
    np.testing.assert_allclose(ours["score"], theirs["score"], rtol=1e-3)
    np.testing.assert_allclose(ours["raw_max"], theirs["raw_max"], rtol=1e-2, atol=1e-4)


def test_a_run_of_probabilities_goes_on_and_is_reloaded_alike(cli, photos):
    command = f"evaluate {photos} --model nets:Soft -o run {FAST} --part-size 4"
    assert cli(command).exit_code == 0
    run = errlens.open_run("run")
    whole = frame("run")["confidence"].to_numpy(float)
    run.part_file(1).unlink()
    assert cli(command).exit_code == 0
    assert frame("run")["confidence"].to_numpy(float).tolist() == whole.tolist()
    again = reload_classifier(run.info, device="cpu")
    assert again.settings(run.info.settings.plan_hash).run_hash == run.info.run_hash


def test_of_several_outputs_those_with_the_labels_width_are_taken(cli, photos):
    told = cli(f"evaluate {photos} --model nets:Both -o run {FAST}")
    assert told.exit_code == 0
    assert "of the outputs 0 (15), 1 (3) the class scores are taken to be 1 (3)" in told.stderr
    assert frame("run")["correct"].tolist() == [True] * 11 + [False]
    assert errlens.open_run("run").info.settings.outputs == {"place": [1]}
    assert cli("explain run --method gradient").exit_code == 0


@pytest.mark.parametrize("name", ["red", "squashed"])
def test_one_output_is_two_classes(cli, two, name):
    told = cli(f"evaluate {two} --model nets:{name} -o run {FAST}")
    assert told.exit_code == 0
    assert "one output: " in told.stderr
    assert "is the probability of 'red'" in told.stderr
    found = frame("run")
    assert found["pred_name"].tolist() == ["blue"] * 6 + ["red"] * 3 + ["blue"] + ["red"] * 2
    red = np.where(found["pred_name"] == "red", found["confidence"], 1 - found["confidence"])
    nll = errlens.open_run("run").metrics["nll"]["value"]
    assert nll == pytest.approx(log_loss(found["label_name"] == "red", red.astype(float)), abs=1e-4)
    single = {"single": True, **({"scores": "sigmoids"} if name == "squashed" else {})}
    assert errlens.open_run("run").info.settings.outputs == single

    # What speaks for the one class speaks against the other.
    assert cli("explain run --method gradient --method grad-cam --target blue --target red "
               "--select correct:red --top 1").exit_code == 0  # fmt: skip
    index = pd.read_csv("run/explain/index.csv")
    for _, method in index.groupby("method"):
        blue, red = (method[method["target"] == colour].iloc[0] for colour in ("blue", "red"))
        assert blue["score"] == pytest.approx(-red["score"])
        assert blue["raw_max"] == pytest.approx(-red["raw_min"])
    assert cli("explain run --list").exit_code == 0


def test_a_checkpoint_of_one_output_needs_no_further_word(cli, two):
    torch.manual_seed(0)
    save_model(timm.create_model("test_resnet", num_classes=1), "one.safetensors")
    told = cli(f"evaluate {two} --checkpoint one.safetensors -o run --img-size 64")
    assert told.exit_code == 0
    assert "is the probability of 'red'" in told.stderr
    assert cli("explain run --list").exit_code == 0
    assert cli("explain run --select worst:1").exit_code == 0
    assert (pd.read_csv("run/explain/index.csv")["status"] == "ok").all()
    assert cli(f"network probe {two} --checkpoint one.safetensors --img-size 64 --save-head "
               "two.safetensors").exit_code == 0  # fmt: skip
    assert cli(f"evaluate {two} --checkpoint two.safetensors -o probed").exit_code == 0


def test_numbers_in_a_manifest_are_the_two_classes_of_one_output(cli, two):
    paths = sorted(two.rglob("*.png"))
    rows = [f"{path},{int(path.parent.name == 'red')}" for path in paths]
    (two / "list.csv").write_text("\n".join(["path,label", *rows]))
    told = cli(f"evaluate {two / 'list.csv'} --model nets:red -o run {FAST}")
    assert told.exit_code == 0
    assert "is the probability of '1'" in told.stderr
    assert frame("run")["pred"].tolist() == [0] * 6 + [1] * 3 + [0] + [1] * 2


def test_one_output_the_other_way_round(cli, two, tmp_path):
    (tmp_path / "names.txt").write_text("red\nblue\n")
    told = cli(f"evaluate {two} --model nets:red --classes names.txt -o run {FAST}")
    assert told.exit_code == 0
    assert "is the probability of 'blue'" in told.stderr
    assert frame("run")["pred_name"].tolist()[0] == "red"


def test_one_output_and_three_classes_do_not_go_together(cli, photos):
    told = cli(f"evaluate {photos} --model nets:red -o run {FAST}")
    assert told.exit_code == 3
    assert "one number an image, which tells two classes apart, but there are 3" in told.stderr


def test_a_threshold_decides_predictions_and_belongs_to_the_run(cli, two):
    plain = f"evaluate {two} --model nets:red -o run {FAST}"
    assert cli(plain).exit_code == 0
    before = frame("run")
    red = np.where(before["pred_name"] == "red", before["confidence"], 1 - before["confidence"])
    between = float(np.median(red[before["pred_name"] == "red"].astype(float)))
    assert cli(f"{plain} --threshold {between}").exit_code == StaleRun("").exit_code
    assert cli(f"{plain} --threshold {between} --overwrite").exit_code == 0
    after = frame("run")
    assert (after["pred_name"] == "red").tolist() == (red.astype(float) > between).tolist()
    assert 0 < (after["pred_name"] == "red").sum() < (before["pred_name"] == "red").sum()
    assert after["loss"].to_numpy(float) == pytest.approx(before["loss"].to_numpy(float))
    outputs = errlens.open_run("run").info.settings.outputs
    assert outputs == {"single": True, "threshold": between}
    assert cli("explain run --method gradient").exit_code == 0
    photo = before["path"][int(np.flatnonzero(before["pred_name"] != after["pred_name"])[0])]
    for threshold, pred in ((0.5, "red"), (between, "blue")):
        told = cli(f"explain {two / photo} --model nets:red --method gradient {FAST} --classes "
                   f"names.txt --threshold {threshold} -o {pred}")  # fmt: skip
        assert told.exit_code == 3  # there is no such file of names yet
    (two.parent / "names.txt").write_text("blue\nred\n")
    for threshold, pred in ((0.5, "red"), (between, "blue")):
        told = cli(f"explain {two / photo} --model nets:red --method gradient {FAST} --classes "
                   f"names.txt --threshold {threshold} -o {pred}")  # fmt: skip
        assert told.exit_code == 0
        assert set(pd.read_csv(f"{pred}/index.csv")["pred_name"]) == {pred}


def test_a_threshold_is_for_two_classes(cli, photos):
    told = cli(f"evaluate {photos} --model nets:Colours -o run {FAST} --threshold 0.3")
    assert (told.exit_code, "divides two classes" in told.stderr) == (2, True)


def test_a_network_that_answers_differently_warns_also_when_quiet(cli, photos):
    told = cli(f"evaluate {photos} --model nets:Dropped -o run {FAST} -q")
    assert told.exit_code == 0
    assert "warning: the model answers differently when it is shown the same" in told.stderr


def test_a_transform_that_is_random_warns(cli, photos):
    told = cli(f"evaluate {photos} --model nets:Colours --transform nets:shaken -o run -q")
    assert told.exit_code == 0
    assert "--transform nets:shaken gives another input for the same photo" in told.stderr


def test_threads_do_not_take_what_a_network_put_aside(cli, photos):
    command = f"evaluate {photos} --model nets:Aside -o run {FAST} --batch-size 1 --workers 4"
    assert cli(command).exit_code == 0
    assert frame("run")["correct"].tolist() == [True] * 11 + [False]


def test_a_table_that_a_network_makes_once_does_not_stop_gradients(cli, photos):
    assert cli(f"evaluate {photos} --model nets:Table -o run {FAST}").exit_code == 0
    assert cli("explain run --method gradient").exit_code == 0
    photo = photos / "red" / "3.png"
    command = f"explain {photo} --model nets:Table --method gradient -o there {FAST}"
    assert cli(command).exit_code == 0


def test_one_photo_at_a_time_works_as_the_hint_says(cli, photos):
    command = f"evaluate {photos} --model nets:Alone -o run {FAST}"
    told = cli(command)
    assert told.exit_code == 3
    assert "takes one image at a time, not" in told.stderr
    assert "hint: --batch-size 1\n" in told.stderr
    assert cli(f"{command} --batch-size 1").exit_code == 0
    assert frame("run")["correct"].tolist() == [True] * 11 + [False]
    assert cli("explain run --method occlusion").exit_code == 3
    assert cli("explain run --method occlusion --batch-size 1").exit_code == 0
    assert cli("explain run --list").exit_code == 0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("--model nets:Later --batch-size 1", "the forward of nets:Later raised Own: no more of"),
        ("--model nets:Fewer --batch-size 1", "gives 2 scores an image now, and gave 3 before"),
        ("--model nets:failing", "the factory nets:failing raised Own: no weights today (nets.py"),
        ("--model nets:leaving", "the factory nets:leaving raised SystemExit: 0"),
        ("--model nets:Colours --transform nets:transform", "raised Own: no photos today"),
        ("--model broken:make", "broken.py, imported for the model factory broken:make, raised"),
    ],
)
def test_whatever_the_users_code_raises_is_bad_input_in_its_words(
    cli, photos, tmp_path, options, words
):
    (tmp_path / "broken.py").write_text("import no_such_module_anywhere\n")
    size = "" if "--transform" in options else FAST
    told = cli(f"evaluate {photos} -o run {options} {size} --workers 1")
    assert told.exit_code == 3
    assert words in told.stderr.replace("\n", " ")
    if "--transform" in options:
        photo = Path("photos", "blue", "0.png")
        assert f"it was given '{tmp_path / photo}'" in told.stderr


def test_a_transform_that_gives_several_shapes_says_what_helps(cli, photos):
    paint(photos / "red" / "large.png", "red", size=(20, 14))
    command = f"evaluate {photos} --model nets:Colours --transform nets:uneven -o run"
    told = cli(f"{command} --batch-size 16")
    assert (told.exit_code, "images of several shapes" in told.stderr) == (2, True)
    assert cli(f"{command} --batch-size 1").exit_code == 0


WITHOUT = ["NoGrad", "Inference", "Detached", "Numpy", "Arrays", "Spoilt", "OneWay"]


@pytest.mark.parametrize("name", WITHOUT)
def test_without_gradients_the_list_says_no_and_occlusion_works(cli, photos, name):
    assert cli(f"evaluate {photos} --model nets:{name} -o run {FAST}").exit_code == 0
    listed = cli("explain run --list").stdout.splitlines()
    fits = {line.split()[0]: line.split()[1] for line in listed[1:] if line.strip()}
    assert {name for name, fit in fits.items() if fit == "yes"} == {"occlusion"}
    (gradient,) = (line for line in listed if line.startswith("gradient "))
    assert "occlusion" in gradient
    told = cli("explain run --method gradient")
    assert told.exit_code == UnfitMethod("", "").exit_code
    assert "--method occlusion" in told.stderr
    assert cli("explain run --method occlusion").exit_code == 0
    if name == "Spoilt":  # another function of the pixels
        return
    assert cli(f"evaluate {photos} --model nets:Colours -o plain {FAST}").exit_code == 0
    assert cli("explain plain --method occlusion").exit_code == 0
    ours, theirs = (pd.read_csv(f"{run}/explain/index.csv") for run in ("run", "plain"))
    np.testing.assert_allclose(ours["raw_max"], theirs["raw_max"], atol=1e-4)


def test_an_error_in_the_way_back_is_told_in_its_words(cli, photos):
    assert cli(f"evaluate {photos} --model nets:OneWay -o run {FAST}").exit_code == 0
    (gradient,) = (
        line for line in cli("explain run --list").stdout.splitlines() if "gradient " in line[:9]
    )
    assert "with gradients it raises Own: no way back (nets.py, line" in gradient


def test_a_network_that_changes_its_input_is_explained_like_one_that_does_not(cli, photos):
    methods = ["gradient", "smooth-grad", "integrated-gradients", "gradient-x-input", "saliency"]
    methods.append("occlusion")
    for name in ("InPlace", "Ready"):
        assert cli(f"evaluate {photos} --model nets:{name} -o {name} {FAST}").exit_code == 0
        chosen = " ".join(f"--method {method}" for method in methods)
        assert cli(f"explain {name} {chosen}").exit_code == 0
    ours, theirs = (pd.read_csv(f"{run}/explain/index.csv") for run in ("InPlace", "Ready"))
    assert set(ours["method"]) == set(methods)
    assert (ours["status"] == "ok").all()
    for column in ("score", "raw_min", "raw_max"):
        np.testing.assert_allclose(ours[column], theirs[column], rtol=1e-4, atol=1e-5)
