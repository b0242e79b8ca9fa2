"""Gradient times input: what each pixel adds to the score of a network that were linear.

A. Shrikumar, P. Greenside, A. Kundaje, "Learning Important Features Through Propagating Activation
Differences", ICML 2017, section 3.
"""

from collections.abc import Sequence
from typing import Final

from torch import Tensor

from errlens.attribution.explained_model import (
    ExplainedModel,
    Maps,
    MethodSettings,
    input_gradients,
)
from errlens.maps import Target

SUMMARY: Final = "what each pixel would add to the score if the network were linear; signed"
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
    """Return gradient times input as fed, summed over channels, in logits.

    Compared with is an input of zeros, which after normalisation is the mean colour.
    """
    del settings
    scores, slopes = input_gradients(model, images, targets)
    return Maps((slopes * images.unsqueeze(1)).sum(dim=2), scores, baseline="mean colour")
