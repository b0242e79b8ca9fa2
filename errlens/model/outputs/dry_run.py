"""Run a network once on plain images: does it take them, and what does it return?"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

import torch
from PIL import Image
from torch import Tensor, nn

from errlens.data.photos.loading import Preparation
from errlens.errors import InputError, UnfitModel, UserCodeFailed, in_its_words
from errlens.model.classifier import Interface, forward, stack
from errlens.model.layers.hooks import watched
from errlens.model.networks.loading import Network
from errlens.model.outputs.locating import find_scores, floats_in
from errlens.model.outputs.reading import Place, Reading

_OWN: Final = ("_parameters", "_buffers", "_modules")  # where torch keeps parts of a module
SHADES: Final = (0, 128)  # two images, so that the axis of images can be told from the others


def dry_run(
    network: Network,
    preparation: Preparation,
    device: torch.device,
    *,
    reading: Reading | None = None,
    classes: int | None = None,
) -> Interface:
    """Move a network to its device and run it on two plain images, or one if it takes no more.

    Args:
        network: The network; what needs to be said of its outputs is added to its remarks.
        preparation: Makes its inputs of images.
        device: Where it runs.
        reading: How its scores are read, if that is known.
        classes: How many classes there are, if that is known.

    Raises:
        UnfitModel: It does not take an image of this size, or gives no scores of classes.
    """
    network.module.to(device).to(memory_format=torch.channels_last)
    shades = [(shade,) * len(preparation.image_mode) for shade in SHADES]
    images = [Image.new(preparation.image_mode, (256, 256), shade) for shade in shades]
    batch = stack([preparation.prepare(image) for image in images], preparation, device)
    run = _on_two_or_one(network, batch, reading=reading, classes=classes)
    if run.remark:
        network.remarks.append(run.remark)
    columns = run.scores.shape[1]
    name, features = _head(run)
    return Interface(
        pixels=batch[0, 0].numel(),
        outputs=2 if columns == 1 else columns,
        features=features,
        head=name,
        reading=reading or Reading(run.place, single=columns == 1),
        one_at_a_time=len(run.scores) == 1,
        keeps_tensors=run.keeps_tensors,
    )


class _Layer(NamedTuple):
    """A linear or convolutional layer that ran: its numbers in and out, and what it put out."""

    name: str
    inputs: int
    outputs: int
    vectors: Tensor | None  # of layers that put out a vector an image


class _Run(NamedTuple):
    """What came of running a network: where its scores are, these, and the layers that ran.

    `keeps_tensors` says that it has put some aside.
    """

    place: Place
    remark: str | None
    scores: Tensor
    layers: list[_Layer]
    keeps_tensors: bool


def _on_two_or_one(network: Network, batch: Tensor, **known: Any) -> _Run:
    """Run a network on two images, and on one if it takes no more.

    Raises:
        UnfitModel: It takes neither.
    """
    try:
        run = _run(network, batch, **known)
    except InputError:
        return _on_one(network, batch, **known)
    if run.scores.shape[1] > 1:
        return run
    # One score for each of two images; or those of two classes, for the first image alone.
    alone = _on_one(network, batch, **known)
    return run if alone.scores.shape[1] == 1 else alone


def _on_one(network: Network, batch: Tensor, **known: Any) -> _Run:
    try:
        return _run(network, batch[:1], **known)
    except UserCodeFailed as error:
        words = in_its_words(error.__cause__ or error)
        size = network.arguments.get("img_size")
        raise UnfitModel(
            f"{network.name} does not take images of shape {tuple(batch.shape[1:])}: {words}",
            hint=f"it is built for images of {size} pixels a side: add --img-size {size}"
            if isinstance(size, int) and size not in batch.shape[2:]
            else "see --img-size, and --model-kwargs img_size=... for networks built for one size",
        ) from error


def _run(network: Network, batch: Tensor, *, reading: Reading | None, classes: int | None) -> _Run:
    before = list(_put_aside(network.module))
    # Not inference mode, in which tables that a network makes once could never be differentiated.
    with torch.no_grad(), _recorded_layers(network.module) as layers:
        # A copy, for a network may change its input.
        output = forward(network, batch.clone())
    known = set(map(id, before))
    keeps = any(id(tensor) not in known for tensor in _put_aside(network.module))
    n = len(batch)
    place, remark = (reading.place, None) if reading else find_scores(output, n, classes=classes)
    scores = Reading(place).values(output, n)
    return _Run(place, remark, scores, layers, keeps)


def _put_aside(module: nn.Module) -> Iterator[Tensor]:
    """Yield the tensors that the parts of a network hold besides parameters and buffers."""
    for part in module.modules():
        for name, value in vars(part).items():
            if isinstance(value, Tensor | list | tuple | dict) and name not in _OWN:
                yield from floats_in(value)


def _head(run: _Run) -> tuple[str | None, int]:
    """Return the layer that gives the scores, and how many features it is fed.

    Of layers with as many outputs it is that whose output the scores are, else the last.
    """
    n = len(run.scores)
    heads = [layer for layer in run.layers if layer.outputs == run.scores.numel()]
    same = [
        layer
        for layer in heads
        if layer.vectors is not None and torch.equal(layer.vectors.to(run.scores.dtype), run.scores)
    ]
    if not heads:
        return None, 0
    head = (same or heads)[-1]
    return head.name, head.inputs // n


@contextmanager
def _recorded_layers(module: nn.Module) -> Iterator[list[_Layer]]:
    """Keep what linear and convolutional layers are given and put out as they run."""
    kept: list[_Layer] = []

    def record(name: str, _layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        vectors = output if output.ndim == 2 else None
        kept.append(_Layer(name, inputs[0].numel(), output.numel(), vectors))

    named = module.named_modules()
    linear = [name for name, layer in named if isinstance(layer, nn.Linear | nn.Conv2d)]
    with watched(module, linear, record):
        yield kept
