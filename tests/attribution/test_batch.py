from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from errlens.attribution.batch import explain_batch
from errlens.attribution.methods import load_method, method_names
from errlens.errors import UnfitMethod
from errlens.maps import NoMap, Target
from tests.attribution.networks import QUICK, SIDE, Patches, explained, fitting, model_of, planted

TRIPLE = [Target("predicted", 0), Target("true", 3), Target("difference", 0, 3)]


@pytest.mark.parametrize("name", method_names())
def test_a_difference_is_what_the_method_says_of_it(name):
    images, _, _ = planted(2)
    module = fitting(name)
    found = explain_batch(name, model_of(module), images, [TRIPLE] * 2, QUICK)
    expected = explained(load_method(name), module, images, [TRIPLE] * 2).values.numpy()
    for of_image, values in zip(found, expected, strict=True):
        for one, its, target in zip(of_image, values, TRIPLE, strict=True):
            np.testing.assert_allclose(one.values, its, atol=1e-5)
            assert (one.method, one.target) == (name, target)
        assert of_image[2].score == pytest.approx(of_image[0].score - of_image[1].score, abs=1e-5)


def test_a_difference_costs_no_further_backward_pass():
    class Counted(Patches):
        calls = 0

        def forward(self, images):
            type(self).calls += 1
            return super().forward(images)

    images, _, _ = planted(2)
    model = model_of(Counted())
    assert model.no_gradient is None
    Counted.calls = 0
    explain_batch("gradient", model, images, [TRIPLE] * 2, QUICK)
    assert Counted.calls == 1


def test_a_score_that_does_not_depend_on_the_layer_has_no_map():
    class Deaf(Patches):
        def forward(self, images):
            return super().forward(images) * 0 + images.mean(dim=(1, 2, 3))[:, None]

    images, _, _ = planted(1)
    ((one,),) = explain_batch("grad-cam", model_of(Deaf()), images, [[TRIPLE[0]]], QUICK)
    assert isinstance(one, NoMap)
    assert "gradient is zero" in one.reason


def test_a_network_that_cannot_be_explained_is_refused_with_a_sentence():
    flat = nn.Sequential(nn.Flatten(), nn.Linear(3 * SIDE * SIDE, 4))
    images, _, _ = planted(1)
    with pytest.raises(UnfitMethod, match="grad-cam cannot explain this network: "):
        explain_batch("grad-cam", model_of(flat), images, [[TRIPLE[0]]], QUICK)


def test_maps_that_are_not_finite_are_none():
    module = Patches()
    images, _, _ = planted(1)
    with torch.no_grad():
        module.head.weight[0] = torch.nan
    ((one,),) = explain_batch("gradient", model_of(module), images, [[TRIPLE[0]]], QUICK)
    assert one.reason == "the map is not finite"


def test_a_difference_adds_up_to_what_its_ends_add_up_to():
    images, _, _ = planted(3)
    module = Patches("max")
    few = replace(QUICK, steps=2)
    wanted = [TRIPLE] * 3
    found = explain_batch("integrated-gradients", model_of(module), images, wanted, few)
    alone = [[one[2]] for one in wanted]
    expected = explain_batch("integrated-gradients", model_of(module), images, alone, few)
    with torch.no_grad():
        module.eval()
        rise = module(images) - module(-torch.ones_like(images))
    for row, (of_image, (one,)) in enumerate(zip(found, expected, strict=True)):
        difference = of_image[2]
        total = float(rise[row, 0] - rise[row, 3])
        gap = abs(float(difference.values.sum()) - total) / abs(total)
        assert difference.completeness_gap == pytest.approx(gap, rel=1e-3, abs=1e-4)
        assert difference.completeness_gap == pytest.approx(
            one.completeness_gap, rel=1e-3, abs=1e-4
        )
    gaps = [of_image[2].completeness_gap for of_image in found]
    assert max(gaps) > 0.05


@pytest.mark.parametrize("name", method_names())
def test_only_what_promises_to_add_up_has_a_gap(name):
    images, _, _ = planted(1)
    ((*_, difference),) = explain_batch(name, model_of(fitting(name)), images, [TRIPLE], QUICK)
    adding = {"deeplift", "integrated-gradients"}
    assert (difference.completeness_gap is not None) == (name in adding)
    assert difference.signed == (name not in ("saliency", "attention-relevance"))


def test_a_difference_absorbs_what_its_ends_absorb():
    images, _, _ = planted(1)
    ((one, other, both),) = explain_batch("lrp", model_of(Patches()), images, [TRIPLE], QUICK)
    assert one.absorbed != 0
    for shown in (one, other, both):
        assert shown.values.sum() + shown.absorbed == pytest.approx(shown.score, abs=1e-4)
    assert both.absorbed == pytest.approx(one.absorbed - other.absorbed, abs=1e-5)
