"""A model asked again says of a changed image what it says of a file that was changed like that."""

from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import timm
import torch
from PIL import Image

import errlens
from errlens.analysis.findings.asked import Asked, to_ask
from errlens.analysis.findings.causes.repairs.search import search_repairs
from errlens.analysis.findings.scored import COLUMNS, scored
from errlens.data.photos.changes import CHANGE_OF, CHANGES
from errlens.data.photos.images import read_encoded
from errlens.data.photos.loading import decode_for
from errlens.model.asking.asking import Asking
from errlens.model.asking.time_left import NO_LIMIT, TimeLeft
from errlens.model.asking.variants import shown, variants_of
from errlens.model.reload import reload_classifier
from errlens.run.folder import RunFolder

TRANSFORM = """
import numpy, torch

def halved(image):
    pixels = numpy.asarray(image.resize((8, 8))) / 510
    return torch.tensor(pixels, dtype=torch.float32).permute(2, 0, 1)
"""
RESNET = {"model": "test_resnet", "checkpoint": "weights.safetensors", "crop_pct": 1.0}


@contextmanager
def silent(_what: str, *, total: int):
    del total
    yield lambda _images: None


@pytest.fixture
def resnet(tiny, tmp_path) -> Callable[..., RunFolder]:
    """Evaluate the photos with a network of random weights that sees places."""
    del tiny  # for its folder
    torch.manual_seed(0)
    network = timm.create_model("test_resnet", pretrained=False, num_classes=3)
    torch.nn.init.normal_(network.get_classifier().weight, std=2)
    safetensors.torch.save_model(network, tmp_path / "weights.safetensors")

    def evaluate(photos: Path, **options) -> RunFolder:
        return errlens.evaluate(photos, **{**RESNET, "img_size": 64, **options})

    return evaluate


def asking(run, **options) -> Asking:
    info = run.require_model()
    given = {"workers": 2, "threads": 1, "progress": silent, "root": Path(info.data_root)}
    return Asking(
        classifier=reload_classifier(info, device="cpu", trusted=True),
        scored=scored(run.read_predictions(COLUMNS)),
        **{**given, **options},
    )


def ask_all(run, *, time=NO_LIMIT, changes=None, **options) -> Asked:
    asks = asking(run, **options)
    return asks.about(np.arange(len(asks.scored)), time=time, changes=changes)


def answers(asked: Asked, change: str) -> tuple[list[int], np.ndarray]:
    column = asked.changes.index(change)
    return asked.pred[:, column].tolist(), asked.label_prob[:, column]


@pytest.mark.parametrize("name", ["turn_90", "mirror", "blue_first"])
def test_a_change_answers_as_changed_files_do(resnet, photos, tmp_path, name):
    options = {"crop_mode": "squash"}
    asked = ask_all(resnet(photos, **options))
    for path in photos.rglob("*.png"):
        changed = tmp_path / "changed" / path.relative_to(photos)
        changed.parent.mkdir(parents=True, exist_ok=True)
        CHANGE_OF[name].picture(Image.open(path)).save(changed)
    of_files = resnet(tmp_path / "changed", out="other", **options).predictions.frame
    pred, label_prob = answers(asked, name)
    assert np.mean(np.array(pred) == of_files["pred"]) >= 11 / 12  # of bytes that are rounded
    np.testing.assert_allclose(label_prob, of_files["label_prob"].to_numpy(float), atol=0.02)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("letterbox", {"crop_mode": "border", "crop_pct": 1.0}),
        ("wider", {"crop_pct": 1.0}),
        ("larger", {"img_size": 96}),
    ],
)
def test_other_settings_answer_as_evaluating_with_them(resnet, photos, name, options):
    used = {"crop_pct": 0.8, "interpolation": "bicubic"}
    asked = ask_all(resnet(photos, **used))
    again = resnet(photos, out="other", **{**used, **options}).predictions.frame
    pred, label_prob = answers(asked, name)
    assert pred == again["pred"].tolist()
    np.testing.assert_allclose(label_prob, again["label_prob"].to_numpy(float), rtol=1e-4)


def test_an_input_that_is_not_square_is_made_of_the_turned_photo(resnet, photos):
    classifier = asking(resnet(photos)).classifier
    used = replace(classifier.preparation, img_size=(32, 64))
    variants, _ = variants_of(replace(classifier, preparation=used))
    (quarter,) = [variant for variant in variants if variant.change.name == "turn_90"]
    path = photos / "red" / "0.png"
    encoded = read_encoded(path)
    made = quarter.input_of(shown(decode_for(used, encoded), encoded, used))
    turned = Image.open(path).transpose(Image.Transpose.ROTATE_90)
    assert np.array_equal(made, used.prepare(turned))


def test_photos_are_turned_as_their_exif_says(resnet, tmp_path):
    for number in range(6):
        pixels = np.random.default_rng(number).integers(0, 255, (20, 30, 3), dtype=np.uint8)
        exif = Image.Exif()
        exif[0x0112] = 6 if number % 2 else 1
        path = tmp_path / "turned" / f"{'abc'[number // 2]}" / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path, exif=exif)
    asked = ask_all(resnet(tmp_path / "turned"))
    upright = resnet(tmp_path / "turned", out="other", exif=True).predictions.frame
    assert answers(asked, "exif")[0] == upright["pred"].tolist()
    assert asked.differs[:, asked.changes.index("exif")].tolist() == [False, True] * 3
    again = ask_all(errlens.open_run("other"))
    assert "already" in again.left_out["exif"]


