"""What is predicted of a picture as it is, and with a patch at each size and position."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from errlens.analysis.atlas.pasting.placing import Position
from errlens.atlas.pasting.patches import pasted
from errlens.atlas.pasting.pictures import input_of
from errlens.classes.names import NO_CLASS
from errlens.model.classifier import Classifier
from errlens.predictions.scores import score


class Predicted(NamedTuple):
    """A picture and what is predicted of it: the probability of every class, shape (classes,).

    `pred` is `NO_CLASS` where outputs are not finite. `size` is 0 of the picture as it is.
    """

    picture: Image.Image
    size: float
    position: Position | None
    pred: int
    prob: NDArray[np.floating]

    def top(self, n: int) -> list[int]:
        """Return the classes that are likeliest, at most so many."""
        order: list[int] = np.argsort(-self.prob, kind="stable")[:n].tolist()
        return order


def predicted_with(
    classifier: Classifier,
    picture: Image.Image,
    patch: Image.Image,
    sizes: Sequence[float],
    positions: Sequence[Position],
) -> Iterator[Predicted]:
    """Yield what is predicted of a picture as it is, then with a patch, one input at a time.

    Raises:
        UserCodeFailed, OutOfMemory: The network raised something.
    """
    yield _predicted(classifier, picture, 0.0, None)
    for size in filter(None, sizes):
        for position in positions:
            changed = pasted(picture, patch, size=size, position=position)
            yield _predicted(classifier, changed, size, position)


def _predicted(
    classifier: Classifier, picture: Image.Image, size: float, position: Position | None
) -> Predicted:
    with classifier.ready() as outputs:
        logits = outputs([input_of(classifier.preparation, picture)]).logits
    none = np.array([NO_CLASS], np.int32)
    scores = score(logits, none, topk=1, bias=classifier.reading.bias)
    if not scores.finite[0]:
        nothing = np.full(logits.shape[1], np.nan)
        return Predicted(picture, size, position, NO_CLASS, nothing)
    values = logits[0].astype(np.float64)
    prob = np.exp(values - np.logaddexp.reduce(values))
    return Predicted(picture, size, position, int(scores.pred[0]), prob)
