"""Occlusion: how far the score falls when a part of the image is hidden.

M. D. Zeiler, R. Fergus, "Visualizing and Understanding Convolutional Networks", ECCV 2014, section
4.2; mask, stride and clipping by default as in MATLAB's occlusionSensitivity.
"""

from typing import Final

import torch
from torch import Tensor

from errlens.attribution.card import Card
from errlens.attribution.explained_model import ExplainedModel, Maps, MethodSettings, Targets
from errlens.attribution.shared_sweeps import shared_sweep

SUMMARY: Final = "how far the score falls when a part is hidden; for any network, signed"
CARD: Final = Card(
    means="How far the score falls when a square of the image is hidden, for any network; "
    "positive where hiding hurts.",
    lies="Two places that say the same are both shown as needless; a grey square is a thing "
    "of its own, and its size decides what can be seen.",
    paper="M. D. Zeiler, R. Fergus, ECCV 2014, Visualizing and Understanding Convolutional "
    "Networks, section 4.2.",
    unit="logits, or a probability where that is asked for",
)


def unsupported(model: ExplainedModel) -> str | None:
    """Any network can be shown a part of an image."""
    del model
    return None


def explain(
    model: ExplainedModel, images: Tensor, targets: Targets, settings: MethodSettings
) -> Maps:
    """Return how far the score falls under each mask, one value for each place of the mask.

    Positive: hiding it lowers the score, so it speaks for the target. All targets of an image are
    read from one sweep.

    Raises:
        UnfitOption: Mask or stride do not fit the image.
    """
    probability = settings.probability
    values, scores = [], []
    for image, of_image in zip(images, targets, strict=True):
        swept = shared_sweep(model, image, settings)
        values.append(swept.drops(of_image, probability=probability))
        scores.append(swept.scores(of_image, probability=probability))
    return Maps(
        torch.stack(values), torch.stack(scores), baseline=settings.fill, unit=settings.score_unit
    )