def test_what_changes_nothing_keeps_the_answer_of_the_run(resnet, photos):
    run = resnet(photos)
    asked = ask_all(run)
    column = asked.changes.index("borders_off")
    assert not asked.differs[:, column].any()
    frame = run.predictions.frame
    assert asked.pred[:, column].tolist() == frame["pred"].tolist()
    np.testing.assert_array_equal(asked.label_prob[:, column], frame["label_prob"].to_numpy(float))


@pytest.mark.parametrize("options", [{"workers": 1}, {"workers": 3}])
def test_how_the_work_is_divided_changes_no_answer(resnet, photos, options):
    run = resnet(photos)
    one, other = ask_all(run), ask_all(run, **options)
    assert one.pred.tolist() == other.pred.tolist()


def test_a_transform_of_ones_own_is_given_changed_photos(tiny, photos, tmp_path):
    (tmp_path / "asked_halving.py").write_text(TRANSFORM)
    run = errlens.evaluate(photos, model=tiny, transform="asked_halving:halved")
    asked = ask_all(run)
    assert answers(asked, "blue_first")[0][:4] == [2] * 4  # the blue ones are red then
    settings = {change.name for change in CHANGES if change.settings}
    assert asked.left_out.keys() == settings
    assert all("--transform" in reason for reason in asked.left_out.values())


def test_a_network_that_takes_one_image_of_one_size_is_asked_so(tiny, photos, tmp_path):
    (tmp_path / "one.py").write_text(
        "from tiny import Colours\n"
        "class One(Colours):\n"
        "    def forward(self, images):\n"
        "        if len(images) != 1 or images.shape[2] != 32:\n"
        "            raise ValueError('one of 32')\n"
        "        return super().forward(images)\n"
    )
    del tiny
    run = errlens.evaluate(photos, model="one:One", img_size=32, batch_size=1)
    asked = ask_all(run)
    assert "another size" in asked.left_out["larger"]
    assert answers(asked, "blue_first")[0][:4] == [2] * 4


def test_a_network_of_one_channel_is_asked_nothing_of_colours(resnet, photos, tmp_path):
    network = timm.create_model("test_resnet", pretrained=False, num_classes=3, in_chans=1)
    safetensors.torch.save_model(network, tmp_path / "grey.safetensors")
    run = resnet(photos, checkpoint="grey.safetensors", model_kwargs={"in_chans": 1})
    asked = ask_all(run)
    assert {"grey", "balanced", "blue_first"} <= asked.left_out.keys()
    assert np.isfinite(asked.label_prob).all()


def test_photos_that_are_gone_or_others_now_are_counted_and_left_out(resnet, photos):
    run = resnet(photos)
    (photos / "blue" / "1.png").unlink()
    (photos / "green" / "2.png").write_bytes((photos / "red" / "0.png").read_bytes())
    (photos / "red" / "2.png").write_bytes(b"no image")
    asked = ask_all(run)
    assert asked.unread == 3
    assert asked.row.tolist() == [0, 2, 3, 4, 5, 7, 8, 9, 11]
    assert asked.stopped == ""


def test_where_all_photos_are_gone_that_is_why_nothing_is_known(resnet, photos):
    run = resnet(photos)
    asked = ask_all(run, root=photos / "elsewhere")
    outcome = search_repairs(scored(run.read_predictions(COLUMNS)), asked)
    assert {search.absent for search in outcome.searches} >= {"the photos are gone, or others now"}
    assert not len(outcome.tables["repairs"])


def test_when_time_is_up_what_was_asked_is_kept(resnet, photos, monkeypatch):
    run = resnet(photos)
    monkeypatch.setattr("errlens.model.asking.asking._HELD", 1)  # byte: an image at a time
    asked = ask_all(run, time=TimeLeft(0.0))
    assert len(asked.row) == 1
    assert asked.stopped == "time was up after 1 of 12 images"


def test_ctrl_c_ends_it_at_once(resnet, photos):
    @contextmanager
    def impatient(_what, *, total):
        del total

        def advance(_images):
            raise KeyboardInterrupt

        yield advance

    with pytest.raises(KeyboardInterrupt):
        ask_all(resnet(photos), progress=impatient)


def test_progress_hears_of_every_image(resnet, photos):
    heard = []

    @contextmanager
    def listening(_what, *, total):
        heard.append(-total)
        yield heard.append

    asks = asking(resnet(photos), progress=listening)
    places = to_ask(asks.scored, top=3, seed=0)
    asked = asks.about(places)
    assert sum(heard) == 0
    assert asked.row.tolist() == sorted(asks.scored.row[places].tolist())


def test_no_image_to_ask_about_asks_nothing(resnet, photos):
    asked = asking(resnet(photos)).about(np.zeros(0, int))
    assert len(asked.row) == 0
