"""Guided backpropagation: the gradient along the ways that excite alone.

J. T. Springenberg, A. Dosovitskiy, T. Brox, M. Riedmiller, "Striving for Simplicity: The All
Convolutional Net", ICLR workshop 2015, figure 1: a rectifier that got x passes the gradient g on
where x > 0 and g > 0. It mostly restores the edges of the image, whatever the class: W. Nie,
Y. Zhang, A. B. Patel, "A Theoretical Explanation for Perplexing Behaviors of Backpropagation-based
Visualizations", ICML 2018.
"""

from typing import Final

from torch import Tensor

from errlens.attribution.card import Card
from errlens.attribution.explained_model import ExplainedModel, Maps, MethodSettings, Targets
from errlens.attribution.operations.rectifiers import no_rectifier, rectified_gradients

SUMMARY: Final = "the gradient through what excites alone; barely depends on the class; signed"
CARD: Final = Card(
    means="What in the image, sharply drawn, has passed all rectifiers on the way to a class.",
    lies="It barely depends on the class or on the later layers: it draws the edges that the"
    " network sees, and would with random weights. Never take it as evidence for one "
    "class against another.",
    paper="J. T. Springenberg et al., ICLR workshops 2015, Striving for Simplicity.",
    unit="logits per unit of input, with negative parts cut at every rectifier",
)
ADDS_UP: Final = False
CAVEAT: Final = "barely depends on the class"

unsupported = no_rectifier


def explain(
    model: ExplainedModel, images: Tensor, targets: Targets, settings: MethodSettings
) -> Maps:
    """Return the guided gradient summed over channels: without a unit but that of this network."""
    del settings
    scores, slopes = rectified_gradients(model, images, targets, guided)
    return Maps(slopes.sum(dim=2), scores, unit="guided gradient")


def guided(passed: Tensor, arriving: Tensor) -> Tensor:
    """Return what a rectifier passes on."""
    del arriving
    return passed.clamp(min=0)
