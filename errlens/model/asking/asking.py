"""Ask a model again about images of a run, each under every change that can be done."""

import threading
from collections.abc import Callable, Container, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from errlens.analysis.findings.asked import Asked
from errlens.analysis.findings.scored import Scored
from errlens.classes.names import NO_CLASS
from errlens.data.photos.images import ImageFile, Unread, quiet_pillow
from errlens.data.photos.loading import decode_for, in_order
from errlens.data.photos.preprocess import Preprocessing
from errlens.formats import of
from errlens.model.asking.threads import torch_threads_kept
from errlens.model.asking.time_left import NO_LIMIT, TimeLeft
from errlens.model.asking.variants import Variant, as_fed, same_input, shown, variants_of
from errlens.model.classifier import Classifier, Outputs
from errlens.predictions.scores import score
from errlens.run.places import MAX_FILE_MB

Progress = Callable[..., AbstractContextManager[Callable[[int], None]]]
Model = Callable[[Sequence[Any]], Outputs]
Places = NDArray[np.intp]
_Tried = Sequence[tuple[int, Variant]]  # each with its place among all changes

_HELD: Final = 16 * 2**20  # bytes of inputs that a thread holds at a time


class _Answers(NamedTuple):
    """What is said of n images under c changes; see `Asked`. `read` tells which had a photo."""

    read: NDArray[np.bool_]
    pred: NDArray[np.int32]
    label_prob: NDArray[np.float32]
    differs: NDArray[np.bool_]


class _Input(NamedTuple):
    """A changed input, by the places of its image and of its change."""

    image: int
    change: int
    value: Any


