"""The smallest part of an image that, hidden, turns the wrong class into the right one."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final, NamedTuple, get_args

import numpy as np
import torch
from torch import Tensor

from errlens.attribution.explained_model import ExplainedModel, MethodSettings, borrowed
from errlens.attribution.masks import Box, Sweep, fill, logits_under, sweep
from errlens.choices import Fill

SHARES: Final = (0.1, 0.15, 0.2, 0.3, 0.4)  # of the shorter side, tried in this order
CONFIRMATIONS: Final = 2  # other fills that must turn the prediction, too


class Cover(NamedTuple):
    """A part of an image that makes the network wrong, as long as it can be seen.

    `confirmed_by` are the other fills that turn the prediction, too. `before` and `after` are the
    probabilities of the wrong and the right class. `hidden` is the image with its part hidden,
    shape (channels, height, width).
    """

    box: Box
    confirmed_by: tuple[Fill, ...]
    before: tuple[float, float]
    after: tuple[float, float]
    hidden: Tensor


def smallest_cover(
    model: ExplainedModel, image: Tensor, wrong: int, right: int, settings: MethodSettings
) -> Cover | None:
    """Return the smallest square that, hidden, turns the predicted class `wrong` into `right`.

    Squares of several sizes move by half of their side, whatever mask and stride the settings ask
    for; clipped at an edge they are less than a square, and so smaller. What a fill does might be
    its own colour speaking: two other fills must do it, too.

    Args:
        model: The network; it is given back as it was.
        image: Shape (channels, height, width).
        wrong: The class predicted.
        right: The class wished for.
        settings: `fill` is what hides first.

    Returns:
        None where there is none, or the network does not predict `wrong` in the first place.
    """
    if wrong == right:
        raise ValueError("a class cannot be turned into itself")
    side = min(image.shape[1:])
    sizes = sorted({max(1, round(share * side)) for share in SHARES})
    with borrowed(model.module):
        for of_size in (replace(settings, mask=str(size), stride=None) for size in sizes):
            swept = sweep(model, image, of_size)
            if int(model.reading.ranked(swept.base).argmax()) != wrong:
                return None
            for row, column, agreed in _confirmed(model, image, swept, right, of_size):
                box = Box(*swept.boxes[row, column].tolist())
                logits = torch.stack([swept.base, swept.logits[row, column]])
                before, after = logits.softmax(dim=1)[:, [wrong, right]].tolist()
                hidden = _hidden(image, fill(model, image, of_size), box)
                return Cover(box, agreed, tuple(before), tuple(after), hidden)
    return None


def _confirmed(
    model: ExplainedModel, image: Tensor, swept: Sweep, right: int, settings: MethodSettings
) -> Iterator[tuple[int, int, tuple[Fill, ...]]]:
    """Yield row and column of masks that turn the prediction, with the other fills that do so."""
    turning = _turning(swept, right)
    if not turning:
        return
    names: list[Fill] = [name for name in get_args(Fill) if name != settings.fill]
    filled = [fill(model, image, replace(settings, fill=name)) for name in names]
    for row, column in turning:
        box = Box(*swept.boxes[row, column].tolist())
        logits = logits_under(
            model, image, [(box, hiding) for hiding in filled], settings.batch_size
        )
        turned = (model.reading.ranked(logits).argmax(dim=1) == right).tolist()
        agreed = tuple(name for name, turns in zip(names, turned, strict=True) if turns)
        if len(agreed) >= CONFIRMATIONS:
            yield row, column, agreed


def _turning(swept: Sweep, right: int) -> list[tuple[int, int]]:
    """Return row and column of the masks under which a class is predicted, the smallest first.

    Of two of a size that which makes the class stand out more.
    """
    top, left, bottom, end = np.moveaxis(swept.boxes, 2, 0)
    areas = (bottom - top) * (end - left)
    first, second = swept.logits.topk(2, dim=2).values.unbind(dim=2)
    margins = (first - second).cpu().numpy()
    places = np.argwhere(swept.predicted() == right)
    order = np.lexsort((-margins[tuple(places.T)], areas[tuple(places.T)]))
    return [(row, column) for row, column in places[order].tolist()]


def _hidden(image: Tensor, filled: Tensor, box: Box) -> Tensor:
    hidden = image.clone()
    part = (slice(None), slice(box.top, box.bottom), slice(box.left, box.right))
    hidden[part] = filled[part]
    return hidden
