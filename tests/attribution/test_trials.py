"""Maps whose worth is known are tried, and networks whose maps must or must not change."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import timm
import torch
from PIL import Image
from safetensors.torch import load_file
from scipy.stats import spearmanr
from torch import nn
from torchvision.transforms.functional import gaussian_blur

from errlens.attribution import trials as _trials
from errlens.attribution.batch import explain_batch
from errlens.attribution.explained_model import MethodSettings
from errlens.attribution.map_checks import shrunk
from errlens.attribution.methods import method_names
from errlens.attribution.trials import Trials, randomised
from errlens.errors import UnfitMethod
from errlens.maps import Attribution, NoMap, Target
from tests.attribution.methods.test_every_method import fingerprint, same
from tests.attribution.networks import QUICK, SIDE, Patches, planted, subject_of

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


def columns(trials):
    return [np.array(one) for one in zip(*trials, strict=True)]


# Deletion and insertion


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


def chequered_trials(**settings):
    image, bright = chequered()
    subject = subject_of(Counting(), size=(1, 32, 32))
    return Trials(subject, image, 0, MethodSettings(**settings)), bright


@pytest.mark.parametrize("zoom", [1, 2], ids=["a value a cell", "a value a pixel"])
def test_areas_are_those_on_paper_where_the_probability_counts_cells(zoom):
    trials, bright = chequered_trials()
    values = np.kron(bright, np.ones((zoom, zoom), np.float32))
    # Half of the cells are bright: 0.5 falls to 0.1 over the first half, and is 0.1 from there on.
    # Neither the mean colour, 0, nor the blurred image is bright.
    found = trials.try_map(values)
    assert found.deletion == pytest.approx((0.5 + 0.1) / 2 / 2 + 0.1 / 2)
    assert found.insertion == pytest.approx((0.1 + 0.5) / 2 / 2 + 0.5 / 2)
    # The wrong half first: nothing happens, and then the same.
    wrong = trials.try_map(-values)
    assert wrong.deletion == pytest.approx(0.5 / 2 + (0.5 + 0.1) / 2 / 2)
    assert wrong.insertion == pytest.approx(0.1 / 2 + (0.1 + 0.5) / 2 / 2)
    # In random order it falls and rises evenly.
    for one in (found.random_deletion, found.random_insertion):
        assert one == pytest.approx(0.3, abs=0.01)


def test_a_class_loses_what_the_other_one_gains():
    trials, bright = chequered_trials()
    found = trials.try_map(bright)
    other = replace(trials, class_index=1).try_map(bright)
    np.testing.assert_allclose(np.add(found, other), 1)


def test_cells_of_the_same_value_go_row_by_row():
    trials, _ = chequered_trials()
    curves = trials.curves(np.ones((16, 16), np.float32))
    np.testing.assert_allclose(curves.shares, np.arange(17) / 16)
    np.testing.assert_allclose(curves.deletion, 0.5 - 0.4 * np.arange(17) / 16)


def test_a_small_map_takes_as_many_steps_as_it_has_cells():
    trials, _ = chequered_trials()
    curves = trials.curves(np.float32([[4, 1], [3, 2]]))
    np.testing.assert_allclose(curves.shares, [0, 0.25, 0.5, 0.75, 1])
    np.testing.assert_allclose(curves.deletion, [0.5, 0.4, 0.3, 0.2, 0.1])
    # An area is a mean over shares of the cells, though there are but three steps.
    three = trials.try_map(np.float32([[3, 2, 1]]))
    assert three.deletion == pytest.approx(0.3, abs=0.01)


def test_curves_run_from_the_image_to_its_mean_colour_and_from_its_blur_to_the_image():
    images, boxes, colours = planted(3)
    module = Patches().eval()
    for image, box, colour in zip(images, boxes, colours, strict=True):
        curves = Trials(subject_of(module), image, colour, QUICK).curves(evidence(box))
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
        trials = Trials(subject_of(module), image, colour, QUICK)
        good.append(trials.try_map(evidence(box)))
        bad.append(trials.try_map(-evidence(box)))
    deletion, insertion, random_deletion, random_insertion = columns(good)
    assert (deletion < random_deletion).all()
    assert (insertion > random_insertion).all()
    deletion, insertion, random_deletion, random_insertion = columns(bad)
    assert (deletion > random_deletion).all()
    assert (insertion < random_insertion).all()


@pytest.mark.parametrize("name", method_names())
def test_every_method_is_better_than_chance(name):
    images, _, colours = planted(N, seed=6)
    subject = subject_of(Patches())
    wanted = [[Target("predicted", one)] for one in colours]
    maps = explain_batch(name, subject, images, wanted, QUICK)
    found = [
        Trials(subject, image, colour, QUICK).try_map(one.values)
        for image, colour, (one,) in zip(images, colours, maps, strict=True)
    ]
    deletion, insertion, random_deletion, random_insertion = columns(found)
    assert better(deletion, random_deletion)
    assert better(random_insertion, insertion)


def test_a_random_map_is_no_better_than_chance():
    images, _, colours = planted(N, seed=6)
    random = np.random.default_rng(1)
    found = [
        Trials(subject_of(Patches()), image, colour, QUICK).try_map(
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
    values = cells[_trials._cells_of_pixels(size, grid)]
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
        subject = subject_of(Watched(), size=(1, 32, 32))
        found.append(Trials(subject, image, 0, MethodSettings(batch_size=size)).try_map(bright))
        assert Watched.largest == min(size, 17)
    np.testing.assert_allclose(found[1:], found[:1] * 2, rtol=1e-12)


def test_random_orders_are_those_of_the_seed_and_tried_once_a_grid():
    class Counted(Counting):
        calls = 0

        def forward(self, images):
            Counted.calls += 1
            return super().forward(images)

    image, bright = chequered()
    subject = subject_of(Counted(), size=(1, 32, 32))
    calls, found = [0], []
    trials = Trials(subject, image, 0, MethodSettings(batch_size=64))
    for values in (bright, -bright, np.eye(4, dtype=np.float32)):
        found.append(trials.try_map(values))
        calls.append(Counted.calls)
    # One batch for deletion and one for insertion; four random orders with a new grid.
    assert np.diff(calls).tolist() == [10, 2, 10]
    assert found[1][2:] == found[0][2:]
    assert Trials(subject, image, 0, MethodSettings()).try_map(bright) == found[0]
    assert Trials(subject, image, 0, MethodSettings(seed=1)).try_map(bright)[2:] != found[0][2:]


@pytest.mark.parametrize("fails", [False, True])
def test_the_network_is_given_back_as_it_was(fails):
    module = Patches().train()
    module.see.requires_grad_(requires_grad=False)
    module.head(torch.ones(1, 3)).sum().backward()
    images, boxes, colours = planted(1)
    before = fingerprint(module)
    trials = Trials(subject_of(module), images[0], 99 if fails else colours[0], QUICK)
    if fails:
        with pytest.raises(IndexError):
            trials.try_map(evidence(boxes[0]))
    else:
        # With dropout at work no two runs would agree.
        assert trials.try_map(evidence(boxes[0])) == trials.try_map(evidence(boxes[0]))
    assert same(before, fingerprint(module))


# Randomisation

REAL = {
    "resnet": ("test_resnet", {"output_stride": 16}, "test_resnet.cifar10.epoch15.safetensors"),
    "vit": ("test_vit", {"img_size": 64, "patch_size": 8}, "test_vit.cifar10.safetensors"),
}


def real_network(name, folder):
    model, arguments, weights = REAL[name]
    module = timm.create_model(model, num_classes=10, **arguments)
    module.load_state_dict(load_file(folder / "models" / weights))
    return module.eval()


def photos(folder, *, each=5):
    """Return photos of every class as the networks take them."""
    found = []
    for kind in sorted((folder / "data/cifar10/test").iterdir()):
        for path in sorted(kind.iterdir())[:each]:
            with Image.open(path) as photo:
                resized = photo.convert("RGB").resize((64, 64), Image.Resampling.BICUBIC)
            found.append(torch.tensor(np.asarray(resized)).permute(2, 0, 1) / 127.5 - 1)
    return torch.stack(found)


def predicted(module, images):
    with torch.no_grad():
        return module(images).argmax(dim=1).tolist()


def at_random(name, subject, images):
    """Return the similarity after the last stage, a mean of four seeds."""
    classes = predicted(subject.module, images)
    found = [
        randomised(name, subject, images, classes, MethodSettings(seed=seed, batch_size=50))
        for seed in range(4)
    ]
    assert {len(one) for one in found} == {6}
    return np.mean([one[-1].similarity for one in found])


@pytest.mark.parametrize(
    ("name", "model", "layer"),
    [
        ("gradient", "resnet", None),
        ("gradient", "vit", None),
        ("grad-cam", "resnet", "layer2"),  # 8 x 8; the last map is told of below
        ("grad-cam", "vit", None),
    ],
)
def test_maps_of_a_random_network_are_others(name, model, layer, real_data):
    subject = subject_of(real_network(model, real_data), size=(3, 64, 64), layer=layer)
    assert at_random(name, subject, photos(real_data)) < 0.3


def test_maps_of_sixteen_cells_become_as_different_as_those_of_other_images(real_data):
    """Between unrelated maps of 4 x 4 cells it is 0.3 by chance alone: no bar for the network."""
    images = photos(real_data)
    subject = subject_of(real_network("resnet", real_data), size=(3, 64, 64))
    assert subject.spatial_layer.grid == (4, 4)
    wanted = [[Target("predicted", one)] for one in predicted(subject.module, images)]
    maps = [
        one.values
        for (one,) in explain_batch("grad-cam", subject, images, wanted, MethodSettings())
    ]
    by_chance = np.mean(
        [
            abs(spearmanr(one, other, axis=None).statistic)
            for one, other in itertools.combinations(maps, 2)
        ]
    )
    assert by_chance > 0.25
    assert at_random("grad-cam", subject, images) < by_chance + 0.03


@pytest.fixture
def watched(monkeypatch):
    """Keep the weights that maps are made with, stage by stage; the first are the network's own."""
    kept = []

    def explain(name, subject, images, targets, settings):
        kept.append({key: weight.clone() for key, weight in subject.module.named_parameters()})
        return explain_batch(name, subject, images, targets, settings)

    monkeypatch.setattr(_trials, "explain_batch", explain)
    return kept


