"""Maps of which it is known whether they point at what matters."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn
from torchvision.transforms.functional import gaussian_blur

from errlens.attribution.batch import explain_batch
from errlens.attribution.explained_model import MethodSettings
from errlens.attribution.judging import faithfulness
from errlens.attribution.judging.faithfulness import FaithfulnessTest
from errlens.attribution.judging.map_checks import shrunk
from errlens.attribution.methods import method_names
from errlens.maps import Target
from tests.attribution.methods.test_every_method import fingerprint, same
from tests.attribution.networks import QUICK, SIDE, Patches, fitting, model_of, planted

N = 24


def evidence(box):
    """Return the map that points at a patch and at nothing else."""
    top, left, bottom, right = box
    values = np.zeros((SIDE, SIDE), np.float32)
    values[top:bottom, left:right] = 1
    return values


def better(low, high):
    """Is one figure of each image lower than the other: a paired bootstrap of the mean."""
    gaps = np.asarray(high) - np.asarray(low)
    drawn = np.random.default_rng(0).integers(0, len(gaps), (2000, len(gaps)))
    return np.quantile(gaps[drawn].mean(axis=1), 0.025) > 0


def columns(results):
    return [np.array(column) for column in zip(*results, strict=True)]


class Counting(nn.Module):
    """Gives class 0 a probability of 0.1, plus 0.8 times the share of pixels that are bright."""

    def forward(self, images):
        bright = (images > 0.9).double().mean(dim=(1, 2, 3))
        probability = 0.1 + 0.8 * bright
        return torch.stack([probability, 1 - probability], dim=1).log()


def chequered():
    """Return an image of 16 x 16 cells, every other one bright, and which they are."""
    bright = np.indices((16, 16)).sum(axis=0) % 2 == 0
    pixels = np.where(np.kron(bright, np.ones((2, 2))), 1.0, -1.0)
    return torch.tensor(pixels, dtype=torch.float32)[None], bright.astype(np.float32)


def chequered_test(**settings):
    image, bright = chequered()
    model = model_of(Counting(), size=(1, 32, 32))
    return FaithfulnessTest(model, image, 0, MethodSettings(**settings)), bright


@pytest.mark.parametrize("zoom", [1, 2], ids=["a value a cell", "a value a pixel"])
def test_areas_are_those_on_paper_where_the_probability_counts_cells(zoom):
    test, bright = chequered_test()
    values = np.kron(bright, np.ones((zoom, zoom), np.float32))
    # Half of the cells are bright: 0.5 falls to 0.1 over the first half, and is 0.1 from there on.
    # Neither the mean colour, 0, nor the blurred image is bright.
    found = test.of_map(values)
    assert found.deletion == pytest.approx((0.5 + 0.1) / 2 / 2 + 0.1 / 2)
    assert found.insertion == pytest.approx((0.1 + 0.5) / 2 / 2 + 0.5 / 2)
    # The wrong half first: nothing happens, and then the same.
    wrong = test.of_map(-values)
    assert wrong.deletion == pytest.approx(0.5 / 2 + (0.5 + 0.1) / 2 / 2)
    assert wrong.insertion == pytest.approx(0.1 / 2 + (0.1 + 0.5) / 2 / 2)
    # In random order it falls and rises evenly.
    for one in (found.random_deletion, found.random_insertion):
        assert one == pytest.approx(0.3, abs=0.01)


def test_a_class_loses_what_the_other_one_gains():
    test, bright = chequered_test()
    found = test.of_map(bright)
    other = replace(test, class_index=1).of_map(bright)
    np.testing.assert_allclose(np.add(found, other), 1)


def test_cells_of_the_same_value_go_row_by_row():
    test, _ = chequered_test()
    curves = test.curves(np.ones((16, 16), np.float32))
    np.testing.assert_allclose(curves.shares, np.arange(17) / 16)
    np.testing.assert_allclose(curves.deletion, 0.5 - 0.4 * np.arange(17) / 16)


def test_a_small_map_takes_as_many_steps_as_it_has_cells():
    test, _ = chequered_test()
    curves = test.curves(np.float32([[4, 1], [3, 2]]))
    np.testing.assert_allclose(curves.shares, [0, 0.25, 0.5, 0.75, 1])
    np.testing.assert_allclose(curves.deletion, [0.5, 0.4, 0.3, 0.2, 0.1])
    # An area is a mean over shares of the cells, though there are but three steps.
    three = test.of_map(np.float32([[3, 2, 1]]))
    assert three.deletion == pytest.approx(0.3, abs=0.01)


def test_curves_run_from_the_image_to_its_mean_colour_and_from_its_blur_to_the_image():
    images, boxes, colours = planted(3)
    module = Patches().eval()
    for image, box, colour in zip(images, boxes, colours, strict=True):
        curves = FaithfulnessTest(model_of(module), image, colour, QUICK).curves(evidence(box))
        plain = torch.stack([channel.mean().expand(SIDE, SIDE) for channel in image])
        blurred = gaussian_blur(image, [19, 19], [3.0, 3.0])
        with torch.no_grad():
            probabilities = module(torch.stack([image, plain, blurred])).softmax(dim=1)[:, colour]
        ends = [curves.deletion[0], curves.deletion[-1], curves.insertion[0]]
        np.testing.assert_allclose(ends, probabilities, atol=1e-6)
        assert curves.insertion[-1] == pytest.approx(curves.deletion[0], abs=1e-6)


def test_evidence_is_better_than_chance_and_its_negative_worse():
    images, boxes, colours = planted(N)
    module, good, bad = Patches(), [], []
    for image, box, colour in zip(images, boxes, colours, strict=True):
        test = FaithfulnessTest(model_of(module), image, colour, QUICK)
        good.append(test.of_map(evidence(box)))
        bad.append(test.of_map(-evidence(box)))
    deletion, insertion, random_deletion, random_insertion = columns(good)
    assert (deletion < random_deletion).all()
    assert (insertion > random_insertion).all()
    deletion, insertion, random_deletion, random_insertion = columns(bad)
    assert (deletion > random_deletion).all()
    assert (insertion < random_insertion).all()


@pytest.mark.parametrize("name", method_names())
def test_every_method_is_better_than_chance(name):
    images, _, colours = planted(N, seed=6)
    model = model_of(fitting(name))
    wanted = [[Target("predicted", one)] for one in colours]
    maps = explain_batch(name, model, images, wanted, QUICK)
    found = [
        FaithfulnessTest(model, image, colour, QUICK).of_map(one.values)
        for image, colour, (one,) in zip(images, colours, maps, strict=True)
    ]
    deletion, insertion, random_deletion, random_insertion = columns(found)
    assert better(deletion, random_deletion)
    assert better(random_insertion, insertion)


def test_a_random_map_is_no_better_than_chance():
    images, _, colours = planted(N, seed=6)
    random = np.random.default_rng(1)
    found = [
        FaithfulnessTest(model_of(Patches()), image, colour, QUICK).of_map(
            random.normal(size=(8, 8)).astype(np.float32)
        )
        for image, colour in zip(images, colours, strict=True)
    ]
    deletion, insertion, random_deletion, random_insertion = columns(found)
    assert not better(deletion, random_deletion)
    assert not better(random_insertion, insertion)


@pytest.mark.parametrize("size", [(16, 16), (24, 37), (5, 64), (224, 17)])
def test_the_cells_of_an_image_are_those_that_maps_are_averaged_over(size):
    grid = tuple(min(16, side) for side in size)
    cells = np.random.default_rng(0).permutation(np.prod(grid)).reshape(grid).astype(np.float32)
    values = cells[faithfulness._cells_of_pixels(size, grid)]
    assert values.shape == size
    np.testing.assert_array_equal(shrunk(values), cells)


def test_how_many_inputs_go_at_a_time_does_not_matter_and_no_more_go():
    class Watched(Counting):
        largest = 0

        def forward(self, images):
            Watched.largest = max(Watched.largest, len(images))
            return super().forward(images)

    image, bright = chequered()
    found = []
    for size in (1, 5, 64):
        Watched.largest = 0
        model = model_of(Watched(), size=(1, 32, 32))
        test = FaithfulnessTest(model, image, 0, MethodSettings(batch_size=size))
        found.append(test.of_map(bright))
        assert Watched.largest == min(size, 17)
    np.testing.assert_allclose(found[1:], found[:1] * 2, rtol=1e-12)


def test_random_orders_are_those_of_the_seed_and_tried_once_a_grid():
    class Counted(Counting):
        calls = 0

        def forward(self, images):
            Counted.calls += 1
            return super().forward(images)

    image, bright = chequered()
    model = model_of(Counted(), size=(1, 32, 32))
    calls, found = [0], []
    test = FaithfulnessTest(model, image, 0, MethodSettings(batch_size=64))
    for values in (bright, -bright, np.eye(4, dtype=np.float32)):
        found.append(test.of_map(values))
        calls.append(Counted.calls)
    # One batch for deletion and one for insertion; four random orders with a new grid.
    assert np.diff(calls).tolist() == [10, 2, 10]
    assert found[1][2:] == found[0][2:]
    assert FaithfulnessTest(model, image, 0, MethodSettings()).of_map(bright) == found[0]
    reseeded = FaithfulnessTest(model, image, 0, MethodSettings(seed=1)).of_map(bright)
    assert reseeded[2:] != found[0][2:]


@pytest.mark.parametrize("fails", [False, True])
def test_the_network_is_given_back_as_it_was(fails):
    module = Patches().train()
    module.see.requires_grad_(requires_grad=False)
    module.head(torch.ones(1, 3)).sum().backward()
    images, boxes, colours = planted(1)
    before = fingerprint(module)
    test = FaithfulnessTest(model_of(module), images[0], 99 if fails else colours[0], QUICK)
    if fails:
        with pytest.raises(IndexError):
            test.of_map(evidence(boxes[0]))
    else:
        # With dropout at work no two runs would agree.
        assert test.of_map(evidence(boxes[0])) == test.of_map(evidence(boxes[0]))
    assert same(before, fingerprint(module))
