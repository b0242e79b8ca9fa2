"""The rules of calculus: every operation with its own gradient."""

from collections.abc import Sequence

import torch
from torch import Tensor

from errlens.attribution.operations.rules import Bilinear, Elementwise, Linear


class Ordinary:
    """Rules that change nothing; others override what they change."""

    def linear(self, apply: Linear, image: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        """Return what the operation returns."""
        return apply(image, weight, bias)

    def affine(self, image: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
        """Return `image * scale + shift`."""
        return image * scale + shift

    def elementwise(self, name: str, apply: Elementwise, image: Tensor) -> Tensor:
        """Return what the function returns."""
        del name
        return apply(image)

    def add(self, one: Tensor, other: Tensor) -> Tensor:
        """Return the sum."""
        return one + other

    def product(self, apply: Bilinear, one: Tensor, other: Tensor) -> Tensor:
        """Return the product."""
        return apply(one, other)

    def softmax(self, image: Tensor, dim: int) -> Tensor:
        """Return the softmax."""
        return image.softmax(dim)

    def normalise(self, image: Tensor, dims: Sequence[int], eps: float, *, centred: bool) -> Tensor:
        """Return normal values."""
        values = image - image.mean(tuple(dims), keepdim=True) if centred else image
        return values * torch.rsqrt(values.square().mean(tuple(dims), keepdim=True) + eps)

    def maximum(self, apply: Elementwise, image: Tensor) -> Tensor:
        """Return the largest values."""
        return apply(image)
