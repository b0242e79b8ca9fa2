"""SmoothGrad: the gradient, averaged over noisy copies of the image.

D. Smilkov, N. Thorat, B. Kim, F. Viégas, M. Wattenberg, "SmoothGrad: removing noise by adding
noise", 2017, equation 1.
"""

from typing import Final

import torch
from torch import Tensor

from errlens.attribution.card import Card
from errlens.attribution.explained_model import (
    PER_PIXEL,
    ExplainedModel,
    Maps,
    MethodSettings,
    Targets,
    input_gradients,
    scores_of,
)

SUMMARY: Final = "the gradient without its noise: averaged over noisy copies; signed"
CARD: Final = Card(
    means="The gradient without most of its noise: the mean over copies of the image with "
    "noise on them.",
    lies="It explains the noisy images too; much noise shows what a blurred network would "
    "see, and unlike structure is averaged away.",
    paper="D. Smilkov et al., 2017, SmoothGrad, arXiv 1706.03825.",
    unit="logits per unit of input",
)


def explain(
    model: ExplainedModel, images: Tensor, targets: Targets, settings: MethodSettings
) -> Maps:
    """Return the mean gradient summed over channels, in logits per unit of the input as fed.

    The noise is Gaussian, its deviation a share of the range of each image. It depends on the seed
    alone: every image gets the same, whatever images are explained with it.
    """
    flat = images.flatten(1)
    deviation = settings.noise * (flat.amax(dim=1) - flat.amin(dim=1)).reshape(-1, 1, 1, 1)
    random = torch.Generator().manual_seed(settings.seed)
    total = images.new_zeros((len(images), len(targets[0]), *images.shape[2:]))
    samples = settings.samples_of("smooth-grad")
    for _ in range(samples):
        noise = torch.randn(images.shape[1:], generator=random, dtype=torch.float32).to(images)
        _, slopes = input_gradients(model, images + deviation * noise, targets)
        total += slopes.sum(dim=2)
    with torch.no_grad():
        scores = scores_of(model.logits(images), targets)
    return Maps(total / samples, scores, unit=PER_PIXEL)
