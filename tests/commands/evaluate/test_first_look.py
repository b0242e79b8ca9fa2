"""Networks that return something else than logits, from evaluation to explanation."""

import numpy as np
import pandas as pd
import pytest
import timm
import torch
from safetensors.torch import save_model
from sklearn.metrics import log_loss

import errlens
from errlens.errors import StaleRun
from errlens.model.reload import reload_classifier
from tests.commands.evaluate.conftest import FAST, frame
from tests.conftest import paint


@pytest.fixture
def two(tmp_path):
    """Two class folders: one of the red ones is really blue."""
    for number, colour in enumerate(("blue", "red")):
        for index in range(6):
            shown = "blue" if (colour, index) == ("red", 3) else colour
            paint(tmp_path / "two" / colour / f"{index}.png", shown, seed=10 * number + index)
    return tmp_path / "two"


def test_a_softmax_in_the_network_gives_the_figures_of_its_logits(cli, photos):
    """And the same maps, but for the unit: a difference of log-probabilities is one of logits."""
    result = cli(f"evaluate {photos} --model nets:Soft -o soft {FAST}")
    assert (result.exit_code, "outputs are probabilities" in result.stderr) == (0, True)
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
    result = cli(f"evaluate {photos} --model nets:Both -o run {FAST}")
    assert result.exit_code == 0
    assert "of the outputs 0 (15), 1 (3) the class scores are taken to be 1 (3)" in result.stderr
    assert frame("run")["correct"].tolist() == [True] * 11 + [False]
    assert errlens.open_run("run").info.settings.outputs == {"place": [1]}
    assert cli("explain run --method gradient").exit_code == 0


@pytest.mark.parametrize("name", ["red", "squashed"])
def test_one_output_is_two_classes(cli, two, name):
    result = cli(f"evaluate {two} --model nets:{name} -o run {FAST}")
    assert result.exit_code == 0
    assert "one output: " in result.stderr
    assert "is the probability of 'red'" in result.stderr
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
    result = cli(f"evaluate {two} --checkpoint one.safetensors -o run --img-size 64")
    assert result.exit_code == 0
    assert "is the probability of 'red'" in result.stderr
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
    result = cli(f"evaluate {two / 'list.csv'} --model nets:red -o run {FAST}")
    assert result.exit_code == 0
    assert "is the probability of '1'" in result.stderr
    assert frame("run")["pred"].tolist() == [0] * 6 + [1] * 3 + [0] + [1] * 2


def test_one_output_the_other_way_round(cli, two, tmp_path):
    (tmp_path / "names.txt").write_text("red\nblue\n")
    result = cli(f"evaluate {two} --model nets:red --classes names.txt -o run {FAST}")
    assert result.exit_code == 0
    assert "is the probability of 'blue'" in result.stderr
    assert frame("run")["pred_name"].tolist()[0] == "red"


def test_one_output_and_three_classes_do_not_go_together(cli, photos):
    result = cli(f"evaluate {photos} --model nets:red -o run {FAST}")
    assert result.exit_code == 3
    assert "one number an image, which tells two classes apart, but there are 3" in result.stderr


def test_a_threshold_decides_predictions_and_belongs_to_the_run(cli, two):
    plain = f"evaluate {two} --model nets:red -o run {FAST}"
    assert cli(plain).exit_code == 0
    before = frame("run")
    red = np.where(before["pred_name"] == "red", before["confidence"], 1 - before["confidence"])
    # In the widest gap, so that rounding decides nothing.
    values = np.sort(red[before["pred_name"] == "red"].astype(float))
    gap = int(np.diff(values).argmax())
    between = float(values[gap : gap + 2].mean())
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
        result = cli(f"explain {two / photo} --model nets:red --method gradient {FAST} --classes "
                   f"names.txt --threshold {threshold} -o {pred}")  # fmt: skip
        assert result.exit_code == 3  # there is no such file of names yet
    (two.parent / "names.txt").write_text("blue\nred\n")
    for threshold, pred in ((0.5, "red"), (between, "blue")):
        result = cli(f"explain {two / photo} --model nets:red --method gradient {FAST} --classes "
                   f"names.txt --threshold {threshold} -o {pred}")  # fmt: skip
        assert result.exit_code == 0
        assert set(pd.read_csv(f"{pred}/index.csv")["pred_name"]) == {pred}


def test_a_threshold_is_for_two_classes(cli, photos):
    result = cli(f"evaluate {photos} --model nets:Colours -o run {FAST} --threshold 0.3")
    assert (result.exit_code, "divides two classes" in result.stderr) == (2, True)


def test_a_network_that_answers_differently_warns_also_when_quiet(cli, photos):
    result = cli(f"evaluate {photos} --model nets:Dropped -o run {FAST} -q")
    assert result.exit_code == 0
    assert "warning: the model answers differently when it is shown the same" in result.stderr


def test_a_transform_that_is_random_warns(cli, photos):
    result = cli(f"evaluate {photos} --model nets:Colours --transform nets:shaken -o run -q")
    assert result.exit_code == 0
    assert "--transform nets:shaken gives another input for the same photo" in result.stderr
