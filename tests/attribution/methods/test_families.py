"""Each method on a network of each family of timm: an identity of the method, or its refusal."""

from functools import cache

import captum.attr
import pytest
import torch

from errlens.attribution.explained_model import MethodSettings, borrowed, scores_of
from errlens.attribution.masks import NOWHERE, Box, fill, grid
from errlens.attribution.methods import load_method, method_names
from errlens.maps import Target
from tests.attribution.families import (
    CLASSES,
    FAMILIES,
    SIDE,
    model_of,
    network_of,
    verdicts,
    written,
)

SETTINGS = MethodSettings(steps=64, samples=3, mask="32", stride="32", batch_size=16)
WANTED = 2  # the class that is explained
network = cache(network_of)


def image():
    generator = torch.Generator().manual_seed(1)
    return torch.rand(1, 3, SIDE, SIDE, dtype=torch.float64, generator=generator) * 2 - 1


def close(found, expected, tolerance=1e-6):
    """Compare to within a share of the largest value."""
    torch.testing.assert_close(
        found, expected, rtol=0, atol=tolerance * float(expected.abs().max()) + 1e-12
    )


def by_captum(kind, **options):
    def check(module, maps):
        expected = kind(module).attribute(image().requires_grad_(), target=WANTED, **options)
        close(maps.values[:, 0], expected.sum(dim=1).detach())

    return check


def is_largest_slope(module, maps):
    slopes = captum.attr.Saliency(module).attribute(image().requires_grad_(), target=WANTED)
    close(maps.values[:, 0], slopes.amax(dim=1).detach())


def is_mean_of_noisy_slopes(module, maps):
    generator = torch.Generator().manual_seed(SETTINGS.seed)
    saliency, x = captum.attr.Saliency(module), image()
    total = torch.zeros_like(x[:, 0])
    for _ in range(SETTINGS.samples):
        noise = torch.randn(x.shape[1:], generator=generator).double()
        noisy = (x + SETTINGS.noise * (x.max() - x.min()) * noise).requires_grad_()
        total += saliency.attribute(noisy, target=WANTED, abs=False).sum(dim=1).detach()
    close(maps.values[:, 0], total / SETTINGS.samples)


def adds_up(tolerance):
    def check(module, maps):
        del module
        assert float(maps.gaps.max()) < tolerance

    return check


def is_layer_times_mean_slope(module, maps):
    layer = model_of(module).spatial_layer
    kept = []
    handle = module.get_submodule(layer.name).register_forward_hook(
        lambda _module, _inputs, output: kept.append(output)
    )
    score = module(image().requires_grad_())[0, WANTED]
    handle.remove()
    (slope,) = torch.autograd.grad(score, kept[-1])
    places, slopes = (layer.as_maps(each.detach()) for each in (kept[-1], slope))
    close(maps.values[:, 0], (places * slopes.mean(dim=(2, 3), keepdim=True)).sum(dim=1))


def is_what_hiding_costs(module, maps):
    model, x = model_of(module), image()[0]
    filled = fill(model, x, SETTINGS)
    box = Box(*grid(x.shape[1:], SETTINGS)[0, 1].tolist())
    assert box != NOWHERE
    hidden = x.clone()
    hidden[:, box.top : box.bottom, box.left : box.right] = filled[
        :, box.top : box.bottom, box.left : box.right
    ]
    with torch.no_grad():
        before, after = module(torch.stack([x, hidden]))[:, WANTED]
    close(maps.values[0, 0, 0, 1], before - after, 1e-4)


IDENTITIES = {
    "gradient": by_captum(captum.attr.Saliency, abs=False),
    "gradient-x-input": by_captum(captum.attr.InputXGradient),
    "saliency": is_largest_slope,
    "smooth-grad": is_mean_of_noisy_slopes,
    "integrated-gradients": adds_up(0.05),
    "grad-cam": is_layer_times_mean_slope,
    "occlusion": is_what_hiding_costs,
}


@pytest.mark.parametrize("family", FAMILIES)
def test_what_the_guide_says_of_a_family_is_so(family):
    said = {method: why for (of, method), why in written().items() if of == family}
    assert said == verdicts(family)


@pytest.mark.parametrize("method", method_names())
@pytest.mark.parametrize("family", FAMILIES)
def test_a_method_that_works_keeps_its_identity(family, method):
    if written()[family, method]:
        return
    module = network(family)
    with borrowed(module):
        wanted = [[Target("some", WANTED)]]
        maps = load_method(method).explain(model_of(module), image(), wanted, SETTINGS)
        assert maps.values.isfinite().all()
        close(maps.scores, scores_of(module(image()), wanted).detach(), 1e-4)
        IDENTITIES[method](module, maps)


def test_scores_differ_by_class_so_that_maps_mean_something():
    for family in FAMILIES:
        logits = network(family)(image())
        assert logits.shape == (1, CLASSES)
        assert float(logits.detach().std()) > 1e-3, family
