"""The linear classifier that is fitted to frozen features."""

import warnings
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

USUAL_STRENGTH: Final = 0.01  # scikit-learn's C, on standardised features
_MOST_STEPS: Final = 1000


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
    spread[spread == 0] = 1
    with warnings.catch_warnings():
        # A thousand steps are near enough: what is left to gain no longer changes who is right.
        warnings.simplefilter("ignore", ConvergenceWarning)
        # With one or two images of each class labels are many, and still no quantities.
        warnings.filterwarnings("ignore", "The number of unique classes", UserWarning)
        model = LogisticRegression(C=strength, max_iter=_MOST_STEPS).fit(
            (features - mean) / spread, label
        )
    weight, bias = np.asarray(model.coef_, np.float64), np.asarray(model.intercept_, np.float64)
    if len(weight) == 1:  # of two classes: one number that tells for the second
        weight, bias = np.concatenate([-weight, weight]) / 2, np.concatenate([-bias, bias]) / 2
    weight = weight / spread
    return weight, bias - weight @ mean
