"""What predictions come to, be they made here or elsewhere."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import pandas as pd

from errlens.analysis.accuracy.metrics import Metrics, class_table, measure
from errlens.predictions.table import Predictions
from errlens.run.folder import RunFolder


class Evaluation(NamedTuple):
    """A complete run, its metrics, and those of each class."""

    run: RunFolder
    metrics: Metrics
    classes: pd.DataFrame


def complete(
    run: RunFolder, predictions: Predictions, photos: Mapping[str, Any] | None = None
) -> Evaluation:
    """Measure the predictions of a run and complete it; `photos` is what was counted of them."""
    metrics, classes = measure(predictions), class_table(predictions)
    run.complete(metrics.as_dict(), classes, photos=photos)
    return Evaluation(run, metrics, classes)
