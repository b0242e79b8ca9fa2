"""Hide boxes of an image from a network, as occlusion does, and show what it gets then."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from errlens.attribution.explained_model import ExplainedModel, MethodSettings
from errlens.attribution.masks import Box, fill
from errlens.attribution.photos import picture_as_fed
from errlens.choices import Fill
from errlens.data.photos.images import Unread
from errlens.model.asking.hiding import AskedImage, load_asked
from errlens.model.classifier import Classifier, stack


def with_hidden(
    model: ExplainedModel,
    image: Tensor,
    boxes: Sequence[Box],
    *,
    filling: Fill,
    seed: int,
    batch_size: int,
) -> Iterator[Tensor]:
    """Yield batches of copies of an image, shape (channels, height, width), each with a box hidden.

    Args:
        model: The network.
        image: As it is fed.
        boxes: In pixels of it.
        filling: What hides; `fill` says how.
        seed: Decides what is drawn, where that is noise.
        batch_size: Copies at a time.
    """
    filled = fill(model, image, MethodSettings(fill=filling, seed=seed))
    for start in range(0, len(boxes), batch_size):
        copies = []
        for top, left, bottom, right in boxes[start : start + batch_size]:
            copy = image.clone()
            copy[:, top:bottom, left:right] = filled[:, top:bottom, left:right]
            copies.append(copy)
        yield torch.stack(copies).contiguous(memory_format=torch.channels_last)


def pictures_with_hidden(
    classifier: Classifier, image: AskedImage, boxes: Sequence[Box], *, max_mb: int, **how: Any
) -> list[NDArray[np.uint8]] | None:
    """Return what the network is fed with each box hidden, shape (height, width, 3).

    Args:
        classifier: The network.
        image: Its file.
        boxes: In pixels of it as fed.
        max_mb: Megabytes of a file above which it is not read.
        how: `filling` and `seed`, as for `with_hidden`.

    Returns:
        None of an image that cannot be read.
    """
    loaded = load_asked(classifier.preparation, image, max_mb=max_mb)
    if isinstance(loaded, Unread):
        return None
    model = ExplainedModel.of(classifier)
    tensor = stack([loaded.value], classifier.preparation, classifier.device)[0]
    copies = with_hidden(model, tensor, boxes, batch_size=1, **how)
    return [picture_as_fed(copy[0], model.black, model.white, classifier) for copy in copies]
