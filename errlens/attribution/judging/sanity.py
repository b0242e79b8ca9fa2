"""Sanity of maps: do they change when what the network has learnt is destroyed?

Randomisation, cascading from the output down: J. Adebayo et al., "Sanity Checks for Saliency
Maps", NeurIPS 2018.
"""

from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import replace
from itertools import groupby
from math import ceil
from typing import Final, NamedTuple

import numpy as np
import torch
from scipy.stats import spearmanr
from torch import Tensor, nn

from errlens.attribution.batch import Explained, explain_batch
from errlens.attribution.explained_model import ExplainedModel, MethodSettings
from errlens.maps import Attribution, Target

MOST_STAGES: Final = 6


class Similarity(NamedTuple):
    """How much maps are still those of before when a network is random from the output to a layer.

    The mean of absolute rank correlations, 0 to 1; without a map to compare not a number. That of
    unrelated maps is not zero: with n independent values each it is about 0.8 / sqrt(n - 1), 0.2
    for a grid of 4 x 4, and more where neighbours resemble each other.
    """

    layer: str
    similarity: float


def cascading_randomisation(
    name: str,
    model: ExplainedModel,
    images: Tensor,
    class_indices: Sequence[int],
    settings: MethodSettings,
    *,
    only_last: bool = False,
    advance: Callable[[int], None] = lambda _step: None,
) -> list[Similarity]:
    """Randomise a copy of a network, from the output down, and compare its maps with the network's.

    Images without a map, or with one of a single value, are left out.

    Args:
        name: The method.
        model: The network; it is left as it was.
        images: Inputs as the network takes them, shape (n, channels, height, width).
        class_indices: The class explained of each image, the one that was predicted.
        settings: Options of methods.
        only_last: Compare after the last stage alone, which is all that costs time.
        advance: Is told each time that maps of all images were made; that is `times_made`.

    Returns:
        One for each stage, at most six, or of the last one. After the last one nothing is left of
        what was learnt but the values of each tensor in another order, and the statistics of batch
        normalisations.

    Raises:
        UnfitMethod: The method cannot explain this network.
    """
    before = _maps(name, model, images, class_indices, settings)
    advance(1)
    # What was swept with other weights is no use to it.
    copy = replace(model, module=deepcopy(model.module), kept_sweeps=None)
    random = torch.Generator().manual_seed(settings.seed)
    similarities = []
    stages = list(_stages(copy.module))
    for layer, weights in stages:
        for weight in weights:
            _shuffle(weight, random)
        if only_last and layer != stages[-1][0]:
            continue
        after = _maps(name, copy, images, class_indices, settings)
        advance(1)
        similarities.append(Similarity(layer, _similarity(before, after)))
    return similarities


def times_made(module: nn.Module, *, only_last: bool = False) -> int:
    """Return how often `cascading_randomisation` makes maps of all images."""
    return 2 if only_last else 1 + len(list(_stages(module)))


def _maps(
    name: str,
    model: ExplainedModel,
    images: Tensor,
    class_indices: Sequence[int],
    settings: MethodSettings,
) -> list[Explained]:
    targets = [[Target("predicted", index)] for index in class_indices]
    size = settings.batch_size
    batches = (slice(start, start + size) for start in range(0, len(images), size))
    return [
        explained
        for some in batches
        for explained in explain_batch(name, model, images[some], targets[some], settings)
    ]


def _stages(module: nn.Module) -> Iterator[tuple[str, list[nn.Parameter]]]:
    """Yield parameters with the name of the layer of the last ones, from the output down.

    First the last layer, then the others in equal parts. Every parameter is in one: those that
    belong to the network itself, like the embeddings of positions, too.
    """
    named = reversed(list(module.named_parameters()))
    by_layer = groupby(named, key=lambda pair: pair[0].rpartition(".")[0])
    layers = [list(weights) for _, weights in by_layer]
    head, rest = layers[:1], layers[1:]
    size = max(1, ceil(len(rest) / (MOST_STAGES - 1)))
    parts = [rest[start : start + size] for start in range(0, len(rest), size)]
    for part in filter(None, [head, *parts]):
        last = part[-1][-1][0]
        weights = [weight for layer in part for _, weight in layer]
        yield last.rpartition(".")[0] or last, weights


@torch.no_grad()
def _shuffle(weight: Tensor, random: torch.Generator) -> None:
    """Put the values of a tensor in another order, if there is one: their scale stays."""
    values = weight.flatten()
    mixed = values[torch.randperm(len(values), generator=random).to(values.device)]
    if torch.equal(mixed, values):
        mixed = values.roll(1)  # changes all but equal values
    weight.copy_(mixed.reshape(weight.shape))


def _similarity(before: Sequence[Explained], after: Sequence[Explained]) -> float:
    """Return the mean absolute rank correlation of the maps that have one."""
    pairs = [
        (old.values, new.values)
        for (old,), (new,) in zip(before, after, strict=True)
        if isinstance(old, Attribution) and isinstance(new, Attribution)
    ]
    correlations = [
        abs(float(spearmanr(old, new, axis=None).statistic))
        for old, new in pairs
        if np.ptp(old) > 0 and np.ptp(new) > 0
    ]
    return float(np.mean(correlations)) if correlations else float("nan")
