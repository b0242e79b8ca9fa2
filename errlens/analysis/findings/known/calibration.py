"""The finding that confidences are off: in which direction, and the temperature that mends it."""

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax

from errlens.analysis.accuracy.temperature import FOLDS, MOST, temperature, temperatures
from errlens.analysis.findings.finding import RUN, Finding
from errlens.analysis.findings.scored import Scored
from errlens.analysis.statistics.intervals import wilson_interval
from errlens.formats import number, share, significant

LEAST_IMAGES: Final = 40
# A temperature this far from 1, and so much less loss, is worth a sentence.
LEAST_FACTOR: Final = 1.25
LEAST_SAVED: Final = 0.02
LEAST_SURE: Final = 3.0  # standard errors
_FAR: Final = 2.0


class Scaling(NamedTuple):
    """What dividing the logits by a temperature does.

    `temperature` is that of all images; `before` and `after` are mean NLLs, the latter of images
    that had no part in choosing the temperature; `error` is the standard error of their difference.
    """

    temperature: float
    before: float
    after: float
    error: float


def from_calibration(images: Scored, logits: NDArray[np.floating] | None) -> Iterator[Finding]:
    """Yield the finding that the model is too cautious or too sure of itself, if it is.

    Args:
        images: The images that are right or wrong.
        logits: Their scores, shape (n, classes); None where none were kept.
    """
    known = ~np.isnan(images.confidence)
    if logits is None or known.sum() < LEAST_IMAGES or logits.shape[1] < 2:
        return
    scaling = temperature_scaling(logits, images.label)
    if not _is_worth_telling(scaling):
        return
    mean = float(images.confidence[known].mean())
    right = float((~images.wrong[known]).mean())
    if _agrees(mean, int((~images.wrong[known]).sum()), int(known.sum())):
        return
    yield Finding(
        kind="calibration",
        statement=f"The model is {_direction(scaling.temperature)}: its mean confidence is "
        f"{share(mean)}, and {share(right)} are right; dividing the logits by "
        f"{significant(scaling.temperature)} takes NLL from {number(scaling.before)} to "
        f"{number(scaling.after)} on images held out.",
        evidence=f"{FOLDS}-fold cross-validation; standard error of the difference "
        f"{number(scaling.error)}",
        command=("report", RUN),
        subject={"temperature": scaling.temperature, "nll": [scaling.before, scaling.after]},
    )


def temperature_scaling(logits: NDArray[np.floating], label: NDArray[np.integer]) -> Scaling:
    """Return the temperature that gives the labels the most probability, by cross-validation.

    Args:
        logits: Shape (n, classes); a common offset of a row does not matter.
        label: Shape (n,).
    """
    held_out = temperatures(logits, label, wrong_labels=0.0)
    before, after = nll(logits, label), nll(logits / held_out[:, None], label)
    saved = before - after
    spread = np.unique(np.linspace(0, len(label) - 1, min(len(label), MOST)).astype(int))
    return Scaling(
        temperature(logits[spread], label[spread], wrong_labels=0.0),
        float(before.mean()),
        float(after.mean()),
        float(saved.std(ddof=1) / np.sqrt(len(saved))),
    )


def nll(logits: NDArray[np.floating], label: NDArray[np.integer]) -> NDArray[np.float64]:
    """Return -ln p(label) of each image, shape (n,).

    >>> nll(np.array([[0.0, 0.0]]), np.array([0])).round(4).tolist()
    [0.6931]
    """
    log_prob = log_softmax(logits.astype(np.float64), axis=1)
    return np.asarray(-log_prob[np.arange(len(label)), label])


def _is_worth_telling(scaling: Scaling) -> bool:
    saved = scaling.before - scaling.after
    factor = max(scaling.temperature, 1 / scaling.temperature)
    return bool(
        factor >= LEAST_FACTOR
        and saved >= LEAST_SAVED * scaling.before
        and saved >= LEAST_SURE * scaling.error
    )


def _agrees(mean: float, hits: int, n: int) -> bool:
    """Tell whether a mean confidence is what so many right images allow (Wilson, 95 %).

    >>> _agrees(0.9975, 185, 185), _agrees(0.9, 150, 200)
    (True, False)
    """
    low, high = wilson_interval(hits, n)
    return bool(low <= mean <= high)


def _direction(temperature: float) -> str:
    """Say in which direction the confidences are off.

    >>> _direction(0.33), _direction(1.4)
    ('far too cautious', 'too sure of itself')
    """
    far = "far " * (max(temperature, 1 / temperature) >= _FAR)
    return f"{far}too {'cautious' if temperature < 1 else 'sure of itself'}"
