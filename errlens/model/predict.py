"""Predict a shard: images in, one part of the predictions table out."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from errlens.classes.names import Superclasses
from errlens.data.photos.images import Unread, quiet_pillow
from errlens.data.photos.loading import Input, in_order, load_input
from errlens.data.photos.oddities import Oddities, count_oddities, total
from errlens.model.asking.threads import torch_threads_kept
from errlens.model.classifier import Classifier, Outputs
from errlens.predictions.assembly import Seen, part_table
from errlens.predictions.scores import score
from errlens.predictions.table import OK, UNREADABLE
from errlens.run.identity import RunInfo
from errlens.scale.plan import rows_of
from errlens.scale.resume import ShardWorker, finish

_FLOAT16_MAX = float(np.finfo(np.float16).max)


class _PredictedRows(NamedTuple):
    """Some consecutive rows, and the outputs for those whose images could be read."""

    seen: list[Seen]
    logits: NDArray[np.float32]
    features: NDArray[np.float16]
    oddities: Oddities


@dataclass(frozen=True, kw_only=True)
class ShardPredictor(ShardWorker):
    """Predicts one shard of a plan at a time and writes its part.

    `label` is the class index of every row of the plan, `problems` says of every row why its file
    cannot be tried, or None. Of each image, one of `workers` threads does everything, with
    `threads` torch threads inside.
    """

    info: RunInfo
    label: NDArray[np.int32]
    problems: Sequence[str | None]
    classifier: Classifier
    superclasses: Superclasses | None
    batch_size: int
    workers: int
    threads: int

    def __call__(self, shard: int) -> None:
        """Predict the images of a shard and write the part."""
        rows = rows_of(self.plan, shard)
        label = self.label[rows.start : rows.stop]
        batches = list(self._batches(rows))
        seen = [image for batch in batches for image in batch.seen]
        logits = np.concatenate([batch.logits for batch in batches])
        scores = score(
            logits,
            label[[image.status == OK for image in seen]],
            topk=self.info.settings.topk,
            superclasses=self.superclasses,
            bias=self.classifier.reading.bias,
        )
        table = part_table(
            self.plan.slice(rows.start, len(rows)),
            seen,
            scores,
            label,
            classes=self.classifier.classes,
            superclasses=self.superclasses,
            with_logits=bool(self.info.keep),
        )
        kept = {}
        if "logits" in self.info.keep:
            kept["logits"] = as_kept(_max_centred(logits[scores.finite]))
        if "features" in self.info.keep:
            features = np.concatenate([batch.features for batch in batches])
            kept["features"] = features[scores.finite]
        photos = total(batch.oddities for batch in batches)
        self.run.require_own(self.info)
        self.run.write_part(shard, table, kept, self.info, photos=photos.as_dict())

    def _batches(self, rows: range) -> Iterator[_PredictedRows]:
        """Yield batches of consecutive rows, several of them in the works at once."""
        starts = range(rows.start, rows.stop, self.batch_size)
        chunks = (range(start, min(start + self.batch_size, rows.stop)) for start in starts)
        begin = partial(torch.set_num_threads, self.threads)
        ready = self.classifier.ready(with_features="features" in self.info.keep)
        with torch_threads_kept(), ready as outputs:
            work = partial(self._predict, outputs)
            for batch in in_order(work, chunks, workers=self.workers, begin=begin):
                self.advance(len(batch.seen))
                yield batch

    def _predict(self, outputs: Callable[[Sequence[Any]], Outputs], rows: range) -> _PredictedRows:
        """Read, decode and predict a few rows, in one thread from file to outputs."""
        loaded = [self._load(row) for row in rows]
        seen = [
            Seen(OK, None, image.width, image.height, image.content_hash)
            if isinstance(image, Input)
            else Seen(image.status, image.reason, content_hash=image.content_hash)
            for image in loaded
        ]
        given = outputs([image.value for image in loaded if isinstance(image, Input)])
        paths = self.plan["path"].slice(rows.start, len(rows)).to_pylist()
        oddities = count_oddities(
            (path, image.traits)
            for path, image in zip(paths, loaded, strict=True)
            if isinstance(image, Input)
        )
        return _PredictedRows(seen, given.logits, as_kept(given.features), oddities)

    def _load(self, row: int) -> Input | Unread:
        if problem := self.problems[row]:
            return Unread(UNREADABLE, problem)
        path = Path(self.info.data_root, self.plan["path"][row].as_py())
        return load_input(path, self.classifier.preparation, max_mb=self.info.max_file_mb)


def predict_missing(
    predictor: ShardPredictor,
    *,
    progress: Callable[..., AbstractContextManager[Callable[[int], None]]],
) -> None:
    """Predict the shards that have no part yet.

    `progress(what, total=..., done=...)` gives a function that is told of each step forward.

    Raises:
        Interrupted: The user stopped it; finished parts stay.
    """
    with quiet_pillow():
        finish(predictor, what="predicting", progress=progress)


def _max_centred(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Subtract the largest output of each row: the same probabilities, no large numbers."""
    centred: NDArray[np.float32] = logits - logits.max(axis=1, keepdims=True, initial=-np.inf)
    return centred


def as_kept(values: NDArray[np.float32]) -> NDArray[np.float16]:
    """Halve the bytes; what float16 cannot hold becomes its largest number, not infinity."""
    return np.clip(values, -_FLOAT16_MAX, _FLOAT16_MAX).astype(np.float16)
