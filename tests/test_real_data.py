"""The plain way, written out with timm's own parts, is the witness for every prediction."""

import json
import shlex
from contextlib import redirect_stderr
from dataclasses import replace
from functools import cache
from io import StringIO
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import timm
import torch
from PIL import Image
from safetensors.torch import load_file
from timm.data import create_dataset, create_loader, resolve_data_config
from typer.testing import CliRunner

import errlens
from errlens.cli import app
from errlens.commands.evaluate.command import evaluate
from errlens.commands.evaluate.options import EvaluateOptions
from errlens.data.photos.preprocess import Preprocessing
from errlens.errors import LabelSpaceMismatch, UnknownLabels
from errlens.run.folder import RunFolder

SMALL = {"img_size": 64, "crop_pct": 1.0, "crop_mode": "squash", "interpolation": "bicubic",
         "mean": (0.5, 0.5, 0.5), "std": (0.5, 0.5, 0.5)}  # fmt: skip

CASES = {
    "pets": {
        "data": "data/pets/val",
        "checkpoint": "models/tf_efficientnet_lite0.pets.safetensors",
        "model": "tf_efficientnet_lite0",
        "arguments": {},
        "settings": {},
        "superclasses": None,
        "right": (128, 185),
    },
    "cifar10 resnet": {
        "data": "data/cifar10/test",
        "checkpoint": "models/test_resnet.cifar10.epoch15.safetensors",
        "model": "test_resnet",
        "arguments": {"output_stride": 16},
        "settings": SMALL,
        "superclasses": "data/cifar10/superclasses.csv",
        "right": (6740, 8000),
    },
    "cifar10 vit": {
        "data": "data/cifar10/test",
        "checkpoint": "models/test_vit.cifar10.safetensors",
        "model": "test_vit",
        "arguments": {"img_size": 64, "patch_size": 8},
        "settings": SMALL,
        "superclasses": None,
        "right": (5760, 8000),
    },
}


class Evaluated(NamedTuple):
    """What came of one of the cases."""

    run: RunFolder
    said: str  # on standard error


@pytest.fixture(scope="module")
def evaluated(real_data, tmp_path_factory):
    """Evaluate a case of this name, once for all tests."""

    @cache
    def evaluate_case(name: str) -> Evaluated:
        case = CASES[name]
        with redirect_stderr(StringIO()) as said:
            run = errlens.evaluate(
                real_data / case["data"],
                model=case["model"],
                checkpoint=real_data / case["checkpoint"],
                model_kwargs=[f"{key}={value}" for key, value in case["arguments"].items()],
                superclasses=case["superclasses"] and real_data / case["superclasses"],
                out=tmp_path_factory.mktemp("case") / "run",
                **case["settings"],
            )
        return Evaluated(run, said.getvalue())

    return evaluate_case


def timm_probabilities(case, folder) -> dict[str, np.ndarray]:
    """Return the probabilities of every image by its path, as a plain timm loop gives them."""
    data = folder / case["data"]
    names = sorted(path.name for path in data.iterdir())
    model = timm.create_model(case["model"], num_classes=len(names), **case["arguments"])
    model.load_state_dict(load_file(folder / case["checkpoint"]))
    config = resolve_data_config(case["settings"], model=model)
    dataset = create_dataset("", root=data, class_map={name: i for i, name in enumerate(names)})
    loader = create_loader(
        dataset, config["input_size"], 64, use_prefetcher=False, num_workers=0,
        interpolation=config["interpolation"], mean=config["mean"], std=config["std"],
        crop_pct=config["crop_pct"], crop_mode=config["crop_mode"],
    )  # fmt: skip
    with torch.inference_mode():
        found = [model.eval()(images).softmax(dim=1) for images, _ in loader]
    return dict(zip(dataset.filenames(), torch.cat(found).numpy(), strict=True))


