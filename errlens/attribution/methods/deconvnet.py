"""Deconvnet: a score sent backwards through transposed filters, rectified as it goes.

M. D. Zeiler, R. Fergus, "Visualizing and Understanding Convolutional Networks", ECCV 2014, section
2.1: a rectifier passes the gradient g on where g > 0, whatever it got itself, and max pooling sends
it to the place that was the largest, so that pooling alone, or products, know of the image.
"""

from typing import Final

from torch import Tensor

from errlens.attribution.card import Card
from errlens.attribution.explained_model import ExplainedModel, Maps, MethodSettings, Targets
from errlens.attribution.operations.rectifiers import (
    no_rectifier,
    rectified_gradients,
    rectifiers_alone,
)

SUMMARY: Final = "the score sent back, rectified; depends little on the class; signed"
CARD: Final = Card(
    means="A drawing of what the strongest activations answer to, made by running the network"
    " backwards.",
    lies="It depends on the pooling switches of the image more than on the class, and "
    "redraws edges whatever is asked.",
    paper="M. D. Zeiler, R. Fergus, ECCV 2014, Visualizing and Understanding Convolutional "
    "Networks, section 2.",
    unit="logits per unit of input, with negative parts cut at every rectifier",
)
ADDS_UP: Final = False
CAVEAT: Final = "depends little on the class"

SAME: Final = (
    "its map would be the same for every image: rectifiers do not tell this method where something "
    "was, and the network has no max pooling, which would"
)


def unsupported(model: ExplainedModel) -> str | None:
    """Say that no rectifier lies on its maps, or that nothing of the image would be seen."""
    if reason := no_rectifier(model):
        return reason
    return SAME if rectifiers_alone(model) else None


def explain(
    model: ExplainedModel, images: Tensor, targets: Targets, settings: MethodSettings
) -> Maps:
    """Return what arrives, summed over channels: without a unit but that of this network."""
    del settings
    scores, slopes = rectified_gradients(model, images, targets, deconvolved)
    return Maps(slopes.sum(dim=2), scores, unit="rectified gradient")


def deconvolved(passed: Tensor, arriving: Tensor) -> Tensor:
    """Return what a rectifier passes on."""
    del passed
    return arriving.clamp(min=0)
