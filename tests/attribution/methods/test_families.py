"""Each method on a network of each family of timm: an identity of the method, or its refusal."""

from copy import deepcopy
from dataclasses import replace
from functools import cache, partial

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

SETTINGS = MethodSettings(steps=4, samples=4, mask="32", stride="32", batch_size=16)
WANTED = 2  # the class that is explained
WANTS = [[Target("some", WANTED)]]
WANTS_ANOTHER = [[*WANTS[0], Target("other", 0)]]
# Score-CAM takes a pass for each of a thousand channels there.
WIDE = {"resnet", "resnext", "wide_resnet", "efficientnet", "efficientnet-lite", "swin", "maxvit",
        "mixer"}  # fmt: skip
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


def is_path_of_captum(module, maps):
    x = image()
    expected = captum.attr.IntegratedGradients(module).attribute(
        x, baselines=-torch.ones_like(x), target=WANTED, n_steps=SETTINGS.steps
    )
    close(maps.values[:, 0], expected.sum(dim=1).detach())


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


def at_layer(module, above=lambda logits: logits[WANTED]):
    """Return what the layer puts out, and the slope of a score there, each (1, channels, h, w)."""
    layer = model_of(module).spatial_layer
    kept = []
    handle = module.get_submodule(layer.name).register_forward_hook(
        lambda _module, _inputs, output: kept.append(output)
    )
    score = above(module(image().requires_grad_())[0])
    handle.remove()
    (slope,) = torch.autograd.grad(score, kept[-1])
    return [layer.as_maps(each.detach()) for each in (kept[-1], slope)]


def is_layer_times_mean_slope(module, maps):
    places, slopes = at_layer(module)
    close(maps.values[:, 0], (places * slopes.mean(dim=(2, 3), keepdim=True)).sum(dim=1))


def is_layer_times_slopes_above_zero(module, maps):
    places, slopes = at_layer(module)
    close(maps.values[:, 0], (places * slopes.clamp(min=0)).sum(dim=1))


def is_grad_cam_above_rivals(module, maps):
    def above(logits):
        others, weights = logits[[0, 1, 3, 4]], logits[[0, 1, 3, 4]].detach()
        highest = weights.topk(3).indices
        return logits[WANTED] - (weights[highest].softmax(dim=0) * others[highest]).sum()

    places, slopes = at_layer(module, above)
    close(maps.values[:, 0], (places * slopes.mean(dim=(2, 3), keepdim=True)).sum(dim=1))


def is_layer_times_weighted_slopes(module, maps):
    """Chattopadhay et al., equation 19, for the exponential of the score."""
    places, slopes = at_layer(module)
    if not maps.values.isfinite().all():
        assert float(places.min()) < 0  # the divisor may vanish
        return
    alpha = 1 / (2 + slopes.clamp(min=0) * places.sum(dim=(2, 3), keepdim=True))
    weights = (alpha * slopes.clamp(min=0)).sum(dim=(2, 3), keepdim=True)
    close(maps.values[:, 0], (weights * places).sum(dim=1))


class Guided(torch.autograd.Function):
    """A rectifier that lets through what is positive on the way back, as on the way there."""

    @staticmethod
    def forward(ctx, x, top):
        ctx.save_for_backward(x)
        ctx.top = top
        return x.clamp(0, top)

    @staticmethod
    def backward(ctx, slope):
        (x,) = ctx.saved_tensors
        return slope.clamp(min=0) * (x > 0) * (x < ctx.top), None


class Rectified(Guided):
    """A rectifier that lets through what is positive on the way back, whatever came there."""

    @staticmethod
    def backward(ctx, slope):
        del ctx
        return slope.clamp(min=0), None


def is_slope_with_rectifiers(rule):
    """Hold a map against the gradient of a copy whose rectifiers were written anew."""

    def check(module, maps):
        copy = deepcopy(module)
        for part in copy.modules():
            if isinstance(part, torch.nn.ReLU | torch.nn.ReLU6):
                top = 6.0 if isinstance(part, torch.nn.ReLU6) else float("inf")
                part.forward = partial(rectify, rule, top)
        x = image().requires_grad_()
        (slope,) = torch.autograd.grad(copy(x)[0, WANTED], x)
        close(maps.values[:, 0], slope.sum(dim=1))

    return check