# timm's dataset leaves closing its files to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize("name", CASES)
def test_every_prediction_is_that_of_a_plain_timm_loop(name, real_data, evaluated):
    case, run = CASES[name], evaluated(name).run
    top1 = run.metrics["top1"]
    assert (round(top1["value"] * top1["n"]), top1["n"]) == case["right"]

    theirs = timm_probabilities(case, real_data)
    ours = run.predictions.table.select(["path", "pred", "topk_index", "topk_prob"]).to_pylist()
    assert {row["path"] for row in ours} == theirs.keys()
    for row in ours:
        expected = theirs[row["path"]]
        assert row["pred"] == expected.argmax(), row["path"]
        np.testing.assert_allclose(row["topk_prob"], expected[row["topk_index"]], atol=1e-4)


def test_imagenet_synsets_and_names_label_the_same_images(real_data, tmp_path):
    """The ImageNet model knows 'Egyptian cat' by its name and as n02124075."""
    photos = sorted((real_data / "data/pets/val/Egyptian_Mau").glob("*.jpg"))
    found = []
    for label in ("Egyptian cat", "n02124075"):
        folder = tmp_path / "data" / label / label
        folder.mkdir(parents=True)
        for photo in photos:
            (folder / photo.name).write_bytes(photo.read_bytes())
        run = errlens.evaluate(
            folder.parent,
            model="tf_efficientnet_lite0",
            checkpoint=real_data / "models/tf_efficientnet_lite0.in1k.safetensors",
            out=tmp_path / label,
        )
        assert run.predictions.table["label"].unique().to_pylist() == [285]
        assert run.predictions.table["label_name"][0].as_py() == "Egyptian cat"
        found.append(run.metrics)
    assert found[0]["top1"] == found[1]["top1"]
    assert found[0]["top1"]["value"] > 0.5


CIFAR10 = {
    "model": "test_resnet",
    "model_kwargs": ["output_stride=16"],
    "img_size": 64,
    "crop_pct": 1.0,
    "crop_mode": "squash",
    "interpolation": "bicubic",
    "mean": (0.5, 0.5, 0.5),
    "std": (0.5, 0.5, 0.5),
}


@pytest.fixture
def exchanged(real_data, tmp_path):
    """The CIFAR-10 photos with the folders of cats and dogs exchanged."""
    folder = tmp_path / "exchanged"
    folder.mkdir()
    for kind in (real_data / "data/cifar10/test").iterdir():
        name = {"cat": "dog", "dog": "cat"}.get(kind.name, kind.name)
        (folder / name).symlink_to(kind.resolve())
    return folder


def test_cats_and_dogs_exchanged_stop_and_the_command_printed_gives_84_percent(
    exchanged, real_data, evaluated, tmp_path
):
    checkpoint = real_data / "models/test_resnet.cifar10.epoch15.safetensors"
    with pytest.raises(LabelSpaceMismatch, match="'cat' is taken for 'dog'") as failure:
        errlens.evaluate(
            exchanged, checkpoint=checkpoint, out=tmp_path / "run", limit=2000, **CIFAR10
        )
    program, *arguments = shlex.split(failure.value.code[0])
    assert program == "errlens"
    assert CliRunner().invoke(app, arguments).exit_code == 0
    relabelled = errlens.open_run(tmp_path / "run-relabelled")
    assert relabelled.metrics["top1"]["n"] == 2000
    assert relabelled.metrics["top1"]["value"] == pytest.approx(0.84, abs=0.02)
    # Each photo is as right as it is in its own folder.
    files = [str((exchanged / path).resolve()) for path in relabelled.predictions.frame["path"]]
    own = evaluated("cifar10 resnet").run.predictions.frame.set_index("path")["correct"]
    own.index = [str((real_data / "data/cifar10/test" / path).resolve()) for path in own.index]
    assert relabelled.predictions.frame["correct"].tolist() == own[files].tolist()


def shifted(folder: Path, into: Path) -> Path:
    """Return class folders that all bear the name of the next one."""
    into.mkdir()
    kinds = sorted(kind for kind in folder.iterdir() if kind.is_dir())
    for kind, name in zip(kinds, [*kinds[1:], kinds[0]], strict=True):
        (into / name.name).symlink_to(kind.resolve())
    return into


