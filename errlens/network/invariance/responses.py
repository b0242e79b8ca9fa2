"""What a network makes of photos under transforms: features at layers, and predictions."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from errlens.analysis.invariance.answers import Answers, Step
from errlens.attribution.explained_model import borrowed
from errlens.classes.names import NO_CLASS
from errlens.data.photos.images import ImageFile, Unread, quiet_pillow
from errlens.data.photos.loading import decode_for
from errlens.data.photos.preprocess import Preprocessing
from errlens.errors import NoImages
from errlens.formats import counted
from errlens.model.asking.hiding import AskedImage
from errlens.model.asking.threads import asking_threads
from errlens.model.asking.variants import Shown, as_fed, same_input, shown
from errlens.model.classifier import Classifier, stack
from errlens.model.layers.hooks import watched
from errlens.model.layers.places import SpatialLayer
from errlens.predictions.scores import score
from errlens.predictions.table import UNREADABLE
from errlens.run.places import MAX_FILE_MB

Change = Callable[[Image.Image], Image.Image]
_Features = Sequence[Tensor]  # of each layer, shape (n, values)
_Model = Callable[[Sequence[Any]], tuple[NDArray[np.float32], _Features]]

_NOT_FINITE: Final = "the outputs of the network are not finite"


class _OfImage(NamedTuple):
    """What is said of one image at s sizes, by l layers; see `Answers`."""

    followed: int
    pred: NDArray[np.int32]
    probability: NDArray[np.float64]
    euclidean: NDArray[np.float64]
    cosine: NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Asking:
    """Shows transformed photos to a network.

    `steps` say what is done to the picture as fed; to the photo itself where a user's own
    preparation does not say what is fed. No file of more than `max_mb` megabytes is read. Of each
    image, one of `workers` threads does everything, with `threads` torch threads inside.
    """

    classifier: Classifier
    layers: Sequence[SpatialLayer]
    steps: Sequence[tuple[Step, Change]]
    batch_size: int | None = None
    workers: int | None = None
    threads: int = 1
    max_mb: int = MAX_FILE_MB

    def about(
        self,
        images: Sequence[AskedImage],
        labels: NDArray[np.int32],
        *,
        advance: Callable[[int], None] = lambda _images: None,
    ) -> Answers:
        """Ask about each image as it is and under every step.

        Where a step leaves the input as it is, to the last bit, so are the answers.

        Args:
            images: Shape (n,).
            labels: Class indices of shape (n,); `NO_CLASS` where there is none, and then the class
                is followed that is predicted of the image as it is.
            advance: Told of images done.

        Raises:
            NoImages: None of them can be read.
            UserCodeFailed, OutOfMemory: The network raised something.
        """
        found: list[_OfImage] = []
        at: list[int] = []
        unread: dict[int, str] = {}
        jobs = zip(images, labels.tolist(), strict=True)
        with (
            quiet_pillow(),
            borrowed(self.classifier.network.module),
            self._model() as model,
            asking_threads(self.classifier, self.workers, threads=self.threads) as in_threads,
        ):
            for number, said in enumerate(in_threads(partial(self._answer, model), jobs)):
                if isinstance(said, Unread):
                    unread[number] = said.reason
                else:
                    at.append(number)
                    found.append(said)
                advance(1)
        if not found:
            number, reason = next(iter(unread.items()))
            raise NoImages(
                f"none of {counted(len(images), 'image')} can be read: "
                f"{str(images[number].path)!r}: {reason}",
                hint="--data-root DIR says where the images of a run lie now",
            )
        return Answers(
            steps=[step for step, _ in self.steps],
            layers=[layer.name for layer in self.layers],
            at=np.array(at, np.intp),
            label=labels[at],
            followed=np.array([each.followed for each in found], np.int32),
            pred=np.stack([each.pred for each in found]),
            probability=np.stack([each.probability for each in found]),
            euclidean=np.stack([each.euclidean for each in found]),
            cosine=np.stack([each.cosine for each in found]),
            unread=unread,
        )

    def _answer(self, model: _Model, job: tuple[AskedImage, int]) -> _OfImage | Unread:
        """Answer for one image, its inputs made a batch at a time."""
        (path, content_hash), label = job
        used = self.classifier.preparation
        encoded = ImageFile(path, content_hash, self.max_mb).read()
        photo = encoded if isinstance(encoded, Unread) else decode_for(used, encoded)
        if isinstance(encoded, Unread) or isinstance(photo, Unread):
            return photo if isinstance(photo, Unread) else Unread(UNREADABLE, "no photo")
        try:
            seen = shown(photo, encoded, used)
        except ValueError as error:
            return Unread(UNREADABLE, f"{photo.width} x {photo.height} pixels: {error}")
        unchanged = as_fed(seen, used)

        s = len(self.steps)
        logits: NDArray[np.float32] | None = None
        euclidean, cosine = (np.zeros((s, len(self.layers))) for _ in range(2))
        kept: _Features = ()
        for places, values in self._batches(seen, unchanged):
            scores, features = model(values)
            if logits is None:
                kept = [each[:1].clone() for each in features]
                logits = np.repeat(scores[:1], 1 + s, axis=0)
            logits[places] = scores
            moved = places > 0
            for number, (before, after) in enumerate(zip(kept, features, strict=True)):
                apart = distances(before, after)
                euclidean[places[moved] - 1, number] = apart[0][moved]
                cosine[places[moved] - 1, number] = apart[1][moved]
        assert logits is not None  # noqa: S101 - the input as it is makes a batch
        return self._scored(logits, label, euclidean, cosine)

    def _scored(
        self,
        logits: NDArray[np.float32],
        label: int,
        euclidean: NDArray[np.float64],
        cosine: NDArray[np.float64],
    ) -> _OfImage | Unread:
        """Read predictions from the outputs of an image, the one as it is first."""
        bias = self.classifier.reading.bias
        followed = label
        if label == NO_CLASS:
            as_it_is = np.array([NO_CLASS], np.int32)
            followed = int(score(logits[:1], as_it_is, topk=1, bias=bias).pred[0])
        scores = score(logits, np.full(len(logits), followed, np.int32), topk=1, bias=bias)
        if not scores.finite[0]:
            return Unread(UNREADABLE, _NOT_FINITE)
        return _OfImage(
            followed,
            np.where(scores.finite, scores.pred, NO_CLASS)[1:].astype(np.int32),
            np.where(scores.finite, scores.label_prob, np.nan)[1:].astype(np.float64),
            euclidean,
            cosine,
        )

    def _batches(
        self, seen: Shown, unchanged: Any
    ) -> Iterator[tuple[NDArray[np.intp], Sequence[Any]]]:
        """Yield inputs with their places: 0 is the image as it is, then the steps that differ."""
        alone = self.classifier.interface.one_at_a_time
        most = 1 if alone else self.batch_size or self.classifier.good_batch_size
        places, values = [0], [unchanged]
        for place, (_, change) in enumerate(self.steps, start=1):
            value = self._input(seen, change)
            if same_input(unchanged, value):
                continue
            if len(values) == most:
                yield np.array(places, np.intp), values
                places, values = [], []
            places.append(place)
            values.append(value)
        yield np.array(places, np.intp), values

    def _input(self, seen: Shown, change: Change) -> Any:
        used = self.classifier.preparation
        if seen.picture is not None and isinstance(used, Preprocessing):
            return used.as_fed(change(seen.picture))
        return used.prepare(change(seen.photo.image))

    @contextmanager
    def _model(self) -> Iterator[_Model]:
        """Give a function from inputs to logits and the features of all layers."""
        classifier = self.classifier
        kept = threading.local()

        def keep(name: str, _layer: nn.Module, _inputs: tuple[Any, ...], output: Tensor) -> None:
            kept.outputs[name] = output.clone()  # layers that follow may work in place

        def model(values: Sequence[Any]) -> tuple[NDArray[np.float32], _Features]:
            kept.outputs = {}
            batch = stack(values, classifier.preparation, classifier.device)
            with torch.no_grad():
                logits = classifier.reading.of_values(classifier.scores(batch))
            maps = [layer.as_maps(kept.outputs[layer.name]).flatten(1) for layer in self.layers]
            return logits.float().cpu().numpy(), maps

        with watched(classifier.network.module, [layer.name for layer in self.layers], keep):
            yield model


def distances(before: Tensor, after: Tensor) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the Euclidean and the cosine distance of features, shape (1 or n, values), each (n,).

    The cosine distance is 1 minus the cosine of the angle between both; from a vector of zeros it
    is 1, and 0 where both are.
    """
    wide = torch.float32 if after.device.type == "mps" else torch.float64  # it has no other
    first, second = before.to(wide), after.to(wide)
    euclidean = torch.linalg.vector_norm(second - first, dim=1)
    lengths = torch.linalg.vector_norm(first, dim=1) * torch.linalg.vector_norm(second, dim=1)
    cosines = (first * second).sum(dim=1) / lengths.clamp(min=torch.finfo(wide).tiny)
    cosine = (1 - cosines).clamp(0, 2)
    cosine[euclidean == 0] = 0
    return euclidean.double().cpu().numpy(), cosine.double().cpu().numpy()
