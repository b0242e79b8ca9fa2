"""Hints about networks: which one, with which weights, what it takes and what it puts out."""

import json
import shutil
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import timm
import torch
import torchvision

import errlens
from tests.conftest import paint
from tests.hints.walking import IN_PHOTOS, Row, Walk

pytestmark = IN_PHOTOS
ON = "-o new -q --img-size 32 --limit 3"
TRAINED = f"evaluate photos {ON} --model test_resnet --checkpoint weights.pth"
LOADING = "model.networks.loading"
OUTPUTS = "model.outputs"
NETS = Path(__file__).parent.parent / "commands" / "evaluate" / "networks.py"
MORE = """

class Named(Colours):
    def forward(self, images):
        logits = super().forward(images)
        return {"a": logits.repeat(1, 2), "b": logits.repeat(1, 3)}


class Number(Colours):
    def forward(self, images):
        return super().forward(images).argmax(1)


class Counted(Colours):
    def forward(self, images):
        return super().forward(images).argmax(1, keepdim=True).float()


class Hungry(Colours):
    def forward(self, images):
        if len(images) > 2:
            raise torch.OutOfMemoryError("no room")
        return super().forward(images)


class Beside(Colours):
    def forward(self, images):
        logits = super().forward(images)
        return logits - logits.mean(0) * (len(images) > 1)


class Fixed(Colours):
    def forward(self, images):
        if images.shape[-1] != 32:
            raise ValueError("32 pixels only")
        return super().forward(images)


def ready(image):
    pixels = torch.from_numpy(numpy.array(image.resize((8, 8)))).float() / 255
    return pixels.permute(2, 0, 1)
"""


