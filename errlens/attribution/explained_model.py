"""The network being explained, borrowed and given back as it was, and what methods share."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, NamedTuple

import torch
from PIL import Image
from torch import Tensor, nn

from errlens.attribution.kept import Kept
from errlens.choices import SAMPLES, Fill, LayerWeights
from errlens.errors import InputError, UserCodeFailed, in_its_words
from errlens.maps import Target
from errlens.model.classifier import Classifier, stack
from errlens.model.layers.places import SpatialLayer, find_layer
from errlens.model.networks.user_code import user_code
from errlens.model.outputs.reading import LOGITS, Reading

PER_PIXEL: Final = "logits per unit of input"
NOT_FINITE: Final = "the map is not finite"
Targets = Sequence[Sequence[Target]]  # one list for each image, all of the same length


@dataclass(frozen=True)
class ExplainedModel:
    """A network ready to be explained.

    `size` is (channels, height, width) of its inputs. `black` and `white` are a black and a white
    pixel as fed, shape (channels,). `layer` is the spatial layer that methods with one look at, by
    name; None takes the last one. `reading` says how scores are read from what the network returns.
    `kept_sweeps`, if given, are those that `shared_sweep` makes once for two who ask.
    """

    module: nn.Module
    size: tuple[int, int, int]
    black: Tensor
    white: Tensor
    layer: str | None = None
    reading: Reading = LOGITS
    kept_sweeps: Kept[Any] | None = None

    @classmethod
    def of(cls, classifier: Classifier, *, layer: str | None = None) -> "ExplainedModel":
        """Return what there is to explain of a classifier."""
        black, white = (_fed(classifier, value) for value in (0, 255))
        channels, height, width = black.shape
        # The middle, for the user's own transform may pad.
        pixels = [image[:, height // 2, width // 2] for image in (black, white)]
        size = (channels, height, width)
        module, reading = classifier.network.module, classifier.reading
        return cls(module, size, pixels[0], pixels[1], layer, reading)

    @cached_property
    def spatial_layer(self) -> SpatialLayer:
        """The layer with a map of places that methods look at.

        Raises:
            UnfitLayer: The one of this name does not exist, or has no map of places.
            NoSpatialLayer: The network has none.
        """
        return find_layer(self.module, self.size, self.layer)

    @property
    def layer_words(self) -> str | None:
        """What the spatial layer is; None of one that the user chose."""
        if self.layer is not None:
            return None
        return {"NCHW": "last convolution", "NHWC": "last map", "tokens": "last tokens"}[
            self.spatial_layer.layout
        ]

    @cached_property
    def reasons(self) -> dict[str, str | None]:
        """Why methods cannot explain this network, by name, of those that were asked."""
        return {}

    def logits(self, images: Tensor) -> Tensor:
        """Return the scores of all classes, shape (n, classes).

        Raises:
            UserCodeFailed, OutOfMemory: The network raised something.
        """
        # Scripted code, optimised, would hide its steps from the graph of gradients.
        optimised = torch.jit.optimized_execution(  # type: ignore[attr-defined]
            not torch.is_grad_enabled()
        )
        with user_code("the forward of the model", images=len(images)), optimised:
            # A copy, for a network may change its input.
            output = self.module(images.clone())
        return self.reading.logits(output, len(images))

    @cached_property
    def no_gradient(self) -> str | None:
        """Why no score has a gradient with respect to the input, or None."""
        image = self.grey.requires_grad_()
        with borrowed(self.module), torch.enable_grad():
            return _missing(lambda: (self.logits(image), image))

    @cached_property
    def no_gradient_of_layer(self) -> str | None:
        """Why no score has a gradient with respect to the spatial layer, or None."""
        with borrowed(self.module), leaves_at(self.module, self.spatial_layer) as leaves:
            return _missing(lambda: (self.logits(self.grey), leaves[-1]))

    @property
    def grey(self) -> Tensor:
        """One grey image as fed, shape (1, channels, height, width): to try a network with."""
        grey = ((self.black + self.white) / 2).reshape(1, -1, 1, 1)
        return grey.expand(1, *self.size).clone()


@dataclass(frozen=True, kw_only=True)
class MethodSettings:
    """Options of methods.

    `steps` are those of integrated gradients; `noise` is that of smooth-grad, as a share of the
    range of an image. `samples` are those of methods that draw some; None is the number of each
    method's own. `mask` and `stride` of occlusion are pixels or a share of each side (`20%`),
    `fill` is what hides; with `probability` the score is one instead of a logit. `layer_weights`
    are the gradients that layer-cam takes: those above zero, or each as it is. `batch_size` is how
    many inputs the network gets at a time.
    """

    steps: int = 50
    samples: int | None = None
    noise: float = 0.15
    mask: str = "20%"
    stride: str | None = None  # half of the mask
    fill: Fill = "mean"
    probability: bool = False
    layer_weights: LayerWeights = "positive"
    seed: int = 0
    batch_size: int = 16

    @property
    def score_unit(self) -> str:
        """What scores of methods that show the network other images are measured in."""
        return "probability" if self.probability else "logits"

    def samples_of(self, method: str) -> int:
        """Return how many samples a method draws."""
        return SAMPLES[method] if self.samples is None else self.samples


class Maps(NamedTuple):
    """Maps of n images and t targets each.

    `values` are float of shape (n, t, h, w), not finite where there is no map, which is told by
    `why_none`; `scores` have the shape (n, t). `totals` are what maps should add up to, shape
    (n, t), for methods that promise that; `layer` and `baseline` say what was looked at and
    compared with, `layer_words` what that layer is, `unit` what a value is measured in. `signed` is
    false of a method that gives no negative values. `absorbed`, shape (n, t), is what of a score
    did not arrive in the map, of methods that share it out. `r_squared`, shape (n, t), is of
    methods that fit something to the scores, and not a number where a score does not vary.
    """

    values: Tensor
    scores: Tensor
    totals: Tensor | None = None
    layer: str | None = None
    baseline: str | None = None
    unit: str = "logits"
    why_none: str = NOT_FINITE
    signed: bool = True
    layer_words: str | None = None
    absorbed: Tensor | None = None
    r_squared: Tensor | None = None

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
    # Frozen scripts have no mode: they are in evaluation mode for ever.
    modes = {part: part.training for part in module.modules() if hasattr(part, "training")}
    flags = {weight: weight.requires_grad for weight in module.parameters()}
    gradients = {weight: weight.grad for weight in module.parameters()}
    module.eval()
    for weight in flags:  # scripted modules have no method for it
        weight.requires_grad_(False)  # noqa: FBT003
    try:
        yield
    finally:
        for part, mode in modes.items():
            part.training = mode
        for weight, flag in flags.items():
            weight.requires_grad_(flag)
            weight.grad = gradients[weight]


def scores_of(logits: Tensor, targets: Targets) -> Tensor:
    """Return the score of each target, shape (n, t), from logits of shape (n, classes)."""
    wanted = torch.tensor([[target.wanted for target in of_image] for of_image in targets])
    against = torch.tensor(
        [
            [-1 if target.against is None else target.against for target in of_image]
            for of_image in targets
        ]
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

    Raises:
        UserCodeFailed, OutOfMemory: The network raised something.
    """
    with user_code("the backward of the model", images=len(inputs)):
        slopes = [
            torch.autograd.grad(scores[:, at].sum(), inputs, retain_graph=at + 1 < scores.shape[1])
            for at in range(scores.shape[1])
        ]
    return torch.stack([slope for (slope,) in slopes], dim=1)