def test_all_classes_in_a_shifted_order_are_put_right_by_the_command(real_data, tmp_path):
    folder = shifted(real_data / "data/cifar10/test", tmp_path / "shifted")
    checkpoint = real_data / "models/test_resnet.cifar10.epoch15.safetensors"
    with pytest.raises(LabelSpaceMismatch, match="and 4 more") as failure:
        errlens.evaluate(
            folder, checkpoint=checkpoint, out=tmp_path / "run", limit=1000, keep="none", **CIFAR10
        )
    assert "put right" in failure.value.hint
    names = sorted(kind.name for kind in folder.iterdir())
    suggested = (tmp_path / "run/suggested_classes.txt").read_text().splitlines()
    assert suggested == [*names[1:], names[0]]


def test_of_shifted_breeds_only_names_that_are_right_are_called_sure(real_data, tmp_path):
    folder = shifted(real_data / "data/pets/val", tmp_path / "shifted")
    with pytest.raises(LabelSpaceMismatch, match="is taken for") as failure:
        errlens.evaluate(
            folder,
            model="tf_efficientnet_lite0",
            checkpoint=real_data / "models/tf_efficientnet_lite0.pets.safetensors",
            out=tmp_path / "run",
        )
    names = sorted(kind.name for kind in folder.iterdir())
    lines = (tmp_path / "run/suggested_classes.txt").read_text().splitlines()
    sure = [at for at, line in enumerate(lines) if not line.startswith("? ")]
    assert f"{len(sure)} of 37 names are sure" in failure.value.hint
    assert len(sure) >= 5
    assert [lines[at] for at in sure] == [[*names[1:], names[0]][at] for at in sure]
    arguments = shlex.split(failure.value.code[0])[1:]
    assert CliRunner().invoke(app, arguments).exit_code == 3


@pytest.mark.parametrize("epoch", ["00", "01", "02", "05", "10", "15"])
def test_no_epoch_of_a_training_raises_an_alarm(epoch, real_data, tmp_path, capsys):
    checkpoint = real_data / f"models/test_resnet.cifar10.epoch{epoch}.safetensors"
    data = real_data / "data/cifar10/test"
    run = errlens.evaluate(
        data, checkpoint=checkpoint, out=tmp_path / "run", limit=2000, keep="none", **CIFAR10
    )
    assert run.info.status == "complete"
    assert not run.suggested_classes_file.exists()
    assert "taken for" not in capsys.readouterr().err


def test_exchanged_breeds_of_five_photos_warn_at_most(real_data, tmp_path):
    folder = tmp_path / "pets"
    folder.mkdir()
    for kind in (real_data / "data/pets/val").iterdir():
        name = {"pug": "samoyed", "samoyed": "pug"}.get(kind.name, kind.name)
        (folder / name).symlink_to(kind.resolve())
    checkpoint = real_data / "models/tf_efficientnet_lite0.pets.safetensors"
    run = errlens.evaluate(
        folder, model="tf_efficientnet_lite0", checkpoint=checkpoint, out=tmp_path / "run"
    )
    assert run.info.status == "complete"


def test_imagenet_weights_on_breeds_point_to_the_head(real_data, tmp_path):
    with pytest.raises(UnknownLabels, match="of 37 labels") as failure:
        errlens.evaluate(
            real_data / "data/pets/val",
            checkpoint=real_data / "models/tf_efficientnet_lite0.in1k.safetensors",
            model="tf_efficientnet_lite0",
            out=tmp_path / "run",
        )
    assert "head" in failure.value.hint


@pytest.mark.slow
@pytest.mark.parametrize(
    "mistake",
    [
        {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)},
        {"mean": (0.0,) * 3, "std": (1 / 255,) * 3},
        {"bgr": True},
        {"img_size": 160},
        {"crop_pct": 0.8, "crop_mode": "center"},
    ],
)
def test_a_planted_mistake_on_cifar10_is_named(mistake, real_data, tmp_path, capsys):
    checkpoint = real_data / "models/test_resnet.cifar10.epoch15.safetensors"
    options = {**CIFAR10, **mistake, "expect": "top1=0.84", "json": True, "trust_labels": True}
    data = real_data / "data/cifar10/test"
    evaluate(EvaluateOptions(data=data, checkpoint=checkpoint, out=tmp_path / "run", **options))
    named = json.loads(capsys.readouterr().out)["diagnosis"]["restoring"]
    used = Preprocessing(
        (options["img_size"],) * 2,
        *(options[name] for name in ("crop_pct", "crop_mode", "interpolation", "mean", "std")),
        bgr="bgr" in mistake,
    )
    right = Preprocessing((64, 64), 1.0, "squash", "bicubic", (0.5,) * 3, (0.5,) * 3)
    tried = [Preprocessing.from_dict({**used.as_dict(), **one["changes"]}) for one in named]
    # Square images are fitted into a square in the same way by every crop mode.
    assert right in [replace(one, crop_mode="squash") for one in tried]


