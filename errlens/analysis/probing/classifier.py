"""The linear classifier that is fitted to frozen features, and how strongly it is held back."""

import warnings
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold

# scikit-learn's C, on standardised features: how little large weights are punished.
STRENGTHS: Final = (0.001, 0.01, 0.1, 1.0)
USUAL_STRENGTH: Final = 0.01  # where images are too few to choose

_MOST_STEPS: Final = 1000
_ENOUGH: Final = 2000  # images to choose a strength by
_PARTS: Final = 3  # in which these are held out in turn
_CONSTANT: Final = 1e-6  # of the mean; float32 has seven digits


def fit_linear(
    features: NDArray[np.floating], label: NDArray[np.integer], *, strength: float = USUAL_STRENGTH
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Fit a multinomial logistic regression to standardised features.

    Args:
        features: Shape (n, features).
        label: Classes from 0 on, shape (n,), each of which is there.
        strength: scikit-learn's C: how little large weights are punished.

    Returns:
        Weight of shape (classes, features) and bias of shape (classes,), for features as they are.
    """
    mean, spread = features.mean(axis=0, dtype=np.float64), features.std(axis=0, dtype=np.float64)
    # What varies by rounding alone would become as large as the rest.
    spread[spread <= _CONSTANT * np.abs(mean)] = np.inf
    spread[spread == 0] = np.inf
    values = (features - mean) / spread
    # Weights that punishment keeps small lie in the span of the images: with more features than
    # images, coordinates in that span give the same classifier in less time.
    wide = values.shape[1] > len(values)
    span, values = np.linalg.qr(values.T) if wide else (None, values)
    with warnings.catch_warnings():
        # A thousand steps are near enough: what is left to gain no longer changes who is right.
        warnings.simplefilter("ignore", ConvergenceWarning)
        # With one or two images of each class labels are many, and still no quantities.
        warnings.filterwarnings("ignore", "The number of unique classes", UserWarning)
        model = LogisticRegression(C=strength, max_iter=_MOST_STEPS).fit(
            values.T if wide else values, label
        )
    weight, bias = np.asarray(model.coef_, np.float64), np.asarray(model.intercept_, np.float64)
    if len(weight) == 1:  # of two classes: one number that tells for the second
        weight, bias = np.concatenate([-weight, weight]) / 2, np.concatenate([-bias, bias]) / 2
    weight = (weight if span is None else weight @ span.T) / spread
    return weight, bias - weight @ mean


def held_out(
    features: NDArray[np.floating],
    label: NDArray[np.integer],
    *,
    folds: int,
    seed: int,
    strengths: Sequence[float] = STRENGTHS,
) -> NDArray[np.int64]:
    """Return the class that is found for each image by a probe fitted to images of other folds.

    Of several strengths, each fold's probe has the one chosen among the images it is fitted to:
    those that judge it have no say.

    Args:
        features: Shape (n, features).
        label: Classes from 0 on, shape (n,), of each at least as many images as folds.
        folds: How many parts there are, each with all classes in proportion.
        seed: Decides which image is in which.
        strengths: See `fit_linear`; ascending.
    """
    found = np.full(len(label), -1, np.int64)
    splitter = StratifiedKFold(folds, shuffle=True, random_state=seed)
    for train, test in splitter.split(label, label):
        strength = choose_strength(features[train], label[train], strengths, seed=seed)
        weight, bias = fit_linear(features[train], label[train], strength=strength)
        found[test] = (features[test] @ weight.T + bias).argmax(axis=1)
    return found


def choose_strength(
    features: NDArray[np.floating],
    label: NDArray[np.integer],
    strengths: Sequence[float] = STRENGTHS,
    *,
    seed: int,
) -> float:
    """Return the strength whose probes get most of the images right that are held out of these.

    Three parts are held out in turn; of strengths that tie, the strongest punishment is taken. Of
    more than two thousand images every second, third, ... of each class is looked at. Where a class
    has one image only, it is the usual strength.

    Args:
        features: Shape (n, features).
        label: The class of each image, shape (n,).
        strengths: Those to choose from, ascending.
        seed: Decides which image is in which part.
    """
    if len(strengths) == 1:
        return strengths[0]
    at = np.argsort(label, kind="stable")[:: max(1, len(label) // _ENOUGH)]
    there, classes, counts = np.unique(label[at], return_inverse=True, return_counts=True)
    parts = min(_PARTS, int(counts.min()))
    if parts < 2 or len(there) < 2:
        return USUAL_STRENGTH
    hits = {
        strength: np.sum(
            held_out(features[at], classes, folds=parts, seed=seed, strengths=[strength]) == classes
        )
        for strength in strengths
    }
    return max(hits, key=hits.__getitem__)
