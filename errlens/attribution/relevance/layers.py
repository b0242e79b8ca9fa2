"""Linear layers: their outputs hand relevance to their inputs in proportion to what these gave.

The relevance of a value is the value times its modified gradient, everywhere in this folder. So
what torch hands back needs no rule where it only moves, sums or averages, and no relevance is
divided by a value that may be near zero.
"""

from functools import cached_property
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

from errlens.attribution.operations.rules import Linear


def scaled(image: Tensor, scale: Tensor, shift: Tensor | None) -> Tensor:
    """Return `image * scale + shift`, the layer that a batch norm by itself is."""
    return image * scale if shift is None else image * scale + shift


class Layer:
    """A linear layer as it was called: what it got, and what it gave.

    It gives `apply(image, weight, bias)`; with a batch norm folded in, that times `scale` plus
    `shift`. `source` is the image it got, `output` what it gives, without the way to it. `gamma` is
    that of its rule: zero is the epsilon rule; of infinity only what has the sign of an output
    counts.
    """

    def __init__(
        self,
        apply: Linear,
        image: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        gamma: float,
    ) -> None:
        self.source, self.gamma = image, gamma
        self._call = (apply, weight, bias)
        self._norm: tuple[Tensor, Tensor] | None = None
        self._image = image.detach().requires_grad_()
        with torch.enable_grad():
            self._product = apply(self._image, weight, bias)
        self.output = self._product.detach()

    @property
    def takes_norm(self) -> bool:
        """Whether a batch norm that follows has a scale for each of its biases."""
        apply, weight, _ = self._call
        is_product = apply is not scaled and (weight.ndim > 2 or self.output.ndim == 2)
        return is_product and self._norm is None

    def with_norm(self, scale: Tensor, shift: Tensor) -> "Layer":
        """Return this layer with a batch norm folded in; the product is not computed again."""
        folded = Layer.__new__(Layer)
        folded.source, folded.gamma = self.source, self.gamma
        folded._call, folded._norm = self._call, (scale, shift)
        folded._image, folded._product = self._image, self._product
        folded.output = torch.addcmul(shift, self.output, scale)
        return folded

    def back(self, gradient: Tensor, epsilon: float) -> Tensor:
        """Return the modified gradient of the input by the gamma rule.

        An output y is the sum of what inputs and bias add to it, z = x w. Where y is positive, its
        relevance is shared in proportion to z + gamma max(z, 0), where it is negative, to
        z + gamma min(z, 0). Both are a z + b |z| if b has the sign of y, so that two products are
        enough, with weights and with their sizes.

        Args:
            gradient: The modified gradient of the output.
            epsilon: Added, with the sign of y, to what relevance is divided by.
        """
        a, b = _parts(self.gamma)
        scale = None if self._norm is None else self._norm[0]
        share = gradient * self._arriving(epsilon)
        back = _back(share if scale is None else share * scale, self._product, self._image)
        if not b:
            return back
        image, product, _ = self._sizes
        share = torch.where(self.output < 0, -share, share)
        sized = _back(share if scale is None else share * scale.abs(), product, image)
        # Where the image is zero it has no relevance, whatever its gradient is.
        sized = sized.mul_(torch.where(self._image.detach() < 0, -b, b))
        return back.mul_(a).add_(sized)

    def _arriving(self, epsilon: float) -> Tensor:
        """Return outputs over all that is shared out, both without their sign."""
        a, b = _parts(self.gamma)
        size = self.output.abs()
        whole = size * a
        if b:
            whole.add_(self._sizes[2], alpha=b)
        # Of what nothing was added to, nothing is shared; it is not 0 / 0.
        return size.div_(whole.add_(epsilon or torch.finfo(size.dtype).tiny))

    @cached_property
    def _sizes(self) -> tuple[Tensor, Tensor, Tensor]:
        """Return sizes of inputs, their product, and sums of the sizes of all that is added."""
        apply, weight, bias = self._call
        image = self._image.detach().abs().requires_grad_()
        if self._norm is None:
            with torch.enable_grad():
                product = apply(image, weight.abs(), None if bias is None else bias.abs())
            return image, product, product.detach()
        scale, shift = self._norm
        with torch.enable_grad():
            product = apply(image, weight.abs(), None)
        constant = shift if bias is None else bias.reshape(scale.shape) * scale + shift
        return image, product, torch.addcmul(constant.abs(), product.detach(), scale.abs())


def _parts(gamma: float) -> tuple[float, float]:
    """Return a and b of shares in proportion to a z + b |z|; 1 + gamma is divided out.

    >>> _parts(0.0), _parts(1.0), _parts(float("inf"))
    ((1.0, 0.0), (0.75, 0.25), (0.5, 0.5))
    """
    b = 0.5 if gamma == float("inf") else gamma / 2 / (1 + gamma)
    return 1 - b, b


def _back(shares: Tensor, product: Tensor, image: Tensor) -> Tensor:
    return torch.autograd.grad(product, image, shares, retain_graph=True)[0]


class LayerRule(Function):
    """A linear layer whose gradient is that of the rule."""

    @staticmethod
    def of(layer: Layer, epsilon: float) -> Tensor:
        """Return what the layer gives."""
        return LayerRule.apply(layer.source, layer, epsilon)  # type: ignore[no-any-return]

    @staticmethod
    def forward(ctx: Any, image: Tensor, layer: Layer, epsilon: float) -> Tensor:
        """Keep the layer."""
        del image
        ctx.layer, ctx.epsilon = layer, epsilon
        return layer.output

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        """Hand relevance back."""
        return ctx.layer.back(gradients[0], ctx.epsilon), None, None
