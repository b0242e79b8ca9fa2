"""Ask a network about images with patches pasted into them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from errlens.analysis.atlas.pasting.answers import Answers, PatchFacts
from errlens.analysis.atlas.pasting.placing import Position
from errlens.atlas.pasting.patches import pasted
from errlens.atlas.pasting.pictures import input_of, picture_of
from errlens.classes.names import NO_CLASS
from errlens.data.photos.images import Unread, quiet_pillow
from errlens.errors import NoImages
from errlens.formats import counted
from errlens.model.asking.hiding import AskedImage
from errlens.model.asking.threads import asking_threads
from errlens.model.classifier import Classifier, Outputs
from errlens.predictions.scores import score
from errlens.predictions.table import UNREADABLE
from errlens.run.places import MAX_FILE_MB

_NOT_FINITE: Final = "the outputs of the network are not finite"

_Outputs = Callable[[Sequence[Any]], Outputs]
_Place = tuple[int, int, int]  # of the patch, the size and the position


class Patch(NamedTuple):
    """A patch, RGBA, and what is known of it."""

    facts: PatchFacts
    image: Image.Image


class _OfImage(NamedTuple):
    """What is said of one image: of itself at place 0, then with each patch; shape (1 + p s l,)."""

    own: NDArray[np.float64]
    odds: NDArray[np.float64]
    pred: NDArray[np.int32]


@dataclass(frozen=True, kw_only=True)
class Pasting:
    """Pastes patches into images at sizes and positions, and asks what they are.

    Patches go into the picture as it is fed; into the photo itself where a user's own preparation
    does not say what is fed. No file of more than `max_mb` megabytes is read. Of each image, one
    of `workers` threads does everything, with `threads` torch threads inside, and no more than
    `batch_size` inputs are held.
    """

    classifier: Classifier
    patches: Sequence[Patch]
    sizes: Sequence[float]
    positions: Sequence[Position]
    batch_size: int | None = None
    workers: int | None = None
    threads: int = 1
    max_mb: int = MAX_FILE_MB

    def into(
        self,
        images: Sequence[AskedImage],
        own: NDArray[np.int32],
        to: int,
        *,
        advance: Callable[[int], None] = lambda _images: None,
    ) -> Answers:
        """Ask about each image as it is and with each patch.

        At size 0 nothing is pasted, and the answers are those about the image as it is.

        Args:
            images: Shape (n,).
            own: The class whose probability is followed beside that of `to`, shape (n,).
            to: The class that patches are suspected of raising.
            advance: Told of images done.

        Raises:
            NoImages: None of them can be read.
            UserCodeFailed, OutOfMemory: The network raised something.
        """
        said: list[_OfImage] = []
        at: list[int] = []
        unread: dict[int, str] = {}
        jobs = zip(images, own.tolist(), strict=True)
        with (
            quiet_pillow(),
            self.classifier.ready() as outputs,
            asking_threads(self.classifier, self.workers, threads=self.threads) as in_threads,
        ):
            work = partial(self._answer, outputs, to)
            for number, of_image in enumerate(in_threads(work, jobs)):
                if isinstance(of_image, Unread):
                    unread[number] = of_image.reason
                else:
                    at.append(number)
                    said.append(of_image)
                advance(1)
        if not said:
            number, reason = next(iter(unread.items()))
            raise NoImages(
                f"none of {counted(len(images), 'image')} can be read: "
                f"{str(images[number].path)!r}: {reason}",
                hint="--data-root DIR says where the images of a run lie now",
            )
        shape = (len(said), len(self.patches), len(self.sizes), len(self.positions))
        own_values, odds, pred = (np.stack(values) for values in zip(*said, strict=True))
        return Answers(
            patches=[patch.facts for patch in self.patches],
            sizes=self.sizes,
            positions=self.positions,
            to=to,
            at=np.array(at, np.intp),
            own=own[at],
            own_before=own_values[:, 0],
            odds_before=odds[:, 0],
            pred_before=pred[:, 0],
            own_after=own_values[:, 1:].reshape(shape),
            odds_after=odds[:, 1:].reshape(shape),
            pred_after=pred[:, 1:].reshape(shape),
            unread=unread,
        )

    def _answer(self, outputs: _Outputs, to: int, job: tuple[AskedImage, int]) -> _OfImage | Unread:
        """Answer for one image, its inputs made a batch at a time."""
        image, own = job
        picture = picture_of(self.classifier.preparation, image, max_mb=self.max_mb)
        if isinstance(picture, Unread):
            return picture
        n = len(self.patches) * len(self.sizes) * len(self.positions)
        answers = _OfImage(np.empty(1 + n), np.empty(1 + n), np.empty(1 + n, np.int32))
        for places, values in self._batches(picture):
            self._read(outputs(values).logits, own, to, places, answers)
        if not np.isfinite(answers.odds).all():
            return Unread(UNREADABLE, _NOT_FINITE)
        return answers

    def _read(
        self,
        logits: NDArray[np.float32],
        own: int,
        to: int,
        places: NDArray[np.intp],
        answers: _OfImage,
    ) -> None:
        """Fill in what logits of some inputs say; at size 0 what those of the image itself do."""
        bias = self.classifier.reading.bias
        scores = score(logits, np.full(len(logits), own, np.int32), topk=1, bias=bias)
        known = np.where(scores.finite[:, None], logits, 0)
        odds = np.where(scores.finite, log_odds(known, to), np.nan)
        pred = np.where(scores.finite, scores.pred, NO_CLASS).astype(np.int32)
        if places[0] == 0:
            answers.own[:], answers.odds[:], answers.pred[:] = (
                scores.label_prob[0],
                odds[0],
                pred[0],
            )
        answers.own[places], answers.odds[places], answers.pred[places] = (
            scores.label_prob,
            odds,
            pred,
        )

    def _batches(self, picture: Image.Image) -> Iterator[tuple[NDArray[np.intp], list[Any]]]:
        """Yield inputs with their places: 0 is the image as it is, then those with a patch."""
        used, alone = self.classifier.preparation, self.classifier.interface.one_at_a_time
        most = 1 if alone else self.batch_size or self.classifier.good_batch_size
        places, values = [0], [input_of(used, picture)]
        every = product(
            range(len(self.patches)), range(len(self.sizes)), range(len(self.positions))
        )
        for number, place in enumerate(every, start=1):
            if not self.sizes[place[1]]:
                continue
            if len(values) == most:
                yield np.array(places, np.intp), values
                places, values = [], []
            places.append(number)
            values.append(input_of(used, self._pasted(picture, place)))
        yield np.array(places, np.intp), values

    def _pasted(self, picture: Image.Image, place: _Place) -> Image.Image:
        patch, size, position = place
        return pasted(
            picture,
            self.patches[patch].image,
            size=self.sizes[size],
            position=self.positions[position],
        )


def log_odds(logits: NDArray[np.floating], class_index: int) -> NDArray[np.float64]:
    """Return ln(p / (1 - p)) of a class by the softmax of logits, shape (n, classes).

    It is computed without p: that of a sure network is 1 to the last digit.

    >>> log_odds(np.log([[0.8, 0.1, 0.1]]), 0).round(4).tolist()  # ln 4
    [1.3863]
    """
    values = np.asarray(logits, np.float64)
    others = np.delete(values, class_index, axis=1)
    odds: NDArray[np.float64] = values[:, class_index] - np.logaddexp.reduce(others, axis=1)
    return odds
