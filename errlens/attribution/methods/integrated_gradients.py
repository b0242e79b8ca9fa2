"""Integrated gradients: the gradient, averaged on the way from a black image to this one.

M. Sundararajan, A. Taly, Q. Yan, "Axiomatic Attribution for Deep Networks", ICML 2017, equation 1.
"""

from typing import Final

import numpy as np
import torch
from torch import Tensor

from errlens.attribution.card import Card
from errlens.attribution.explained_model import (
    ExplainedModel,
    Maps,
    MethodSettings,
    Targets,
    input_gradients,
    scores_of,
)

SUMMARY: Final = "what each pixel adds to the score on the way from black; signed, adds up to it"
CARD: Final = Card(
    means="What a pixel adds to the score on the straight way from a black image; the map "
    "adds up to the difference of the two scores.",
    lies="What is as dark as the baseline gets nothing, as the black of a black dog; the way"
    " leads through images that nobody ever saw.",
    paper="M. Sundararajan, A. Taly, Q. Yan, ICML 2017, Axiomatic Attribution for Deep Networks.",
    unit="logits",
)

BASELINE: Final = "black"


def explain(
    model: ExplainedModel, images: Tensor, targets: Targets, settings: MethodSettings
) -> Maps:
    """Return the integral summed over channels, in logits.

    Gauss-Legendre quadrature. A map should add up to the score less that of the baseline; how far
    it is from that is its gap.
    """
    black = model.black.reshape(1, -1, 1, 1).to(images).expand_as(images)
    nodes, weights = np.polynomial.legendre.leggauss(settings.steps)
    n, t = len(images), len(targets[0])
    integral = images.new_zeros((n, t, *images.shape[1:]))
    for node, weight in zip((nodes + 1) / 2, weights / 2, strict=True):
        _, slopes = input_gradients(model, black + float(node) * (images - black), targets)
        integral += float(weight) * slopes
    values = (integral * (images - black).unsqueeze(1)).sum(dim=2)
    with torch.no_grad():
        scores = scores_of(model.logits(images), targets)
        totals = scores - scores_of(model.logits(black), targets)
    return Maps(values, scores, totals, baseline=BASELINE)
