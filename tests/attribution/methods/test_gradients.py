"""The gradient family against captum, and against what is known of linear networks."""

import captum.attr
import pytest
import timm
import torch
from torch import nn

from errlens.attribution.explained_model import MethodSettings
from errlens.attribution.methods import (
    gradient,
    gradient_x_input,
    integrated_gradients,
    saliency,
    smooth_grad,
)
from tests.attribution.networks import explained, targets

NETWORKS = {"resnet": ("test_resnet", {}), "vit": ("test_vit", {"img_size": 32, "patch_size": 8})}


def network(name, *, dtype):
    torch.manual_seed(0)
    model, options = NETWORKS[name]
    module = timm.create_model(model, pretrained=False, num_classes=5, **options)
    return module.to(dtype).eval()


def photos(*, dtype, n=3):
    torch.manual_seed(1)
    return torch.randn(n, 3, 32, 32, dtype=dtype)


TOLERANCE = {torch.float64: 1e-6, torch.float32: 1e-5}


@pytest.fixture(params=NETWORKS)
def name(request):
    return request.param


@pytest.fixture(params=TOLERANCE, ids=str)
def dtype(request):
    return request.param


def agree(ours, theirs, dtype):
    limit = TOLERANCE[dtype] * float(theirs.abs().max())
    torch.testing.assert_close(ours, theirs.to(ours), rtol=0, atol=limit)


WANTED = targets([0], [3], [1])
LABEL = torch.tensor([0, 3, 1])


def ours_of(method, name, dtype, settings=None):
    module = network(name, dtype=dtype)
    maps = explained(method, module, photos(dtype=dtype), WANTED, settings or MethodSettings())
    return maps.values[:, 0], module, photos(dtype=dtype).requires_grad_()


def test_the_gradient_is_captums(name, dtype):
    ours, module, images = ours_of(gradient, name, dtype)
    theirs = captum.attr.Saliency(module).attribute(images, target=LABEL, abs=False)
    agree(ours, theirs.sum(dim=1), dtype)


def test_saliency_is_captums(name, dtype):
    ours, module, images = ours_of(saliency, name, dtype)
    theirs = captum.attr.Saliency(module).attribute(images, target=LABEL)
    agree(ours, theirs.amax(dim=1), dtype)


def test_gradient_times_input_is_captums(name, dtype):
    ours, module, images = ours_of(gradient_x_input, name, dtype)
    theirs = captum.attr.InputXGradient(module).attribute(images, target=LABEL)
    agree(ours, theirs.detach().sum(dim=1), dtype)


def test_integrated_gradients_are_captums(name, dtype):
    ours, module, images = ours_of(integrated_gradients, name, dtype, MethodSettings(steps=20))
    theirs = captum.attr.IntegratedGradients(module).attribute(
        images, baselines=-torch.ones_like(images), target=LABEL, n_steps=20
    )
    agree(ours, theirs.detach().sum(dim=1), dtype)


def test_integrated_gradients_add_up_to_the_difference_from_the_baseline(name):
    module = network(name, dtype=torch.float64)
    images = photos(dtype=torch.float64)
    with torch.no_grad():
        logits = module(images) - module(-torch.ones_like(images))
    label = logits.abs().argmax(dim=1)
    difference = logits.gather(1, label[:, None])
    wanted = targets(*[[one] for one in label.tolist()])
    maps = explained(integrated_gradients, module, images, wanted, MethodSettings(steps=200))
    total = maps.values.sum(dim=(2, 3))
    torch.testing.assert_close(total, difference, rtol=0.01, atol=0)
    torch.testing.assert_close(maps.gaps, ((total - difference) / difference).abs())
    assert (maps.gaps < 0.01).all()


def test_of_a_linear_network_everything_is_known():
    torch.manual_seed(0)
    module = nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 5)).double()
    images = photos(dtype=torch.float64)
    weight = module[1].weight.detach()[LABEL].reshape(3, 3, 32, 32)
    known = {
        gradient: weight.sum(dim=1),
        saliency: weight.abs().amax(dim=1),
        gradient_x_input: (weight * images).sum(dim=1),
        integrated_gradients: (weight * (images + 1)).sum(dim=1),
        smooth_grad: weight.sum(dim=1),
    }
    for method, expected in known.items():
        values = explained(
            method, module, images, WANTED, MethodSettings(steps=3, samples=2)
        ).values
        torch.testing.assert_close(values[:, 0], expected, rtol=0, atol=1e-6)


def test_smooth_grad_of_one_sample_without_noise_is_the_gradient(name, dtype):
    ours, module, images = ours_of(smooth_grad, name, dtype, MethodSettings(samples=1, noise=0.0))
    plain = explained(gradient, module, images.detach(), WANTED, MethodSettings()).values[:, 0]
    torch.testing.assert_close(ours, plain)


def test_smooth_grad_has_less_noise_than_the_gradient():
    """Two halves of the samples agree more than two noisy gradients do."""
    module, images = network("resnet", dtype=torch.float32), photos(dtype=torch.float32)

    def agreement(samples):
        first, second = (
            explained(
                smooth_grad, module, images, WANTED, MethodSettings(samples=samples, seed=seed)
            )
            for seed in (1, 2)
        )
        pair = torch.stack([first.values.flatten(), second.values.flatten()])
        return float(torch.corrcoef(pair)[0, 1])

    assert agreement(16) > agreement(1)


def test_the_noise_depends_on_the_seed_alone():
    module, images = network("resnet", dtype=torch.float32), photos(dtype=torch.float32)
    maps = [
        explained(smooth_grad, module, images, WANTED, MethodSettings(samples=2, seed=seed)).values
        for seed in (1, 1, 2)
    ]
    assert torch.equal(maps[0], maps[1])
    assert not torch.equal(maps[0], maps[2])
