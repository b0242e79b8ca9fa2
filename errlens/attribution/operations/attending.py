"""The attention of a transformer: which tokens look at which, found by what is computed."""

from typing import Final, NamedTuple

import torch
from torch import Tensor

from errlens.attribution.explained_model import ExplainedModel
from errlens.attribution.operations.following import ruled_logits
from errlens.attribution.operations.names import ELEMENTWISE, MAXIMA
from errlens.attribution.operations.ordinary import Ordinary
from errlens.attribution.operations.rules import Bilinear
from errlens.errors import Unruled
from errlens.model.layers.hooks import watched
from errlens.model.layers.places import SpatialLayer

# Gradients that these rules leave as they are: torch calls them as the functions.
_STEPS: Final = frozenset(
    "".join(part.capitalize() for part in name.split("_")) for name in ELEMENTWISE | MAXIMA
) | {"Softmax", "MaxPool2DWithIndices"}


class _Attending(Ordinary):
    """Keeps each softmax that values are multiplied with, and counts all over several axes."""

    def __init__(self) -> None:
        self.matrices: list[Tensor] = []
        self.given: list[Tensor] = []
        self.softmaxes: list[Tensor] = []

    def softmax(self, image: Tensor, dim: int) -> Tensor:
        """Return the softmax, remembered if it can be one of tokens."""
        result = super().softmax(image, dim)
        if image.ndim > 2 and dim in (-1, image.ndim - 1):
            self.softmaxes.append(result)
        return result

    def product(self, apply: Bilinear, one: Tensor, other: Tensor) -> Tensor:
        """Return the product; it is kept, with its first factor, if that is the last softmax."""
        result = super().product(apply, one, other)
        if self.softmaxes and len(self.matrices) < len(self.softmaxes):
            last = self.softmaxes[-1]
            same_shape = one.shape[-2:] == last.shape[-2:] and one.numel() == last.numel()
            if same_shape and torch.equal(one.reshape(last.shape), last):
                self.matrices.append(one)
                self.given.append(result)
        return result


class Attention(NamedTuple):
    """What a transformer computed for n images.

    `logits` have the shape (n, classes). `matrices` are those of all its attention in the order in
    which they were computed, of shape (..., queries, tokens), n first, whose rows add up to 1: how
    much of each token a query gets. Queries are the tokens; only the last may have others, such as
    those that pool them. `given` is what the queries of the last one got, shape
    (..., queries, values). `tokens` is how many there are.
    """

    logits: Tensor
    matrices: list[Tensor]
    given: Tensor
    tokens: int


def attention_among_tokens(
    model: ExplainedModel, images: Tensor, places: SpatialLayer
) -> Attention:
    """Run a transformer all of whose tokens attend to all, and return what they attend to.

    Args:
        model: The network, borrowed.
        images: Shape (n, channels, height, width), requiring a gradient.
        places: A layer of all its tokens.

    Raises:
        Unruled: The network attends otherwise, or computes what cannot be followed.
    """
    rules, tokens = _Attending(), [0]

    def count(_name: str, _layer: object, _inputs: object, output: Tensor) -> None:
        tokens[0] = output.shape[1]

    with watched(model.module, [places.name], count):
        logits = ruled_logits(model, images, rules, steps=_STEPS)
    if not rules.softmaxes:
        raise Unruled("it computes no attention")
    if len(rules.matrices) < len(rules.softmaxes):
        raise Unruled("it changes its attention before values are multiplied with it")
    shapes = [tuple(matrix.shape[-2:]) for matrix in rules.matrices]
    everything = (tokens[0], tokens[0])
    for at, shape in enumerate(shapes):
        pools = at == len(shapes) - 1 > 0 and shape[1] == tokens[0]
        if shape != everything and not pools:
            raise Unruled(
                f"it attends from {shape[0]} to {shape[1]} of what it has, not from all "
                f"{tokens[0]} tokens to all"
            )
    return Attention(logits, rules.matrices, rules.given[-1], tokens[0])
