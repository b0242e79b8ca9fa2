import dataclasses
from functools import partial

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from errlens.analysis.invariance.answers import Step
from errlens.analysis.invariance.sentences import in_words, natural_losses
from errlens.analysis.invariance.tables import CLASSES, CURVES, class_table, curve_table
from errlens.classes.names import NO_CLASS
from errlens.data.photos.transforms import TRANSFORM_OF, TRANSFORMS
from errlens.errors import NoImages, UnfitLayer
from errlens.model.asking.hiding import AskedImage
from errlens.network.invariance.layers import compared_layers
from errlens.network.invariance.responses import Asking, distances
from tests.network.units.networks import classifier_of

SIDE = 16


def network(*, circular=False):
    torch.manual_seed(0)
    mode = "circular" if circular else "zeros"
    return nn.Sequential(
        nn.Conv2d(3, 6, 3, padding=1, padding_mode=mode),
        nn.ReLU(inplace=True),
        nn.Conv2d(6, 5, 3, padding=1, padding_mode=mode),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(5, 3),
    ).eval()


def steps_of(*names):
    transforms = [TRANSFORM_OF[name] for name in names] or TRANSFORMS
    return [
        (Step(each.name, size), partial(each.apply, size=size))
        for each in transforms
        for size in each.sizes
    ]


def asking_of(module, steps, *, names=None, side=SIDE, **how):
    classifier = classifier_of(module, side=side)
    layers = compared_layers(module, (3, side, side), names)
    return Asking(classifier=classifier, layers=layers, steps=steps, workers=2, **how)


@pytest.fixture
def photos(tmp_path):
    random = np.random.default_rng(1)
    paths = [tmp_path / f"{number}.png" for number in range(5)]
    for path in paths:
        pixels = random.integers(0, 256, (4, 4, 3), dtype=np.uint8)
        Image.fromarray(pixels).resize((20, 24), Image.Resampling.BICUBIC).save(path)
    return [AskedImage(path, None) for path in paths]


LABELS = np.array([0, 1, 2, 0, NO_CLASS], np.int32)


def test_distances_and_probabilities_are_those_of_numpy(photos):
    module = network()
    asking = asking_of(module, steps_of())
    answers = asking.about(photos, LABELS)
    used = asking.classifier.preparation
    assert answers.layers == ["0", "2"]

    def seen(picture):
        pixels = np.asarray(picture).astype(np.float32).transpose(2, 0, 1)[None]
        with torch.no_grad():
            first = module[0](torch.from_numpy((pixels / 255 - 0.5) / 0.5))
            second = module[2](first.clamp(min=0))
            logits = module[3:](second)[0].double().numpy()
        chances = np.exp(logits) / np.exp(logits).sum()
        return [layer.double().numpy().ravel() for layer in (first, second)], chances

    for image, (path, _) in enumerate(photos):
        picture = used.fit(Image.open(path).convert("RGB"))
        before, chances = seen(picture)
        followed = chances.argmax() if LABELS[image] == NO_CLASS else LABELS[image]
        assert answers.followed[image] == followed
        for at, (_, change) in enumerate(asking.steps):
            after, chances = seen(change(picture))
            assert answers.probability[image, at] == pytest.approx(chances[followed], abs=1e-5)
            assert answers.pred[image, at] == chances.argmax()
            for layer in range(2):
                a, b = before[layer], after[layer]
                apart = np.sqrt(((a - b) ** 2).sum())
                cosine = 1 - (a @ b) / np.sqrt((a @ a) * (b @ b))
                assert answers.euclidean[image, at, layer] == pytest.approx(apart, abs=1e-4)
                assert answers.cosine[image, at, layer] == pytest.approx(cosine, abs=1e-6)


def test_the_identity_and_a_full_turn_change_nothing(photos):
    answers = asking_of(network(), steps_of("rotate", "blur")).about(photos, LABELS)
    start, full = (answers.steps.index(("rotate", degrees)) for degrees in (0, 360))
    assert (answers.euclidean[:, [start, full]] == 0).all()
    assert (answers.cosine[:, [start, full]] == 0).all()
    np.testing.assert_array_equal(answers.probability[:, start], answers.probability[:, full])
    sharp = answers.steps.index(("blur", 0))
    np.testing.assert_array_equal(answers.probability[:, start], answers.probability[:, sharp])
    assert (answers.euclidean[:, start + 1] > 0).all()