def rectify(rule, top, x):
    return rule.apply(x, top)


def conserves(module, maps):
    """Without biases all of the score arrives, but for what softmaxes keep."""
    close(maps.values.sum(dim=(2, 3)) + maps.absorbed, maps.scores)
    bare = deepcopy(module)
    with torch.no_grad():
        for name, values in [*bare.named_parameters(), *bare.named_buffers()]:
            if name.endswith(("bias", "running_mean")):
                values.zero_()
    with borrowed(bare):
        found = load_method("lrp").explain(model_of(bare), image(), WANTS, SETTINGS)
    arrives = found.values.sum(dim=(2, 3))
    if not any("attn" in name for name, _ in module.named_modules()):
        close(arrives, found.scores, 0.01)
    assert float(found.values.abs().sum()) < 1000 * float(found.scores.abs())


def looks_at_tokens(module, maps):
    """Attention adds up: no place has less than nothing, and another class another map."""
    assert maps.values.shape[2:] == model_of(module).spatial_layer.grid
    assert float(maps.values.min()) >= 0
    other = load_method("attention-relevance").explain(
        model_of(module), image(), [[Target("other", 0)]], SETTINGS
    )
    assert not torch.allclose(other.values, maps.values)


def is_of_answers_alone(name):
    """What asks a network for scores alone is the same for any: its own tests tell the rest."""

    def check(module, maps):
        answers = replace(model_of(module), module=Answers(module))
        again = load_method(name).explain(answers, image(), WANTS, SETTINGS)
        close(again.values, maps.values, 1e-6)

    return check


class Answers(torch.nn.Module):
    """Gives the scores of a network, and nothing else: no gradient, no layer."""

    def __init__(self, module):
        super().__init__()
        self.answer = [module]

    @torch.no_grad()
    def forward(self, images):
        return self.answer[0](images)


def differs_by_class(module, maps):
    """What is left of methods whose witness takes a pass a channel: their own tests have it."""
    del module
    assert not torch.allclose(maps.values[:, 0], maps.values[:, 1])


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
    "attention-relevance": looks_at_tokens,
    "deconvnet": is_slope_with_rectifiers(Rectified),
    "deeplift": adds_up(1e-4),
    "finer-cam": is_grad_cam_above_rivals,
    "grad-cam": is_layer_times_mean_slope,
    "grad-cam-plus-plus": is_layer_times_weighted_slopes,
    "gradient": by_captum(captum.attr.Saliency, abs=False),
    "gradient-x-input": by_captum(captum.attr.InputXGradient),
    "guided-backprop": is_slope_with_rectifiers(Guided),
    "integrated-gradients": is_path_of_captum,
    "layer-cam": is_layer_times_slopes_above_zero,
    "lime": is_of_answers_alone("lime"),
    "lrp": conserves,
    "occlusion": is_what_hiding_costs,
    "rise": is_of_answers_alone("rise"),
    "saliency": is_largest_slope,
    "score-cam": differs_by_class,
    "smooth-grad": is_mean_of_noisy_slopes,
}


@pytest.mark.parametrize("family", FAMILIES)
def test_what_the_guide_says_of_a_family_is_so(family):
    said = {method: why for (of, method), why in written().items() if of == family}
    assert said == verdicts(network(family))


@pytest.mark.parametrize("method", method_names())
@pytest.mark.parametrize("family", FAMILIES)
def test_a_method_that_works_keeps_its_identity(family, method):
    if written()[family, method] or (method == "score-cam" and family in WIDE):
        return
    module = network(family)
    wants = WANTS_ANOTHER if IDENTITIES[method] is differs_by_class else WANTS
    with borrowed(module):
        maps = load_method(method).explain(model_of(module), image(), wants, SETTINGS)
        assert maps.values.isfinite().all() or maps.why_none
        close(maps.scores, scores_of(module(image()), wants).detach(), 1e-4)
        IDENTITIES[method](module, maps)


def test_scores_differ_by_class_so_that_maps_mean_something():
    for family in FAMILIES:
        logits = network(family)(image())
        assert logits.shape == (1, CLASSES)
        assert float(logits.detach().std()) > 1e-3, family
