"""LIME: what each part of the image adds to the score, by a line through many hidden at random.

M. T. Ribeiro, S. Singh, C. Guestrin, "'Why Should I Trust You?': Explaining the Predictions of Any
Classifier", KDD 2016, equation 1: ridge regression of the score on which parts are shown, samples
weighted by exp(-D^2 / sigma^2) with the cosine distance D to the whole image. Kernel (its square
root, sigma 0.25), penalty (1), number of samples (1000) and the whole image as the first of them
are those of the authors' code; parts are superpixels of SLIC instead of quickshift.
"""

from typing import Final, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from errlens.attribution.card import Card
from errlens.attribution.explained_model import ExplainedModel, Maps, MethodSettings, Targets
from errlens.attribution.masks import fill, target_scores
from errlens.attribution.perturbations.linear_fit import LinearFit, ridge
from errlens.attribution.perturbations.mixtures import in_batches, mixed_logits, that_vary
from errlens.attribution.perturbations.superpixels import parts_in_words, superpixels

SUMMARY: Final = "what each part adds to the score, and how far that holds; for any network, signed"
CARD: Final = Card(
    means="What each superpixel adds to the score, by a linear model fitted to copies of the "
    "image with some of them hidden.",
    lies="Where R-squared is low the network is not linear in the superpixels and the map "
    "says little; another cut into superpixels gives another map.",
    paper="M. T. Ribeiro, S. Singh, C. Guestrin, KDD 2016, Why Should I Trust You?",
    unit="logits per superpixel",
)
ADDS_UP: Final = True
HAS_FIT: Final = True

KERNEL_WIDTH: Final = 0.25
PENALTY: Final = 1.0


class Hidden(NamedTuple):
    """An image with parts of it hidden, and what the network says then.

    `parts` is the part of each pixel, shape (height, width); `shown` which parts of a sample are,
    bool of shape (samples, parts), the first all; `logits` have the shape (samples, classes).
    """

    parts: NDArray[np.int64]
    shown: NDArray[np.bool_]
    logits: Tensor


def unsupported(model: ExplainedModel) -> str | None:
    """Any network can be shown a part of an image."""
    del model
    return None


def explain(
    model: ExplainedModel,
    images: Tensor,
    targets: Targets,
    settings: MethodSettings,
) -> Maps:
    """Return what each part adds to the score, in logits, at every pixel of the part.

    All targets of an image are read from the same samples. `Maps.r_squared` says which share of
    how the score varies such a sum explains; a score that does not vary has a map of zeros.
    """
    values, scores, fits = [], [], []
    for image, of_image in zip(images, targets, strict=True):
        hidden = hide_at_random(model, image, settings)
        of_samples = target_scores(hidden.logits, of_image, probability=settings.probability)
        fit = fitted(hidden.shown, of_samples)
        values.append(torch.from_numpy(fit.coefficients.T[:, hidden.parts]))
        fits.append(torch.from_numpy(fit.r_squared))
        scores.append(of_samples[0])
    return Maps(
        torch.stack(values).to(images.dtype),
        torch.stack(scores),
        baseline=f"{settings.fill} in {parts_in_words(*images.shape[2:])}",
        unit=f"{settings.score_unit} per part",
        r_squared=torch.stack(fits),
    )


def hide_at_random(model: ExplainedModel, image: Tensor, settings: MethodSettings) -> Hidden:
    """Hide each part of an image, of shape (channels, height, width), in about half of the samples.

    Which ones depends on the seed alone. Samples that look the same are shown to the network once.
    """
    filled, parts = fill(model, image, settings), superpixels(model, image)
    n = int(parts.max()) + 1
    random = np.random.default_rng(settings.seed)
    shown = random.integers(0, 2, (settings.samples_of("lime"), n)).astype(np.bool_)
    shown[0] = True
    changed = (image != filled).any(dim=0).cpu().numpy()
    changing = np.bincount(parts[changed], minlength=n) > 0
    looks, of_sample = np.unique(shown | ~changing, axis=0, return_inverse=True)
    places = torch.from_numpy(parts).to(image.device)
    masks = torch.from_numpy(looks).to(image)
    logits = [mixed_logits(model, image, filled, some[:, places])
              for some in in_batches(masks, settings.batch_size)]  # fmt: skip
    return Hidden(parts, shown, torch.cat(logits)[torch.from_numpy(of_sample.ravel())])


def fitted(shown: NDArray[np.bool_], scores: Tensor, *, penalty: float = PENALTY) -> LinearFit:
    """Fit scores, shape (samples, t), by which parts are shown, shape (samples, parts)."""
    varies = that_vary(scores).cpu().numpy()
    fit = ridge(
        shown.astype(np.float64),
        scores.cpu().double().numpy(),
        closeness(shown),
        penalty=penalty,
    )
    return LinearFit(fit.coefficients * varies, np.where(varies, fit.r_squared, np.nan))


def closeness(shown: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the weight of each sample: the more of the image is shown, the larger.

    >>> closeness(np.array([[True, True], [True, False], [False, False]])).round(3).tolist()
    [1.0, 0.503, 0.0]
    """
    distance = 1 - np.sqrt(shown.mean(axis=1))  # the cosine of two vectors of zeros and ones
    weights: NDArray[np.float64] = np.sqrt(np.exp(-((distance / KERNEL_WIDTH) ** 2)))
    return weights
