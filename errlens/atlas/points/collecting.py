"""One pass over the images of a run: points of several layers, and what they add to each class."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from errlens.atlas.points.heads import LinearHead, linear_head
from errlens.atlas.points.layers import PointLayer, Run, watched_runs
from errlens.atlas.points.places import drawn_places
from errlens.atlas.points.tangents import Tangents, differentiable, tangents_of
from errlens.attribution.explained_model import ExplainedModel, borrowed
from errlens.data.photos.images import quiet_pillow
from errlens.model.asking.hiding import AskedImage, load_some_asked
from errlens.model.asking.threads import asking_threads
from errlens.model.classifier import Classifier, stack
from errlens.run.places import MAX_FILE_MB

Method = Literal["linear", "jvp"]


class PointsOfLayer(NamedTuple):
    """Points of a layer in m images, p of each, one image after the other.

    `at` are the positions of the images among all that were given, shape (m,), `places` the row and
    column of each point, shape (m, p, 2). `activations` have the shape (m * p, channels),
    `attributions` (m * p, classes), both float32. `not_finite` are positions of images that are
    left out for values that are not.
    """

    at: NDArray[np.intp]
    places: NDArray[np.int32]
    activations: NDArray[np.float32]
    attributions: NDArray[np.float32]
    not_finite: list[int]


class PointsOfBatch(NamedTuple):
    """Points of a few images, by the names of layers; `unread` says of images why they have none.

    `n` is how many images it was.
    """

    by_layer: dict[str, PointsOfLayer]
    unread: dict[int, str]
    n: int


@dataclass(frozen=True, kw_only=True)
class Collecting:
    """Takes points of images.

    `per_image` places are drawn in each, by `seed`. Of a few images at a time, one of `workers`
    threads does everything, with `threads` torch threads inside; no file of more than `max_mb`
    megabytes is read. Batch size and threads change no place, and values in the last digits only.
    """

    classifier: Classifier
    layers: Sequence[PointLayer]
    per_image: int
    seed: int = 0
    batch_size: int | None = None
    workers: int | None = None
    threads: int = 1
    max_mb: int = MAX_FILE_MB

    @contextmanager
    def ready(self) -> Iterator["Collector"]:
        """Find out how logits come from each layer, and give what takes points of images.

        Meanwhile the network is borrowed; afterwards it is as it was.

        Raises:
            UnfitModel: What a layer adds to the logits cannot be differentiated.
            UserCodeFailed, OutOfMemory: The network raised something.
        """
        model = ExplainedModel.of(self.classifier)
        one_at_a_time = self.classifier.interface.one_at_a_time
        with borrowed(model.module), watched_runs(model, self.layers) as run:
            heads = {layer.name: linear_head(run, model, layer) for layer in self.layers}
            linear = {name: head for name, head in heads.items() if head is not None}
            rest = [layer for layer in self.layers if layer.name not in linear]
            with differentiable() if rest else nullcontext():
                tangents = {
                    layer.name: tangents_of(run, model, layer, one_at_a_time=one_at_a_time)
                    for layer in rest
                }
                yield Collector(self, run, linear, tangents)


@dataclass(frozen=True)
class Collector:
    """Takes points of images, of each layer as its way to the logits asks for.

    `linear` are the layers whose places add up to the logits, by name; of the others `tangents`
    compute the derivative.
    """

    asked: Collecting
    run: Run
    linear: Mapping[str, LinearHead]
    tangents: Mapping[str, Tangents]

    def method(self, layer: PointLayer) -> Method:
        """Tell how attributions of a layer are computed."""
        return "linear" if layer.name in self.linear else "jvp"

    def points(self, images: Sequence[AskedImage], rows: Sequence[int]) -> Iterator[PointsOfBatch]:
        """Yield points of a few images at a time, in the order of the images.

        Each image is read once, whatever the number of layers.

        Args:
            images: Those of a run, with the hash of what was predicted.
            rows: Those of the images in the run, which decide the places.

        Raises:
            UserCodeFailed, OutOfMemory: The network raised something.
            UnfitModel: A layer does on a photo what it did not do before.
        """
        asked = self.asked
        size = asked.batch_size or asked.classifier.good_batch_size
        if asked.classifier.interface.one_at_a_time:
            size = 1
        chunks = (
            range(start, min(start + size, len(images))) for start in range(0, len(images), size)
        )
        with (
            quiet_pillow(),
            asking_threads(asked.classifier, asked.workers, threads=asked.threads) as in_threads,
        ):
            yield from in_threads(partial(self._points_of, images, rows), chunks)

    def _points_of(
        self, images: Sequence[AskedImage], rows: Sequence[int], chunk: range
    ) -> PointsOfBatch:
        """Read, decode and run a few images, in one thread from file to points."""
        asked = self.asked
        preparation = asked.classifier.preparation
        inputs = load_some_asked(preparation, images, chunk, max_mb=asked.max_mb)
        if not inputs.values:
            return PointsOfBatch({}, inputs.unread, len(chunk))
        batch = stack(inputs.values, preparation, asked.classifier.device)
        places = {
            layer.name: np.stack(
                [
                    drawn_places(layer.grid, asked.per_image, seed=asked.seed, row=rows[position])
                    for position in inputs.read
                ]
            )
            for layer in asked.layers
        }
        said = self._through_heads(batch, places) | {
            name: tangents.of(batch, places[name]) for name, tangents in self.tangents.items()
        }
        at = np.array(inputs.read, np.intp)
        by_layer = {name: _finite(at, places[name], *values) for name, values in said.items()}
        return PointsOfBatch(by_layer, inputs.unread, len(chunk))

    def _through_heads(
        self, batch: Tensor, places: Mapping[str, NDArray[np.int32]]
    ) -> dict[str, tuple[Tensor, Tensor]]:
        """Return activations and attributions of all layers with a linear head, from one run."""
        if not self.linear:
            return {}
        kept: dict[str, Tensor] = {}

        def keep(layer: PointLayer, output: Tensor) -> None:
            if layer.name in self.linear:
                kept[layer.name] = layer.at(output, places[layer.name])

        with torch.inference_mode():
            logits = self.run(batch, keep)
            wrong = (0 * logits).sum(dim=1)[:, None, None]  # not a number where logits are not
            return {
                name: (kept[name], kept[name] @ head.weights.T + wrong)
                for name, head in self.linear.items()
            }


def _finite(
    at: NDArray[np.intp], places: NDArray[np.int32], activations: Tensor, attributions: Tensor
) -> PointsOfLayer:
    """Return the points of those images all of whose values are finite."""
    finite = torch.stack(
        [each.isfinite().flatten(1).all(1) for each in (activations, attributions)]
    )
    good = finite.all(dim=0).cpu().numpy()
    values, added = (
        each.float().cpu().numpy()[good].reshape(-1, each.shape[2])
        for each in (activations, attributions)
    )
    return PointsOfLayer(at[good], places[good], values, added, at[~good].tolist())