@dataclass(frozen=True, kw_only=True)
class Asking:
    """Asks a model again about images of its run.

    `scored` are the images of the run, which lie below `root`; no file of more than `max_mb`
    megabytes is read. Of each image, one of `workers` threads does everything, with `threads` torch
    threads inside. `progress(what, total=...)` gives a function that is told of images done.
    """

    classifier: Classifier
    scored: Scored
    root: Path
    max_mb: int = MAX_FILE_MB
    workers: int
    threads: int
    progress: Progress

    def about(
        self,
        places: NDArray[np.intp],
        *,
        changes: Container[str] | None = None,
        time: TimeLeft = NO_LIMIT,
    ) -> Asked:
        """Ask about images under every change that can be done with the model.

        Each photo is decoded once. What is held at a time is the inputs of a few images a thread.

        Args:
            places: Of the images in `scored`, those first that are not to be missed when time is
                up; see `to_ask`.
            changes: Those to try, if not all.
            time: When it is up, no more images are begun; some are in any case.

        Raises:
            UserCodeFailed, OutOfMemory, UnfitModel, UnfitOption: As evaluating would.
        """
        variants, left_out = variants_of(self.classifier)
        names = tuple(variant.change.name for variant in variants)
        if not len(places):
            return Asked.nothing(changes=names)
        tried = [
            each for each in enumerate(variants) if changes is None or names[each[0]] in changes
        ]
        answers: list[_Answers] = []
        asked, stop = 0, threading.Event()
        jobs = _jobs(places, _images_at_a_time(self.classifier, len(tried)))
        begin = partial(torch.set_num_threads, self.threads)
        with (
            quiet_pillow(),
            torch_threads_kept(),
            self.classifier.ready() as outputs,
            self.progress("asking the model again", total=len(places)) as advance,
        ):
            work = partial(self._answer, tried, len(variants), outputs, stop)
            try:
                for said in in_order(work, jobs, workers=self.workers, begin=begin):
                    answers.append(said)
                    asked += len(said.read)
                    advance(len(said.read))
                    if time.is_up:
                        break
            finally:
                stop.set()
        late = asked < len(places)
        return _assembled(
            self.scored.row,
            places[:asked],
            answers,
            changes=names,
            left_out=left_out,
            stopped=f"time was up after {of(asked, len(places))} images" if late else "",
        )

    def _answer(
        self, tried: _Tried, columns: int, outputs: Model, stop: threading.Event, places: Places
    ) -> _Answers:
        """Make all inputs of a few images, and have them predicted, in one thread."""
        scored, shape = self.scored, (len(places), columns)
        answers = _Answers(
            np.zeros(shape[0], bool),
            np.repeat(scored.pred[places][:, None], shape[1], axis=1),
            np.repeat(scored.label_prob[places][:, None].astype(np.float32), shape[1], axis=1),
            np.zeros(shape, bool),
        )
        inputs = [
            _Input(image, change, value)
            for image, place in enumerate(places)
            for change, value in self._inputs(tried, place, answers, image)
        ]
        single = self.classifier.interface.one_at_a_time
        for batch in _batches(inputs, 1 if single else self.classifier.good_batch_size):
            if stop.is_set():
                break
            self._predict(outputs, batch, scored.label[places], answers)
        return answers

    def _inputs(
        self, tried: _Tried, place: int, answers: _Answers, image: int
    ) -> Iterator[tuple[int, Any]]:
        """Yield the inputs that changes make of an image, where that is another one."""
        scored, used = self.scored, self.classifier.preparation
        path, content_hash = self.root / scored.paths[place], scored.content_hash[place]
        encoded = ImageFile(path, content_hash, self.max_mb).read()
        photo = encoded if isinstance(encoded, Unread) else decode_for(used, encoded)
        if isinstance(encoded, Unread) or isinstance(photo, Unread):
            return
        answers.read[image] = True
        seen = shown(photo, encoded, used)
        unchanged = as_fed(seen, used)
        for change, variant in tried:
            value = variant.input_of(seen)
            if value is not None and same_input(unchanged, value):
                continue
            answers.differs[image, change] = True
            answers.pred[image, change] = NO_CLASS
            answers.label_prob[image, change] = np.nan
            if value is not None:
                yield change, value

    def _predict(
        self,
        outputs: Model,
        batch: Sequence[_Input],
        label: NDArray[np.int32],
        answers: _Answers,
    ) -> None:
        image = np.array([made.image for made in batch])
        change = np.array([made.change for made in batch])
        said = outputs([made.value for made in batch]).logits
        scores = score(said, label[image], topk=1, bias=self.classifier.reading.bias)
        known = scores.finite
        answers.pred[image[known], change[known]] = scores.pred[known]
        answers.label_prob[image[known], change[known]] = scores.label_prob[known]


def _jobs(places: NDArray[np.intp], size: int) -> Iterator[NDArray[np.intp]]:
    return (places[start : start + size] for start in range(0, len(places), size))


def _images_at_a_time(classifier: Classifier, changes: int) -> int:
    """Return of how many images a thread holds the inputs."""
    values = 3 * classifier.interface.pixels * max(1, changes)
    size = 1 if isinstance(classifier.preparation, Preprocessing) else 4  # bytes of a value
    return max(1, min(classifier.good_batch_size, _HELD // (values * size)))


def _batches(inputs: Sequence[_Input], size: int) -> Iterator[list[_Input]]:
    """Yield inputs of one shape at a time, so many at most."""
    by_shape: dict[tuple[int, ...], list[_Input]] = {}
    for made in inputs:
        by_shape.setdefault(tuple(made.value.shape), []).append(made)
    for alike in by_shape.values():
        for start in range(0, len(alike), size):
            yield alike[start : start + size]


def _assembled(
    row: NDArray[np.int64], asked: Places, answers: Sequence[_Answers], **known: Any
) -> Asked:
    """Put all answers together in the order of the run, but for what has no photo any more."""
    read = np.concatenate([said.read for said in answers])
    order = np.argsort(asked[read], kind="stable")
    pred, label_prob, differs = (
        np.concatenate(each)[read][order]
        for each in zip(*(said[1:] for said in answers), strict=True)
    )
    return Asked(
        row=row[asked[read][order]],
        pred=pred,
        label_prob=label_prob,
        differs=differs,
        unread=int((~read).sum()),
        **known,
    )