def test_a_circular_network_does_not_see_circular_shifts(photos):
    steps = [(Step("roll", size), partial(rolled, by=size)) for size in range(6)]
    circular = asking_of(network(circular=True), steps).about(photos, LABELS)
    np.testing.assert_allclose(
        circular.probability, circular.probability[:, :1] * np.ones(6), atol=1e-6
    )
    assert (circular.euclidean[:, 1:] > 0.1).all()  # its maps move with the photo
    padded = asking_of(network(), steps).about(photos, LABELS)
    assert (np.abs(padded.probability[:, 1:] - padded.probability[:, :1]) > 1e-5).any()


def test_pooled_features_of_a_circular_network_stay_where_they_are(photos):
    module = nn.Sequential(
        network(circular=True)[:3], Pooled(), nn.Conv2d(5, 5, 1), nn.Flatten(), nn.Linear(20, 3)
    )
    steps = [(Step("roll", size), partial(rolled, by=size)) for size in (0, 3, 8)]
    answers = asking_of(module.eval(), steps, names=["2"]).about(photos, LABELS)
    assert answers.euclidean.max() < 1e-4
    assert answers.cosine.max() < 1e-6


class Pooled(nn.Module):
    """The mean over all places, at two by two of them."""

    def forward(self, maps):
        return maps.mean(dim=(2, 3), keepdim=True).expand(-1, -1, 2, 2)


def rolled(picture, *, by):
    return Image.fromarray(np.roll(np.asarray(picture), by, axis=1))


def test_batches_and_threads_change_nothing(photos):
    one = asking_of(network(), steps_of(), batch_size=1).about(photos, LABELS)
    many = asking_of(network(), steps_of(), batch_size=64).about(photos, LABELS)
    np.testing.assert_array_equal(one.pred, many.pred)
    np.testing.assert_allclose(one.probability, many.probability, atol=1e-6)
    np.testing.assert_allclose(one.euclidean, many.euclidean, atol=1e-4)
    np.testing.assert_allclose(one.cosine, many.cosine, atol=1e-6)


def test_nothing_is_left_behind_in_the_network(photos):
    module = network().train()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    asking_of(module, steps_of("blur")).about(photos, LABELS)
    assert module.training
    assert not any(part._forward_hooks for part in module.modules())
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())


def test_photos_that_cannot_be_read_are_left_out_and_told(photos, tmp_path):
    (tmp_path / "broken.png").write_bytes(b"none")
    broken, gone = (AskedImage(tmp_path / name, None) for name in ("broken.png", "gone.png"))
    other = AskedImage(photos[0].path, b"another file")
    asking = asking_of(network(), steps_of("blur"))
    answers = asking.about([broken, photos[0], gone, other], LABELS[:4])
    assert answers.at.tolist() == [1]
    assert answers.label.tolist() == [1]
    assert sorted(answers.unread) == [0, 2, 3]
    assert answers.unread[3] == "another file now"
    with pytest.raises(NoImages, match="none of 1 image can be read"):
        asking.about([gone], LABELS[:1])


def test_outputs_that_are_not_finite_have_no_probability(photos):
    class Picky(nn.Sequential):
        def forward(self, images):
            scores = super().forward(images)
            scores[images.mean(dim=(1, 2, 3)) < -0.5] = float("nan")
            return scores

    module = Picky(*network()).eval()
    answers = asking_of(module, steps_of("brightness")).about(photos, LABELS)
    assert np.isnan(answers.probability[:, 0]).any()
    assert (answers.pred[np.isnan(answers.probability)] == NO_CLASS).all()
    table = curve_table(answers, [TRANSFORM_OF["brightness"]])
    assert np.isnan(table["probability_mean"].iloc[0])  # of no image, the darkest
    assert table["probability_mean"].iloc[-1] > 0
    losses = natural_losses(answers, [TRANSFORM_OF["brightness"]])
    assert np.isfinite(losses[0].mean)


