from dataclasses import replace

import pytest
import safetensors.torch
import timm
import torch
from typer.testing import CliRunner

import errlens
from errlens.cli import app
from errlens.data.photos.loading import load_input
from errlens.errors import StaleRun
from errlens.model.classifier import stack
from errlens.model.reload import reload_classifier

TRANSFORM = (
    "import torch, numpy\n"
    "def halved(image):\n"
    "    pixels = numpy.asarray(image.resize((8, 8))) / 510\n"
    "    return torch.tensor(pixels, dtype=torch.float32).permute(2, 0, 1)\n"
)


def evaluate(photos, options):
    said = CliRunner().invoke(app, ["evaluate", str(photos), *options.split(), "-o", "run", "-q"])
    assert said.exit_code == 0, said.output
    return errlens.open_run("run")


@pytest.mark.parametrize(
    "options",
    [
        "--model {tiny} --img-size 8",
        "--model {tiny} --img-size 8 --crop-pct 0.5 --bgr",
        "--model {tiny} --transform halving:halved",
        "--model test_resnet --checkpoint weights.safetensors --img-size 32",
        "--model test_vit --checkpoint vit.safetensors --img-size 32 --model-kwargs patch_size=8",
    ],
)
def test_a_run_is_repeated_to_the_last_output(photos, tiny, tmp_path, options):
    (tmp_path / "halving.py").write_text(TRANSFORM)
    torch.manual_seed(0)
    resnet = timm.create_model("test_resnet", pretrained=False, num_classes=3)
    safetensors.torch.save_model(resnet, "weights.safetensors")
    vit = timm.create_model("test_vit", pretrained=False, num_classes=3, img_size=32, patch_size=8)
    safetensors.torch.save_model(vit, "vit.safetensors")
    run = evaluate(photos, options.format(tiny=tiny))
    classifier = reload_classifier(run.info, device="cpu")
    again = classifier.settings(run.info.settings.plan_hash)
    assert again.run_hash == run.info.run_hash
    frame = run.predictions.frame
    inputs = [load_input(photos / path, classifier.preparation).value for path in frame["path"]]
    batch = stack(inputs, classifier.preparation, classifier.device)
    with torch.inference_mode():
        prob = classifier.network.module(batch).softmax(dim=1)
    torch.testing.assert_close(
        prob.amax(dim=1), torch.tensor(frame["confidence"].to_numpy(float)).float()
    )


@pytest.mark.parametrize("outputs", [{"scores": "odds"}, {"kind": 1}, [1], {"threshold": "x"}])
def test_a_run_that_says_nonsense_of_its_outputs_is_refused(photos, tiny, outputs):
    info = evaluate(photos, f"--model {tiny} --img-size 8").info
    damaged = replace(info, settings=replace(info.settings, outputs=outputs))
    with pytest.raises(StaleRun, match="how the outputs of the model are read"):
        reload_classifier(damaged, device="cpu")


@pytest.mark.usefixtures("tiny")  # for its folder
def test_other_weights_under_the_same_name_are_refused(photos):
    resnet = timm.create_model("test_resnet", pretrained=False, num_classes=3)
    safetensors.torch.save_model(resnet, "weights.safetensors")
    run = evaluate(photos, "--model test_resnet --checkpoint weights.safetensors --img-size 32")
    with torch.no_grad():
        next(resnet.parameters()).mul_(1.01)
    safetensors.torch.save_model(resnet, "weights.safetensors")
    with pytest.raises(StaleRun, match="no longer those of the run"):
        reload_classifier(run.info, device="cpu")
