"""The network being explained, borrowed and given back as it was, and what methods share."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal, NamedTuple

import torch
from PIL import Image
from torch import Tensor, nn

from errlens.maps import Target
from errlens.model.classifier import Classifier, as_logits, stack
from errlens.model.layers import SpatialLayer, find_layer

PER_PIXEL: Final = "logits per unit of input"

Fill = Literal["mean", "gray", "black", "blur", "noise"]


@dataclass(frozen=True)
class Subject:
    """A network ready to be explained.

    `size` is (channels, height, width) of its inputs. `black` and `white` are a black and a white
    pixel as fed, shape (channels,). `layer` is the spatial layer that methods with one look at, by
    name; None takes the last one.
    """

    module: nn.Module
    size: tuple[int, int, int]
    black: Tensor
    white: Tensor
    layer: str | None = None

    @classmethod
    def of(cls, classifier: Classifier, *, layer: str | None = None) -> "Subject":
        """Return what there is to explain of a classifier."""
        black, white = (_fed(classifier, value) for value in (0, 255))
        channels, height, width = black.shape
        # The middle, for the user's own transform may pad.
        pixels = [one[:, height // 2, width // 2] for one in (black, white)]
        size = (channels, height, width)
        return cls(classifier.network.module, size, pixels[0], pixels[1], layer)

    @cached_property
    def spatial_layer(self) -> SpatialLayer:
        """The layer with a map of places that methods look at.

        Raises:
            UnfitLayer: The one of this name does not exist, or has no map of places.
            NoSpatialLayer: The network has none.
        """
        return find_layer(self.module, self.size, self.layer)

    def logits(self, images: Tensor) -> Tensor:
        """Return the scores of all classes, shape (n, classes)."""
        return as_logits(self.module(images))


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Options of methods.

    `steps` are those of integrated gradients; `samples` and `noise` those of smooth-grad, `noise`
    as a share of the range of an image. `mask` and `stride` of occlusion are pixels or a share of
    each side (`20%`), `fill` is what hides; with `probability` the score is one instead of a logit.
    `batch_size` is how many inputs the network gets at a time.
    """

    steps: int = 50
    samples: int = 25
    noise: float = 0.15
    mask: str = "20%"
    stride: str | None = None  # half of the mask
    fill: Fill = "mean"
    probability: bool = False
    seed: int = 0
    batch_size: int = 16


class Maps(NamedTuple):
    """Maps of n images and t targets each.

    `values` are float of shape (n, t, h, w), not finite where there is no map, which is told by
    `why_none`; `scores` have the shape (n, t). `totals` are what maps should add up to, shape
    (n, t), for methods that promise that; `layer` and `baseline` say what was looked at and
    compared with, `unit` what a value is measured in. `signed` is false of a method that gives no
    negative values.
    """

    values: Tensor
    scores: Tensor
    totals: Tensor | None = None
    layer: str | None = None
    baseline: str | None = None
    unit: str = "logits"
    why_none: str = "the map is not finite"
    signed: bool = True

    @property
    def gaps(self) -> Tensor | None:
        """How far maps are from what they should add up to, as shares of it; shape (n, t)."""
        if self.totals is None:
            return None
        off = (self.values.sum(dim=(2, 3)) - self.totals).abs()
        return off / self.totals.abs().clamp(min=torch.finfo(off.dtype).tiny)


def _fed(classifier: Classifier, value: int) -> Tensor:
    """Return an image of one grey as the network gets it."""
    preparation = classifier.preparation
    colour = (value,) * 3 if preparation.image_mode == "RGB" else value
    image = Image.new(preparation.image_mode, (256, 256), colour)
    return stack([preparation.prepare(image)], preparation, classifier.device)[0]


@contextmanager
def borrowed(module: nn.Module) -> Iterator[None]:
    """Put a network into evaluation mode without gradients of its parameters, for a while.

    Afterwards modes, gradients, flags and hooks are those of before.
    """
    modes = {part: part.training for part in module.modules()}
    flags = {weight: weight.requires_grad for weight in module.parameters()}
    gradients = {weight: weight.grad for weight in module.parameters()}
    module.eval()
    module.requires_grad_(requires_grad=False)
    try:
        yield
    finally:
        for part, mode in modes.items():
            part.training = mode
        for weight, flag in flags.items():
            weight.requires_grad_(flag)
            weight.grad = gradients[weight]


def scores_of(logits: Tensor, targets: Sequence[Sequence[Target]]) -> Tensor:
    """Return the score of each target, shape (n, t), from logits of shape (n, classes)."""
    wanted = torch.tensor([[one.wanted for one in of_image] for of_image in targets])
    against = torch.tensor(
        [[-1 if one.against is None else one.against for one in of_image] for of_image in targets]
    )
    wanted, against = wanted.to(logits.device), against.to(logits.device)
    minus = logits.gather(1, against.clamp(min=0))
    return logits.gather(1, wanted) - torch.where(against >= 0, minus, torch.zeros_like(minus))


def gradients(scores: Tensor, inputs: Tensor) -> Tensor:
    """Return the gradient of each score with respect to its image.

    Args:
        scores: Shape (n, t), each row a function of the inputs of the same row.
        inputs: Shape (n, ...).

    Returns:
        Shape (n, t, ...).
    """
    found = [
        torch.autograd.grad(scores[:, at].sum(), inputs, retain_graph=at + 1 < scores.shape[1])[0]
        for at in range(scores.shape[1])
    ]
    return torch.stack(found, dim=1)


def input_gradients(
    subject: Subject, images: Tensor, targets: Sequence[Sequence[Target]]
) -> tuple[Tensor, Tensor]:
    """Return scores, shape (n, t), and their gradients, shape (n, t, channels, height, width)."""
    with torch.enable_grad():
        leaf = images.detach().clone().requires_grad_()
        scores = scores_of(subject.logits(leaf), targets)
        return scores.detach(), gradients(scores, leaf)
