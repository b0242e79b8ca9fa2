"""What a method has to say of each kind of operation."""

from collections.abc import Callable, Sequence
from typing import Protocol

from torch import Tensor

Elementwise = Callable[[Tensor], Tensor]
Linear = Callable[[Tensor, Tensor, Tensor | None], Tensor]
Bilinear = Callable[[Tensor, Tensor], Tensor]


def depends(value: object) -> bool:
    """Tell whether something depends on the image."""
    return isinstance(value, Tensor) and value.requires_grad


class Rules(Protocol):
    """Computes the operations of a network, each with a gradient of the method's own.

    Each returns what the operation returns. Tensors that depend on the image require a gradient;
    parameters and other constants do not. Operations that are linear and without parameters, as
    means, sums, paddings and all that only moves values, keep their ordinary gradient.
    """

    def linear(self, apply: Linear, image: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        """Convolutions and products with a matrix of parameters: `apply(image, weight, bias)`."""

    def affine(self, image: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
        """A batch norm: `image * scale + shift`, both of a shape that fits the image's."""

    def elementwise(self, name: str, apply: Elementwise, image: Tensor) -> Tensor:
        """A function of each value alone, as an activation; `name` is that of torch."""

    def add(self, one: Tensor, other: Tensor) -> Tensor:
        """The sum of two tensors, both of which depend on the image."""

    def product(self, apply: Bilinear, one: Tensor, other: Tensor) -> Tensor:
        """What is linear in each of two tensors that both depend on the image."""

    def softmax(self, image: Tensor, dim: int) -> Tensor:
        """Exponentials, divided by their sum along a dimension."""

    def normalise(self, image: Tensor, dims: Sequence[int], eps: float, *, centred: bool) -> Tensor:
        """Values, less their mean where it is `centred`, over the root of their mean square."""

    def maximum(self, apply: Elementwise, image: Tensor) -> Tensor:
        """The largest of several values of one tensor, as a max-pooling."""
