"""Explain a batch of images: from inputs to maps that know what they are."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from torch import Tensor

from errlens.attribution.explained_model import (
    ExplainedModel,
    Maps,
    MethodSettings,
    Targets,
    borrowed,
)
from errlens.attribution.methods import Method, load_method
from errlens.errors import UnfitMethod
from errlens.maps import Attribution, NoMap, Target

Explained = list[Attribution | NoMap]


def explain_batch(
    name: str,
    model: ExplainedModel,
    images: Tensor,
    targets: Targets,
    settings: MethodSettings,
) -> list[Explained]:
    """Return a map of each target of each image, or the reason why there is none.

    The map of a difference costs nothing where both its ends are asked for, too, and the method is
    one whose maps add up, unless each says how well it fits, which a difference of maps cannot.

    Args:
        name: The method.
        model: The network; it is given back as it was.
        images: Inputs as the network takes them, shape (n, channels, height, width).
        targets: One list for each image, all of the same length.
        settings: Options of methods.

    Raises:
        UnfitMethod: The method cannot explain this network.
    """
    method = load_method(name)
    ends = _ends(targets) if method.adds_up and not method.has_fit else {}
    asked = [place for place in range(len(targets[0])) if place not in ends]
    wanted = [[of_image[place] for place in asked] for of_image in targets]
    maps = _maps(name, method, model, images, wanted, settings)
    maps = maps._replace(unit=maps.unit.replace("logits", model.reading.unit))
    by_place = [
        {
            place: _attribution(name, maps, row, at, of_image[place])
            for at, place in enumerate(asked)
        }
        for row, of_image in enumerate(targets)
    ]
    for of_image, known in zip(targets, by_place, strict=True):
        for place, (plus, minus) in ends.items():
            known[place] = _difference(known[plus], known[minus], of_image[place])
    return [[known[place] for place in sorted(known)] for known in by_place]


def _maps(
    name: str,
    method: Method,
    model: ExplainedModel,
    images: Tensor,
    targets: Targets,
    settings: MethodSettings,
) -> Maps:
    with borrowed(model.module):
        if reason := method.unsupported(model):
            raise UnfitMethod(name, reason)
        return method.explain(model, images, targets, settings)


def _ends(targets: Targets) -> dict[int, tuple[int, int]]:
    """Return the places of differences with the places of the two scores that they are made of."""
    ends = {}
    for place in range(len(targets[0])):
        for plus in range(len(targets[0])):
            for minus in range(len(targets[0])):
                if all(_is_difference(of_image, place, plus, minus) for of_image in targets):
                    ends[place] = (plus, minus)
    return ends


def _is_difference(targets: Sequence[Target], place: int, plus: int, minus: int) -> bool:
    difference = targets[place]
    return (
        difference.against is not None
        and (targets[plus].wanted, targets[plus].against) == (difference.wanted, None)
        and (targets[minus].wanted, targets[minus].against) == (difference.against, None)
    )


def _difference(
    plus: Attribution | NoMap, minus: Attribution | NoMap, target: Target
) -> Attribution | NoMap:
    for end in (plus, minus):
        if isinstance(end, NoMap):
            return end._replace(target=target)
    assert isinstance(plus, Attribution)  # noqa: S101 - for the type checker
    assert isinstance(minus, Attribution)  # noqa: S101
    total = None
    if plus.total is not None and minus.total is not None:
        total = plus.total - minus.total
    absorbed = None
    if plus.absorbed is not None and minus.absorbed is not None:
        absorbed = plus.absorbed - minus.absorbed
    return replace(
        plus,
        values=plus.values - minus.values,
        target=target,
        score=plus.score - minus.score,
        total=total,
        absorbed=absorbed,
    )


def _attribution(
    name: str, maps: Maps, row: int, place: int, target: Target
) -> Attribution | NoMap:
    values = maps.values[row, place].float().cpu().numpy()
    if not np.isfinite(values).all():
        return NoMap(name, target, maps.why_none)
    return Attribution(
        values,
        name,
        target,
        float(maps.scores[row, place]),
        maps.layer,
        maps.baseline,
        _known(maps.totals, row, place),
        maps.unit,
        maps.signed,
        maps.layer_words,
        _known(maps.absorbed, row, place),
        _known(maps.r_squared, row, place),
    )


def _known(numbers: Tensor | None, row: int, place: int) -> float | None:
    """Return a number of a map, where there is one."""
    if numbers is None or not numbers[row, place].isfinite():
        return None
    return float(numbers[row, place])
