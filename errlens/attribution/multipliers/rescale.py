"""The rules by which differences from a baseline are handed on.

Each operation that is not linear gets a linear one in its stead, which differs between image and
baseline by what the operation itself differs: its slopes are the multipliers.
"""

from collections.abc import Collection, Sequence
from typing import Any, Final

import torch
from torch import Tensor

from errlens.attribution.multipliers.baseline import Following
from errlens.attribution.multipliers.slopes import largest, of_exponential, secant
from errlens.attribution.operations.ordinary import Ordinary
from errlens.attribution.operations.rules import Bilinear, Elementwise

# What these rules leave in the graph; the largest of all is taken from its place by selecting it.
STEPS: Final[Collection[str]] = ("_StandInBackward", "MaskedSelect")


class Rescale(Ordinary):
    """The rescale rule for single values, and what is complete likewise for products and others."""

    def __init__(self, baseline: Following) -> None:
        self._baseline = baseline

    def elementwise(self, name: str, apply: Elementwise, image: Tensor) -> Tensor:
        """Hand on by the slope of the secant."""
        (before,) = self._baseline.inputs(name, image)
        values, slopes = secant(name, apply, image.detach(), before)
        return _instead(image * slopes, values)

    def product(self, apply: Bilinear, one: Tensor, other: Tensor) -> Tensor:
        """Hand on to each factor by the mean of what the other is for image and baseline."""
        befores = self._baseline.inputs("product", one, other)
        values = apply(one.detach(), other.detach())
        means = (
            now + (before - now.detach()) / 2
            for now, before in zip((one, other), befores, strict=True)
        )
        return _instead(apply(*means), values)

    def softmax(self, image: Tensor, dim: int) -> Tensor:
        """Take it for exp(x - log(sum(exp(x)))), and hand on through each of these.

        All slopes are between 0 and 1, however far apart image and baseline are. Through a product
        of exponentials with one over their sum they would not be.
        """
        (before,) = self._baseline.inputs("softmax", image)
        now = image.detach()
        values = now.softmax(dim)
        total, total_before = (each.logsumexp(dim, keepdim=True) for each in (now, before))
        # What is masked, minus infinity in both, is not handed on.
        steps = torch.nan_to_num(now - before, nan=0.0)
        rise = total - total_before
        larger = torch.maximum(now, before) - torch.maximum(total, total_before)
        shares = larger.exp() * of_exponential(steps) / of_exponential(rise)
        slopes = torch.maximum(values, before.softmax(dim)) * of_exponential(steps - rise)
        return _instead(slopes * (image - (shares * image).sum(dim, keepdim=True)), values)

    def normalise(self, image: Tensor, dims: Sequence[int], eps: float, *, centred: bool) -> Tensor:
        """Hand on through centring, squares, one over the root of their mean r, and the product.

        Of the latter, d(c r) = dc (a r + b r0) + dr (a c0 + b c) with a + b = 1. By halves, as for
        other products, one would hand on without bound where values are nearly zero, so that r
        grows; with a = r0 / (r + r0) it is dc 2 r r0 / (r + r0) + dr (c r + c0 r0) / (r + r0).
        """
        (before,) = self._baseline.inputs("normalise", image)
        along = tuple(dims)
        values, was = (
            each - each.mean(along, keepdim=True) if centred else each for each in (image, before)
        )
        now = values.detach()
        root, root_before = (
            torch.rsqrt(each.square().mean(along, keepdim=True) + eps) for each in (now, was)
        )
        half = root * root_before / (root + root_before)
        normal = now * root
        # dr is minus (r r0)^2 / (r + r0), times the mean of dc (c + c0).
        squares = (values * ((now + was) * half)).mean(along, keepdim=True)
        return _instead(
            values * (2 * half) - squares * ((normal + was * root_before) * half), normal
        )

    def maximum(self, apply: Elementwise, image: Tensor) -> Tensor:
        """Hand on a rise to the place that is the largest now, and a fall to the one that was."""
        (before,) = self._baseline.inputs("maximum", image)
        now, was = image.detach(), before.expand_as(image).contiguous()
        values, take_now = largest(apply, now)
        values_before, take_before = largest(apply, was)
        steps, rise = now - was, values - values_before
        step_now, step_before = take_now(steps), take_before(steps)
        # The largest differs by no more than the place does: no slope is beyond 1.
        up = torch.where(rise > 0, rise / step_now, ((rise == 0) & (step_now == 0)).to(rise))
        down = torch.where(rise < 0, rise / step_before, 0.0)
        return _instead(up * take_now(image) + down * take_before(image), values)


def _instead(stand_in: Tensor, values: Tensor) -> Tensor:
    """Return values that have the gradient of another tensor of their shape."""
    result: Tensor = _StandIn.apply(stand_in, values)
    return result


class _StandIn(torch.autograd.Function):
    """Has the values of one tensor and the gradient of another."""

    @staticmethod
    def forward(_ctx: Any, _stand_in: Tensor, values: Tensor) -> Tensor:
        return values

    @staticmethod
    def backward(_ctx: Any, *slopes: Tensor) -> tuple[Tensor, None]:
        return slopes[0], None
