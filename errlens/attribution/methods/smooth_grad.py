"""SmoothGrad: the gradient, averaged over noisy copies of the image.

D. Smilkov, N. Thorat, B. Kim, F. Viégas, M. Wattenberg, "SmoothGrad: removing noise by adding
noise", 2017, equation 1.
"""

from collections.abc import Sequence
from typing import Final

import torch
from torch import Tensor

from errlens.attribution.explained_model import (
    PER_PIXEL,
    ExplainedModel,
    Maps,
    MethodSettings,
    input_gradients,
    scores_of,
)
from errlens.maps import Target

SUMMARY: Final = "the gradient without its noise: averaged over noisy copies; signed"
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
