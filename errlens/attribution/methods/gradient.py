"""The plain gradient: how the score changes with each pixel.

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

SUMMARY: Final = "how the score changes with each pixel, channels added up; signed"


def explain(
    model: ExplainedModel, images: Tensor, targets: Targets, settings: MethodSettings
) -> Maps:
    """Return the gradient summed over channels, in logits per unit of the input as fed."""
    del settings
    scores, slopes = input_gradients(model, images, targets)
    return Maps(slopes.sum(dim=2), scores, unit=PER_PIXEL)
