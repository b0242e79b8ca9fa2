from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from errlens.analysis.correspondence.changes import CHANNELS, PLACES
from errlens.analysis.correspondence.tables import alike_table, held_against_chance
from errlens.attribution.masks import NOWHERE, Box
from errlens.classes.names import NO_CLASS
from errlens.data.objects.outlines import Outlines
from errlens.data.objects.parts import PartBox
from errlens.errors import NoImages, UnfitLayer, UnfitOption
from errlens.model.asking.hiding import AskedImage
from errlens.network.correspondence import asking as module_of_asking
from errlens.network.correspondence.asking import Asking, Subject
from errlens.network.correspondence.hiding import pictures_with_hidden
from errlens.network.correspondence.layers import compared_layers
from errlens.network.correspondence.placing import CROPPED, NO_ROOM, OUTSIDE
from tests.network.units.networks import classifier_of

SIDE = 32
SQUARE = 8  # pixels


class Seer(nn.Module):
    """Has a layer of colours alone, and one that answers to red as well, in all its channels."""

    def __init__(self):
        super().__init__()
        self.plain = nn.Conv2d(3, 8, 1, bias=False)
        self.red = nn.Conv2d(3, 8, 1, bias=False)
        self.head = nn.Linear(8, 3)
        torch.manual_seed(0)
        lean = torch.randn(8)
        colours = torch.stack([torch.zeros(8), lean, -lean], dim=1)
        with torch.no_grad():
            self.plain.weight.copy_(colours[:, :, None, None])
            reddish = torch.tensor([3.0, -1.5, -1.5])
            self.red.weight.copy_((colours + reddish)[:, :, None, None])

    def forward(self, images):
        self.plain(images)
        return self.head(self.red(images).mean(dim=(2, 3)))


def paint(path, random, *, at):
    """Paint a photo of large squares of cold colours, and one of some red at a place."""
    cold = random.integers(60, 196, (4, 4, 3))
    cold[:, :, 0] = cold[:, :, 1:].mean(axis=2)
    pixels = cold.repeat(8, axis=0).repeat(8, axis=1).astype(np.uint8)
    row, column = at
    pixels[row : row + SQUARE, column : column + SQUARE] = (255, *random.integers(0, 80, 2))
    Image.fromarray(pixels).save(path)
    return path


def box_at(row, column):
    return PartBox((column, row, column + SQUARE, row + SQUARE))


@pytest.fixture
def subjects(tmp_path):
    random = np.random.default_rng(0)
    made = []
    for number in range(12):
        row, column = random.integers(0, SIDE - SQUARE, 2).tolist()
        path = paint(tmp_path / f"{number}.png", random, at=(row, column))
        red = {"red": box_at(row, column)}
        made.append(Subject(AskedImage(path, None), path.name, number % 3, red))
    return made


def asking_of(module=None, *, names=("plain", "red"), regions=15, **how):
    classifier = classifier_of(module or Seer(), side=SIDE)
    layers = compared_layers(
        classifier.network.module, (3, SIDE, SIDE), head="head", features=8, names=names
    )
    how = {"workers": 2, "seed": 0, **how}
    return Asking(classifier=classifier, layers=layers, regions=regions, **how)


def table_of(changes):
    table = alike_table(held_against_chance(changes, permutations=199, seed=0))
    return table.set_index(["layer", "units"])


def test_a_layer_that_answers_to_a_part_corresponds_and_one_that_does_not_does_not(subjects):
    # Grey, for the mean colour of a photo with a red square is a little red.
    table = table_of(asking_of(filling="gray").about(subjects))
    red = table.loc["red", CHANNELS]
    assert red["distance"] == 0
    assert red["random_low"] > 0.3
    assert red["p_value"] == 1 / 200
    assert red["alike"]
    assert red["strength"] > 2
    plain = table.loc["plain", CHANNELS]
    assert not plain["alike"]
    assert plain["distance"] == pytest.approx(plain["random_mean"], abs=0.1)


def test_identical_images_are_alike_at_every_layer(subjects):
    changes = asking_of().about([subjects[0]] * 4)
    assert (table_of(changes)["distance"] == 0).all()


