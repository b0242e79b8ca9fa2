"""Layer-wise relevance propagation: what each operation does with relevance.

What only moves or sums values shares relevance in proportion to them by its ordinary gradient, for
relevance is a value times its gradient here; so do sums of two branches, whose shares are signed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from errlens.attribution.operations.graph import is_linear
from errlens.attribution.operations.ordinary import Ordinary
from errlens.attribution.operations.rules import Bilinear, Elementwise, Linear, depends
from errlens.attribution.relevance.functions import Chord, Half
from errlens.attribution.relevance.layers import Layer, LayerRule, scaled
from errlens.errors import Unruled

# What these rules leave in the graph of gradients that is not linear.
STEPS: Final = (
    "AdaptiveMaxPool2D", "Amax", "ChordBackward", "HalfBackward", "LayerRuleBackward", "Max",
    "MaxPool2D", "MaxPool2DWithIndices", "MkldnnMaxPool2D", "Relu", "Softmax",
)  # fmt: skip
GATES: Final = ("hardsigmoid", "sigmoid")
DIVISORS: Final = ("pow", "reciprocal", "rsqrt")


@dataclass(frozen=True)
class Relevance(Ordinary):
    """Rules of relevance.

    `gamma` is that of convolutions and of the batch norms that follow them, `dense_gamma` that of
    products with a matrix; zero is the epsilon rule, infinity the z-plus rule. `epsilon` is added
    to outputs by which relevance is shared; nothing here needs it to stay finite.
    """

    gamma: float = 0.25
    dense_gamma: float = 0.0
    epsilon: float = 0.0

    def linear(self, apply: Linear, image: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        """Share by what inputs add to an output; the bias takes a share too, and keeps it."""
        gamma = self._gamma(weight)
        if self._is_calculus(gamma):
            return apply(image, weight, bias)
        return self._shared(Layer(apply, image, weight, bias, gamma))

    def affine(self, image: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
        """Fold a batch norm into the layer that gave its input; others are layers of their own."""
        before = getattr(image.grad_fn, "layer", None)
        if isinstance(before, Layer) and before.takes_norm:
            return self._shared(before.with_norm(scale, shift))
        gamma = self._gamma(scale)
        if self._is_calculus(gamma):
            return scaled(image, scale, shift)
        return self._shared(Layer(scaled, image, scale, shift, gamma))

    def elementwise(self, name: str, apply: Elementwise, image: Tensor) -> Tensor:
        """Hand on all relevance but that of the value at zero; what has none divides or is refused.

        A divisor is held constant.
        """
        if name == "relu":
            return apply(image)
        at_zero = apply(torch.zeros_like(image[:1] if image.ndim else image))
        if at_zero.isfinite().all():
            return Chord.of(image, apply, at_zero, is_gate=name in GATES)
        if name in DIVISORS:
            return apply(image.detach())
        raise Unruled(f"it computes {name}, which has no value at zero to share relevance from")

    def product(self, apply: Bilinear, one: Tensor, other: Tensor) -> Tensor:
        """Share between two factors equally; of a signal and its gate, the signal takes all."""
        if not depends(one) or not depends(other):
            return apply(one, other)
        if _is_gate(other):
            return apply(one, other.detach())
        if _is_gate(one):
            return apply(one.detach(), other)
        return Half.of(apply(one, other))

    def normalise(self, image: Tensor, dims: Sequence[int], eps: float, *, centred: bool) -> Tensor:
        """Hold the deviation constant."""
        values = image - image.mean(tuple(dims), keepdim=True) if centred else image
        variance = values.detach().square().mean(tuple(dims), keepdim=True)
        return values * torch.rsqrt(variance + eps)

    def _shared(self, layer: Layer) -> Tensor:
        return LayerRule.of(layer, self.epsilon)

    def _is_calculus(self, gamma: float) -> bool:
        """Tell whether a layer shares as its own gradient does."""
        return not gamma and not self.epsilon

    def _gamma(self, weight: Tensor) -> float:
        """Return the gamma of a layer: weights of convolutions have more than two dimensions."""
        return self.gamma if weight.ndim > 2 else self.dense_gamma


def _is_gate(factor: Tensor) -> bool:
    """Tell whether a factor came of a sigmoid and was no more than moved or scaled since."""
    node = factor.grad_fn
    while node is not None and not getattr(node, "is_gate", False):
        before = [each for each, _ in node.next_functions if each is not None]
        node = before[0] if len(before) == 1 and is_linear(node) else None
    return node is not None
