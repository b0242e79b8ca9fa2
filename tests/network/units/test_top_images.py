"""One pass over the images of a run."""

import numpy as np
import pytest
import torch
from torch import nn

from errlens.data.photos.loading import load_input
from errlens.errors import NoImages
from errlens.model.asking.hiding import AskedImage
from errlens.model.classifier import stack
from errlens.model.layers.places import find_layer
from errlens.network.channels.firing import read_firing
from errlens.network.units.layers import unit_layers
from errlens.network.units.patches import field_of, patches_of
from errlens.network.units.scores import Unit
from errlens.network.units.top_images import Wanted, top_images
from errlens.network.units.top_places import NO_IMAGE
from tests.conftest import paint
from tests.network.units.networks import classifier_of

SIDE = 16


@pytest.fixture(scope="module")
def classifier():
    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Conv2d(3, 6, 3), nn.ReLU(inplace=True), nn.MaxPool2d(2), nn.Conv2d(6, 4, 3),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(),
    ).eval()  # fmt: skip
    return classifier_of(module, side=SIDE)


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    folder = tmp_path_factory.mktemp("images")
    colours = ("red", "green", "blue")
    paths = [paint(folder / f"{n}.png", colours[n % 3], size=(20, 18), seed=n) for n in range(13)]
    return [AskedImage(path, None) for path in paths]


@pytest.fixture(scope="module")
def layers(classifier):
    return unit_layers(classifier.network.module, (3, SIDE, SIDE), ["0", "1", "3"])


def find(classifier, layers, images, wanted=None, **how):
    how = {"top": 5, "batch_size": 4, "workers": 2, **how}
    return top_images(classifier, layers, wanted or Wanted(drawn=99), images, **how)


def test_it_finds_what_each_image_alone_gives(classifier, layers, images):
    found = find(classifier, layers, images)
    for layer in found.layers:
        prefix = classifier.network.module[: int(layer.layer.name) + 1]
        alone = []
        for image in images:
            value = load_input(image.path, classifier.preparation).value
            with torch.no_grad():
                # Not the layer's own output: ReLU works in place on that of the convolution.
                maps = prefix(stack([value], classifier.preparation, classifier.device)).clone()
                if layer.layer.name == "0":
                    x = stack([value], classifier.preparation, classifier.device)
                    maps = classifier.network.module[0](x)
            alone.append(maps[0].flatten(1).numpy())
        by_image = np.stack(alone)  # images, channels, places
        highest = by_image.max(axis=2).T
        order = np.argsort(-highest, axis=1, kind="stable")[:, :5]
        best = np.take_along_axis(highest, order, axis=1)
        known = best > 0
        np.testing.assert_array_equal(layer.images[known], order[known])
        np.testing.assert_allclose(layer.values[known], best[known], rtol=1e-5)
        for channel, rank in np.argwhere(known):
            places = by_image[layer.images[channel, rank], channel]
            place = places[layer.places[channel, rank]]
            assert place == pytest.approx(best[channel, rank], rel=1e-5)


@pytest.mark.parametrize(("batch_size", "workers"), [(1, 1), (13, 1), (5, 3)])
def test_values_do_not_depend_on_batches_or_threads(
    classifier, layers, images, batch_size, workers
):
    usual = find(classifier, layers, images)
    other = find(classifier, layers, images, batch_size=batch_size, workers=workers)
    for one, two in zip(usual.layers, other.layers, strict=True):
        np.testing.assert_array_equal(one.images, two.images)
        np.testing.assert_allclose(one.values, two.values, rtol=1e-5)


def test_channels_may_be_named_drawn_or_the_strongest(classifier, layers, images):
    every = find(classifier, layers[:1], images).layers[0]
    named = find(classifier, layers[:1], images, Wanted(named=(4, 1))).layers[0]
    assert named.channels.tolist() == [4, 1]
    np.testing.assert_array_equal(named.images, every.images[[4, 1]])
    strongest = find(classifier, layers[:1], images, Wanted(strongest=2)).layers[0]
    order = np.argsort(-every.values[:, 0], kind="stable")[:2]
    np.testing.assert_array_equal(strongest.channels, order)
    np.testing.assert_allclose(strongest.values, every.values[order])