@pytest.fixture(autouse=True)
def nets(photos_here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Networks as users write them, in a module beside the photos; and nothing to fetch."""
    (photos_here / "nets.py").write_text(NETS.read_text() + MORE)
    monkeypatch.delitem(sys.modules, "nets", raising=False)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)


def weights(model: str = "test_resnet") -> None:
    torch.save(timm.create_model(model, num_classes=3).state_dict(), "weights.pth")


ROWS = [
    Row(
        f"{LOADING}.load_network:hint",
        f"evaluate photos {ON}",
        "--model NAME",
        f"evaluate photos {{}} {ON}",
        fill={"NAME": "tiny:spatial"},
    ),
    Row(
        "errors.usage.UnknownModel.__init__:hint",
        f"evaluate photos {ON} --model test_resnte",
        "test_resnet",
        f"evaluate photos {ON} --model {{}} --checkpoint weights.pth --trust-labels",
    ),
    Row(
        f"{LOADING}._pretrained:hint",
        f"evaluate photos {ON} --model test_resnet --num-classes 3",
        "--checkpoint",
        f"evaluate photos {ON} --model test_resnet --num-classes 3 {{}} weights.pth --trust-labels",
    ),
    Row(
        f"{LOADING}._pretrained:hint3",
        f"evaluate photos {ON} --model test_resnet",
        "--checkpoint",
        f"evaluate photos {ON} --model test_resnet {{}} weights.pth --trust-labels",
    ),
    Row(
        "model.networks.sources._hub_architecture:hint",
        f"evaluate photos {ON} --model hf-hub:timm/none",
        "--checkpoint",
        f"evaluate photos {ON} --model test_resnet {{}} weights.pth --trust-labels",
    ),
    Row(
        "model.networks.architecture.Architecture._made:hint",
        f"evaluate photos {ON} --model tiny:spatial --model-kwargs depth=3",
        "--model-kwargs",
        f"evaluate photos {ON} --model tiny:spatial {{}} num_classes=3",
    ),
    Row(
        "model.networks.architecture.Architecture._made:hint",
        f"evaluate photos {ON} --model tiny:spatial --model-kwargs num_clases=3",
        "num_classes",
        f"evaluate photos {ON} --model tiny:spatial --model-kwargs {{}}=3",
    ),
    Row(
        "model.networks.architecture.Architecture._made:hint2",
        f"{TRAINED} --model-kwargs act_layer=zebra",
        "--model-kwargs",
        f"{TRAINED} {{}} act_layer=relu --trust-labels",
    ),
    Row(
        "model.networks.building._too_large:hint",
        f"{TRAINED} --model-kwargs layers=[900000,1,1,1]",
        "--model-kwargs",
        f"{TRAINED} {{}} drop_rate=0.1 --trust-labels",
    ),
    Row(
        "model.classifier.Classifier.check_batch_size:hint",
        f"evaluate photos {ON} --model nets:Alone --batch-size 4",
        "--batch-size 1",
        f"evaluate photos {ON} --model nets:Alone {{}}",
    ),
    Row(
        "model.classifier.stack:hint",
        "evaluate photos -o new -q --model nets:Colours --transform nets:uneven --batch-size 4",
        "resize or crop",
        "evaluate photos -o new -q --model nets:Colours --transform nets:ready",
    ),
    Row(
        "model.load.load_classifier:hint",
        f"evaluate photos {ON} --model nets:red",
        "--model module:function",
        f"evaluate photos {ON} --model nets:Colours",
    ),
    Row(
        f"{OUTPUTS}.dry_run._on_one:hint",
        "evaluate photos -o new -q --model nets:Fixed --img-size 16",
        "--img-size",
        "evaluate photos -o new -q --model nets:Fixed {} 32",
    ),
    Row(
        f"{OUTPUTS}.locating.find_scores:hint",
        f"evaluate photos {ON} --model nets:Named",
        "--model module:function",
        f"evaluate photos {ON} --model nets:Colours",
    ),
    Row(
        f"{OUTPUTS}.locating._refuse_class_number:hint",
        f"evaluate photos {ON} --model nets:Number",
        "--model module:function",
        f"evaluate photos {ON} --model nets:Colours",
    ),
    Row(
        "errors.models.OutOfMemory.__init__:hint",
        "evaluate photos -o new -q --img-size 8 --model nets:Hungry --batch-size 4",
        "--batch-size 2",
        "evaluate photos -o new -q --img-size 8 --model nets:Hungry {}",
    ),
]


ELSEWHERE = "model.networks.sources._elsewhere"


@pytest.mark.parametrize(
    ("name", "at"), [("mnasnet0_5", f"{ELSEWHERE}:text"), ("me/my-net", f"{ELSEWHERE}:text2")]
)
def test_a_model_of_another_library_is_named_as_it_is_given(walk: Walk, name: str, at: str):
    network = timm.create_model("test_resnet", num_classes=3)
    timm.models.save_for_hf(network, "hub", safe_serialization=True)
    walk.monkeypatch.setattr("timm.models._hub.hf_hub_download", from_folder)
    if "/" not in name:
        network = torchvision.models.get_model(name, num_classes=3)
    torch.save(network.state_dict(), "weights.pth")
    typed = f"evaluate photos {ON} --trust-labels --checkpoint weights.pth --model"
    said = walk.refused(f"{typed} {name}", "model.networks.sources._timm_architecture:hint")
    assert "--model " in said.hint, at
    walk.ends(f"{typed} {said.hint.partition('--model ')[2]}")


def from_folder(_repository: str, filename: str, **_options: object) -> str:
    return str(Path("hub", filename))


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_what_a_hint_proposes_is_a_way_out(walk: Walk, row: Row):
    if "weights.pth" in row.typed + row.follows:
        weights()
    if "uneven" in row.typed:
        paint(Path("photos/blue/9.png"), "blue", size=(30, 20))
    row.follow(walk)


def test_a_network_without_pretrained_weights_takes_a_file(walk: Walk):
    weights("ghostnet_050")
    typed = f"evaluate photos {ON} --model ghostnet_050"
    said = walk.refused(typed, f"{LOADING}._pretrained:hint2")
    assert "--checkpoint FILE" in said.hint
    walk.ends(f"{typed} --checkpoint weights.pth --img-size 32 --trust-labels")


@pytest.mark.skipif(sys.platform == "darwin", reason="mps may be there")
def test_a_device_that_is_not_there_is_chosen_by_itself(walk: Walk):
    typed = f"evaluate photos {ON} --model tiny:spatial --device"
    said = walk.refused(f"{typed} mps", "model.classifier.choose_device:hint")
    walk.ends(typed.replace("--device", said.hint))


def test_a_number_of_a_class_is_no_score(walk: Walk):
    for colour in ("green", "blue"):
        shutil.rmtree(f"photos/{colour}")
    paint(Path("photos/blue/0.png"), "blue")
    typed = f"evaluate photos {ON} --model nets:Counted1"
    Path("nets.py").write_text(Path("nets.py").read_text() + COUNTED)
    said = walk.refused(typed, f"{OUTPUTS}.on_photos._PhotoRun.kind:hint")
    assert "--model module:function" in said.hint, f"{OUTPUTS}.locating:text"
    walk.ends(f"evaluate photos {ON} --model nets:red --trust-labels")


COUNTED = """

class Counted1(Colours):
    def forward(self, images):
        return super().forward(images).argmax(1, keepdim=True).float() + 0.0
"""


def test_one_output_is_read_the_other_way_round_where_that_is_said(walk: Walk):
    shutil.rmtree("photos/green")
    typed = f"evaluate photos {ON.replace(' -q', '')} --model nets:red --trust-labels"
    said = walk.ends(typed, says="if it is the other way round")
    assert "--classes FILE" in said.text, f"{OUTPUTS}.on_photos._one_output:text"
    Path("names.txt").write_text("red\nblue\n")
    walk.ends(f"{typed} --classes names.txt --overwrite", says="the probability of 'blue'")


def test_a_random_transform_is_replaced_by_one_that_is_not(walk: Walk):
    typed = "evaluate photos -o new --model nets:Colours --transform nets:{}"
    said = walk.ends(typed.format("shaken"), says="a random change of training")
    assert "another input" in said.text, f"{OUTPUTS}.on_photos:text"
    said = walk.ends(f"{typed.format('ready')} --overwrite")
    assert "random" not in said.text


def test_what_depends_on_its_neighbours_depends_on_the_batch_size(walk: Walk):
    typed = f"evaluate photos {ON.replace(' -q', '')} --model nets:{{}}"
    said = walk.ends(typed.format("Beside"), says="answers differently")
    assert "--batch-size" in said.text, f"{OUTPUTS}.on_photos._PhotoRun.differences:text"
    said = walk.ends(f"{typed.format('Colours')} --overwrite")
    assert "differently" not in said.text


@pytest.mark.parametrize("way", ["go to the folder", "--trust-run"])
def test_code_of_a_run_is_run_where_it_lies_or_is_trusted(walk: Walk, way):
    Path("elsewhere").mkdir()
    walk.monkeypatch.chdir("elsewhere")
    walk.monkeypatch.delitem(sys.modules, "tiny", raising=False)
    said = walk.refused("explain ../seen -q", "errors.runs.ForeignCode.__init__:hint")
    assert way in said.hint
    if way == "--trust-run":
        walk.monkeypatch.syspath_prepend("..")
        walk.ends("explain ../seen -q --trust-run")
    else:
        walk.monkeypatch.chdir("..")
        walk.ends("explain seen -q")


def test_weights_that_have_changed_are_brought_back(walk: Walk):
    weights()
    walk.ends(f"{TRAINED} --trust-labels")
    shutil.copy("weights.pth", "kept.pth")
    weights()
    said = walk.refused("explain new -q", "model.reload.reload_classifier:hint")
    assert "bring the weights of the run back" in said.hint
    shutil.copy("kept.pth", "weights.pth")
    walk.ends("explain new -q --select row:0")


def forged(run: str, **settings: object) -> None:
    """Change what run.json says of the model, and stamp everything as if it had always said so."""
    file = Path(run, "run.json")
    info = json.loads(file.read_text())
    for name, value in settings.items():
        info[name] = {**info.get(name, {}), **value} if isinstance(value, dict) else value
    file.write_text(json.dumps(info))
    run_hash = errlens.open_run(run).info.run_hash
    file.write_text(json.dumps({**info, "run_hash": run_hash}))
    for part in Path(run, "predictions").iterdir():
        table = pq.read_table(part)
        told = json.loads(table.schema.metadata[b"errlens"]) | {"run_hash": run_hash}
        metadata = {**table.schema.metadata, b"errlens": json.dumps(told).encode()}
        pq.write_table(table.replace_schema_metadata(metadata), part)


@pytest.mark.parametrize(
    ("settings", "at"),
    [
        ({"arguments": {"pretrained": True}}, "model.reload._architecture:hint"),
        (
            {"arguments": {"stem_width": 1_000}, "checkpoint": None},
            "model.networks.building.check_size:hint",
        ),
        ({"preprocessing": {"mean": ["x"]}}, "model.reload._check_preprocessing:hint"),
    ],
)
def test_what_a_run_says_of_its_model_may_be_trusted(walk: Walk, settings, at):
    weights()
    walk.ends(f"{TRAINED} --trust-labels")
    forged("new", **settings)
    walk.monkeypatch.setattr("errlens.model.networks.building.SPARE_NUMBERS", 0)
    said = walk.refused("explain new -q", at)
    assert "--trust-run" in said.hint, "model.reload:text"
    walk.goes_on("explain new -q --trust-run", past=at)


def test_outputs_that_run_json_does_not_explain_are_evaluated_again(walk: Walk):
    typed = "evaluate photos --model tiny:spatial -o seen -q"
    forged("seen", outputs={"scores": "nothing"})
    said = walk.refused("explain seen -q", "model.reload._reading:hint")
    assert "--overwrite" in said.hint
    walk.ends(f"{typed} --overwrite")
    walk.ends("explain seen -q")


def test_a_layer_whose_channels_are_not_clear_is_replaced_by_a_convolution(walk: Walk):
    model = "--model test_convnext --model-kwargs dims=[24,32,48,64] --checkpoint weights.pth"
    state = timm.create_model("test_convnext", dims=(24, 32, 48, 64), num_classes=3).state_dict()
    torch.save(state, "weights.pth")
    typed = f"explain photos/red/0.png {model} --img-size 96 -o new -q --layer"
    said = walk.refused(f"{typed} stages.0", "model.layers.places._named:hint2")
    assert "of a convolution" in said.hint
    walk.ends(f"{typed} stages.0.blocks.0.conv_dw")
