"""Saliency: how much the score changes with each pixel, either way.

K. Simonyan, A. Vedaldi, A. Zisserman, "Deep Inside Convolutional Networks", ICLR workshop 2014.
"""

from typing import Final

from torch import Tensor

from errlens.attribution.explained_model import (
    PER_PIXEL,
    ExplainedModel,
    Maps,
    MethodSettings,
    Targets,
    input_gradients,
)

SUMMARY: Final = "how much the score changes with each pixel, the strongest channel; unsigned"
ADDS_UP: Final = False


def explain(
    model: ExplainedModel, images: Tensor, targets: Targets, settings: MethodSettings
) -> Maps:
    """Return the largest absolute gradient of the channels, in logits per unit of the input."""
    del settings
    scores, slopes = input_gradients(model, images, targets)
    return Maps(slopes.abs().amax(dim=2), scores, unit=PER_PIXEL, signed=False)