def mutual_pairs(run):
    said = CliRunner().invoke(app, ["confusion", str(run.path), "--json", "--no-figures"])
    assert said.exit_code == 0, said.output
    found = json.loads(said.stdout)
    return {frozenset((pair["class_a"], pair["class_b"])) for pair in found["pairs"]}


def test_the_cifar10_model_mixes_up_three_pairs(evaluated):
    assert mutual_pairs(evaluated("cifar10 resnet").run) == {
        frozenset({"cat", "dog"}),
        frozenset({"automobile", "truck"}),
        frozenset({"airplane", "ship"}),
    }


def test_a_network_fed_as_in_its_training_is_not_doubted(evaluated):
    assert "If you expected more" not in evaluated("pets").said


@pytest.mark.parametrize(
    ("name", "settings", "doubted"),
    [
        ("cifar10 resnet", {"img_size": 64, "crop_pct": 1.0, "limit": 300}, False),
        ("cifar10 vit", {"img_size": 64, "crop_pct": 1.0, "limit": 300}, False),
        ("cifar10 resnet", {"limit": 300}, True),  # at the size that timm takes by default
    ],
)
def test_only_a_network_fed_otherwise_than_in_its_training_is_doubted(
    name, settings, doubted, real_data, tmp_path, capsys
):
    case = CASES[name]
    errlens.evaluate(
        real_data / case["data"],
        model=case["model"],
        checkpoint=real_data / case["checkpoint"],
        model_kwargs=[f"{key}={value}" for key, value in case["arguments"].items()],
        out=tmp_path / "run",
        **settings,
    )
    assert ("If you expected more" in capsys.readouterr().err) is doubted


# What a plain loop gets right of these photos, turned back or of eight bits; see the test above.
@pytest.mark.parametrize(("kind", "option"), [("exif", "--exif"), ("deep", "--scale-16bit")])
def test_expect_finds_how_files_are_to_be_read(kind, option, real_data, tmp_path):
    back = {3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90,
            8: Image.Transpose.ROTATE_270}  # fmt: skip
    rng = np.random.default_rng(0)
    for folder in sorted((real_data / "data/cifar10/test").iterdir()):
        for source in sorted(folder.iterdir())[:30]:
            with Image.open(source) as opened:
                image = opened.convert("L").convert("RGB") if kind == "deep" else opened.copy()
            exif, target = Image.Exif(), f"{folder.name}/{source.stem}.png"
            for base in ("plain", kind):
                (tmp_path / base / folder.name).mkdir(parents=True, exist_ok=True)
            image.save(tmp_path / "plain" / target)
            if kind == "deep":
                image = Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257)
            else:
                exif[0x0112] = int(rng.choice([3, 6, 8]))
                image = image.transpose(back[exif[0x0112]])
            image.save(tmp_path / kind / target, exif=exif)
    case = CASES["cifar10 resnet"]
    arguments = shlex.split(
        f"--model test_resnet --model-kwargs output_stride=16 --img-size 64 --crop-pct 1.0 "
        f"--checkpoint {real_data / case['checkpoint']} -q"
    )

    def evaluate(folder, *more):
        out = str(tmp_path / f"run {folder}{''.join(more)[:7]}")
        command = ["evaluate", str(tmp_path / folder), *arguments, "-o", out, *more]
        said = CliRunner().invoke(app, command)
        assert said.exit_code == 0, said.output
        return errlens.open_run(out).metrics["top1"]["value"], said.stderr

    plain, _ = evaluate("plain")
    fed_wrongly, said = evaluate(kind, "--expect", f"top1={plain:.2f}")
    assert fed_wrongly < plain - 0.2
    assert f"restores it: {option}" in said
    assert evaluate(kind, option)[0] == plain
