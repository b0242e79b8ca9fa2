"""The plain gradient: how the score changes with each pixel.

K. Simonyan, A. Vedaldi, A. Zisserman, "Deep Inside Convolutional Networks", ICLR workshop 2014.
"""

from collections.abc import Sequence
from typing import Final

from torch import Tensor

from errlens.attribution.explained_model import (
    PER_PIXEL,
    ExplainedModel,
    Maps,
    MethodSettings,
    input_gradients,
)
from errlens.maps import Target

SUMMARY: Final = "how the score changes with each pixel, channels added up; signed"
ADDS_UP: Final = True


def unsupported(model: ExplainedModel) -> str | None:
    """Say that the scores of the network have no gradient."""
    return model.no_gradient


def explain(
    model: ExplainedModel,
    images: Tensor,
    targets: Sequence[Sequence[Target]],
    settings: MethodSettings,
) -> Maps:
    """Return the gradient summed over channels, in logits per unit of the input as fed."""
    del settings
    scores, slopes = input_gradients(model, images, targets)
    return Maps(slopes.sum(dim=2), scores, unit=PER_PIXEL)
