"""Gradients of single operations that hand on relevance."""

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

from errlens.attribution.operations.rules import Elementwise


class Chord(Function):
    """A function of single values with the slope of its chord from zero.

    The relevance (f(x) - f(0)) g arrives at x whole: the identity rule. What is due to f(0), which
    does not depend on x, stays behind as that of a bias does.
    """

    @staticmethod
    def of(image: Tensor, apply: Elementwise, at_zero: Tensor, *, is_gate: bool) -> Tensor:
        """Return what the function gives; `at_zero` is its value there, `is_gate` its kind."""
        return Chord.apply(image, apply, at_zero, is_gate)  # type: ignore[no-any-return]

    @staticmethod
    def forward(
        ctx: Any,
        image: Tensor,
        apply: Elementwise,
        at_zero: Tensor,
        is_gate: bool,  # noqa: FBT001 - `apply` of torch has no keywords
    ) -> Tensor:
        """Keep the slopes."""
        values = apply(image.detach())
        ctx.is_gate = is_gate
        ctx.save_for_backward(_slopes(image.detach(), values, apply, at_zero))
        return values

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None, None]:
        """Multiply by the slopes."""
        (slopes,) = ctx.saved_tensors
        return gradients[0] * slopes, None, None, None


def _slopes(image: Tensor, values: Tensor, apply: Elementwise, at_zero: Tensor) -> Tensor:
    """Return slopes of chords from zero, and the derivative where the image is zero itself."""
    slopes = (values - at_zero) / image
    zero = image == 0
    if not zero.any():
        return slopes
    with torch.enable_grad():
        leaf = torch.zeros_like(image).requires_grad_()
        (tangent,) = torch.autograd.grad(apply(leaf).sum(), leaf)
    return torch.where(zero, tangent.nan_to_num(0, 0, 0), slopes)


class Half(Function):
    """A product of two, of which each gets half of what both would get."""

    @staticmethod
    def of(product: Tensor) -> Tensor:
        """Return the same product."""
        return Half.apply(product)  # type: ignore[no-any-return]

    @staticmethod
    def forward(ctx: Any, product: Tensor) -> Tensor:
        """Return the same."""
        del ctx
        return product.view_as(product)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        """Halve the gradient."""
        del ctx
        return gradients[0] / 2
