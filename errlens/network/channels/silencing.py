"""A network with channels of a layer silenced, and what it predicts then."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from errlens.attribution.explained_model import borrowed
from errlens.errors import InputError
from errlens.model.asking.hiding import AskedImage
from errlens.model.classifier import Classifier, forward
from errlens.model.layers.places import SpatialLayer
from errlens.network.channels.asked_images import over_images, read_batch
from errlens.run.places import MAX_FILE_MB

Variants = Sequence[Sequence[int]]  # channels that are silenced at once, of each variant
Silence = Callable[[Variants], AbstractContextManager[None]]

_MOST_VALUES: Final = 2**24  # of a layer, held at once by a thread: 64 MB
_FIRST: Final = 2  # images that show whether a network can go on with several variants at once
_SAME: Final = 1e-3  # of the largest score: further apart, two ways to compute it differ


class Answers(NamedTuple):
    """What is predicted of those images that could be read.

    `at` are their places among those given, shape (n,); `as_it_is` what is predicted of them with
    nothing silenced, shape (n,), and `now`, shape (n, variants), with channels silenced.
    """

    at: NDArray[np.intp]
    as_it_is: NDArray[np.int32]
    now: NDArray[np.int32]


@contextmanager
def silencing(
    module: nn.Module, layer: SpatialLayer, values: NDArray[np.float32]
) -> Iterator[Silence]:
    """Give a function that silences channels of a layer: they put out their value everywhere.

    `with silence(variants):` the network, run in the same thread, gives scores one variant after
    the other, for all images each: what the layer puts out is repeated, so that what comes before
    it is computed once. Of a single variant these are the scores of the images, as ever.

    Args:
        module: The network; afterwards it is as before.
        layer: The layer. One that runs several times is silenced each time.
        values: What a silent channel puts out, of each channel of the layer, shape (c,).
    """
    state = threading.local()

    def put_in(_layer: nn.Module, _inputs: object, output: Tensor) -> Tensor | None:
        variants: Variants | None = getattr(state, "variants", None)
        if not variants:
            return None
        copies = 1 if state.repeated else len(variants)
        state.repeated = True
        output = torch.cat([output] * copies)  # a copy, also where it is one
        images = len(output) // len(variants)
        for number, channels in enumerate(variants):
            of_variant = output[number * images : (number + 1) * images]
            for channel in channels:
                of_channel = of_variant.select(1 if layer.layout == "NCHW" else -1, channel)
                of_channel.fill_(float(values[channel]))
        return output

    @contextmanager
    def silence(variants: Variants) -> Iterator[None]:
        state.variants, state.repeated = variants, False
        try:
            yield
        finally:
            state.variants = None

    handle = module.get_submodule(layer.name).register_forward_hook(put_in)
    try:
        yield silence
    finally:
        handle.remove()


def predict_silenced(  # noqa: PLR0913 - one name for each thing that can be chosen
    classifier: Classifier,
    layer: SpatialLayer,
    images: Sequence[AskedImage],
    variants: Variants,
    *,
    values: NDArray[np.float32],
    step: Callable[[int], object] = lambda _images: None,
    workers: int | None = None,
    max_mb: int = MAX_FILE_MB,
) -> Answers:
    """Ask a network about images, as it is and with each variant of channels silenced.

    Where the network can go on from the layer with all variants at once it does; whether that is
    so is seen from the first images, done both ways.

    Args:
        classifier: The network, which is left as it was.
        layer: Whose channels are silenced.
        images: What it is asked about.
        variants: Channels that are silenced at once, of each variant.
        values: What a silent channel puts out, of each channel of the layer, shape (c,).
        step: Told of images done.
        workers: Threads, if not one for each core.
        max_mb: Megabytes of a file above which it is not read.

    Raises:
        UserCodeFailed, OutOfMemory: The network raised something.
    """
    module = classifier.network.module
    every = [(), *map(tuple, variants)]
    at, pred = [np.zeros(0, np.intp)], [np.zeros((0, len(every)), np.int32)]
    with borrowed(module), silencing(module, layer, values) as silence:
        network = _Silenced(classifier, silence)
        few = 1 if classifier.interface.one_at_a_time else _FIRST
        first = read_batch(classifier, images, np.arange(min(few, len(images))), max_mb=max_mb)
        together = len(first.at) > 0 and network.can_go_on(first.images, every)
        per_image = len(values) * layer.grid[0] * layer.grid[1]

        def work(batch: Tensor) -> NDArray[np.int32]:
            most = max(1, _MOST_VALUES // (per_image * len(batch))) if together else 1
            groups = (every[start : start + most] for start in range(0, len(every), most))
            scores = torch.cat([network.scores(batch, group) for group in groups])
            return scores.argmax(dim=2).T.cpu().numpy().astype(np.int32)

        for places, of_batch in over_images(
            classifier, images, work, workers=workers, max_mb=max_mb, step=step
        ):
            at.append(places)
            pred.append(of_batch)
    answers = np.concatenate(pred)
    return Answers(np.concatenate(at), answers[:, 0], answers[:, 1:])


@dataclass(frozen=True)
class _Silenced:
    """A network of which channels can be silenced."""

    classifier: Classifier
    silence: Silence

    def scores(self, batch: Tensor, variants: Variants) -> Tensor:
        """Return scores by which classes are ranked, shape (variants, n, classes)."""
        reading = self.classifier.reading
        with self.silence(variants):
            output = forward(self.classifier.network, batch)
        scores = reading.of_values(reading.values(output, len(variants) * len(batch)))
        return reading.ranked(scores).reshape(len(variants), len(batch), -1)

    def can_go_on(self, batch: Tensor, variants: Variants) -> bool:
        """Tell whether all variants at once give the scores that they give one by one.

        They do not where what comes before the layer is used again after it, as beside a shortcut.
        """
        with torch.no_grad():
            one_by_one = torch.cat([self.scores(batch, [each]) for each in variants])
            try:
                at_once = self.scores(batch, variants)
            except InputError:
                return False
        # Where infinite, differences say nothing: then each is computed by itself.
        return bool((at_once - one_by_one).abs().max() <= _SAME * one_by_one.abs().max())