TIMM = {
    "test_resnet": {"output_stride": 16},
    "test_vit": {"img_size": 32, "patch_size": 8, "init_values": 1.0},
}


@pytest.mark.parametrize("name", TIMM)
def test_every_weight_is_randomised_in_its_turn_and_none_of_the_users(name, watched):
    module = timm.create_model(name, num_classes=4, **TIMM[name])
    random = torch.Generator().manual_seed(0)
    for weight in module.parameters():  # so that none has equal values
        nn.init.normal_(weight, generator=random)
    before = fingerprint(module)
    images = torch.randn(2, 3, 32, 32, generator=random)
    subject = subject_of(module, size=(3, 32, 32))
    found = randomised("gradient", subject, images, [0, 1], MethodSettings())
    assert same(before, fingerprint(module))

    own, *stages = watched
    changed = [{key for key in own if not torch.equal(own[key], one[key])} for one in stages]
    walk = list(reversed(own))
    head = walk[0].rpartition(".")[0]
    assert changed[0] == {key for key in own if key.startswith(f"{head}.")}
    for one, weights in zip(found, changed, strict=True):
        # All from the output to the layer that is named; parameters of no layer by their own name.
        assert weights == set(walk[: len(weights)])
        assert one.layer in (walk[len(weights) - 1].rpartition(".")[0], walk[len(weights) - 1])
    # The embeddings and LayerScales of the transformer, which no layer resets, among them.
    assert changed[-1] == set(own)
    for key, weight in own.items():
        mixed, values = (one.flatten().sort().values for one in (stages[-1][key], weight))
        assert torch.equal(mixed, values)


