"""Methods of one layer against their equations, written out, and what is known of them."""

from dataclasses import replace

import pytest
import timm
import torch
from torch import nn

from errlens.attribution.explained_model import MethodSettings
from errlens.attribution.methods import finer_cam, grad_cam, grad_cam_plus_plus, layer_cam
from tests.attribution.networks import Tokens, explained, targets

ALL = [finer_cam, grad_cam, grad_cam_plus_plus, layer_cam]
POSITIVE = MethodSettings()
ELEMENTWISE = replace(POSITIVE, layer_weights="elementwise")


class Seen(nn.Module):
    """Gives a feature map as it is to a head, so that its values are the image's."""

    def __init__(self, head):
        super().__init__()
        self.layer = nn.Conv2d(3, 3, 1, bias=False)
        nn.init.dirac_(self.layer.weight)
        self.head = head

    def forward(self, images):
        return self.head(self.layer(images))


class Pooled(nn.Module):
    """Global average pooling and a linear layer of five classes."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(3, 5)

    def forward(self, seen):
        return self.linear(seen.mean(dim=(2, 3)))


def maps_of(method, head, images, wanted, settings=POSITIVE):
    size = tuple(images.shape[1:])
    return explained(method, Seen(head), images, wanted, settings, size=size)


def photos(n=2, side=(4, 6)):
    generator = torch.Generator().manual_seed(0)
    return torch.rand((n, 3, *side), generator=generator, dtype=torch.float32)


def test_with_average_pooling_and_a_linear_head_elementwise_weights_give_grad_cam():
    torch.manual_seed(0)
    head, images, wanted = Pooled(), photos() - 0.5, targets([0, (1, 2)], [3, (4, 0)])
    hires = maps_of(layer_cam, head, images, wanted, ELEMENTWISE)
    cam = maps_of(grad_cam, head, images, wanted)
    torch.testing.assert_close(hires.values, cam.values)
    known = hires.scores[:, 0] - head.linear.bias.detach()[torch.tensor([0, 3])]
    torch.testing.assert_close(hires.values[:, 0].sum(dim=(1, 2)), known)
    assert (hires.unit, cam.unit) == ("logits (HiResCAM)", "logits (Grad-CAM)")


def test_elementwise_weights_tell_places_apart_where_the_head_does():
    head = nn.Sequential(nn.Flatten(), nn.Linear(3 * 4 * 6, 5))
    images, wanted = photos() - 0.5, targets([0], [3])
    weight = head[1].weight.detach()[torch.tensor([0, 3])].reshape(2, 3, 4, 6)
    found = maps_of(layer_cam, head, images, wanted, ELEMENTWISE).values[:, 0]
    torch.testing.assert_close(found, (weight * images).sum(dim=1))
    above = maps_of(layer_cam, head, images, wanted).values[:, 0]
    torch.testing.assert_close(above, (weight.clamp(min=0) * images).sum(dim=1))
    assert (above < 0).any()


def test_grad_cam_plus_plus_is_the_closed_form_of_its_paper():
    """The derivatives of exp(score) by autograd, where the paper has them in closed form."""
    torch.manual_seed(1)
    head, images = nn.Sequential(nn.Flatten(), nn.Linear(3 * 2 * 2, 5)).double(), photos(1, (2, 2))
    images = images.double()
    module = Seen(head).double()
    found = explained(
        grad_cam_plus_plus, module, images, targets([2]), POSITIVE, size=(3, 2, 2)
    ).values[0, 0]
    activation = images[0].clone().requires_grad_()
    first, second, third = _derivatives(lambda seen: head(seen[None])[0, 2].exp(), activation)
    total = images[0].sum(dim=(1, 2), keepdim=True)
    alpha = second / (2 * second + total * third)
    weights = (alpha * first.clamp(min=0)).sum(dim=(1, 2), keepdim=True)
    expected = (weights * images[0]).sum(dim=0)
    # Ours leaves out exp(score), by which all places are multiplied.
    score = head(images)[0, 2].detach()
    torch.testing.assert_close(found * score.exp(), expected)


def _derivatives(function, at):
    """Return the first three derivatives with respect to each value alone."""
    found, values = [[], [], []], at.detach().flatten()
    for place in range(len(values)):
        one = values[place].clone().requires_grad_()
        result = function(torch.cat([values[:place], one[None], values[place + 1 :]]).view_as(at))
        for order in range(3):
            (result,) = torch.autograd.grad(result, one, create_graph=True)
            found[order].append(result.detach())
    return [torch.stack(order).reshape(at.shape) for order in found]


def test_grad_cam_plus_plus_of_a_layer_far_below_zero_is_no_map():
    head = Pooled()
    with torch.no_grad():
        head.linear.weight.copy_(torch.tensor([[1.0, 0, 0]] * 4 + [[-1.0, 0, 0]]))
    maps = maps_of(grad_cam_plus_plus, head, -2 * torch.ones(1, 3, 4, 6), targets([0, 4]))
    assert maps.values[0, 0].isnan().all()
    assert maps.values[0, 1].eq(0).all()  # nothing speaks for it
    assert "ReLU" in maps.why_none


def test_finer_cam_is_grad_cam_of_what_the_target_is_above_its_rivals():
    torch.manual_seed(2)
    head, images = Pooled(), photos(3)
    wanted = targets([0, 4], [1, 1], [2, 3])
    found = maps_of(finer_cam, head, images, wanted)
    logits = head(images).detach()
    torch.testing.assert_close(
        found.scores, logits.gather(1, torch.tensor([[0, 4], [1, 1], [2, 3]]))
    )
    alone = maps_of(grad_cam, head, images, targets(*[list(range(5))] * 3)).values
    for image, of_image in enumerate(wanted):
        for at, target in enumerate(of_image):
            order = [one for one in logits[image].argsort(descending=True) if one != target.wanted]
            shares = logits[image, order[:3]].softmax(dim=0)
            rivals = sum(
                share * alone[image, one] for share, one in zip(shares, order, strict=False)
            )
            expected = alone[image, target.wanted] - rivals
            torch.testing.assert_close(found.values[image, at], expected)


def test_finer_cam_of_a_difference_is_grad_cam_of_it():
    head, images, wanted = Pooled(), photos(), targets([(0, 3)], [(2, 1)])
    torch.testing.assert_close(
        maps_of(finer_cam, head, images, wanted).values,
        maps_of(grad_cam, head, images, wanted).values,
    )


@pytest.mark.parametrize("classes", [2, 3])
def test_finer_cam_takes_the_rivals_there_are(classes):
    head = Pooled()
    head.linear = nn.Linear(3, classes)
    assert maps_of(finer_cam, head, photos(), targets([0], [1])).values.isfinite().all()


@pytest.mark.parametrize("method", ALL)
@pytest.mark.parametrize("prefix", [0, 1, 5])
def test_of_tokens_the_one_that_counts_is_pointed_at(method, prefix):
    class Reads(Tokens):
        def forward(self, images):
            seen = self.relu(self.see(images))
            places = nn.functional.adaptive_avg_pool2d(seen, self.grid).flatten(2).transpose(1, 2)
            first = self.first.expand(len(images), -1, -1) + 7
            tokens = self.tokens(torch.cat([first, places], dim=1))
            return self.head(tokens[:, prefix + 3 * 14 + 9])

    module = Reads(prefix=prefix, grid=(10, 14), pooling="mean")
    images = 3 * torch.rand(1, 3, 20, 28)
    images[:, 0, 6:8, 18:20] = 30.0
    images[:, 1, 0:2, 0:2] = 60.0
    maps = explained(method, module, images, targets([0]), POSITIVE, size=(3, 20, 28))
    assert maps.values.shape == (1, 1, 10, 14)
    assert divmod(int(maps.values.argmax()), 14) == (3, 9)


@pytest.mark.parametrize("method", ALL)
def test_channels_may_come_last(method):
    torch.manual_seed(0)
    module = timm.create_model("test_mambaout", num_classes=5).eval()
    images = torch.randn(1, 3, 96, 128)
    maps = explained(method, module, images, targets([0]), POSITIVE, size=(3, 96, 128))
    assert maps.values.shape == (1, 1, 3, 4)
    assert maps.layer_words == "last map"


@pytest.mark.parametrize("method", ALL)
def test_a_score_that_does_not_depend_on_the_layer_has_no_map(method):
    class Deaf(nn.Module):
        def forward(self, seen):
            return seen.mean(dim=(1, 2, 3))[:, None] * torch.tensor([1.0, 0.0, 0.0])

    wanted = targets([0, (1, 2)])
    maps = maps_of(method, Deaf(), photos(1), wanted)
    assert maps.values[0, 0].isfinite().all()
    assert maps.values[0, 1].isnan().all()
    assert "gradient is zero" in maps.why_none


class Turned(nn.Module):
    """Has a complex weight first, and scores that are not finite if asked for."""

    def __init__(self, factor=1.0):
        super().__init__()
        self.turn = nn.Parameter(torch.tensor(1 + 1j))
        self.layer = nn.Conv2d(3, 4, 3)
        self.factor = factor

    def forward(self, images):
        return self.factor * (self.layer(images).mean((2, 3)) * self.turn).abs()


@pytest.mark.parametrize("method", ALL)
def test_a_network_with_complex_weights_is_fed_real_images(method):
    maps = explained(method, Turned().eval(), torch.rand(1, 3, 24, 24), targets([1]))
    assert maps.values.isfinite().all()


@pytest.mark.parametrize("method", ALL)
def test_scores_that_are_not_finite_are_not_said_to_be_blind(method):
    module = Turned(float("nan")).eval()
    maps = explained(method, module, torch.rand(1, 3, 24, 24), targets([1]))
    assert not maps.values.isfinite().any()
    assert maps.why_none == "the map is not finite"
