"""Finer-CAM: what tells the target from the classes that come nearest to it.

Z. Zhang, J. Gu, A. Chowdhury, Z. Mai, D. Carlyn, T. Berger-Wolf, Y. Su, W.-L. Chao, "Finer-CAM:
Spotting the Difference Reveals Finer Details for Visual Explanation", CVPR 2025: Grad-CAM of the
target's score less those of several similar classes, at full strength of the comparison.
"""

from typing import Final

import torch
from torch import Tensor

from errlens.attribution.card import Card
from errlens.attribution.explained_model import (
    ExplainedModel,
    Maps,
    MethodSettings,
    Targets,
    scores_of,
)
from errlens.attribution.methods._at_layer import look, without_layer

SUMMARY: Final = "as grad-cam, what tells the target from its nearest classes; coarse, signed"
CARD: Final = Card(
    means="What tells the class from those most like it, rather than what speaks for it: the "
    "back of a bird and not the whole bird.",
    lies="It is about the classes that it is held against; where these are no neighbours of "
    "the class it shows little more than Grad-CAM.",
    paper="Z. Zhang et al., CVPR 2025, Finer-CAM.",
    unit="logits, with a pooled linear head; else it compares places of one image",
)
ADDS_UP: Final = False

RIVALS: Final = 3  # as in the paper


unsupported = without_layer


def explain(
    model: ExplainedModel,
    images: Tensor,
    targets: Targets,
    settings: MethodSettings,
) -> Maps:
    """Return Grad-CAM of the score less the weighted mean score of its rivals.

    Rivals are the three other classes with the highest scores in the image, weighted by their
    probabilities among themselves: whatever the target, also one that the network has dismissed,
    they are what it would have to win against. Of a difference of two scores the rival is the
    second, so that the map is that of Grad-CAM.
    """
    del settings
    seen = look(model, images, targets, compared=above_rivals)
    weights = seen.slopes.mean(dim=(3, 4), keepdim=True)
    return seen.maps(model, (weights * seen.activation).sum(dim=2), unit="logits (Finer-CAM)")


def above_rivals(logits: Tensor, targets: Targets) -> Tensor:
    """Return how far targets are above their rivals, shape (n, t), from (n, classes) logits.

    >>> from errlens.maps import Target
    >>> logits = torch.tensor([[5.0, 1.0, 1.0, 1.0, -9.0]])
    >>> above_rivals(logits, [[Target("predicted", 0), Target("difference", 0, 4)]])
    tensor([[ 4., 14.]])
    """
    others = logits.detach().unsqueeze(1).repeat(1, len(targets[0]), 1)
    for of_image, row in zip(targets, others, strict=True):
        for target, scores in zip(of_image, row, strict=True):
            scores[target.wanted] = float("-inf")
    highest = others.topk(min(RIVALS, logits.shape[1] - 1), dim=2)
    weights = highest.values.softmax(dim=2)
    rivals = logits.gather(1, highest.indices.flatten(1)).reshape(weights.shape)
    alone = [[target.against is None for target in of_image] for of_image in targets]
    held_against = (weights * rivals).sum(dim=2) * torch.tensor(alone, device=logits.device)
    return scores_of(logits, targets) - held_against