def test_signs_are_those_of_the_network_asked_by_hand(subjects):
    asking = asking_of(names=["red", "penultimate"], regions=3)
    changes = asking.about(subjects[:2])
    (part,) = changes.parts
    assert [(units.layer, units.kind, units.n) for units in changes.units] == [
        ("red", PLACES, 8 * SIDE * SIDE), ("red", CHANNELS, 8), ("penultimate", CHANNELS, 8),
    ]  # fmt: skip
    assert changes.compared == [0, 2]  # the head is fed those means
    module = asking.classifier.network.module
    for number, subject in enumerate(subjects[:2]):
        pixels = np.asarray(Image.open(subject.image.path)).astype(np.float32) / 127.5 - 1
        image = torch.from_numpy(pixels.transpose(2, 0, 1))
        with torch.no_grad():
            before = module.red(image[None])
            for at, (top, left, bottom, right) in enumerate(part.boxes[number].tolist()):
                hidden = image.clone()
                hidden[:, top:bottom, left:right] = image.mean(dim=(1, 2))[:, None, None]
                fall = before - module.red(hidden[None])
                clear = fall.abs().flatten() > 1e-3
                np.testing.assert_array_equal(
                    part.signs[0][number, at][clear], fall.sign().flatten()[clear]
                )
                same = fall.abs().flatten() < 1e-6
                assert same.float().mean() > 0.8
                assert (part.signs[0][number, at][same] == 0).all()
                means = fall.mean(dim=(2, 3))[0]
                np.testing.assert_array_equal(part.signs[1][number, at], means.sign())
                assert part.sizes[number, at, 1] == pytest.approx(float(means.norm()), abs=1e-4)
                chances = module(hidden[None]).softmax(dim=1)[0]
                assert part.probability[number, 1 + at] == pytest.approx(
                    float(chances[subject.label]), abs=1e-5
                )
            chances = module(image[None]).softmax(dim=1)[0]
        assert part.probability[number, 0] == pytest.approx(float(chances[subject.label]), abs=1e-5)


def test_batches_and_threads_change_nothing(subjects):
    one = asking_of(batch_size=1, workers=1).about(subjects)
    many = asking_of(batch_size=64, workers=3).about(subjects)
    for first, second in zip(one.parts, many.parts, strict=True):
        np.testing.assert_array_equal(first.boxes, second.boxes)
        np.testing.assert_allclose(first.probability, second.probability, atol=1e-6)
        for signs, others in zip(first.signs, second.signs, strict=True):
            np.testing.assert_array_equal(signs, others)


def test_of_a_large_layer_some_units_are_drawn(subjects, monkeypatch):
    monkeypatch.setattr(module_of_asking, "MOST_UNITS", 100)
    changes = asking_of().about(subjects)
    places = [units for units in changes.units if units.kind == PLACES]
    assert [(units.n, units.total) for units in places] == [(100, 8 * SIDE * SIDE)] * 2
    assert changes.parts[0].signs[0].shape == (12, 16, 100)
    again = asking_of().about(subjects).parts[0]
    np.testing.assert_array_equal(changes.parts[0].signs[0], again.signs[0])
    monkeypatch.setattr(module_of_asking, "MOST_BYTES", 12 * 16 * 4 * 30)
    assert {units.n for units in asking_of().about(subjects).units} == {30, 8}


def test_regions_lie_in_the_object_where_an_outline_is_known(subjects):
    square = [0, 0, 20, 0, 20, 31, 0, 31]
    outline = {"width": SIDE, "height": SIDE, "polygons": [square]}
    known = Outlines({"0.png": outline, "1.png": outline}, None)
    inside = [
        subject._replace(boxes={"red": box_at(2, 2)}) for subject in (*subjects[:3], subjects[0])
    ]
    part = asking_of(outlines=known).about(inside).parts[0]
    assert part.outlined.tolist() == [True, True, False, True]
    assert part.boxes[0][:, 3].max() <= 23
    assert part.boxes[2][:, 3].max() > 26
    assert part.of_object[0].min() > 0.7


def test_parts_that_cannot_be_compared_are_left_out_with_the_reason(subjects):
    outline = {"width": SIDE, "height": SIDE, "polygons": [[0, 0, 9, 0, 9, 9, 0, 9]]}
    known = Outlines({subject.path: outline for subject in subjects[:3]}, None)
    where = [box_at(-5, 0), box_at(20, 20), box_at(1, 1), box_at(4, 4)]
    asked = [
        subject._replace(boxes={"part": box}) for subject, box in zip(subjects, where, strict=False)
    ]
    part = asking_of(outlines=known).about(asked).parts[0]
    assert part.left_out == {0: CROPPED, 1: OUTSIDE, 2: NO_ROOM}
    assert part.at.tolist() == [3]


def test_several_parts_have_images_of_their_own(subjects):
    asked = [
        subject._replace(boxes={"corner": box_at(0, 0), **(subject.boxes if at % 2 else {})})
        for at, subject in enumerate(subjects)
    ]
    corner, red = asking_of().about(asked).parts
    assert (corner.part, len(corner), red.part, len(red)) == ("corner", 12, "red", 6)
    assert red.at.tolist() == [1, 3, 5, 7, 9, 11]
    assert (corner.boxes[:, 0] == (0, 0, 8, 8)).all()


