"""Which images a model has right with each of several settings; each file is read once for all."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from errlens.data.photos.images import Photo, Unread, read_encoded
from errlens.data.photos.loading import decode_for, in_order
from errlens.data.photos.preprocess import Preprocessing
from errlens.errors import InputError
from errlens.model.asking.threads import torch_threads_kept
from errlens.model.classifier import Classifier, Outputs
from errlens.model.outputs.dry_run import dry_run
from errlens.predictions.scores import score
from errlens.run.places import MAX_FILE_MB

CHUNK = 8  # images a thread holds at a time


def takes(classifier: Classifier, preprocessing: Preprocessing) -> bool:
    """Tell whether the network takes images prepared in this way."""
    try:
        dry_run(classifier.network, preprocessing, classifier.device, reading=classifier.reading)
    except InputError:
        return False
    return True


def hits_by_setting(
    classifier: Classifier,
    settings: Sequence[Preprocessing],
    images: Sequence[tuple[Path, int]],
    *,
    workers: int,
    threads: int,
    max_mb: int = MAX_FILE_MB,
    progress: Callable[[int], None] = lambda _images: None,
) -> list[NDArray[np.bool_]]:
    """Predict images, each given with its label, once with each setting.

    Returns:
        For each setting, whether the model has each image right; what cannot be read is wrong.
    """
    with torch_threads_kept(), ExitStack() as stack:
        models = [
            stack.enter_context(replace(classifier, preparation=setting).ready())
            for setting in settings
        ]
        size = 1 if classifier.interface.one_at_a_time else CHUNK
        chunks = [images[start : start + size] for start in range(0, len(images), size)]
        work = partial(_predict, settings, max_mb, models)
        begin = partial(torch.set_num_threads, threads)
        logits = []
        for chunk in in_order(work, chunks, workers=workers, begin=begin):
            logits.append(chunk)
            progress(chunk.shape[1])
    label = np.array([index for _, index in images], np.int32)
    bias = classifier.reading.bias
    by_setting = np.concatenate(logits, axis=1)
    scores = [score(outputs, label, topk=1, bias=bias) for outputs in by_setting]
    return [scored.finite & (scored.pred == label) for scored in scores]


def _predict(
    settings: Sequence[Preprocessing],
    max_mb: int,
    models: Sequence[Callable[[Sequence[Any]], Outputs]],
    images: Sequence[tuple[Path, int]],
) -> NDArray[np.float32]:
    """Return raw outputs of shape (settings, images, classes), NaN for what cannot be read."""
    files = [read_encoded(path, max_mb=max_mb) for path, _ in images]
    photos = {}
    logits = []
    for setting, model in zip(settings, models, strict=True):
        reading = setting.exif, setting.scale_16bit
        if reading not in photos:
            photos[reading] = [
                file if isinstance(file, Unread) else decode_for(setting, file) for file in files
            ]
        readable = [photo for photo in photos[reading] if isinstance(photo, Photo)]
        outputs = model([setting.prepare(photo.image) for photo in readable]).logits
        spread = np.full((len(files), outputs.shape[1]), np.nan, np.float32)
        spread[[isinstance(photo, Photo) for photo in photos[reading]]] = outputs
        logits.append(spread)
    return np.stack(logits)
