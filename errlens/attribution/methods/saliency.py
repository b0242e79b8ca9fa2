"""Saliency: how much the score changes with each pixel, either way.

K. Simonyan, A. Vedaldi, A. Zisserman, "Deep Inside Convolutional Networks", ICLR workshop 2014.
"""

from typing import Final

from torch import Tensor

from errlens.attribution.card import Card
from errlens.attribution.explained_model import (
    PER_PIXEL,
    ExplainedModel,
    Maps,
    MethodSettings,
    Targets,
    input_gradients,
)

SUMMARY: Final = "how much the score changes with each pixel, the strongest channel; unsigned"
CARD: Final = Card(
    means="How much the score changes with a pixel, in either direction: the largest slope of"
    " its channels.",
    lies="Edges and noise are often strong whatever is shown; it cannot tell what speaks for"
    " a class from what speaks against it.",
    paper="K. Simonyan, A. Vedaldi, A. Zisserman, 2014, Deep Inside Convolutional Networks, "
    "arXiv 1312.6034.",
    unit="logits per unit of input",
)
ADDS_UP: Final = False


def explain(
    model: ExplainedModel, images: Tensor, targets: Targets, settings: MethodSettings
) -> Maps:
    """Return the largest absolute gradient of the channels, in logits per unit of the input."""
    del settings
    scores, slopes = input_gradients(model, images, targets)
    return Maps(slopes.abs().amax(dim=2), scores, unit=PER_PIXEL, signed=False)