def test_a_full_turn_is_no_size_that_costs(photos):
    """Not even where every other turn makes the class more probable."""
    answers = asking_of(network(), steps_of("rotate")).about(photos, LABELS)
    likelier = [step.size % 360 > 0 for step in answers.steps]
    answers = dataclasses.replace(
        answers, probability=np.where(likelier, 0.9, 0.8) + 0 * answers.probability
    )
    (loss,) = natural_losses(answers, [TRANSFORM_OF["rotate"]])
    assert loss.size in (10, 20)


def test_layers_are_the_first_with_weights_and_the_last_with_places():
    module = nn.Sequential(nn.Identity(), network())
    names = [layer.name for layer in compared_layers(module, (3, SIDE, SIDE))]
    assert names == ["1.0", "1.2"]
    named = compared_layers(module, (3, SIDE, SIDE), ["1.2", "1.2"])
    assert [layer.name for layer in named] == ["1.2"]
    with pytest.raises(UnfitLayer):
        compared_layers(module, (3, SIDE, SIDE), ["1.5"])


def test_distances_from_nothing():
    nothing, something = torch.zeros(1, 4), torch.ones(2, 4)
    something[1] = 0
    euclidean, cosine = distances(nothing, something)
    assert euclidean.tolist() == [2, 0]
    assert cosine.tolist() == [1, 0]


class Orientation(nn.Module):
    """Tells horizontal from vertical stripes, and both from a disc, which has no orientation."""

    def __init__(self):
        super().__init__()
        self.differences = nn.Conv2d(3, 2, 3, padding=1, padding_mode="replicate", bias=False)
        with torch.no_grad():
            self.differences.weight.zero_()
            self.differences.weight[0, :, :, 1] = torch.tensor([-1.0, 0.0, 1.0])
            self.differences.weight[1, :, 1, :] = torch.tensor([-1.0, 0.0, 1.0])

    def forward(self, images):
        down, across = self.differences(images).abs().mean(dim=(2, 3)).unbind(1)
        share = (down - across) / (down + across + 1e-6)
        return 20 * torch.stack([share - 0.2, -share - 0.2, 0.2 - share.abs()], dim=1)


def test_a_class_that_hangs_on_its_orientation_breaks_first_and_under_rotation(tmp_path):
    rows, columns = np.mgrid[:64, :64]
    shapes = {
        0: (np.sin(rows / 3) > 0) * 255.0,
        2: (np.hypot(rows - 31.5, columns - 31.5) < 20) * 255.0,
    }
    images, labels = [], []
    for label, shape in shapes.items():
        for number in range(8):
            path = tmp_path / f"{label}_{number}.png"
            Image.fromarray((shape * (0.6 + number / 20)).astype(np.uint8)).convert("RGB").save(
                path
            )
            images.append(AskedImage(path, None))
            labels.append(label)
    names = ("translate-x", "rotate", "brightness", "jpeg")
    transforms = [TRANSFORM_OF[name] for name in names]
    asking = asking_of(Orientation(), steps_of(*names), side=64, names=["differences"])
    answers = asking.about(images, np.array(labels, np.int32))
    table = class_table(answers, transforms, ["stripes", "other stripes", "disc"])
    assert list(table) == list(CLASSES)
    first = table.iloc[0]
    assert (first["class_name"], first["transform"], first["sure"]) == ("stripes", "rotate", True)
    assert first["breaks_at"] in (30, 45)
    assert set(table[table["breaks_at"].notna()]["class_name"]) == {"stripes"}
    (_, broken) = in_words(answers, natural_losses(answers, transforms), table)
    assert broken.startswith(
        f"stripes breaks first: turning, at {first['breaks_at']:g} degrees, more"
    )
    curves = curve_table(answers, transforms)
    assert list(curves) == list(CURVES)
    assert (curves["n"] == 16).all()
    start = curves[(curves["transform"] == "rotate") & (curves["size"] == 0)].iloc[0]
    assert (start["accuracy"], start["same_prediction"], start["euclidean_mean"]) == (1, 1, 0)