@pytest.mark.parametrize("values", [[1.0, 2.0], [3.0, 3.0, 5.0], [0.0] * 50 + [1.0]])
def test_an_order_drawn_that_is_the_old_one_is_not_taken(values):
    for seed in range(20):
        weight = torch.tensor(values)
        _trials._shuffle(weight, torch.Generator().manual_seed(seed))
        assert weight.tolist() != values
        assert sorted(weight.tolist()) == sorted(values)


@pytest.mark.parametrize("values", [[], [2.0], [1.0, 1.0, 1.0]])
def test_equal_values_have_no_other_order(values):
    weight = torch.tensor(values)
    _trials._shuffle(weight, torch.Generator().manual_seed(0))
    assert weight.tolist() == values


@pytest.mark.parametrize(("layers", "stages"), [(0, 0), (1, 1), (3, 3), (6, 6), (7, 4), (40, 6)])
def test_there_are_few_stages_and_the_head_is_the_first(layers, stages):
    module = nn.Sequential(*(nn.Linear(2, 2) for _ in range(layers)))
    found = list(_trials._stages(module))
    assert len(found) == stages
    weights = [weight for _, some in found for weight in some]
    assert all(
        one is two for one, two in zip(weights, reversed(list(module.parameters())), strict=True)
    )
    if found:
        assert found[0][0] == str(layers - 1)
        assert found[-1][0] == "0"


