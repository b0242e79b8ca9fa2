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
        enough, with weights and with their sizes. Of an image without negative values |z| is
        |w| x, and one product with both is enough where b has the same sign everywhere.

        Args:
            gradient: The modified gradient of the output.
            epsilon: Added, with the sign of y, to what relevance is divided by.
        """
        a, b = _parts(self.gamma)
        scale = None if self._norm is None else self._norm[0]
        share = gradient * self._arriving(epsilon)
        opposed = self.output < 0
        if scale is not None:
            share.mul_(scale)
            opposed = opposed ^ (scale < 0)
        if not b:
            return _back(share, self._product, self._image)
        image, product, _ = self._sized
        signed = torch.where(opposed, -share, share)
        back = _back(signed, product, image)
        if not self._is_positive:
            back.mul_(torch.where(self._image.detach() < 0, -b, b))
            return back.add_(_back(share, self._product, self._image), alpha=a)
        if not torch.equal(signed, share):
            share.masked_fill_(~opposed, 0)
            back.add_(_back(share, self._product, self._image), alpha=2 * a)
        return back

    def _arriving(self, epsilon: float) -> Tensor:
        """Return outputs over all that is shared out, both without their sign."""
        size = self.output.abs()
        a, b = _parts(self.gamma)
        whole = torch.add(self._sized[2], size, alpha=a) if b else size.clone()
        # Of what nothing was added to, nothing is shared; it is not 0 / 0.
        return size.div_(whole.add_(epsilon or torch.finfo(size.dtype).tiny))

    @cached_property
    def _is_positive(self) -> bool:
        return bool(self._image.detach().min() >= 0)

    @cached_property
    def _sized(self) -> tuple[Tensor, Tensor, Tensor]:
        """Return an image, a product with it, and the b |z| of all that is added to an output.

        The product has the weights a w + b |w| where no value of the image is negative, which then
        need no second way back, and else |w|, with sizes of the image.
        """
        a, b = _parts(self.gamma)
        apply, weight, bias = self._call
        keep, factor = (a, b) if self._is_positive else (0.0, 1.0)
        image = self._image if self._is_positive else self._image.detach().abs().requires_grad_()
        added = None if bias is None else keep * bias + factor * bias.abs()
        with torch.enable_grad():
            product = apply(
                image,
                keep * weight + factor * weight.abs(),
                added if self._norm is None else None,
            )
        sizes = torch.sub(product.detach(), self._product.detach(), alpha=keep)
        if self._norm is not None:
            scale, shift = self._norm
            constant = shift
            if bias is not None:
                bias = bias.reshape(scale.shape)
                constant = bias * scale + shift
                sizes.add_(bias, alpha=keep)
            sizes.mul_(scale.abs()).add_(constant.abs(), alpha=factor)
        return image, product, sizes.mul_(b / factor).clamp_(min=0)


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
