"""Patches of places: where they are cut, and that they show what is there."""

import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import errlens
from errlens.atlas.patches import PatchBoxes, patch_boxes, patches
from errlens.data.photos import loading
from errlens.model.asking.hiding import AskedImage
from errlens.model.reload import reload_classifier
from errlens.network.receptive_field import ReceptiveField
from tests.conftest import ends

SIZES = st.tuples(st.integers(8, 300), st.integers(8, 300))
GRIDS = st.tuples(st.integers(1, 12), st.integers(1, 12))
NETS = """
import torch
from torch import nn


class Net(nn.Sequential):
    num_classes = 3


def net():
    torch.manual_seed(0)
    return Net(
        nn.Conv2d(3, 4, 4, stride=4), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        nn.Linear(4, 3),
    )
"""


@pytest.fixture
def classifier(photos, monkeypatch):
    """A network whose places see squares of four pixels, side by side."""
    monkeypatch.chdir(photos.parent)
    monkeypatch.syspath_prepend(photos.parent)
    monkeypatch.delitem(sys.modules, "square_nets", raising=False)
    Path("square_nets.py").write_text(NETS)
    ends("evaluate photos --model square_nets:net --img-size 64 --crop-pct 1 -o seen -q")
    return reload_classifier(errlens.open_run("seen").info)


@given(SIZES, GRIDS, st.data())
def test_a_box_is_inside_and_holds_the_middle_of_its_place(size, grid, data):
    field = data.draw(
        st.none()
        | st.builds(
            ReceptiveField,
            st.integers(1, 500).map(lambda side: (side, side)),
            st.just(tuple(max(1, side // n) for side, n in zip(size, grid, strict=True))),
            st.just((0, 0)),
        )
    )
    boxes = PatchBoxes(field, grid, size)
    place = tuple(data.draw(st.integers(0, n - 1)) for n in grid)
    box = boxes.of(place)
    assert box.bottom - box.top == box.right - box.left == boxes.side
    assert box == box.inside(*size)
    assert boxes.side <= max(1, round(min(size) / 2))
    if field is None:
        for low, high, at, n, side in zip(box[:2], box[2:], place, grid, size, strict=True):
            assert low <= (at + 0.5) * side / n <= high


def test_a_box_is_the_receptive_field_where_this_can_be_shown():
    field = ReceptiveField((20, 20), (8, 8), (2, 2))
    box = PatchBoxes(field, (8, 8), (80, 80)).of((2, 4))
    assert (box.top, box.left, box.bottom, box.right) == field.box(2, 4)


def test_places_of_a_network_are_cut_around_what_they_see(classifier):
    boxes = patch_boxes(classifier, "0", (16, 16))
    assert boxes.field.size == (4, 4)
    assert boxes.side == 8  # an eighth of the input: four pixels cannot be recognised
    box = boxes.of((3, 5))
    assert (box.top, box.left) == (10, 18)


def test_a_layer_whose_places_see_everything_is_cut_by_its_grid(classifier):
    boxes = patch_boxes(classifier, "nowhere", (4, 4))
    assert boxes.field is None
    assert boxes.side == 32


def test_a_patch_is_what_is_in_the_photo_there_and_each_is_decoded_once(classifier, monkeypatch):
    pixels = np.zeros((64, 64, 3), np.uint8)
    pixels[8:16, 40:48] = (250, 20, 20)
    Image.fromarray(pixels).save("mark.png")
    Path("broken.png").write_bytes(b"no photo")
    read, of_pillow = [], loading.read_encoded

    def counted(path, **how):
        read.append(path)
        return of_pillow(path, **how)

    monkeypatch.setattr(loading, "read_encoded", counted)
    boxes = patch_boxes(classifier, "0", (16, 16))
    images = {7: AskedImage(Path("mark.png"), None), 2: AskedImage(Path("broken.png"), None)}
    wanted = {7: [boxes.of((3, 11)), boxes.of((2, 10)), boxes.of((9, 1))], 2: [boxes.of((1, 1))]}
    done = []
    found = dict(patches(classifier, images, wanted, advance=done.append, workers=2))
    assert [path.name for path in read] == ["mark.png", "broken.png"]
    assert done == [1, 1]
    assert isinstance(found[2], str)
    for box, patch in zip(wanted[7], found[7], strict=True):
        np.testing.assert_array_equal(patch, pixels[box.top : box.bottom, box.left : box.right])
    assert (found[7][0][:, :, 0] == 250).mean() > 0.5