class Deaf(nn.Module):
    """Has weights that its outputs do not depend on."""

    def __init__(self):
        super().__init__()
        self.idle = nn.Linear(4, 4)

    def forward(self, images):
        means = (images**3).mean(dim=(2, 3))
        return means[:, :2] + 0 * self.idle.weight.sum()


def test_maps_that_do_not_depend_on_weights_stay_the_same():
    images, _, _ = planted(3)
    found = randomised("gradient", subject_of(Deaf()), images, [0, 1, 0], QUICK)
    assert [one.layer for one in found] == ["idle"]
    assert found[0].similarity == pytest.approx(1)


def told(monkeypatch, *, before, after):
    """Let maps be those given, of the network and then of its copy."""
    answers = iter([before, after])

    def as_map(values, target):
        if values is None:
            return NoMap("some", target, "none")
        return Attribution(np.float32([values]), "some", target, 0.0)

    def explain(_name, _subject, _images, targets, _settings):
        return [
            [as_map(values, target)]
            for values, (target,) in zip(next(answers), targets, strict=True)
        ]

    monkeypatch.setattr(_trials, "explain_batch", explain)
    images = torch.zeros(len(before), 3, SIDE, SIDE)
    (one,) = randomised("some", subject_of(Deaf()), images, [0] * len(before), QUICK)
    return one.similarity


def test_similarity_is_the_mean_absolute_rank_correlation_of_maps_that_have_one(monkeypatch):
    before = [[1, 2, 3, 4], [1, 2, 3, 40], None, [1, 2, 3, 4], [5, 5, 5, 5]]
    after = [[1, 3, 2, 4], [9, 8, 7, 6], [1, 2, 3, 4], [0, 0, 0, 0], [1, 2, 3, 4]]
    # By Spearman's formula 1 - 6 * 2 / (4 * 15) = 0.8, then -1, and three that are left out.
    assert told(monkeypatch, before=before, after=after) == pytest.approx(0.9)


def test_without_a_map_to_compare_similarity_is_not_a_number(monkeypatch):
    assert np.isnan(told(monkeypatch, before=[None, [1, 1]], after=[[1, 2], [1, 2]]))


def test_randomising_is_seeded_and_neither_batches_nor_a_callers_no_grad_matter():
    images, _, colours = planted(5)
    module = Patches()
    with torch.no_grad():
        module.see.bias.copy_(torch.tensor([-5.0, -6.0, -7.0]))
    subject = subject_of(module)

    def figures(**changes):
        return [
            one.similarity
            for one in randomised(
                "smooth-grad", subject, images, colours, replace(QUICK, **changes)
            )
        ]

    assert figures() == figures()
    np.testing.assert_allclose(figures(batch_size=2), figures(), rtol=1e-3)
    assert figures(seed=3) != figures()
    with torch.no_grad():
        assert figures() == figures()


def test_a_method_that_does_not_fit_is_refused():
    flat = nn.Sequential(nn.Flatten(), nn.Linear(3 * SIDE * SIDE, 4))
    with pytest.raises(UnfitMethod):
        randomised("grad-cam", subject_of(flat), planted(1)[0], [0], QUICK)
