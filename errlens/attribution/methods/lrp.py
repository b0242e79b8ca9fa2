"""Layer-wise relevance propagation: the score, shared out among the pixels layer by layer.

S. Bach et al., "On Pixel-Wise Explanations for Non-Linear Classifier Decisions by Layer-Wise
Relevance Propagation", PLOS ONE 2015, equations 1 and 2: each layer hands on what relevance it got,
and none gets lost. Rules:

- Convolutions share by the gamma rule (G. Montavon et al., "Layer-Wise Relevance Propagation: An
  Overview", in "Explainable AI", 2019, section 10.2), of which gamma is 0.25, here also for inputs
  and outputs that are negative. A batch norm is folded into the convolution before it. Products
  with a matrix share by the epsilon rule, with none, for nothing is divided by a value near zero.
- Other operations follow R. Achtibat et al., "AttnLRP: Attention-Aware Layer-Wise Relevance
  Propagation for Transformers", ICML 2024: activations hand on all they got, a product halves,
  a softmax has its own gradient (its Taylor rule), what norms divide by is held constant.
- Of a signal and the sigmoid that it is multiplied with, as in squeeze-excite, the signal takes
  all. Sums of branches share by sign and size, maxima give all to the largest.

Biases take their share as inputs do, and keep it, and a softmax does not conserve. What did not
arrive at the pixels is said beside the map as absorbed: a map and that add up to the score.
"""

from typing import Final

import torch
from torch import Tensor

from errlens.attribution.card import Card
from errlens.attribution.explained_model import (
    ExplainedModel,
    Maps,
    MethodSettings,
    Targets,
    gradients,
    scores_of,
)
from errlens.attribution.operations.following import no_rule, ruled_logits
from errlens.attribution.relevance.rules import STEPS, Relevance
from errlens.maps import Target

SUMMARY: Final = "how the score is shared among pixels, layer by layer; signed"
CARD: Final = Card(
    means="How the score is shared out to the pixels, layer by layer, each unit passing on "
    "what it got in proportion to what came in.",
    lies="What biases take is in no pixel (absorbed in the index says how much); other rules"
    " give other maps, and strong edges of the object count more than its inside.",
    paper="S. Bach et al., PLOS ONE 2015; G. Montavon et al., 2019; R. Achtibat et al., ICML "
    "2024 (AttnLRP).",
    unit="logits",
)
ADDS_UP: Final = True


def unsupported(model: ExplainedModel) -> str | None:
    """Say that the scores have no gradient, or that the network computes what has no rule."""
    return no_rule(model, lambda grey: relevance(model, grey, [[Target("any", 0)]], Relevance()))


def explain(
    model: ExplainedModel,
    images: Tensor,
    targets: Targets,
    settings: MethodSettings,
) -> Maps:
    """Return the relevance of pixels, summed over channels, in logits.

    Raises:
        Unruled: The network computes what there is no rule for.
    """
    del settings
    return relevance(model, images, targets, Relevance())


def relevance(model: ExplainedModel, images: Tensor, targets: Targets, rules: Relevance) -> Maps:
    """Return the relevance of pixels by some rules, as `explain` does by those it has chosen."""
    leaf = images.detach().clone().requires_grad_()
    with torch.enable_grad():
        scores = scores_of(ruled_logits(model, leaf, rules, steps=STEPS), targets)
        slopes = gradients(scores, leaf)
    values = (slopes * images.unsqueeze(1)).sum(dim=2)
    scores = scores.detach()
    return Maps(values, scores, absorbed=scores - values.sum(dim=(2, 3)))
