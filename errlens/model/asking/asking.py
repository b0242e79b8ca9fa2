"""Ask a model again about images of a run, each under every change that can be done."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
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
from errlens.model.asking.variants import Variant, as_fed, same_input, shown, variants_of
from errlens.model.classifier import Classifier, Outputs
from errlens.predictions.scores import score

Progress = Callable[..., AbstractContextManager[Callable[[int], None]]]

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


@dataclass(frozen=True)
class _Asking:
    """One thread at a time makes all inputs of a few images, and has them predicted."""

    classifier: Classifier
    variants: Sequence[Variant]
    scored: Scored
    root: Path
    max_mb: int
    batch_size: int
    stop: threading.Event

    def __call__(
        self, outputs: Callable[[Sequence[Any]], Outputs], places: NDArray[np.intp]
    ) -> _Answers:
        shape = (len(places), len(self.variants))
        pred = np.repeat(self.scored.pred[places][:, None], shape[1], axis=1)
        label_prob = np.repeat(self.scored.label_prob[places][:, None], shape[1], axis=1)
        answers = _Answers(
            np.zeros(shape[0], bool), pred, label_prob.astype(np.float32), np.zeros(shape, bool)
        )
        inputs = [
            made for n, place in enumerate(places) for made in self._inputs(n, place, answers)
        ]
        for batch in _batches(inputs, self.batch_size):
            if self.stop.is_set():
                break
            self._predict(outputs, batch, self.scored.label[places], answers)
        return answers

    def _inputs(self, image: int, place: int, answers: _Answers) -> Iterator[_Input]:
        """Yield the inputs of an image that a change makes another one."""
        scored, used = self.scored, self.classifier.preparation
        path, content_hash = self.root / scored.paths[place], scored.content_hash[place]
        encoded = ImageFile(path, content_hash, self.max_mb).read()
        if isinstance(encoded, Unread):
            return
        photo = decode_for(used, encoded)
        if isinstance(photo, Unread):
            return
        answers.read[image] = True
        seen = shown(photo, encoded, used)
        unchanged = as_fed(seen, used)
        for change, variant in enumerate(self.variants):
            value = variant.input_of(seen)
            if value is not None and same_input(unchanged, value):
                continue
            answers.differs[image, change] = True
            answers.pred[image, change] = NO_CLASS
            answers.label_prob[image, change] = np.nan
            if value is not None:
                yield _Input(image, change, value)

    def _predict(
        self,
        outputs: Callable[[Sequence[Any]], Outputs],
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


def ask(
    classifier: Classifier,
    scored: Scored,
    places: NDArray[np.intp],
    *,
    root: Path,
    max_mb: int,
    workers: int,
    threads: int,
    progress: Progress,
    seconds: float | None = None,
) -> Asked:
    """Ask a model about images of its run under every change that can be done.

    Each photo is decoded once. What is held at a time is a few changed inputs a thread.

    Args:
        classifier: Of the run, see `reload_classifier`.
        scored: The images of the run.
        places: Which of them to ask about, those first that are not to be missed when time is up.
        root: Where the images lie.
        max_mb: No file that is larger is read.
        workers: Threads that work at the same time, each with `threads` torch threads inside.
        threads: See `workers`.
        progress: `progress(what, total=...)` gives a function that is told of images done.
        seconds: Begin with no more images after that time; None for all.

    Raises:
        UserCodeFailed, OutOfMemory, UnfitModel, UnfitOption: As evaluating would.
    """
    variants, left_out = variants_of(classifier)
    if not (len(places) and variants):
        return Asked.nothing()
    stop = threading.Event()
    batch_size = 1 if classifier.interface.one_at_a_time else classifier.good_batch_size
    asking = _Asking(classifier, variants, scored, root, max_mb, batch_size, stop)
    jobs = _jobs(places, _images_at_a_time(classifier, len(variants)))
    answers: list[_Answers] = []
    start, asked = time.monotonic(), 0
    with (
        quiet_pillow(),
        classifier.ready() as outputs,
        progress("asking the model again", total=len(places)) as advance,
    ):
        begin = partial(torch.set_num_threads, threads)
        try:
            for said in in_order(partial(asking, outputs), jobs, workers=workers, begin=begin):
                answers.append(said)
                asked += len(said.read)
                advance(len(said.read))
                if seconds is not None and time.monotonic() - start > seconds:
                    break
        finally:
            stop.set()
    return _assembled(scored.row, places[:asked], len(places), variants, left_out, answers)


def _jobs(places: NDArray[np.intp], size: int) -> Iterator[NDArray[np.intp]]:
    return (places[start : start + size] for start in range(0, len(places), size))


def _images_at_a_time(classifier: Classifier, changes: int) -> int:
    """Return of how many images a thread holds the inputs."""
    values = 3 * classifier.interface.pixels * changes
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
    row: NDArray[np.int64],
    asked: NDArray[np.intp],
    wanted: int,
    variants: Sequence[Variant],
    left_out: dict[str, str],
    answers: Sequence[_Answers],
) -> Asked:
    """Put all answers together in the order of the run, but for what has no photo any more."""
    read = np.concatenate([said.read for said in answers])
    order = np.argsort(asked[read], kind="stable")
    pred, label_prob, differs = (
        np.concatenate(each)[read][order]
        for each in zip(*(said[1:] for said in answers), strict=True)
    )
    late = len(asked) < wanted
    return Asked(
        row=row[asked[read][order]],
        changes=tuple(variant.change.name for variant in variants),
        pred=pred,
        label_prob=label_prob,
        differs=differs,
        left_out=left_out,
        unread=int((~read).sum()),
        stopped=f"time was up after {of(len(asked), wanted)} images" if late else "",
    )
