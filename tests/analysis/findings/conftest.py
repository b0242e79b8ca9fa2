"""Images that are right or wrong, by hand."""

from collections.abc import Callable

import numpy as np
import pytest

from errlens.analysis.findings.scored import Scored
from errlens.classes.names import ClassNames


def scored_images(label, pred, *, names=("cat", "dog", "cow", "pig"), confidence=None) -> Scored:
    """Return images by their classes; they are rows 0, 1, 2, ..."""
    label, pred = np.asarray(label, np.int32), np.asarray(pred, np.int32)
    n = len(label)
    sure = np.full(n, 0.8) if confidence is None else np.asarray(confidence, float)
    return Scored(
        row=np.arange(n),
        label=label,
        pred=pred,
        wrong=label != pred,
        confidence=sure,
        label_prob=np.where(label == pred, sure, 1 - sure),
        paths=[f"{row}.jpg" for row in range(n)],
        content_hash=[row.to_bytes(16, "big") for row in range(n)],
        classes=ClassNames(tuple(names)),
    )


@pytest.fixture
def scored_of() -> Callable[..., Scored]:
    return scored_images
