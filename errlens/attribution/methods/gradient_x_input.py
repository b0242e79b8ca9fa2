"""Gradient times input: what each pixel adds to the score of a network that were linear.

A. Shrikumar, P. Greenside, A. Kundaje, "Learning Important Features Through Propagating Activation
Differences", ICML 2017, section 3.
"""

from typing import Final

from torch import Tensor

from errlens.attribution.card import Card
from errlens.attribution.explained_model import (
    ExplainedModel,
    Maps,
    MethodSettings,
    Targets,
    input_gradients,
)

SUMMARY: Final = "what each pixel would add to the score if the network were linear; signed"
CARD: Final = Card(
    means="What a pixel adds to the score if the network were the straight line that touches "
    "it here.",
    lies="Black (the zero of the input as fed) never counts, whatever it shows; activations "
    "that are off hide what would matter if they were on.",
    paper="A. Shrikumar, P. Greenside, A. Shcherbina, A. Kundaje, 2016, Not Just a Black Box,"
    " arXiv 1605.01713.",
    unit="logits",
)


def explain(
    model: ExplainedModel, images: Tensor, targets: Targets, settings: MethodSettings
) -> Maps:
    """Return gradient times input as fed, summed over channels, in logits.

    Compared with is an input of zeros, which after normalisation is the mean colour.
    """
    del settings
    scores, slopes = input_gradients(model, images, targets)
    return Maps((slopes * images.unsqueeze(1)).sum(dim=2), scores, baseline="mean colour")
