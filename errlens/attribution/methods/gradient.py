"""The plain gradient: how the score changes with each pixel.

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

SUMMARY: Final = "how the score changes with each pixel, channels added up; signed"
CARD: Final = Card(
    means="How much the score would change if a pixel became a little brighter: the slope at "
    "this image, summed over channels.",
    lies="Where a class is certain the slope is small even on the object, and it is noisy "
    "where activations are off; its sign is that of the input as fed.",
    paper="K. Simonyan, A. Vedaldi, A. Zisserman, 2014, Deep Inside Convolutional Networks, "
    "arXiv 1312.6034.",
    unit="logits per unit of input",
)


def explain(
    model: ExplainedModel, images: Tensor, targets: Targets, settings: MethodSettings
) -> Maps:
    """Return the gradient summed over channels, in logits per unit of the input as fed."""
    del settings
    scores, slopes = input_gradients(model, images, targets)
    return Maps(slopes.sum(dim=2), scores, unit=PER_PIXEL)