def test_boxes_of_a_stored_photo_turn_with_it(subjects, tmp_path):
    turned = Image.Exif()
    turned[0x0112] = 6
    upright = np.asarray(Image.open(subjects[0].image.path))
    Image.fromarray(np.rot90(upright)).save(tmp_path / "turned.png", exif=turned)
    row, column = (int(side) for side in subjects[0].boxes["red"].box[1::-1])
    stored = box_at(SIDE - column - SQUARE, row)
    other = Subject(AskedImage(tmp_path / "turned.png", None), "turned.png", 0, {"red": stored})
    asking = asking_of()
    used = replace(asking.classifier.preparation, exif=True)
    asking = replace(asking, classifier=replace(asking.classifier, preparation=used))
    changes = asking.about([subjects[0], other])
    np.testing.assert_array_equal(*changes.parts[0].boxes[:, 0])
    assert changes.parts[0].probability[0, :2] == pytest.approx(changes.parts[0].probability[1, :2])


def test_photos_that_cannot_be_read_are_told(subjects, tmp_path):
    (tmp_path / "0.png").write_bytes(b"none")
    other = subjects[1]._replace(image=AskedImage(subjects[1].image.path, b"another file"))
    changes = asking_of().about([subjects[0], other, *subjects[2:4]])
    assert sorted(changes.unread) == [0, 1]
    assert changes.parts[0].at.tolist() == [2, 3]
    with pytest.raises(NoImages, match="none of 1 image can be read"):
        asking_of().about(subjects[:1])


def test_features_that_are_not_finite_leave_an_image_out(subjects):
    class Picky(Seer):
        def forward(self, images):
            found = super().forward(images)
            return found / (images[:, 0].amin(dim=(1, 2)) > -0.42)[:, None]

    changes = asking_of(Picky()).about(subjects)
    assert 0 < len(changes.unread) < 12
    assert set(changes.unread.values()) == {"features or outputs of the network are not finite"}


def test_without_a_label_the_class_predicted_is_followed(subjects):
    unknown = [subject._replace(label=NO_CLASS) for subject in subjects]
    changes = asking_of().about(unknown)
    assert not changes.labelled
    assert (changes.parts[0].probability[:, 0] >= 1 / 3).all()


def test_nothing_is_left_behind_in_the_network(subjects):
    module = Seer().train()
    asking_of(module).about(subjects[:2])
    assert module.training
    assert not any(part._forward_hooks for part in module.modules())
    asking = asking_of(module)
    own = replace(asking.classifier, preparation=object())
    with pytest.raises(UnfitOption):
        replace(asking, classifier=own).about(subjects[:2])
    assert not any(part._forward_hooks for part in module.modules())


def test_pictures_show_what_was_hidden(subjects):
    classifier = classifier_of(Seer(), side=SIDE)
    image = subjects[0].image
    boxes = [NOWHERE, Box(4, 8, 12, 20)]
    plain, hidden = pictures_with_hidden(
        classifier, image, boxes, max_mb=1, filling="black", seed=0
    )
    pixels = np.asarray(Image.open(image.path))
    np.testing.assert_array_equal(plain, pixels)
    assert (hidden[4:12, 8:20] == 0).all()
    hidden[4:12, 8:20] = pixels[4:12, 8:20]
    np.testing.assert_array_equal(hidden, pixels)
    gone = AskedImage(image.path.with_name("gone.png"), None)
    assert pictures_with_hidden(classifier, gone, boxes, max_mb=1, filling="mean", seed=0) is None


def test_layers_are_first_two_between_last_and_what_the_head_is_fed():
    stages = [nn.Sequential(nn.Conv2d(4, 4, 3, padding=1), nn.ReLU()) for _ in range(6)]
    body = nn.Sequential(nn.Conv2d(3, 4, 1), *stages, nn.AdaptiveAvgPool2d(1), nn.Flatten())
    module = nn.Sequential(body, nn.Linear(4, 2))
    size = (3, SIDE, SIDE)
    names = [layer.name for layer in compared_layers(module, size, head="1", features=4)]
    assert names[0] == "0.0"
    assert names[-1] == "penultimate"
    assert len(names) == len(set(names)) == 5
    without = [layer.name for layer in compared_layers(module, size, head=None)]
    assert without == names[:-1]
    asked = ["penultimate", "0.3", "0.1", "0.3"]
    named = compared_layers(module, size, head="1", features=4, names=asked)
    assert [layer.name for layer in named] == ["0.1", "0.3", "penultimate"]
    with pytest.raises(UnfitLayer, match="has none"):
        compared_layers(module, size, head=None, names=["penultimate"])
    with pytest.raises(UnfitLayer, match=r"no layer '0\.9'"):
        compared_layers(module, size, head=None, names=["0.9"])
