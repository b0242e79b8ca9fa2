import json
import shlex

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from sklearn.linear_model import LogisticRegression
from typer.testing import CliRunner

import errlens
from errlens.analysis.probing.classifier import USUAL_STRENGTH
from errlens.classes.names import ClassNames
from errlens.cli import app
from errlens.errors import NoImages, UnfitOption
from errlens.model.load import ModelSpec, load_classifier
from errlens.model.weights.checkpoints import hash_weights
from errlens.network.features import read_features
from errlens.network.probe import (
    check_target,
    fit_head,
    require_linear_head,
)
from tests.conftest import ends, paint

BODY = ["--model", "test_resnet", "--model-kwargs", "output_stride=16", "--img-size", "64"]


def blobs(*, classes=3, each=6, features=8, seed=0):
    """Classes around centres, on features of very different scales."""
    random = np.random.default_rng(seed)
    label = np.repeat(np.arange(classes), each)
    centres = 2 * random.normal(size=(classes, features))
    scales = np.geomspace(0.01, 100, features)
    found = (centres[label] + random.normal(size=(len(label), features))) * scales + 7
    return found.astype(np.float32), label


def names(n):
    return ClassNames(tuple("abcdefghij"[:n]))


@pytest.mark.parametrize("classes", [2, 3])
def test_the_head_is_scikit_learns_on_standardised_features(classes):
    features, label = blobs(classes=classes, each=3)
    head = fit_head(features, label, names(classes), seed=0)
    assert (head.strength, head.chosen, head.folds) == (USUAL_STRENGTH, False, 3)
    wide = features.astype(np.float64)
    standardised = (wide - wide.mean(axis=0)) / wide.std(axis=0)
    model = LogisticRegression(C=USUAL_STRENGTH, max_iter=1000).fit(standardised, label)
    logits = wide @ head.weight.T.astype(np.float64) + head.bias
    found = logits if classes > 2 else logits[:, 1] - logits[:, 0]
    np.testing.assert_allclose(found, model.decision_function(standardised), atol=1e-4)


def test_with_enough_images_the_strength_is_chosen_and_the_same_each_time():
    features, label = blobs(each=10)
    one, two = (fit_head(features, label, names(3), seed=3) for _ in range(2))
    assert one.chosen
    assert one.folds == 5
    assert one.weight.tobytes() == two.weight.tobytes()
    assert one.held_out.n == 30


def test_one_image_a_class_leaves_nothing_to_hold_out():
    features, label = blobs(each=1)
    head = fit_head(features, label, names(3), seed=0)
    assert (head.held_out, head.folds) == (None, 0)


def test_a_constant_feature_does_no_harm():
    features, label = blobs()
    features[:, 2] = 5
    assert np.isfinite(fit_head(features, label, names(3), seed=0).weight).all()


def test_a_class_without_images_is_refused():
    features, label = blobs()
    with pytest.raises(NoImages, match="'d'"):
        fit_head(features, label, names(4), seed=0)


# The command


def probe(*arguments):
    return CliRunner().invoke(app, ["network", "probe", *map(str, arguments)])


def test_a_head_on_a_tiny_network_is_evaluated_by_the_command_it_names(tiny, photos, tmp_path):
    result = probe(photos, "--model", tiny, "--img-size", 8, "--save-head", "head.safetensors")
    assert result.exit_code == 0, result.output
    last = result.stdout.splitlines()[-1]
    assert last.startswith("Next: errlens evaluate DATA --model tiny:colours --checkpoint head.saf")
    words = shlex.split(last.removeprefix("Next: errlens ").replace("DATA", str(photos)))
    result = CliRunner().invoke(app, [*words, "--json", "-o", str(tmp_path / "run")])
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["metrics"]["n"] == 12
    assert "named by head.safetensors" in result.stderr