def test_images_that_are_gone_are_left_out_and_said(classifier, layers, images, tmp_path):
    gone = AskedImage(tmp_path / "gone.png", None)
    other = AskedImage(images[0].path, b"0" * 16)
    found = find(classifier, layers, [gone, other, *images])
    assert found.seen == len(images)
    assert found.unread == {0: "no such file", 1: "another file now"}
    with pytest.raises(NoImages, match=r"none of 2 images of the run can be read: .*gone\.png"):
        find(classifier, layers, [gone, other])


def test_layers_are_given_back_without_hooks_also_after_ctrl_c(classifier, layers, images):
    def stop(_step):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        find(classifier, layers, images, advance=stop)
    module = classifier.network.module
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in module.modules())


def test_patches_show_what_the_unit_sees_in_the_image_as_fed(classifier, layers, images):
    found = find(classifier, layers[2:], images, top=1).layers[0]
    units = {}
    for at, _, unit in found.units():
        units.setdefault(int(found.images[at, 0]), []).append(unit)
    seen = dict(
        patches_of(
            classifier, layers[2:], units, images, method="gradient-x-input",
            field_of=lambda _unit: None, keep_values=True, workers=2,
        )
    )  # fmt: skip
    assert {number: len(of_image) for number, of_image in seen.items()} == {
        number: len(of_image) for number, of_image in units.items()
    }
    for number, of_image in seen.items():
        fed = load_input(images[number].path, classifier.preparation).value
        for patch in of_image:
            top, left, bottom, right = patch.box
            np.testing.assert_array_equal(patch.photo, fed[top:bottom, left:right])
            energy = np.square(patch.values).sum(axis=0)
            assert energy[top:bottom, left:right].sum() >= 0.8 * energy.sum()


def test_patches_are_the_receptive_field_and_pale_where_it_leaves_the_image(
    classifier, layers, images
):
    of = field_of(classifier, layers)
    assert of(Unit("0", 0, 14 + 2)) == (1, 2, 4, 5)  # 3 x 3 pixels, of 14 units in a row
    assert of(Unit("3", 0, 0)) == (0, 0, 8, 8)
    padded = classifier_of(nn.Sequential(nn.Conv2d(3, 2, 3, padding=1), nn.Flatten()), side=SIDE)
    (layer,) = unit_layers(padded.network.module, (3, SIDE, SIDE), ["0"])
    corner = Unit("0", 0, 0)
    ((_, (patch,)),) = patches_of(
        padded, [layer], {0: [corner]}, images, method=None,
        field_of=field_of(padded, [layer]), workers=1,
    )  # fmt: skip
    assert patch.box == (-1, -1, 2, 2)
    fed = load_input(images[0].path, padded.preparation).value
    assert (patch.photo[0] == 238).all()
    np.testing.assert_array_equal(patch.photo[1:, 1:], fed[:2, :2])


def test_a_unit_that_sees_more_than_the_image_has_no_receptive_field_to_crop_to():
    deep = nn.Sequential(*(nn.Conv2d(3, 3, 5, padding=2) for _ in range(5)), nn.Flatten())
    classifier = classifier_of(deep, side=SIDE)
    layers = unit_layers(deep, (3, SIDE, SIDE), ["4"])
    assert field_of(classifier, layers)(Unit("4", 0, 0)) is None


def test_values_at_an_upper_limit_are_what_the_layer_puts_out_and_ranked_by_what_it_was_given(
    images,
):
    """As `--discriminate` has them: of the ties at the limit the strongest before it is first."""
    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Conv2d(3, 6, 3), nn.Hardtanh(0, 0.3, inplace=True), nn.AdaptiveAvgPool2d(1), nn.Flatten()
    ).eval()  # fmt: skip
    limited = classifier_of(module, side=SIDE)
    layers = unit_layers(module, (3, SIDE, SIDE), ["1"])
    (top,) = find(limited, layers, images).layers
    fired = read_firing(limited, layers[0].spatial, images, workers=1).firing
    before = read_firing(limited, find_layer(module, (3, SIDE, SIDE), "0"), images, workers=1)
    known = top.images != NO_IMAGE
    assert (top.values[known] == np.float32(0.3)).sum() > 6
    for at, channel in enumerate(top.channels):
        there = top.images[at][known[at]]
        assert top.values[at][known[at]] == pytest.approx(fired.largest[there, channel], rel=1e-3)
        assert (np.diff(before.firing.largest[there, channel]) <= 1e-6).all()
    assert np.array_equal(top.fires, (fired.largest[:, top.channels] > 0).sum(axis=0))
