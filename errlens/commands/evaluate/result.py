"""What predictions come to, be they made here or elsewhere."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import pandas as pd

from errlens.analysis.accuracy.metrics import Metrics, class_table, measure
from errlens.commands.options.data import allowed_bad
from errlens.errors import TooManyBadInputs
from errlens.escapes import shell_line
from errlens.formats import count, counted
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


def check_bad_inputs(evaluation: Evaluation, max_bad: str | int) -> None:
    """Refuse a result that too many inputs are missing from.

    Raises:
        TooManyBadInputs: More failed than this number or share, a text like `5%`.
    """
    metrics = evaluation.metrics
    if metrics.n_failed > allowed_bad(str(max_bad), metrics.n):
        report = shell_line(["errlens", "report", evaluation.run.path])
        raise TooManyBadInputs(
            f"{count(metrics.n_failed)} of {counted(metrics.n, 'input')} failed, --max-bad is "
            f"{max_bad}",
            hint=f"everything was written, and {report} lists what failed and why; --max-bad "
            f"{metrics.n_failed} takes it as it is",
        )