def test_the_checkpoint_alone_says_what_it_is(photos, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)
    import timm

    save_file(timm.create_model("test_resnet").state_dict(), "body.safetensors")
    (tmp_path / "names.txt").write_text("red\nblue\ngreen\n")
    result = probe(
        photos, *BODY, "--checkpoint", "body.safetensors", "--classes", "names.txt",
        "--save-head", "head.safetensors", "--json",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    tree = json.loads(result.stdout)
    assert (tree["classes"], tree["train"]["n"]) == (["red", "blue", "green"], 12)
    run = errlens.evaluate(photos, checkpoint=tmp_path / "head.safetensors", out=tmp_path / "run")
    settings = run.info.settings
    assert list(settings.class_names) == ["red", "blue", "green"]
    assert settings.model == "test_resnet"
    assert dict(settings.arguments) == {"output_stride": 16}
    assert settings.preprocessing["img_size"] == [64, 64]
    body, head = load_file("body.safetensors"), load_file("head.safetensors")
    differ = {name for name in body if not torch.equal(body[name], head[name])}
    assert differ == {"fc.weight", "fc.bias"}

    before = (tmp_path / "head.safetensors").read_bytes()
    again = probe(
        photos, *BODY, "--checkpoint", "body.safetensors", "--classes", "names.txt",
        "--save-head", "head.safetensors", "--batch-size", 3,
    )  # fmt: skip
    assert again.exit_code == 0, again.output
    # Other batches round otherwise; the head is the same but for that.
    after = load_file("head.safetensors")
    torch.testing.assert_close(after["fc.weight"], head["fc.weight"], atol=1e-3, rtol=1e-3)
    assert len(before) == (tmp_path / "head.safetensors").stat().st_size


def test_what_is_no_head_is_not_overwritten(tmp_path):
    save_file({"weight": torch.zeros(2)}, tmp_path / "mine.safetensors")
    with pytest.raises(UnfitOption, match="was not made by"):
        check_target(tmp_path / "mine.safetensors", source=None)
    with pytest.raises(UnfitOption, match="must end in"):
        check_target(tmp_path / "head.pth", source=None)
    (tmp_path / "folder.safetensors").mkdir()
    with pytest.raises(UnfitOption, match="exists"):
        check_target(tmp_path / "folder.safetensors", source=None)


def test_one_class_is_not_enough(tiny, photos):
    result = probe(photos / "red", "--model", tiny, "--save-head", "head.safetensors")
    assert result.exit_code == 3
    assert "two or more" in result.stderr


ODD = """
from torch import nn
import tiny


class Scaled(tiny.Colours):
    def forward(self, images):
        return super().forward(images) * 3


class Convolved(nn.Sequential):
    def __init__(self, num_classes=3):
        super().__init__(nn.AdaptiveAvgPool2d(1), nn.Conv2d(3, num_classes, 1), nn.Flatten())


class Unbiased(nn.Sequential):
    def __init__(self, num_classes=3):
        super().__init__(
            nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, num_classes, bias=False)
        )


class Other(tiny.Colours):
    def __init__(self):
        super().__init__(num_classes=4)


class Headless(nn.Sequential):
    def __init__(self):
        super().__init__(nn.AdaptiveAvgPool2d(1), nn.Flatten())
"""


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("Scaled", "does more with the outputs"),
        ("Convolved", "come from a Conv2d"),
        ("Unbiased", "has no bias"),
        ("Other", "differs in more than its last layer"),
        ("Headless", "has no linear layer"),
    ],
)
def test_a_network_without_a_plain_last_layer_is_refused(name, says, tiny, photos, tmp_path):
    assert tiny.startswith("tiny:")  # what the module below is made of
    (tmp_path / f"odd_{name}.py").write_text(ODD)
    result = probe(
        photos, "--model", f"odd_{name}:{name}", "--img-size", 8, "--save-head", "h.safetensors"
    )
    assert result.exit_code == 3, result.output
    assert says in result.stderr
    assert not (tmp_path / "h.safetensors").exists()


def test_an_image_that_cannot_be_read_is_left_out(tiny, photos):
    (photos / "red" / "9.png").write_bytes(b"no image")
    result = probe(
        photos, "--model", tiny, "--img-size", 8, "--save-head", "h.safetensors", "--json"
    )
    assert "1 of 13 images left out" in result.stderr
    assert json.loads(result.stdout)["train"]["n"] == 12


def test_photos_of_16_bits_are_told_and_scaled_for_the_evaluation_too(tiny, photos):
    for path in photos.rglob("*.png"):
        with Image.open(path) as image:
            grey = np.asarray(image.convert("L"))
        Image.fromarray(grey.astype(np.uint16) * 257).save(path)
    arguments = (photos, "--model", tiny, "--img-size", 8, "--save-head", "h.safetensors")
    result = probe(*arguments)
    assert "12 photos" in result.stderr
    assert "--scale-16bit brings them" in result.stderr
    result = probe(*arguments, "--scale-16bit")
    assert "more than 8 bits" not in result.stderr
    assert "--scale-16bit" in result.stdout.splitlines()[-1]


def test_photos_that_a_head_was_fitted_to_are_no_test_of_it(tiny, photos):
    head = ("--model", tiny, "--img-size", 8)
    said = probe(photos, *head, "--save-head", "h.safetensors").stderr
    assert "scikit-learn's C, " not in said  # too few images to choose it
    assert "DATA stands for other photos than these" in said
    typed = ["evaluate", photos, *head, "--checkpoint", "h.safetensors", "-o", "run"]
    again = ends(typed)
    warning = "12 of 12 images are among those that the head of h.safetensors was fitted to"
    assert warning in again.stderr
    for seed, path in enumerate(photos.rglob("*.png")):
        paint(path, path.parent.name, seed=500 + seed)
    other = ends([*typed, "--overwrite"])
    assert "fitted to" not in other.stderr


def test_no_file_above_the_limit_is_read(tiny, photos):
    Image.new("RGB", (600, 600)).save(photos / "red" / "large.bmp")
    result = probe(
        photos, "--model", tiny, "--img-size", 8, "--save-head", "h.safetensors",
        "--max-file-mb", 1,
    )  # fmt: skip
    assert "1 of 13 images left out" in result.stderr


def test_a_head_for_pets_by_three_photos_a_breed(real_data, tmp_path):
    data, target = real_data / "data/pets", tmp_path / "pets.safetensors"
    result = probe(
        data / "train", "--model", "tf_efficientnet_lite0", "--save-head", target, "-q",
        "--checkpoint", real_data / "models/tf_efficientnet_lite0.in1k.safetensors",
    )  # fmt: skip
    assert result.exit_code == 0, result.output

    spec = ModelSpec("tf_efficientnet_lite0", target)
    fitted = load_classifier(spec)
    paths = sorted((data / "train").glob("*/*"))
    found = read_features(fitted, paths, batch_size=4, workers=2)
    require_linear_head(fitted, found)
    label = np.array([fitted.classes.index(path.parent.name) for path in paths])
    wide = found.features.astype(np.float64)
    mean, spread = wide.mean(axis=0), wide.std(axis=0)
    spread[spread == 0] = 1
    model = LogisticRegression(C=USUAL_STRENGTH, max_iter=1000).fit((wide - mean) / spread, label)
    np.testing.assert_allclose(
        # Both solvers stop near the optimum, on different ways.
        found.logits,
        model.decision_function((wide - mean) / spread),
        atol=2e-2,
    )

    run = errlens.evaluate(data / "val", checkpoint=target, out=tmp_path / "run", limit=74)
    assert run.metrics["top1"]["value"] > 0.85
    assert run.info.settings.weights_sha256 == hash_weights(fitted.network.module)
