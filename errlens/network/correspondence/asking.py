"""Ask a network about images with parts hidden, and with as much hidden elsewhere."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from errlens.analysis.correspondence.changes import Changes, Units
from errlens.attribution.explained_model import ExplainedModel, borrowed
from errlens.attribution.masks import NOWHERE, Box
from errlens.choices import Fill
from errlens.classes.names import NO_CLASS
from errlens.data.objects.outlines import RegionSource
from errlens.data.objects.parts import PartBox
from errlens.data.photos.images import Unread, quiet_pillow
from errlens.errors import NoImages
from errlens.formats import counted
from errlens.model.asking.hiding import AskedImage
from errlens.model.asking.threads import asking_threads
from errlens.model.classifier import Classifier
from errlens.model.layers.hooks import watched
from errlens.network.correspondence.collecting import OfImage, OfPart, collected
from errlens.network.correspondence.hiding import with_hidden
from errlens.network.correspondence.layers import ComparedLayer
from errlens.network.correspondence.placing import Placing, Posed
from errlens.predictions.scores import score
from errlens.predictions.table import UNREADABLE
from errlens.run.places import MAX_FILE_MB

MOST_UNITS: Final = 10_000  # of a kind, of a layer: more hardly change a distance
MOST_BYTES: Final = 2**30  # of all signs
NOISE: Final = 1e-5  # of the largest feature of an image: what rounding may change
_NOT_FINITE: Final = "features or outputs of the network are not finite"

_Features = Sequence[Tensor]  # of each kind of units, shape (n, units)
_Model = Callable[[Tensor], tuple[NDArray[np.float32], _Features]]


class Subject(NamedTuple):
    """An image, its path as outlines name it, its class (`NO_CLASS`: none), and boxes of parts."""

    image: AskedImage
    path: str
    label: int
    boxes: Mapping[str, PartBox]


@dataclass(frozen=True, kw_only=True)
class Asking:
    """Hides parts of images from a network, and `regions` as large elsewhere, one at a time.

    What hides is filled as `filling` says. Regions lie in the object where `outlines` know it, else
    anywhere in the photo; `seed` decides where, and which units are compared of a layer with more
    than `MOST_UNITS`. Of each image, one of `workers` threads does everything, with `threads` torch
    threads inside.
    """

    classifier: Classifier
    layers: Sequence[ComparedLayer]
    regions: int
    seed: int
    filling: Fill = "mean"
    outlines: RegionSource | None = None
    batch_size: int | None = None
    workers: int | None = None
    threads: int = 1
    max_mb: int = MAX_FILE_MB

    def about(
        self, subjects: Sequence[Subject], *, advance: Callable[[int], None] = lambda _images: None
    ) -> Changes:
        """Hide the parts of each image, and regions elsewhere.

        Args:
            subjects: The images, each with a box of a part at least.
            advance: Told of images done.

        Raises:
            NoImages: None of them can be read.
            InputError: An outline is none.
            UserCodeFailed, OutOfMemory: The network raised something.
        """
        parts = list(dict.fromkeys(part for subject in subjects for part in subject.boxes))
        hidden = sum(len(subject.boxes) for subject in subjects)
        units, chosen = self._units(hidden * (1 + self.regions))
        found: list[OfImage] = []
        unread: dict[int, str] = {}
        with (
            quiet_pillow(),
            borrowed(self.classifier.network.module),
            self._model(chosen) as model,
            asking_threads(self.classifier, self.workers, threads=self.threads) as in_threads,
        ):
            for at, said in enumerate(
                in_threads(partial(self._answer, model), enumerate(subjects))
            ):
                if isinstance(said, Unread):
                    unread[at] = said.reason
                else:
                    found.append(said)
                advance(1)
        if not found:
            at, reason = next(iter(unread.items()))
            raise NoImages(
                f"none of {counted(len(subjects), 'image')} can be read: "
                f"{str(subjects[at].image.path)!r}: {reason}",
                hint="--data-root DIR says where the images of a run lie now",
            )
        return Changes(
            units=units,
            parts=[
                collected(part, found, kinds=len(units), regions=self.regions) for part in parts
            ],
            size=ExplainedModel.of(self.classifier).size[1:],
            unread=unread,
            labelled=all(subject.label != NO_CLASS for subject in subjects),
        )

    def _units(self, vectors: int) -> tuple[list[Units], list[list[NDArray[np.int64] | None]]]:
        """Return which units are compared: all of a kind, or a choice of them."""
        kinds = sum(len(layer.kinds) for layer in self.layers)
        most = max(1, min(MOST_UNITS, MOST_BYTES // (max(1, vectors) * kinds)))
        units: list[Units] = []
        chosen: list[list[NDArray[np.int64] | None]] = []
        for number, layer in enumerate(self.layers):
            random = np.random.default_rng([self.seed, number])
            of_layer: list[NDArray[np.int64] | None] = []
            for kind, total in layer.kinds.items():
                n = min(total, most)
                units.append(Units(layer.name, kind, n, total))
                few = n < total
                of_layer.append(np.sort(random.choice(total, n, replace=False)) if few else None)
            chosen.append(of_layer)
        return units, chosen

    def _answer(self, model: _Model, job: tuple[int, Subject]) -> OfImage | Unread:
        """Hide everything in one image, a batch at a time."""
        at, (image, path, label, boxes) = job
        placing = Placing(self.classifier, self.outlines, self.regions, self.max_mb)
        posed = placing.of(image, path, boxes, seed=(self.seed, at))
        if isinstance(posed, Unread):
            return posed
        cases = [box for placed in posed.placed.values() for box in placed.boxes]
        if not cases:
            return OfImage(at, {}, posed.left_out)
        logits, signs, sizes = [], [], []
        unchanged: _Features | None = None
        for batch in self._batches(posed, cases):
            scores, features = model(batch)
            if not np.isfinite(scores).all() or not all(each.isfinite().all() for each in features):
                return Unread(UNREADABLE, _NOT_FINITE)
            if unchanged is None:
                unchanged = [each[:1].clone() for each in features]
            logits.append(scores)
            falls = [before - after for before, after in zip(unchanged, features, strict=True)]
            signs.append([signs_of(*both) for both in zip(falls, unchanged, strict=True)])
            sizes.append(torch.stack([torch.linalg.vector_norm(fall, dim=1) for fall in falls], 1))
        chances = self._probabilities(np.concatenate(logits), label)
        lengths = torch.cat(sizes)[1:].double().cpu().numpy()
        joined = [np.concatenate(of_kind)[1:] for of_kind in zip(*signs, strict=True)]
        of_parts, start = {}, 0
        for part, placed in posed.placed.items():
            end = start + len(placed.boxes)
            of_parts[part] = OfPart(
                np.array(placed.boxes, np.int64),
                placed.of_object,
                [of_kind[start:end] for of_kind in joined],
                lengths[start:end],
                np.concatenate([chances[:1], chances[1 + start : 1 + end]]),
            )
            start = end
        return OfImage(at, of_parts, posed.left_out)

    def _batches(self, posed: Posed, cases: Sequence[Box]) -> Iterator[Tensor]:
        """Return inputs: the image as it is, then with each box hidden."""
        alone = self.classifier.interface.one_at_a_time
        return with_hidden(
            ExplainedModel.of(self.classifier),
            posed.image,
            [NOWHERE, *cases],
            filling=self.filling,
            seed=self.seed,
            batch_size=1 if alone else self.batch_size or self.classifier.good_batch_size,
        )

    def _probabilities(self, logits: NDArray[np.float32], label: int) -> NDArray[np.float64]:
        """Return those of the true class; where there is none, of the class predicted first."""
        bias = self.classifier.reading.bias
        if label == NO_CLASS:
            label = int(
                score(logits[:1], np.array([NO_CLASS], np.int32), topk=1, bias=bias).pred[0]
            )
        labels = np.full(len(logits), label, np.int32)
        return score(logits, labels, topk=1, bias=bias).label_prob.astype(np.float64)

    @contextmanager
    def _model(self, chosen: Sequence[Sequence[NDArray[np.int64] | None]]) -> Iterator[_Model]:
        """Give a function from inputs to logits and the chosen features of all kinds."""
        classifier = self.classifier
        kept = threading.local()
        places = [
            [None if each is None else torch.from_numpy(each).to(classifier.device) for each in of]
            for of in chosen
        ]

        def keep(name: str, _layer: nn.Module, inputs: tuple[Any, ...], output: Tensor) -> None:
            for number, layer in enumerate(self.layers):
                if layer.module == name:
                    # Copies: layers that follow may work in place.
                    kept.features[number] = [
                        features.float().clone() if only is None else features[:, only].float()
                        for features, only in zip(
                            layer.features(inputs, output), places[number], strict=True
                        )
                    ]

        def model(batch: Tensor) -> tuple[NDArray[np.float32], _Features]:
            kept.features = {}
            with torch.no_grad():
                logits = classifier.reading.of_values(classifier.scores(batch))
            of_layers = (kept.features[number] for number in range(len(self.layers)))
            return logits.float().cpu().numpy(), [each for of in of_layers for each in of]

        with watched(classifier.network.module, {layer.module for layer in self.layers}, keep):
            yield model


def signs_of(falls: Tensor, before: Tensor) -> NDArray[np.int8]:
    """Return in which direction features change, int8 of shape (n, units).

    It is 1 where they fall, -1 where they rise, and 0 where they do not change by more than
    rounding may change them.

    Args:
        falls: By how much features fall when something is hidden, shape (n, units).
        before: What they are of the image as it is, shape (1, units).

    >>> signs_of(torch.tensor([[1.0, -0.5, 0.0, 1e-6]]), torch.tensor([[2.0, 0.0, 1.0, 1.0]]))
    array([[ 1, -1,  0,  0]], dtype=int8)
    """
    changed = falls.abs() > NOISE * before.abs().max()
    return (falls.sign() * changed).to(torch.int8).cpu().numpy()
