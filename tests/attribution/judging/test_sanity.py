"""Networks of which it is known whether randomisation must change their maps."""

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

from errlens.attribution.batch import explain_batch
from errlens.attribution.explained_model import MethodSettings
from errlens.attribution.judging import sanity
from errlens.attribution.judging.sanity import cascading_randomisation, times_made
from errlens.errors import UnfitMethod
from errlens.maps import Attribution, NoMap, Target
from tests.attribution.methods.test_every_method import fingerprint, same
from tests.attribution.networks import QUICK, SIDE, Patches, model_of, planted

REAL = {
    "resnet": ("test_resnet", {"output_stride": 16}, "test_resnet.cifar10.epoch15.safetensors"),
    "vit": ("test_vit", {"img_size": 64, "patch_size": 8}, "test_vit.cifar10.safetensors"),
}


def real_network(name, folder):
    architecture, arguments, weights = REAL[name]
    module = timm.create_model(architecture, num_classes=10, **arguments)
    module.load_state_dict(load_file(folder / "models" / weights))
    return module.eval()


def photos(folder, *, each=3):
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


def at_random(name, model, images):
    """Return the similarity after the last stage, a mean of four seeds."""
    classes = predicted(model.module, images)
    found = [
        cascading_randomisation(name, model, images, classes, settings)
        for settings in (MethodSettings(seed=seed, batch_size=50) for seed in range(4))
    ]
    assert {len(one) for one in found} == {6}
    return np.mean([one[-1].similarity for one in found])


@pytest.mark.parametrize(
    ("name", "network", "layer"),
    [
        ("gradient", "resnet", None),
        ("gradient", "vit", None),
        ("grad-cam", "resnet", "layer2"),  # 8 x 8; the last map is told of below
        ("grad-cam", "vit", None),
    ],
)
def test_maps_of_a_random_network_are_others(name, network, layer, real_data):
    model = model_of(real_network(network, real_data), size=(3, 64, 64), layer=layer)
    assert at_random(name, model, photos(real_data)) < 0.3


def test_maps_of_sixteen_cells_become_as_different_as_those_of_other_images(real_data):
    """Between unrelated maps of 4 x 4 cells it is 0.3 by chance alone: no bar for the network."""
    images = photos(real_data)
    model = model_of(real_network("resnet", real_data), size=(3, 64, 64))
    assert model.spatial_layer.grid == (4, 4)
    wanted = [[Target("predicted", one)] for one in predicted(model.module, images)]
    maps = [
        one.values for (one,) in explain_batch("grad-cam", model, images, wanted, MethodSettings())
    ]
    by_chance = np.mean(
        [
            abs(spearmanr(one, other, axis=None).statistic)
            for one, other in itertools.combinations(maps, 2)
        ]
    )
    assert by_chance > 0.25
    assert at_random("grad-cam", model, images) < by_chance + 0.03


@pytest.fixture
def watched(monkeypatch):
    """Keep the weights that maps are made with, stage by stage; the first are the network's own."""
    kept = []

    def explain(name, model, images, targets, settings):
        kept.append({key: weight.clone() for key, weight in model.module.named_parameters()})
        return explain_batch(name, model, images, targets, settings)

    monkeypatch.setattr(sanity, "explain_batch", explain)
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
    model = model_of(module, size=(3, 32, 32))
    steps = []
    found = cascading_randomisation(
        "gradient", model, images, [0, 1], MethodSettings(), advance=steps.append
    )
    assert steps == [1] * times_made(module)
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
        sanity._shuffle(weight, torch.Generator().manual_seed(seed))
        assert weight.tolist() != values
        assert sorted(weight.tolist()) == sorted(values)


@pytest.mark.parametrize("values", [[], [2.0], [1.0, 1.0, 1.0]])
def test_equal_values_have_no_other_order(values):
    weight = torch.tensor(values)
    sanity._shuffle(weight, torch.Generator().manual_seed(0))
    assert weight.tolist() == values


@pytest.mark.parametrize(("layers", "stages"), [(0, 0), (1, 1), (3, 3), (6, 6), (7, 4), (40, 6)])
def test_there_are_few_stages_and_the_head_is_the_first(layers, stages):
    module = nn.Sequential(*(nn.Linear(2, 2) for _ in range(layers)))
    found = list(sanity._stages(module))
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
    found = cascading_randomisation("gradient", model_of(Deaf()), images, [0, 1, 0], QUICK)
    assert [one.layer for one in found] == ["idle"]
    assert found[0].similarity == pytest.approx(1)


def told(monkeypatch, *, before, after):
    """Let maps be those given, of the network and then of its copy."""
    answers = iter([before, after])

    def as_map(values, target):
        if values is None:
            return NoMap("some", target, "none")
        return Attribution(np.float32([values]), "some", target, 0.0)

    def explain(_name, _model, _images, targets, _settings):
        return [
            [as_map(values, target)]
            for values, (target,) in zip(next(answers), targets, strict=True)
        ]

    monkeypatch.setattr(sanity, "explain_batch", explain)
    images = torch.zeros(len(before), 3, SIDE, SIDE)
    (one,) = cascading_randomisation("some", model_of(Deaf()), images, [0] * len(before), QUICK)
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
    model = model_of(module)

    def figures(**changes):
        return [
            one.similarity
            for one in cascading_randomisation(
                "smooth-grad", model, images, colours, replace(QUICK, **changes)
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
        cascading_randomisation("grad-cam", model_of(flat), planted(1)[0], [0], QUICK)