@contextmanager
def leaves_at(module: nn.Module, layer: SpatialLayer) -> Iterator[list[Tensor]]:
    """Let gradients begin at a layer: what comes before it keeps nothing for them.

    Gives a list of what the layer put out, which grows as it runs.
    """
    kept: list[Tensor] = []

    def begin(_layer: nn.Module, _inputs: object, output: Tensor) -> Tensor:
        # A copy, for layers that follow may work in place.
        leaf = output.detach().requires_grad_()
        kept.append(leaf)
        return leaf.clone()

    handle = module.get_submodule(layer.name).register_forward_hook(begin)
    try:
        with torch.enable_grad():
            yield kept
    finally:
        handle.remove()


def _missing(run: Callable[[], tuple[Tensor, Tensor]]) -> str | None:
    """Return why scores have no gradient with respect to what they are made of, or None.

    They have none where the network runs under `no_grad`, detaches or computes outside of torch.
    """
    try:
        scores, leaf = run()
        if scores.requires_grad:
            gradients(scores[:, :1], leaf)  # one class tells; a thousand take minutes
            return None
        why = "it runs under no_grad or inference_mode, detaches or computes outside of torch"
    except UserCodeFailed as error:
        why = f"with gradients it raises {in_its_words(error.__cause__ or error)}"
    except InputError as error:
        why = str(error)
    return f"its scores have no gradient: {why}; occlusion needs none"


def input_gradients(
    model: ExplainedModel, images: Tensor, targets: Targets
) -> tuple[Tensor, Tensor]:
    """Return scores, shape (n, t), and their gradients, shape (n, t, channels, height, width)."""
    with torch.enable_grad():
        leaf = images.detach().clone().requires_grad_()
        scores = scores_of(model.logits(leaf), targets)
        return scores.detach(), gradients(scores, leaf)
