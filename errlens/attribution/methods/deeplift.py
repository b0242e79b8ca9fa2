"""DeepLIFT: what each pixel adds to the score, less that of a black image, in one pass back.

A. Shrikumar, P. Greenside, A. Kundaje, "Learning Important Features Through Propagating Activation
Differences", ICML 2017: multipliers (equation 3) by the chain rule (equation 4), with the linear
rule and the rescale rule (section 3.5.2, equation 11); not reveal-cancel, which treats positive
and negative parts apart, and has no more than two of them for activations alone. The paper knows
layers and activations. Of other operations:

- A product hands on to each factor by the mean of the other, for d(xy) = dx (y + y0) / 2 + dy (x +
  x0) / 2. Attention is two of them around a softmax.
- Softmax is exp(x - log(sum(exp(x)))), three functions of single values with the rescale rule.
- Layer, group and RMS norm are centring, squares, the root of their mean, and a product.
- A maximum hands on a rise to the place that is the largest of the image, and a fall to the one
  that is the largest of the baseline, as captum and SHAP do.

Each is complete: a map adds up to the difference of the scores.
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
from errlens.attribution.multipliers.baseline import Baseline, Following, baseline_of
from errlens.attribution.multipliers.rescale import STEPS, Rescale
from errlens.attribution.operations.following import no_rule, ruled_logits
from errlens.errors import Unlike
from errlens.maps import Target

SUMMARY: Final = "what each pixel adds to the score of black, in one pass; signed, adds up to it"
CARD: Final = Card(
    means="What a pixel adds to the score against a black image, each activation counted by "
    "its whole change; the map adds up to the difference of the two scores.",
    lies="What is as dark as the baseline gets nothing; effects that cancel inside of the "
    "network cancel in the map.",
    paper="A. Shrikumar, P. Greenside, A. Kundaje, ICML 2017, Learning Important Features "
    "Through Propagating Activation Differences.",
    unit="logits",
)
ADDS_UP: Final = True

BASELINE: Final = "black"


def unsupported(model: ExplainedModel) -> str | None:
    """Say that the scores have no gradient, or that something computed has no rule."""

    def follow(grey: Tensor) -> None:
        _explain(model, grey, [[Target("any", 0)]], _baseline(model, grey))

    return no_rule(model, follow)


def explain(
    model: ExplainedModel,
    images: Tensor,
    targets: Targets,
    settings: MethodSettings,
) -> Maps:
    """Return differences from black times their multipliers, summed over channels, in logits.

    A map should add up to the score less that of the baseline; how far it is from that is its gap,
    which no more than rounding makes, but where the network asks of its image what has no
    gradient, and computes by the answer.

    Raises:
        Unruled: The network computes what there is no rule for.
    """
    size = settings.batch_size
    baseline = _baseline(model, images[:1])
    parts = [
        _explain(model, images[at : at + size], targets[at : at + size], baseline)
        for at in range(0, len(images), size)
    ]
    values, scores, totals = (torch.cat(part) for part in zip(*parts, strict=True))
    return Maps(values, scores, totals, baseline=BASELINE)


def _baseline(model: ExplainedModel, images: Tensor) -> Baseline:
    return baseline_of(model.logits, _black(model, images))


def _black(model: ExplainedModel, images: Tensor) -> Tensor:
    return model.black.reshape(1, -1, 1, 1).to(images).expand_as(images)


def _explain(
    model: ExplainedModel,
    images: Tensor,
    targets: Targets,
    baseline: Baseline,
) -> tuple[Tensor, Tensor, Tensor]:
    """Return maps, scores, and by how much these differ from those of the baseline."""
    try:
        return _rescaled(model, images, targets, baseline)
    except Unlike:
        if len(images) == 1:
            raise
    # The network folds images and places into one dimension, as windows of attention are.
    return _rescaled(model, images, targets, _baseline(model, images))


def _rescaled(
    model: ExplainedModel,
    images: Tensor,
    targets: Targets,
    baseline: Baseline,
) -> tuple[Tensor, Tensor, Tensor]:
    leaf = images.detach().clone().requires_grad_()
    with torch.enable_grad():
        following = Following(baseline.calls)
        logits = ruled_logits(model, leaf, Rescale(following), steps=STEPS)
        following.end()
        scores = scores_of(logits, targets)
        multipliers = gradients(scores, leaf)
    values = (multipliers * (images - _black(model, images)).unsqueeze(1)).sum(dim=2)
    before = scores_of(baseline.result.expand_as(logits), targets)
    return values, scores.detach(), scores.detach() - before
